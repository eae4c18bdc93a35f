import Testing

@testable import PartnerBooking

/// The pipeline in front of platforms' webhooks, with a scripted transport in their place.
@Suite struct PlatformWebhookLoopTests {
    private static func configuration(webhookTimeout: Int = 30_000, bots: [String] = ["bot_1", "bot_2"]) -> String {
        let platforms = bots.map {
            #""\#($0)":{"account_id":"acct_\#($0)","webhook_url":"https://\#($0).test","webhook_secret":"s"}"#
        }
        return
            #"{"endpoint":"platform_webhook","webhook_timeout_ms":\#(webhookTimeout),"platforms":{\#(platforms.joined(separator: ","))}}"#
    }

    /// Which bot's platform an attempt went to, which is all that a script knows of it here.
    private func loop(
        _ steps: ScriptedTransport.Step..., policy: DeliveryPolicy = .calm, ledger: LedgerStore = ScriptedLoop.ledger(),
        webhookTimeout: Int = 30_000
    ) throws -> ScriptedLoop {
        try ScriptedLoop(
            ScriptedTransport(steps), policy: policy, ledger: ledger,
            configuration: Self.configuration(webhookTimeout: webhookTimeout))
    }

    private func signature(of attempt: ScriptedTransport.Attempt) throws -> String {
        let name = "\(WebhookSignature.headerName): "
        let line = try #require(attempt.headers.first { $0.hasPrefix(name) })
        return String(line.dropFirst(name.count))
    }

    @Test(arguments: PartnerBooking.CallOperation.allCases)
    func everyOperationIsRelayedAndSigned(_ operation: PartnerBooking.CallOperation) throws {
        let ending = Ending()
        let scripted = try loop(.reply(503, []), .reply(200, Sample.reply(to: operation)))
        try scripted.submit(operation, complete: ending.handler)
        #expect(try ending.result() == .success(Sample.reply(to: operation)))
        scripted.close()
        let attempts = scripted.transport.record.attempts
        #expect(attempts.count == 2)
        for attempt in attempts {
            #expect(attempt.url.hasPrefix("https://bot_1.test/"))
            #expect(attempt.body == attempts[0].body)
            #expect(throws: Never.self) {
                try WebhookSignature.verify(signature(of: attempt), body: attempt.body, secrets: ["s"])
            }
        }
    }

    /// One key, one booking: calls share a request, and a settled key is answered from memory.
    @Test func theLedgerStandsBeforeThePlatformToo() throws {
        let (first, twin, later, other) = (Ending(), Ending(), Ending(), Ending())
        let scripted = try loop(.reply(201, Sample.bookingReply, after: 30))
        let request = try Request(.createBooking, json: Sample.booking())
        try scripted.submit(request, complete: first.handler)
        try scripted.submit(request, complete: twin.handler)
        #expect(try first.result() == .success(Sample.bookingReply) && twin.result() == .success(Sample.bookingReply))
        try scripted.submit(request, complete: later.handler)
        #expect(try later.result() == .success(Sample.bookingReply))
        try scripted.submit(Request(.createBooking, json: Sample.booking(bot: "bot_2")), complete: other.handler)
        #expect(try other.error().code == .idempotencyKeyReused)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 1)
    }

    // MARK: What a platform says

    @Test func whatAPlatformRefusesIsThePlatforms() throws {
        let own = Array(#"{ "problem":"closed","alternatives":[1.0] }"#.utf8)
        for (status, body, code) in [
            (409, Sample.refusal("slot_unavailable"), "slot_unavailable"), (422, own, "http_error"),
            (400, Sample.refusal("whatever"), "whatever"), (404, Array("<html>".utf8), "http_error"),
        ] {
            let ending = Ending()
            let scripted = try loop(.reply(status, body))
            try scripted.submit(complete: ending.handler)
            let error = try ending.error()
            #expect(error.code.rawValue == code && error.status == status)
            #expect(error.source == .platform && error.outcome == .rejected)
            #expect(error.reply == (body.first == UInt8(ascii: "<") ? nil : body), "as it came")
            if let reply = error.reply {
                let text = "\"reply\":" + String(decoding: reply, as: UTF8.self)
                #expect(String(decoding: error.json, as: UTF8.self).contains(text))
                #expect(throws: Never.self) { try JSON.validate(error.json, profile: .request) }
            }
            scripted.close()
        }
    }

    @Test func aReplyOfTheWrongShapeIsThePlatformsFault() throws {
        let ending = Ending()
        let scripted = try loop(.reply(200, Array(#"{"found":"yes"}"#.utf8)))
        try scripted.submit(.lookupCustomer, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .invalidReply && error.source == .platform && error.outcome == nil)
        scripted.close()
    }

    // MARK: Time

    /// A platform that takes too long over one request is asked once more, under the same key, within the call's deadline.
    @Test func anAttemptThatIsOverdueIsMadeAgain() throws {
        let ending = Ending()
        let scripted = try loop(.never(mayHaveBeenSent: true), .reply(200, Sample.bookingReply), webhookTimeout: 40)
        try scripted.submit(complete: ending.handler)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
        let record = scripted.transport.record
        #expect(record.attempts.count == 2 && record.overdue.count == 1)
        #expect(record.attempts[0].body == record.attempts[1].body)
    }

    /// After its attempts there is no time for another question before the deadline.
    @Test func aPlatformThatNeverAnswersLeavesADoubt() throws {
        let ending = Ending()
        let scripted = try loop(.never(mayHaveBeenSent: true), webhookTimeout: 20)
        try scripted.submit(deadline: 1_000, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .inDoubt && error.outcome == .unknown && error.attempts == 3)
        #expect(error.doubt?.code == .timeout && error.doubt?.status == nil && error.source == .network)
        scripted.close()
        #expect(scripted.transport.record.overdue.count == 3)
    }

    @Test func aPlatformThatNeverAnswersASearchIsNamed() throws {
        let ending = Ending()
        let scripted = try loop(.never(mayHaveBeenSent: true), webhookTimeout: 20)
        try scripted.submit(.searchAvailability, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .timeout && error.attempts == 3 && error.source == .network)
        #expect(error.message.contains("webhook_timeout_ms"))
        scripted.close()
    }

    /// What waits for a connection of ours has not been asked of the platform: neither is the attempt made again, nor the platform
    /// held to be out of order.
    @Test func theTimeOfAnAttemptCountsFromItsSending() throws {
        let policy = DeliveryPolicy(retryTokens: 0, circuitBreaker: .init(failures: 1, openMilliseconds: 600_000))
        let ending = Ending()
        let scripted = try loop(.never(mayHaveBeenSent: false), policy: policy, webhookTimeout: 10)
        try scripted.submit(deadline: 100, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .timeout && error.outcome == .notSent && error.attempts == 1)
        #expect(!error.message.contains("webhook_timeout_ms"))
        let next = Ending()
        try scripted.submit(deadline: 30, complete: next.handler)
        #expect(try next.error().code == .timeout, "and not circuit_open")
        scripted.close()
    }

    /// A twin that can wait longer moves the deadline; the platform is not given more time for one attempt by that.
    @Test func anAttemptIsLimitedAlsoWhenATwinExtendsTheDeadline() throws {
        let (first, twin) = (Ending(), Ending())
        let scripted = try loop(.never(mayHaveBeenSent: true), .reply(200, Sample.bookingReply), webhookTimeout: 150)
        let request = try Request(.createBooking, json: Sample.booking())
        try scripted.submit(request, deadline: 100, complete: first.handler)
        try scripted.submit(request, deadline: 60_000, complete: twin.handler)
        #expect(try first.error().outcome == .unknown)
        #expect(try twin.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 2)
    }

    /// An answer that is there counts, though its transfer has not ended.
    @Test func anAnswerWithoutAnEndCounts() throws {
        let ending = Ending()
        let scripted = try loop(.unended(201, Sample.bookingReply), webhookTimeout: 20)
        try scripted.submit(complete: ending.handler)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 1)
    }

    @Test func aDeadlineThatComesFirstIsTheCalls() throws {
        let ending = Ending()
        let scripted = try loop(.never(mayHaveBeenSent: true), webhookTimeout: 30_000)
        try scripted.submit(deadline: 30, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .timeout && error.attempts == 1 && !error.message.contains("webhook_timeout_ms"))
        scripted.close()
    }

    // MARK: Platforms apart

    /// A platform that is out of order is left alone for a while; another one in the same client is not.
    @Test func aPlatformInTroubleIsSparedAndNoOther() throws {
        let policy = DeliveryPolicy(retryTokens: 2, circuitBreaker: .init(failures: 3, openMilliseconds: 600_000))
        let transport = ScriptedTransport { _, _ in .failure(mayHaveBeenSent: false) }
        let scripted = try ScriptedLoop(transport, policy: policy, attempts: 1, configuration: Self.configuration())
        func search(_ bot: String) throws -> PartnerBookingError {
            let ending = Ending()
            try scripted.submit(.searchAvailability, json: Sample.search(bot: bot), complete: ending.handler)
            return try ending.error()
        }
        for _ in 0..<3 { #expect(try search("bot_1").code == .connectionLost) }
        #expect(try search("bot_1").code == .circuitOpen)
        for _ in 0..<3 { #expect(try search("bot_2").code == .connectionLost) }
        #expect(try search("bot_2").code == .circuitOpen)
        scripted.close()
    }

    @Test func everyPlatformHasARetryBudgetOfItsOwn() throws {
        let policy = DeliveryPolicy(retryTokens: 1, circuitBreaker: .init(failures: 0, openMilliseconds: 1_000))
        let scripted = try ScriptedLoop(
            ScriptedTransport { _, _ in .reply(503, []) }, policy: policy, configuration: Self.configuration())
        func attempts(_ bot: String) throws -> Int {
            let ending = Ending()
            try scripted.submit(.searchAvailability, json: Sample.search(bot: bot), complete: ending.handler)
            return try ending.error().attempts
        }
        #expect(try attempts("bot_1") == 2)
        #expect(try attempts("bot_1") == 1)
        #expect(try attempts("bot_2") == 2)
        scripted.close()
    }

    // MARK: Bookings that are resumed

    /// A booking that is in doubt, and whose bot's platform the configuration does not name any more, stays in doubt.
    @Test func aResumedBookingOfAnUnknownBotStaysInDoubt() throws {
        let ledger = try Self.ledger(inDoubt: Sample.booking(bot: "bot_gone"))
        let (result, attempts) = try resume(ledger)
        #expect(result.failure?.code == .unknownBot && result.failure?.outcome == .unknown && attempts == 0)
        #expect(ledger.pending.map(\.key) == ["key-1"] && ledger.pending.map(\.state) == [.inDoubt])
    }

    /// It may have been made where it was sent. Sent to another account it could be made twice.
    @Test(arguments: [("acct_bot_1", true), ("acct_other", false), (nil, true)] as [(String?, Bool)])
    func aBookingIsResumedInTheAccountThatItWasSentIn(_ accountID: String?, _ isSent: Bool) throws {
        let ledger = try Self.ledger(inDoubt: Sample.booking(), accountID: accountID)
        let (result, attempts) = try resume(ledger)
        #expect(attempts == (isSent ? 1 : 0))
        if isSent { return #expect(result == .success(Sample.bookingReply)) }
        #expect(result.failure?.code == .accountChanged && result.failure?.outcome == .unknown)
        #expect(ledger.pending.map(\.key) == ["key-1"] && ledger.pending.map(\.state) == [.inDoubt])
        let again = ledger.begin(try Request(.createBooking, json: Sample.resume()), "key-1", service: 0, id: 99)
        guard case .send(let grant) = again else { throw TestFailure("\(again)") }
        #expect(grant.accountID == accountID)
    }

    /// What an earlier process has left.
    private static func ledger(inDoubt json: [UInt8], accountID: String? = nil) throws -> LedgerStore {
        try ScriptedLoop.ledger(inDoubt: [(json, accountID)])
    }

    private func resume(_ ledger: LedgerStore) throws -> (CallResult, attempts: Int) {
        let ending = Ending()
        let scripted = try loop(.reply(201, Sample.bookingReply), ledger: ledger)
        try scripted.submit(
            Request(.createBooking, json: Sample.resume()), complete: ending.handler)
        let result = try ending.result()
        scripted.close()
        return (result, scripted.transport.record.attempts.count)
    }
}
