import Testing

@testable import PartnerBooking

/// A platform that does not accept a signature: while one secret replaces the other, and for a moment after a start (field case
/// B13).
@Suite struct WebhookSecretTests {
    private static func configuration(_ secrets: String) -> String {
        let platform = #"{"account_id":"acct_1","webhook_url":"https://h.test","webhook_secret":\#(secrets)}"#
        return #"{"endpoint":"platform_webhook","platforms":{"bot_1":\#(platform)}}"#
    }

    private static let two = #"["new","old"]"#

    private static func loop(
        _ secrets: String, attempts: Int = 3, _ script: @escaping ScriptedTransport.Script
    ) throws -> ScriptedLoop {
        try ScriptedLoop(ScriptedTransport(script), policy: .calm, attempts: attempts, configuration: configuration(secrets))
    }

    private static func refusal(_ code: String = "invalid_signature") -> ScriptedTransport.Step {
        .reply(401, Sample.refusal(code))
    }

    /// Which secret each attempt was signed under.
    private static func secrets(_ scripted: ScriptedLoop) -> [String] {
        let name = "\(WebhookSignature.headerName): "
        return scripted.transport.record.attempts.map { attempt in
            let signature = attempt.headers.first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) } ?? ""
            let accepted = ["new", "old"].filter { secret in
                (try? WebhookSignature.verify(signature, body: attempt.body, secrets: [secret])) != nil
            }
            return accepted.joined(separator: " and ")
        }
    }

    /// In whatever words the first one was refused, and whatever the number of attempts: it costs no retry.
    @Test(arguments: PartnerBooking.CallOperation.allCases, ["invalid_signature", "unauthorized"])
    func theSecondSecretIsTriedOnceAndKeptThen(_ operation: PartnerBooking.CallOperation, _ code: String) throws {
        let scripted = try Self.loop(Self.two, attempts: 1) { id, attempt in
            id == 1 && attempt == 1 ? Self.refusal(code) : .reply(200, Sample.reply(to: operation))
        }
        for _ in 0..<2 {
            let ending = Ending()
            try scripted.submit(operation, complete: ending.handler)
            #expect(try ending.result() == .success(Sample.reply(to: operation)))
        }
        #expect(Self.secrets(scripted) == ["new", "old", "old"], "the next call begins with what was accepted")
        scripted.close()
    }

    /// The platform has just got the new secret, and takes the old one no more.
    @Test func theFirstSecretIsTriedAgainLater() throws {
        let scripted = try Self.loop(Self.two, attempts: 1) { id, attempt in
            (id == 1 || id == 3) && attempt == 1 ? Self.refusal() : .reply(200, Sample.searchReply)
        }
        for _ in 0..<3 {
            let ending = Ending()
            try scripted.submit(.searchAvailability, complete: ending.handler)
            #expect(try ending.result() == .success(Sample.searchReply))
        }
        #expect(Self.secrets(scripted) == ["new", "old", "old", "old", "new"])
        scripted.close()
    }

    @Test func anInvalidSignatureIsTriedOnceMoreAfterASecond() throws {
        let ending = Ending()
        let scripted = try Self.loop(#""new""#, attempts: 1) { _, attempt in
            attempt == 1 ? Self.refusal() : .reply(201, Sample.bookingReply)
        }
        let elapsed = try elapsedMilliseconds {
            try scripted.submit(complete: ending.handler)
            #expect(try ending.result() == .success(Sample.bookingReply))
        }
        #expect(elapsed >= 1_000, "the platform needs a moment")
        #expect(Self.secrets(scripted) == ["new", "new"])
        scripted.close()
    }

    /// After that the platform is believed: nothing was booked.
    @Test(arguments: [
        (#""new""#, "unauthorized", ["new"]), (#""new""#, "invalid_signature", ["new", "new"]),
        (two, "unauthorized", ["new", "old"]), (two, "invalid_signature", ["new", "old", "new"]),
    ])
    func aPlatformThatRefusesAllOfThemIsBelieved(_ secrets: String, _ code: String, _ expected: [String]) throws {
        let ending = Ending()
        let scripted = try Self.loop(secrets, attempts: 1) { _, _ in Self.refusal(code) }
        try scripted.submit(complete: ending.handler)
        let error = try ending.error()
        #expect(error.code.rawValue == code && error.status == 401 && error.outcome == .rejected)
        #expect(!error.isRetryable && error.attempts == expected.count && error.source == .platform)
        #expect(Self.secrets(scripted) == expected)
        scripted.close()
    }

    /// Where no time is left for the pause the call ends with what is known.
    @Test func noPauseLeadsBeyondTheDeadline() throws {
        let ending = Ending()
        let scripted = try Self.loop(#""new""#) { _, _ in Self.refusal() }
        try scripted.submit(deadline: 900, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code.rawValue == "invalid_signature" && error.outcome == .rejected && error.attempts == 1)
        scripted.close()
    }

    /// A booking in doubt stays so: a refusal of the caller says nothing of it.
    @Test func aRefusedSignatureEndsNoDoubt() throws {
        let ending = Ending()
        let scripted = try Self.loop(#""new""#) { _, attempt in
            attempt == 1 ? .reply(503, []) : Self.refusal("unauthorized")
        }
        try scripted.submit(deadline: 1_000, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .inDoubt && error.outcome == .unknown && error.attempts == 2)
        #expect(error.doubt?.status == 401 && error.doubt?.code == .unauthorized)
        scripted.close()
    }
}
