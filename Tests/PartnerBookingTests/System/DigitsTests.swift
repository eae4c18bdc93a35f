import Testing

@testable import PartnerBooking

@Suite struct DigitsTests {
    @Test(arguments: [
        0, 1, 9, 10, 11, 99, 100, 12_345, 1_000_000_000, 9_223_372_036_854_775_807, -1, -9, -10, -120, Int.min,
    ])
    func aNumberHasItsDigits(_ number: Int) {
        var digits: [UInt8] = []
        number.forEachDigit { digits.append($0) }
        #expect(String(decoding: digits, as: UTF8.self) == String(number))
    }
}
