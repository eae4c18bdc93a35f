import Testing

@testable import PartnerBooking

struct WhiteSpaceTests {
    @Test func itIsThatOfUnicode() {
        let differing = (0...0x10FFFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init).filter {
            $0.isWhiteSpace != $0.properties.isWhitespace
        }
        #expect(differing == [])
    }
}
