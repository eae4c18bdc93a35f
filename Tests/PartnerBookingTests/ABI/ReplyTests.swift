import CPartnerBooking
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// A reply's text stands for the status that its call gave.
@Suite struct ReplyTests {
    /// Reads the error back from its JSON. The text is all that it has.
    private func readBack(_ error: PartnerBookingError) -> PartnerBookingError? {
        guard case .failure(let read) = Reply(error.json) else { return nil }
        return read
    }

    private func expectSame(_ error: PartnerBookingError, _ comment: String) {
        let read = readBack(error)
        #expect(read?.pbkStatus == error.pbkStatus, "\(comment)")
        #expect(read?.isFromService == error.isFromService, "\(comment)")
        #expect(read?.pbkOutcome == error.pbkOutcome, "\(comment)")
        #expect(read?.isRetryable == error.isRetryable, "\(comment)")
        #expect(read?.retryAfterMilliseconds == error.retryAfterMilliseconds, "\(comment)")
        let text = String(decoding: error.json, as: UTF8.self)
        #expect(pbk_reply_status(text) == error.pbkStatus, "\(comment)")
    }

    private static let sources: [PartnerBookingError.Source] = [.caller, .library, .network, .platform, .partnerAPI]

    /// A code of the library without an answer that counts: no status, whatever the source.
    @Test func errorsOfTheLibrary() {
        for (code, _) in Header.codes {
            for source in Self.sources {
                for outcome in [nil, .notSent, .rejected, .unknown] as [PartnerBookingError.Outcome?] {
                    var error = PartnerBookingError(code, "a message", source: source, isRetryable: outcome == .unknown)
                    error.outcome = outcome
                    error.retryAfterMilliseconds = outcome == nil ? 250 : nil
                    expectSame(error, "\(code) \(source)")
                    error.curlCode = 56
                    expectSame(error, "\(code) \(source), a transfer that failed")
                }
            }
        }
    }

    private static let operations: [PartnerBooking.CallOperation] = [.searchAvailability, .createBooking, .lookupCustomer]

    /// Every answer that a service can give, in its own words, which may be the library's.
    @Test func refusals() {
        let codes =
            Header.codes.map(\.code.rawValue) + ["http_error", "slot_unavailable", "SLOT-TAKEN", "", "a_code", "\u{1F600}"]
        for status in 300...599 {
            for code in codes {
                let body = AttemptSamples.refusal(code)
                for source in [.partnerAPI, .platform] as [PartnerBookingError.Source] {
                    let question = AttemptResult.Question(operation: .createBooking, source: source)
                    let result = AttemptResult(.reply(AttemptSamples.reply(status, body)), to: question)
                    guard let error = result.error else { continue }
                    #expect(readBack(error)?.pbkStatus == error.pbkStatus, "\(status) \(code)")
                    #expect(error.pbkStatus.rawValue >= 80)
                }
            }
        }
    }

    /// A code or a text in every shape that is known, and none.
    @Test(arguments: ServiceReasonTests.shapes + [#"{"message":"m"}"#, #"{"error":"A text"}"#, "<html>", ""])
    func refusalsInOtherShapes(_ shape: String) throws {
        for status in [300, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503] {
            for code in ["slot_taken", "timeout", "in_doubt", "invalid_reply", "http_error", "conflict"] {
                let reply = AttemptSamples.reply(status, shape.replacing("@", with: code))
                var error = try #require(AttemptSamples.judge(reply).error)
                error.outcome = .rejected
                expectSame(error, "\(status) \(code)")
                #expect((80...84).contains(error.pbkStatus.rawValue), "\(status) \(code)")
            }
        }
    }

    /// Answers that cannot be used, with every HTTP status that may have come with them.
    @Test func repliesThatCannotBeUsed() throws {
        for status in [nil, 200, 201, 204, 299, 300, 401, 409, 429, 500, 503, 599] as [Int?] {
            for code in [.invalidReply, .replyTooLarge, .connectionLost, .connectFailed] as [PartnerBookingError.Code] {
                let partial = status.map { AttemptSamples.reply($0, "<html>") }
                for operation in Self.operations {
                    let failure = AttemptSamples.failure(code, partial: partial)
                    let error = try #require(AttemptSamples.judge(failure, operation).error)
                    expectSame(error, "\(code) \(status ?? 0)")
                }
            }
        }
    }

    @Test func successesThatAreNone() throws {
        let bodies = [
            "", "[]", "{}", "not JSON", #"{"booking":{"id":"bkg_1","status":"declined"}}"#, #"{"error":{"code":"timeout"}}"#,
            #"{"booking":{"id":"bkg_1","start_at":"2030-01-14T11:00:00Z","error":{"code":"x"}}}"#,
        ]
        for body in bodies {
            for operation in Self.operations {
                guard let error = AttemptSamples.judge(AttemptSamples.reply(200, body), operation).error else { continue }
                expectSame(error, body)
            }
        }
        let question = AttemptResult.Question(operation: .createBooking, startSeconds: 1)
        let elsewhere = AttemptSamples.reply(201, #"{"booking":{"start_at":"2030-01-14T11:00:00Z"}}"#)
        let error = try #require(AttemptResult(.reply(elsewhere), to: question).error)
        #expect(error.code == .otherBooking)
        expectSame(error, "another booking")
    }

    /// The platform's body is part of our JSON, two levels further in.
    @Test func aDeepBodyIsStillRead() throws {
        for depth in 1...128 {
            let deep = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            let body = #"{"error":{"code":"a_code","message":"m"},"x":\#(depth > 1 ? deep : "7")}"#
            let question = AttemptResult.Question(operation: .createBooking, source: .platform)
            let error = try #require(AttemptResult(.reply(AttemptSamples.reply(400, body)), to: question).error)
            #expect((error.reply != nil) == (depth <= 126), "\(depth)")
            expectSame(error, "\(depth)")
        }
        let inject = #"1}},"x":{"y":{"z":1"#
        let question = AttemptResult.Question(operation: .createBooking, source: .platform)
        #expect(AttemptResult(.reply(AttemptSamples.reply(400, inject)), to: question).error?.reply == nil)
    }

    // MARK: Replies that are none of an error

    @Test(arguments: [
        #"{"availabilities":[]}"#, #" {"booking":{"id":"x"}} "#, #"{"found":false}"#, "{}", #"{"error":null}"#,
        #"{"pending_bookings":[],"journal":null}"#, #"{"given_up":[],"kept":[]}"#,
        #"{"availabilities":[],"error":{"code":"timeout","source":"network","retryable":true}}"#,
        #"{"error":{"code":"timeout","source":"network","retryable":true},"booking":{"id":"x"}}"#,
        #"{"x":"\ud800"}"#,
    ])
    func success(_ text: String) {
        #expect(pbk_reply_status(text) == PBK_OK)
        #expect(pbk_reply_outcome(text) == PBK_OUTCOME_NONE)
        #expect(pbk_reply_retryable(text) == 0)
        #expect(pbk_reply_retry_after_ms(text) == -1)
    }

    @Test(arguments: [
        "", " ", "[]", "7", "null", #""x""#, "{", "{}{}", #"{"error":{}}"#, #"{"error":{"code":"timeout"}}"#,
        #"{"error":{"code":7,"source":"network","retryable":true}}"#,
        #"{"error":{"code":"timeout","source":"somebody","retryable":true}}"#,
        #"{"error":{"code":"timeout","source":"network","retryable":"true"}}"#,
    ])
    func noReply(_ text: String) {
        #expect(pbk_reply_status(text) == PBK_INVALID_JSON)
        #expect(pbk_reply_outcome(text) == PBK_OUTCOME_UNKNOWN)
        #expect(pbk_reply_retryable(text) == 0)
        #expect(pbk_reply_retry_after_ms(text) == -1)
    }

    @Test func nullPointers() {
        #expect(pbk_reply_status(nil) == PBK_INVALID_ARGUMENT)
        #expect(pbk_reply_outcome(nil) == PBK_OUTCOME_UNKNOWN)
        #expect(pbk_reply_retryable(nil) == 0)
        #expect(pbk_reply_retry_after_ms(nil) == -1)
        #expect(pbk_json_get(nil, "") == nil)
        #expect(pbk_json_get("{}", nil) == nil)
        #expect(pbk_json_quote(nil) == nil)
    }

    /// A reply that was kept from a newer library.
    @Test func wordsOfALaterVersion() {
        let later = #"{"error":{"code":"new","status":null,"source":"library","retryable":true,"outcome":"new"}}"#
        #expect(pbk_reply_status(later) == PBK_RESOURCE_UNAVAILABLE)
        #expect(pbk_reply_outcome(later) == PBK_OUTCOME_UNKNOWN)
    }
}
