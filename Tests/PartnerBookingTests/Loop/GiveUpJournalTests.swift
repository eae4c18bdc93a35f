import Testing

@testable import PartnerBooking

/// A person gives up bookings in doubt, and a journal records it.
@Suite struct GiveUpJournalTests {
    private let held: HeldJournal
    private let ledger: LedgerStore

    /// Two bookings of an earlier process are in doubt.
    init() throws {
        held = try HeldJournal()
        let keys = ["key-1", "key-2"]
        ledger = try ScriptedLoop.ledger(held.journal, inDoubt: keys.map { (Sample.booking(key: $0), nil) })
    }

    private static let both = Array(
        #"{"give_up":true,"bot_id":"bot_1","start_before":"2031-01-01T00:00:00Z"}"#.utf8)

    private func loop(journalTimeout: Int = 600_000) throws -> ScriptedLoop {
        var policy = DeliveryPolicy.calm
        policy.journalTimeoutMilliseconds = journalTimeout
        return try ScriptedLoop(
            ScriptedTransport([.reply(200, Sample.searchReply)]), policy: policy, ledger: ledger)
    }

    /// Gives both up, and waits until the loop has done that. The answer has not come.
    private func begin(_ loop: ScriptedLoop, _ ending: Ending, deadline: Int = 600_000) throws -> CallTicket {
        let id = try loop.submit(json: Self.both, deadline: deadline, complete: ending.handler)
        let search = Ending()
        try loop.submit(.searchAvailability, complete: search.handler)
        #expect(try search.result() == .success(Sample.searchReply))
        #expect(ledger.pending.isEmpty, "they are given up at once")
        return id
    }

    private func reply(_ ending: Ending) throws -> GiveUpReply { GiveUpReply(json: try ending.result().get()) }

    // MARK: The report

    @Test func theAnswerWaitsForTheReport() throws {
        let (loop, ending) = (try loop(), Ending())
        let id = try begin(loop, ending)
        #expect(ending.isEmpty)
        loop.loop.receive([try held.report(to: TransferID(firstCall: id))])
        let reply = try reply(ending)
        #expect(reply.givenUp.map(\.idempotencyKey).sorted() == ["key-1", "key-2"] && reply.isJournaled)
        let text = String(decoding: try ending.result().get(), as: UTF8.self)
        #expect(!text.contains("journaled"), "it is there only when it is false")
        loop.close()
        #expect(ending.count == 1)
    }

    @Test(arguments: [true, false])
    func aDiskThatFailsMakesItNotJournaled(isUndone: Bool) throws {
        let (loop, ending) = (try loop(), Ending())
        let id = try begin(loop, ending)
        loop.loop.receive([try held.report(to: TransferID(firstCall: id), .failed("disk full", isUndone: isUndone))])
        let reply = try reply(ending)
        #expect(reply.givenUp.count == 2 && !reply.isJournaled)
        let text = String(decoding: try ending.result().get(), as: UTF8.self)
        #expect(text.hasSuffix(#","journaled":false}"#))
        loop.close()
    }

    @Test func aDiskThatHangsIsNotWaitedForBeyondItsTimeout() throws {
        let (loop, ending) = (try loop(journalTimeout: 300), Ending())
        try loop.submit(json: Self.both, deadline: 600_000, complete: ending.handler)
        let reply = try reply(ending)
        #expect(reply.givenUp.count == 2 && !reply.isJournaled)
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    /// A give-up without bookings needs no record.
    @Test func withoutABookingInDoubtNothingIsWaitedFor() throws {
        let (loop, ending) = (try loop(), Ending())
        let request = Array(#"{"give_up":true,"bot_id":"bot_9","start_before":"2031-01-01T00:00:00Z"}"#.utf8)
        try loop.submit(json: request, complete: ending.handler)
        let reply = try reply(ending)
        #expect(reply.givenUp.isEmpty && reply.kept.isEmpty && reply.isJournaled)
        loop.close()
    }

    // MARK: A call that does not wait

    /// The bookings are given up, so this is no failure.
    @Test(arguments: [true, false])
    func aCallThatLeavesDoesNotWaitForTheJournal(isCancelled: Bool) throws {
        let (loop, ending) = (try loop(), Ending())
        if isCancelled {
            loop.loop.cancel(try begin(loop, ending))
        } else {
            try loop.submit(json: Self.both, deadline: 300, complete: ending.handler)
        }
        let reply = try reply(ending)
        #expect(reply.givenUp.count == 2 && !reply.isJournaled)
        loop.close()
        #expect(ending.count == 1)
    }

    /// The close does not end it with `client_closed`, and waits half a second for the disk.
    @Test func aCloseEndsItWithItsAnswer() throws {
        let (loop, ending) = (try loop(), Ending())
        _ = try begin(loop, ending)
        #expect(loop.close() == 0, "no call was cut short")
        let reply = try reply(ending)
        #expect(reply.givenUp.count == 2 && !reply.isJournaled)
        #expect(ending.count == 1)
    }

    @Test func aCloseWithTimeLeftWaitsForTheReport() throws {
        let (loop, ending) = (try loop(), Ending())
        let id = try begin(loop, ending)
        let closed = Monitor<Int??>(nil)
        let closer = background { closed.update { $0 = .some(loop.close(within: 600_000)) } }
        #expect(eventually { (try? loop.submit(.searchAvailability) { _ in }) == nil }, "the close has begun")
        #expect(ending.isEmpty)
        loop.loop.receive([try held.report(to: TransferID(firstCall: id))])
        closer.join()
        #expect(closed.withLock { $0 } == .some(0))
        #expect(try reply(ending).isJournaled)
    }

    // MARK: What the journal gets

    /// With a real disk. The keys are free for the next process too.
    @Test func theNextProcessDoesNotListThem() throws {
        let file = try TemporaryPath()
        let settings = Journal.Settings(path: file.path, service: "partner_api", retentionMilliseconds: 86_400_000)
        let (journal, _) = try Journal.open(settings)
        let ledger = try ScriptedLoop.ledger(journal)
        for (id, key) in ["given-up", "stays"].enumerated() {
            let request = try Request(.createBooking, json: Sample.booking(bot: "bot_\(id)", key: key))
            _ = ledger.begin(request, key, service: 0, id: TransferID(id + 1))
            #expect(ledger.record(key, body: request.body, accountID: nil, id: TransferID(id + 1)))
            ledger.ended(key, .inDoubt(Evidence(inheritedAt: .now()), nil), end: TransferID(id + 1))
        }
        let loop = try ScriptedLoop(
            ScriptedTransport([.reply(200, Sample.searchReply)]), policy: .calm, ledger: ledger)
        let thread = try journal.start { loop.loop.receive($0) }
        let reply = try loop.giveUp(Sample.giveUp(key: "given-up"))
        #expect(reply.givenUp.map(\.idempotencyKey) == ["given-up"] && reply.isJournaled)
        // On the disk when the answer comes, not only after a close.
        let contents = JournalContents(try file.read())
        #expect(contents.entries.map(\.key) == ["stays"])
        loop.close()
        thread.join()
        #expect(try Journal.open(settings).1.map(\.key) == ["stays"])
    }
}
