import Testing

@testable import PartnerBooking

/// RFC 8259, case by case: what is accepted, what is refused, and the byte that the refusal points at.
@Suite struct JSONConformanceTests {
    @Test(arguments: ConformanceCase.acceptedCases + ConformanceCase.halfPairCases)
    func accepts(_ text: ConformanceCase) { text.check() }

    @Test(arguments: ConformanceCase.refusedCases)
    func refuses(_ text: ConformanceCase) { text.check() }

    @Test(arguments: ConformanceCase.nestingCases)
    func nests(_ text: ConformanceCase) { text.check() }

    @Test func pointsAtTheEndOfATextThatIsCut() {
        let document = ConformanceCase.bytes(ConformanceCase.richDocument)
        for length in document.indices {
            // A text may also be cut within a character; the character's start is as good an answer then.
            let start = document[...length].lastIndex { $0 & 0xC0 != 0x80 } ?? length
            let offsets = [length, start]
            ConformanceCase(
                name: "the first \(length) bytes", bytes: Array(document[..<length]), inRequests: offsets,
                inReplies: offsets
            ).check()
        }
    }

    /// Whatever stands at any one place, the answer makes sense: up to the offset the text is fine, and what requests
    /// may hold, replies may hold too.
    @Test(arguments: [#"{"a":[-10.5e+3,"%C3%A9\n"],"\ud83d\ude00":null}"#, #" [true,{"":"\\"},0] "#])
    func survivesAnyByteAnywhere(_ text: String) {
        let original = ConformanceCase.bytes(text)
        for index in original.indices {
            for byte in UInt8.min...UInt8.max {
                var bytes = original
                bytes[index] = byte
                let inRequests = offsetOfRefusal(bytes, .request)
                let inReplies = offsetOfRefusal(bytes, .reply)
                #expect(inReplies == nil || inRequests != nil, "\(byte) at \(index)")
                for (profile, offset) in [(JSONProfile.request, inRequests), (.reply, inReplies)] {
                    guard let offset else { continue }
                    #expect((0...bytes.count).contains(offset), "\(byte) at \(index)")
                    let before = offsetOfRefusal(Array(bytes.prefix(offset)), profile)
                    #expect(before == nil || before == offset, "\(byte) at \(index)")
                }
            }
        }
    }
}
