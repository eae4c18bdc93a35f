import Testing

@testable import PartnerBooking

/// What is written is JSON, and says what was meant.
@Suite struct JSONWriterTests {
    private func root(_ bytes: [UInt8]) throws -> JSONValue { try JSONDocument(bytes, profile: .request).root }

    @Test func everyCharacterOfPlaneZeroAndSomeMoreIsReadBack() throws {
        for scalars in stride(from: 0, to: 0x11_0000, by: 256).filter({ $0 < 0x1_0000 || $0 % 0x1_0000 == 0 }) {
            let text = String(String.UnicodeScalarView((scalars..<scalars + 256).compactMap { Unicode.Scalar(UInt32($0)) }))
            let bytes = JSONWriter.object { $0.member("text", text) }
            let read = try root(bytes)["text"]?.string
            #expect(read.map { Array($0.utf8) } == Array(text.utf8), "\(scalars)")
        }
    }

    @Test(arguments: UInt8(0)...0x7F)
    func everyASCIICharacterIsReadBackAmongOthers(_ byte: UInt8) throws {
        let text = "a\(Unicode.Scalar(byte))b"
        let bytes = JSONWriter.object { $0.member("text", text) }
        #expect(try root(bytes)["text"]?.string == text)
        #expect(bytes.allSatisfy { $0 >= 0x20 }, "no control character stands there as itself")
    }

    @Test func membersAreWrittenInOrderWithCommasBetween() throws {
        let bytes = JSONWriter.object { writer in
            writer.member("string", "x{[")
            writer.member("none", nil as String?)
            writer.member("number", Int.min)
            writer.member("no_number", nil as Int?)
            writer.member("yes", true)
            writer.object("empty") { _ in }
            writer.object("object") {
                $0.member("no", false)
                $0.array("none", [] as [Int]) { _, _ in }
                $0.object("inner") { $0.member("a", 0) }
            }
            writer.array("array", [1, 2, 3]) { writer, element in
                if element != 2 { writer.member("n", element) }
                if element == 3 { writer.member("m", "{") }
            }
            writer.member("last", "[")
        }
        let expected =
            #"{"string":"x{[","none":null,"number":-9223372036854775808,"no_number":null,"yes":true,"empty":{},"#
            + #""object":{"no":false,"none":[],"inner":{"a":0}},"array":[{"n":1},{},{"n":3,"m":"{"}],"last":"["}"#
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(try root(bytes).members.map { $0.key.string }.count == 9)
        #expect(JSONWriter.object { _ in } == Array("{}".utf8))
    }

    @Test func anEmptyObjectOrAMemberThatLooksOpenIsFollowedByAComma() throws {
        for text in ["{", "[", "", ",", ":", "\"", "\\"] {
            let bytes = JSONWriter.object { writer in
                writer.object("a") { $0.member("b", text) }
                writer.member("c", text)
            }
            let root = try root(bytes)
            #expect(root["a"]?["b"]?.string == text && root["c"]?.string == text)
        }
    }
}
