import Testing

@testable import PartnerBooking

@Suite struct HMACKeyTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let number: Int
        let key: [UInt8]
        let data: [UInt8]
        let code: String

        var testDescription: String { "RFC 4231, test case \(number)" }
    }

    /// RFC 4231, section 4. Of case 5 the RFC gives the first 128 bits.
    static let vectors: [Vector] = [
        Vector(
            number: 1, key: bytes(0x0b, 20), data: text("Hi There"),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            number: 2, key: text("Jefe"), data: text("what do ya want for nothing?"),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            number: 3, key: bytes(0xaa, 20), data: bytes(0xdd, 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            number: 4, key: Array(1...25), data: bytes(0xcd, 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            number: 5, key: bytes(0x0c, 20), data: text("Test With Truncation"), code: "a3b6167473100ee06e0c796c2955552b"),
        Vector(
            number: 6, key: bytes(0xaa, 131), data: text("Test Using Larger Than Block-Size Key - Hash Key First"),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            number: 7, key: bytes(0xaa, 131),
            data: text(
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
                    + "hashed before being used by the HMAC algorithm."),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    private static func bytes(_ byte: UInt8, _ count: Int) -> [UInt8] { Array(repeating: byte, count: count) }
    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: vectors)
    func itMakesTheCodesOfTheRFC(_ vector: Vector) {
        let key = vector.key.withUnsafeBytes { HMACKey($0) }
        let code = key.code { $0.update(vector.data) }
        #expect(code.count == 32)
        #expect(code.hex.hasPrefix(vector.code))
    }

    /// What was signed before leaves nothing behind.
    @Test func oneKeySignsManyTexts() {
        let vector = Self.vectors[1]
        let key = vector.key.withUnsafeBytes { HMACKey($0) }
        for length in 0..<200 {
            _ = key.code { $0.update(Self.bytes(0xFF, length)) }
            #expect(key.code { $0.update(vector.data) }.hex == vector.code)
        }
    }

    /// A key is one block long, filled up with zeros; longer ones stand for their hash.
    @Test func keysAsLongAsABlockAreTheBorder() {
        func code(_ key: [UInt8]) -> String { key.withUnsafeBytes { HMACKey($0) }.code { $0.update("x") }.hex }
        let block = Self.bytes(7, 64)
        #expect(code(block) != code(Self.bytes(7, 63)))
        #expect(code(block + [7]) == code(SHA256.digest(of: block + [7])))
        #expect(code(block) != code(SHA256.digest(of: block)))
        #expect(code([]) == code([0]) && code([]) == code(Self.bytes(0, 64)))
    }
}
