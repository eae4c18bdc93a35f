import Testing

@testable import PartnerBooking

/// Transfers that broke, some of them after a whole answer had come.
@Suite struct JudgementFailureTests {
    private static let codes: [(PartnerBookingError.Code, PartnerBookingError.Source)] = [
        (.timeout, .network), (.dnsFailed, .network), (.connectFailed, .network), (.tlsFailed, .network),
        (.connectionLost, .network),
        (.proxyFailed, .network), (.invalidReply, .partnerAPI), (.replyTooLarge, .partnerAPI),
        (.resourceUnavailable, .library),
    ]

    @Test(arguments: codes, Operation.allCases)
    func aFailureBecomesAnError(_ row: (PartnerBookingError.Code, PartnerBookingError.Source), _ operation: Operation) throws
    {
        for isRetryable in [false, true] {
            for mayHaveBeenSent in [false, true] {
                let failure = JudgementSamples.failure(row.0, isRetryable: isRetryable, mayHaveBeenSent: mayHaveBeenSent)
                let judgement = JudgementSamples.judge(failure, operation)
                let error = try #require(judgement.error)
                #expect(error.code == row.0)
                #expect(error.message == "It broke")
                #expect(error.source == row.1)
                #expect(error.isRetryable == isRetryable)
                #expect(error.curlCode == 56)
                #expect(error.status == nil && error.requestID == nil && !error.isFromService)
                #expect(
                    judgement.verdict.basic
                        == Delivery.Verdict(effect: mayHaveBeenSent ? .unknown : .notSent, isRetryable: isRetryable))
            }
        }
    }

    /// A service that cannot be reached is spared for a while, and one whose address is refused is not: who reads the error must see why.
    @Test func aRefusedAddressIsNoOutage() {
        for (code, isOutage) in [(PartnerBookingError.Code.connectFailed, true), (.timeout, true), (.addressRefused, nil)] {
            let verdict = JudgementSamples.judge(JudgementSamples.failure(code, mayHaveBeenSent: false)).verdict
            #expect(verdict.isOutage == isOutage, "\(code.rawValue)")
        }
    }

    /// The contract: `content_type` and `reply_bytes` come with every `invalid_reply`.
    @Test func anInvalidReplyTellsWhatCameAlsoWhenItWasNoHTTP() {
        let error = JudgementSamples.judge(JudgementSamples.failure(.invalidReply, isRetryable: false)).error
        #expect(error?.invalidReply != nil)
    }

    @Test func whatIsKnownOfABrokenReplyIsTold() throws {
        let partial = JudgementSamples.reply(
            200, "\u{1F}gzip", ["X-Request-Id": "req_9", "Content-Type": "application/json"])
        let invalid = try #require(JudgementSamples.judge(JudgementSamples.failure(.invalidReply, partial: partial)).error)
        #expect(invalid.status == 200 && invalid.requestID == "req_9")
        #expect(invalid.invalidReply == .init(contentType: "application/json", byteCount: 5))
        let large = try #require(JudgementSamples.judge(JudgementSamples.failure(.replyTooLarge, partial: partial)).error)
        #expect(large.status == 200 && large.requestID == "req_9")
        #expect(large.invalidReply == nil)
        let lost = try #require(JudgementSamples.judge(JudgementSamples.failure(.connectionLost, partial: partial)).error)
        #expect(lost.status == nil && lost.requestID == nil && lost.invalidReply == nil)
    }

    // MARK: Partial replies

    @Test(arguments: codes.map(\.0).filter { $0 != .replyTooLarge }, Operation.allCases)
    func aWholeAnswerCountsThoughTheTransferBroke(_ code: PartnerBookingError.Code, _ operation: Operation) {
        let body = JudgementSamples.success(operation)
        let success = JudgementSamples.judge(
            JudgementSamples.failure(code, partial: JudgementSamples.reply(201, body)), operation)
        #expect(success.reply == Array(body.utf8))
        #expect(success.verdict.basic == Delivery.Verdict(effect: .done, isRetryable: false))

        let partial = JudgementSamples.reply(429, JudgementSamples.refusal("slow_down"), ["Retry-After": "3"])
        let refusal = JudgementSamples.judge(JudgementSamples.failure(code, partial: partial), operation)
        #expect(refusal.error?.code.rawValue == "slow_down")
        #expect(refusal.error?.status == 429)
        #expect(refusal.error?.curlCode == nil)
        #expect(
            refusal.verdict.basic
                == Delivery.Verdict(effect: .refused, isRetryable: true, retryAfterMilliseconds: 3_000))
    }

    @Test(arguments: Operation.allCases)
    func aReplyThatIsTooLargeNeverCounts(_ operation: Operation) {
        for partial in [
            JudgementSamples.reply(200, JudgementSamples.success(operation)),
            JudgementSamples.reply(409, JudgementSamples.refusal("slot_unavailable")),
        ] {
            let judgement = JudgementSamples.judge(
                JudgementSamples.failure(.replyTooLarge, isRetryable: false, partial: partial), operation)
            #expect(judgement.error?.code == .replyTooLarge)
            #expect(judgement.error?.status == partial.status)
            #expect(judgement.verdict.basic == Delivery.Verdict(effect: .unknown, isRetryable: false))
        }
    }

    @Test(arguments: Operation.allCases)
    func aReplyThatIsCutAnywhereNeverCounts(_ operation: Operation) {
        let inner = #","more":[{"booking":{},"availabilities":[]}],"text":"}""#
        let success = JudgementSamples.success(operation).dropLast() + inner + "}"
        let whole = JudgementSamples.judge(
            JudgementSamples.failure(partial: JudgementSamples.reply(200, String(success))), operation)
        #expect(whole.reply != nil)
        for (status, body) in [(200, String(success)), (409, JudgementSamples.refusal("slot_unavailable"))] {
            for length in 0..<body.utf8.count {
                let partial = JudgementSamples.reply(status, String(body.prefix(length)))
                let judgement = JudgementSamples.judge(JudgementSamples.failure(partial: partial), operation)
                #expect(judgement.error?.code == .connectionLost, "the first \(length) bytes of \(body)")
                #expect(judgement.verdict.basic == Delivery.Verdict(effect: .unknown, isRetryable: true))
            }
        }
    }

    /// An error page without the API's words, or a success of another shape, may just be the start of something else.
    @Test(arguments: [
        (200, "{}"), (200, #"{"other":{}}"#), (201, ""), (204, ""), (503, ""), (503, "{}"), (502, "<html></html>"),
        (400, "[]"),
        (409, "{}"), (429, #"{"error":{}}"#), (301, ""),
    ])
    func anAnswerThatSaysNothingDoesNotCount(_ status: Int, _ body: String) {
        for operation in Operation.allCases {
            let failure = JudgementSamples.failure(partial: JudgementSamples.reply(status, body, ["Retry-After": "60"]))
            let judgement = JudgementSamples.judge(failure, operation)
            #expect(judgement.error?.code == .connectionLost)
            #expect(judgement.error?.retryAfterMilliseconds == nil)
            #expect(judgement.verdict.basic == Delivery.Verdict(effect: .unknown, isRetryable: true))
        }
    }

    @Test func aFailureThatSentNothingIsStillDefiniteWithAWholeAnswer() {
        // Whoever answers has read something, whatever the transport thinks.
        let failure = JudgementSamples.failure(
            mayHaveBeenSent: false, partial: JudgementSamples.reply(409, JudgementSamples.refusal("slot_unavailable")))
        #expect(JudgementSamples.judge(failure).verdict.effect == .refused)
    }
}
