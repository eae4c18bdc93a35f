import Testing

@testable import PartnerBooking

/// Transfers that broke, some of them after a whole answer had come.
@Suite struct AttemptResultFailureTests {
    private static let codes: [(PartnerBookingError.Code, PartnerBookingError.Source)] = [
        (.timeout, .network), (.dnsFailed, .network), (.connectFailed, .network), (.tlsFailed, .network),
        (.connectionLost, .network),
        (.proxyFailed, .network), (.invalidReply, .partnerAPI), (.replyTooLarge, .partnerAPI),
        (.resourceUnavailable, .library),
    ]

    @Test(arguments: codes, CallOperation.allCases)
    func aFailureBecomesAnError(_ row: (PartnerBookingError.Code, PartnerBookingError.Source), _ operation: CallOperation)
        throws
    {
        for isRetryable in [false, true] {
            let attempt = AttemptSamples.judge(AttemptSamples.failure(row.0, isRetryable: isRetryable), operation)
            let error = try #require(attempt.error)
            #expect(error.code == row.0)
            #expect(error.message == "It broke")
            #expect(error.source == row.1)
            #expect(error.isRetryable == isRetryable && attempt.isRetryable == isRetryable)
            #expect(error.curlCode == 56)
            #expect(error.status == nil && error.requestID == nil && !error.isFromService)
            #expect(attempt.answer == .none)
        }
    }

    /// A service that cannot be reached is spared for a while, and one whose address is refused is not: who reads the error must see why.
    @Test func aRefusedAddressIsNoOutage() {
        for (code, isOutage) in [(PartnerBookingError.Code.connectFailed, true), (.timeout, true), (.addressRefused, nil)] {
            #expect(AttemptSamples.judge(AttemptSamples.failure(code)).isOutage == isOutage, "\(code.rawValue)")
        }
    }

    /// The contract: `content_type` and `reply_bytes` come with every `invalid_reply`.
    @Test func anInvalidReplyTellsWhatCameAlsoWhenItWasNoHTTP() {
        let error = AttemptSamples.judge(AttemptSamples.failure(.invalidReply, isRetryable: false)).error
        #expect(error?.received != nil)
    }

    @Test func whatIsKnownOfABrokenReplyIsTold() throws {
        let partial = AttemptSamples.reply(
            200, "\u{1F}gzip", ["X-Request-Id": "req_9", "Content-Type": "application/json"])
        let invalid = try #require(AttemptSamples.judge(AttemptSamples.failure(.invalidReply, partial: partial)).error)
        #expect(invalid.status == 200 && invalid.requestID == "req_9")
        #expect(invalid.received == .init(contentType: "application/json", byteCount: 5))
        let large = try #require(AttemptSamples.judge(AttemptSamples.failure(.replyTooLarge, partial: partial)).error)
        #expect(large.status == 200 && large.requestID == "req_9")
        #expect(large.received == nil)
        let lost = try #require(AttemptSamples.judge(AttemptSamples.failure(.connectionLost, partial: partial)).error)
        #expect(lost.status == nil && lost.requestID == nil && lost.received == nil)
    }

    // MARK: Partial replies

    @Test(arguments: codes.map(\.0).filter { $0 != .replyTooLarge }, CallOperation.allCases)
    func aWholeAnswerCountsThoughTheTransferBroke(_ code: PartnerBookingError.Code, _ operation: CallOperation) {
        let body = AttemptSamples.success(operation)
        let success = AttemptSamples.judge(
            AttemptSamples.failure(code, partial: AttemptSamples.reply(201, body)), operation)
        #expect(success.reply == Array(body.utf8))
        #expect(success.answer == .made && !success.isRetryable)

        let partial = AttemptSamples.reply(429, AttemptSamples.refusal("slow_down"), ["Retry-After": "3"])
        let refusal = AttemptSamples.judge(AttemptSamples.failure(code, partial: partial), operation)
        #expect(refusal.error?.code.rawValue == "slow_down")
        #expect(refusal.error?.status == 429)
        #expect(refusal.error?.curlCode == nil)
        #expect(refusal.answer == .callerRefused && refusal.isRetryable && refusal.retryAfterMilliseconds == 3_000)
    }

    @Test(arguments: CallOperation.allCases)
    func aReplyThatIsTooLargeNeverCounts(_ operation: CallOperation) {
        for partial in [
            AttemptSamples.reply(200, AttemptSamples.success(operation)),
            AttemptSamples.reply(409, AttemptSamples.refusal("slot_unavailable")),
        ] {
            let attempt = AttemptSamples.judge(
                AttemptSamples.failure(.replyTooLarge, isRetryable: false, partial: partial), operation)
            #expect(attempt.error?.code == .replyTooLarge)
            #expect(attempt.error?.status == partial.status)
            #expect(attempt.answer == .none && !attempt.isRetryable)
        }
    }

    @Test(arguments: CallOperation.allCases)
    func aReplyThatIsCutAnywhereNeverCounts(_ operation: CallOperation) {
        let inner = #","more":[{"booking":{},"availabilities":[]}],"text":"}""#
        let success = AttemptSamples.success(operation).dropLast() + inner + "}"
        let whole = AttemptSamples.judge(
            AttemptSamples.failure(partial: AttemptSamples.reply(200, String(success))), operation)
        #expect(whole.reply != nil)
        for (status, body) in [(200, String(success)), (409, AttemptSamples.refusal("slot_unavailable"))] {
            for length in 0..<body.utf8.count {
                let partial = AttemptSamples.reply(status, String(body.prefix(length)))
                let attempt = AttemptSamples.judge(AttemptSamples.failure(partial: partial), operation)
                #expect(attempt.error?.code == .connectionLost, "the first \(length) bytes of \(body)")
                #expect(attempt.answer == .none && attempt.isRetryable)
            }
        }
    }

    /// An error page without a code, or a success of another shape, may just be the start of something else.
    @Test(arguments: [
        (200, "{}"), (200, #"{"other":{}}"#), (201, ""), (204, ""), (503, ""), (503, "{}"), (502, "<html></html>"),
        (400, "[]"),
        (409, "{}"), (429, #"{"error":{}}"#), (301, ""), (409, "slot_taken"), (400, #"{"message":"m"}"#),
    ])
    func anAnswerThatSaysNothingDoesNotCount(_ status: Int, _ body: String) {
        for operation in CallOperation.allCases {
            let failure = AttemptSamples.failure(partial: AttemptSamples.reply(status, body, ["Retry-After": "60"]))
            let attempt = AttemptSamples.judge(failure, operation)
            #expect(attempt.error?.code == .connectionLost)
            #expect(attempt.error?.retryAfterMilliseconds == nil)
            #expect(attempt.answer == .none && attempt.isRetryable)
        }
    }
}
