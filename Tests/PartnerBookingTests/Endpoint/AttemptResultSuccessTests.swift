import Testing

@testable import PartnerBooking

/// Which bodies of a success are what was promised.
@Suite struct AttemptResultSuccessTests {
    /// `@` stands for the promised member's name, `*` for a value of its kind.
    @Test(
        arguments: [
            (#"{"@":*}"#, true), (#" { "@" : * } "#, true), (#"{"more":1,"@":*,"last":[]}"#, true),
            (#"{"inner":{"@":1},"@":*}"#, true),
            (#"{"@":*,"text":"@"}"#, true), (#"{"text":"cut \ud83d","@":*}"#, true),
            // Copies: the last one counts.
            (#"{"@":1,"@":*}"#, true), (#"{"@":*,"@":1}"#, false), (#"{"@":*,"@":null}"#, false),
            // Only look-alikes.
            (#"{"inner":{"@":*}}"#, false), (#"{"inner":[{"@":*}]}"#, false), (#"{"text":"@","more":*}"#, false),
            (#"[{"@":*}]"#, false),
            (#"{"@ ":*}"#, false), (#"{"@s":*}"#, false), (#"{"":*}"#, false), (#"{"@\u0000":*}"#, false),
            (#"["@",*]"#, false),
            // The wrong kind.
            (#"{"@":null}"#, false), (#"{"@":"*"}"#, false), (#"{"@":"text"}"#, false), (#"{"@":5}"#, false),
            // Not JSON, or not an object.
            ("", false), (" ", false), ("null", false), ("*", false), ("[]", false), ("{}", false),
            ("\u{FEFF}\u{FEFF}{\"@\":*}", false),
            (#"{"@":*} x"#, false), (#"{"@":*}}"#, false), (#"{"@":*},"#, false), (#"{"@":*"#, false), (#"{"@":*,}"#, false),
            ("{\"@\":*}\0", false), (#"{"@":*}{"@":*}"#, false), (#"{'@':*}"#, false), (#"{"@":*,"x":NaN}"#, false),
            ("OK", false), ("<html></html>", false), (#"{"error":{"code":"c","message":"m"}}"#, false),
        ], CallOperation.allCases)
    func aSuccessHasThePromisedShape(_ row: (String, Bool), _ operation: CallOperation) throws {
        let (name, value) =
            switch operation {
            case .searchAvailability: ("availabilities", "[]")
            case .createBooking: ("booking", #"{"id":1}"#)
            case .lookupCustomer: ("found", "true")
            }
        let spellings = [name, RequestText.escaped(name) { _ in true }, RequestText.escaped(name) { $0 == 3 }]
        for spelling in spellings {
            let body = row.0.replacing("@", with: spelling).replacing("\"*\"", with: "\"x\"").replacing("*", with: value)
            for status in [200, 201, 202, 204, 299] {
                let attempt = AttemptSamples.judge(AttemptSamples.reply(status, body), operation)
                #expect((attempt.reply != nil) == row.1, "\(status): \(body)")
                if row.1 {
                    #expect(attempt.reply == Array(body.utf8), "byte for byte")
                    #expect(attempt.answer == .made && !attempt.isRetryable)
                } else {
                    #expect(attempt.error?.code == .invalidReply)
                    #expect(attempt.error?.status == status)
                    #expect(attempt.error?.received == .init(contentType: nil, byteCount: body.utf8.count))
                    #expect(attempt.answer == .none && !attempt.isRetryable)
                }
            }
        }
    }

    /// The byte order mark is no part of what is handed over.
    @Test(arguments: CallOperation.allCases)
    func aByteOrderMarkIsTakenOff(_ operation: CallOperation) {
        let body = AttemptSamples.success(operation)
        let marked = AttemptSamples.reply(200, "\u{FEFF}" + body)
        #expect(AttemptSamples.judge(marked, operation).reply == Array(body.utf8))
        #expect(AttemptSamples.judge(AttemptSamples.failure(partial: marked), operation).reply == Array(body.utf8))
        let refusal = AttemptSamples.refusal("slot_taken")
        let error = AttemptSamples.judge(AttemptSamples.reply(409, "\u{FEFF}" + refusal), operation).error
        #expect(error?.code.rawValue == "slot_taken" && error?.reply == Array(refusal.utf8))
        #expect(error?.received?.byteCount == refusal.utf8.count + 3, "as it came")
        let declined = #"{"booking":{"id":"b","status":"declined"}}"#
        let result = AttemptSamples.judge(AttemptSamples.reply(201, "\u{FEFF}" + declined))
        #expect(result.answer == .notConfirmed && result.error?.reply == Array(declined.utf8))
        // Parts of one, and other marks, are none.
        for bytes: [UInt8] in [[0xEF], [0xEF, 0xBB], [0xFE, 0xFF], [0xFF, 0xFE]] {
            let broken = HTTPReply(status: 200, body: bytes + Array(body.utf8))
            #expect(AttemptSamples.judge(broken, operation).error?.code == .invalidReply)
        }
    }

    @Test func aReplyToTheOtherOperationIsNone() {
        for operation in CallOperation.allCases {
            for other in CallOperation.allCases where other != operation {
                let reply = AttemptSamples.reply(200, AttemptSamples.success(other))
                #expect(AttemptSamples.judge(reply, operation).error?.code == .invalidReply)
            }
        }
        #expect(AttemptSamples.judge(AttemptSamples.reply(201, #"{"booking":[]}"#)).error?.code == .invalidReply)
        let search = AttemptSamples.reply(200, #"{"availabilities":{}}"#)
        #expect(AttemptSamples.judge(search, .searchAvailability).error?.code == .invalidReply)
        for found in ["1", #""true""#, "null", "{}"] {
            let lookup = AttemptSamples.reply(200, "{\"found\":\(found)}")
            #expect(AttemptSamples.judge(lookup, .lookupCustomer).error?.code == .invalidReply)
        }
        for wrong in ["booking", "availabilities"] {
            let reply = AttemptSamples.reply(200, "{\"\(wrong)\":true}")
            #expect(AttemptSamples.judge(reply, wrong == "booking" ? .createBooking : .searchAvailability).error != nil)
        }
    }

    @Test func aSuccessWithAnotherStatusIsARefusal() {
        for operation in CallOperation.allCases {
            for status in [199, 300, 302, 400, 500] {
                let reply = AttemptSamples.reply(status, AttemptSamples.success(operation))
                #expect(AttemptSamples.judge(reply, operation).error?.code == .httpError)
            }
        }
    }
}
