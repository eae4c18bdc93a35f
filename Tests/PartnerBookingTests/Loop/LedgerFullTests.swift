import Testing

@testable import PartnerBooking

/// Each service may fill half the ledger with bookings that are in doubt or in flight. Here that are two of four.
@Suite struct LedgerFullTests {
    private static let configuration: String = {
        let platforms = (1...2).map {
            #""bot_\#($0)":{"account_id":"acct_\#($0)","webhook_url":"https://bot-\#($0).test","webhook_secret":"s"}"#
        }
        return #"{"endpoint":"platform_webhook","platforms":{\#(platforms.joined(separator: ","))}}"#
    }()

    private func loop(_ ledger: LedgerStore, _ script: @escaping ScriptedTransport.Script) throws -> ScriptedLoop {
        try ScriptedLoop(
            ScriptedTransport(script), policy: .calm, ledger: ledger, configuration: Self.configuration)
    }

    private func submit(
        _ loop: ScriptedLoop, bot: String = "bot_1", _ key: String, deadline: Int = 60_000
    ) throws -> Ending {
        let ending = Ending()
        try loop.submit(json: Sample.booking(bot: bot, key: key), deadline: deadline, complete: ending.handler)
        return ending
    }

    private func expectFull(_ ending: Ending) throws {
        let error = try ending.error()
        #expect(error.code == .ledgerFull && error.outcome == .notSent && error.source == .library && error.isRetryable)
        #expect(error.message.contains("2 bookings") && error.attempts == 0 && error.idempotencyKey != nil)
    }

    @Test func aServiceThatIsFullRefusesNewKeysAndNoOthers() throws {
        let ledger = try ScriptedLoop.ledger(capacity: 4)
        let loop = try loop(ledger) { id, _ in
            id == 4 ? .reply(201, Sample.bookingReply) : .never(mayHaveBeenSent: true)
        }
        let inFlight = [try submit(loop, "key-1"), try submit(loop, "key-2")]
        #expect(loop.transport.sees(attempts: 2))
        try expectFull(try submit(loop, "key-3"))
        #expect(ledger.pending.map(\.key).sorted() == ["key-1", "key-2"], "it leaves nothing behind")

        // Other services go on.
        let other = try submit(loop, bot: "bot_2", "key-4")
        #expect(try other.result() == .success(Sample.bookingReply))

        // So do known keys.
        let twin = try submit(loop, "key-1", deadline: 400)
        #expect(try twin.error().code == .timeout)
        #expect(inFlight.allSatisfy { $0.isEmpty })
        loop.close()
        #expect(loop.transport.record.attempts.count == 3)
    }

    /// A restart does not make room: the journal has brought them back.
    @Test func bookingsInDoubtFillItToo() throws {
        let requests = ["key-1", "key-2"].map { (json: Sample.booking(key: $0), accountID: nil as String?) }
        let loop = try loop(try ScriptedLoop.ledger(capacity: 4, inDoubt: requests)) { _, _ in
            .reply(201, Sample.bookingReply)
        }
        try expectFull(try submit(loop, "key-3"))
        // One that is settled makes room.
        let resumed = Ending()
        try loop.submit(json: Sample.resume(), complete: resumed.handler)
        #expect(try resumed.result() == .success(Sample.bookingReply))
        #expect(try submit(loop, "key-3").result() == .success(Sample.bookingReply))
        loop.close()
    }

    @Test func givingUpMakesRoom() throws {
        let requests = ["key-1", "key-2"].map { (json: Sample.booking(key: $0), accountID: nil as String?) }
        let loop = try loop(try ScriptedLoop.ledger(capacity: 4, inDoubt: requests)) { _, _ in
            .reply(201, Sample.bookingReply)
        }
        try expectFull(try submit(loop, "key-3"))
        #expect(try loop.giveUp().givenUp.map(\.idempotencyKey) == ["key-1"])
        #expect(try submit(loop, "key-3").result() == .success(Sample.bookingReply))
        loop.close()
    }

    /// The end of the old booking is not lost: its key is as new as any.
    @Test func aRefusedKeyThatFindsNoRoomKeepsItsEnd() throws {
        let ledger = try ScriptedLoop.ledger(capacity: 4)
        let loop = try loop(ledger) { id, _ in
            id == 1 ? .reply(409, Sample.refusal("slot_unavailable")) : .never(mayHaveBeenSent: true)
        }
        let refused = try submit(loop, "key-1")
        #expect(try refused.error().outcome == .rejected)
        _ = try (submit(loop, "key-2"), submit(loop, "key-3"))
        let again = try submit(loop, "key-1")
        try expectFull(again)
        again.acknowledge()
        #expect(ledger.pending.first { $0.key == "key-1" }?.state == .refused, "that was another call's end")
        refused.acknowledge()
        #expect(ledger.pending.map(\.key).sorted() == ["key-2", "key-3"])
        loop.close()
    }
}
