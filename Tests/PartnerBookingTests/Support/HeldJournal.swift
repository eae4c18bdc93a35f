import Testing

@testable import PartnerBooking

/// A journal on a disk whose reports are held back until a test hands them over.
final class HeldJournal {
    let journal: Journal
    private let file: TemporaryPath
    private let held = Monitor<[Journal.Report]>([])

    init() throws {
        file = try TemporaryPath()
        let settings = Journal.Settings(path: file.path, service: "partner_api", retentionMilliseconds: 86_400_000)
        journal = try Journal.open(settings).0
        try journal.start { [held] reports in held.update { $0 += reports } }.detach()
    }

    deinit { journal.beginClose() }

    /// The oldest report to an exchange, waited for. With a failure the disk has not taken the record.
    func report(to id: TransferID, _ failure: Journal.Report.Result? = nil) throws -> Journal.Report {
        let found = held.wait(until: .now().adding(milliseconds: 20_000)) { held in
            held.firstIndex { $0.id == id }.map { held.remove(at: $0) }
        }
        let report = try #require(found, "the disk has no record of \(id)")
        return Journal.Report(id: id, record: report.record, result: failure ?? report.result)
    }
}

/// A coordinator over a held journal, driven step by step on a clock of the test's own. Its transport answers the first call
/// with a conflict, in real time.
final class HeldCoordinator {
    let ledger: LedgerStore
    let transport: ScriptedTransport
    let settlements = Monitor<[Settlement]>([])
    private let held: HeldJournal
    private let coordinator: CallCoordinator
    private var now = MonotonicTime.now()

    init(answersAfter delay: Int = 0) throws {
        held = try HeldJournal()
        ledger = try ScriptedLoop.ledger(held.journal)
        transport = ScriptedTransport { id, _ in
            id == 1 ? .reply(409, Sample.refusal("slot_unavailable"), after: delay) : .never(mayHaveBeenSent: true)
        }
        var policy = DeliveryPolicy.calm
        policy.reportsSettled = true
        policy.retry = RetryPolicy(maxAttempts: 1, baseDelayMilliseconds: 1, maxDelayMilliseconds: 1)
        coordinator = CallCoordinator(
            transport: transport,
            endpoint: try Configuration(json: Array(#"{"api_key":"sk_ptnr_scripted"}"#.utf8)).service.endpoint,
            limits: .init(maxInFlight: 4, maxQueued: 4), policy: policy, ledger: ledger, seed: 1,
            report: { [settlements] settlement in settlements.update { $0.append(settlement) } })
    }

    func accept(_ ticket: CallTicket, _ json: [UInt8], deadline: Int = 600_000, _ ending: Ending) throws {
        let call = Call(
            ticket: ticket, request: try Request(.createBooking, json: json),
            deadline: now.adding(milliseconds: deadline), seed: 1, submittedAt: now, complete: ending.handler)
        coordinator.accept(call, now)
        step()
    }

    func step() { coordinator.step(now) }

    /// So many milliseconds pass for the timers.
    func pass(_ milliseconds: Int) {
        now = now.adding(milliseconds: milliseconds)
        step()
    }

    /// Hands over the oldest report to an exchange.
    func handOver(to id: TransferID) throws {
        coordinator.accept(try held.report(to: id), now)
        step()
    }

    /// Ends what is left.
    func drop() { coordinator.dropAll(now) }
}
