import Testing

@testable import PartnerBooking

/// The traffic of a client with a store that the test plays, and clocks of the test's own.
struct TrafficFixture {
    struct Operation {
        let id: String
        let name: String
        let key: String?
        let json: JSONValue

        var claim: String? { json["claim"]?.string }
        var replaces: String? { json["replaces"]?.string }
    }

    struct Batch {
        let number: UInt64
        let operations: [Operation]

        /// Such as `claim k`.
        var names: [String] { operations.map { $0.name + ($0.key.map { " \($0)" } ?? "") } }
    }

    static let owner = "me"
    static let lease = 15_000
    static let timeout = 2_000

    var traffic: LedgerTraffic
    var now = LedgerTraffic.Now(
        time: MonotonicTime(nanoseconds: 7_000_000_000), boot: 5_000_000, wall: JournalSample.at)

    init(takesOver: Bool = false) {
        traffic = LedgerTraffic(
            LedgerTraffic.Settings(scope: "s", owner: Self.owner, takesOver: takesOver), now)
    }

    // MARK: Steps

    mutating func pass(_ milliseconds: Int) {
        now.time = now.time.adding(milliseconds: milliseconds)
        now.boot += milliseconds * 1_000
        now.wall += milliseconds
    }

    /// The clock of the record is the end of the claim's name: me-10.
    mutating func claim(_ key: String = "k", clock: Int = 10, id: TransferID? = 7, isOrphan: Bool = false) {
        traffic.add(JournalSample.intent(key, clock: clock), id: id, isOrphan: isOrphan)
    }

    mutating func void(_ key: String = "k", clock: Int = 20, id: TransferID? = 7) {
        traffic.add(JournalSample.void(key, clock: clock), id: id)
    }

    mutating func settle(_ key: String = "k", clock: Int = 20) {
        traffic.add(JournalSample.booked(key, clock: clock), id: nil)
    }

    mutating func take() throws -> Batch? {
        guard let (number, json) = traffic.takeBatch(now) else { return nil }
        let root = try JSONDocument(json, profile: .reply).root
        #expect(root["protocol"]?.integer == 1)
        let operations = try #require(root["operations"]).elements.map { operation in
            Operation(
                id: operation["id"]?.string ?? "", name: operation["op"]?.string ?? "", key: operation["key"]?.string,
                json: operation)
        }
        return Batch(number: number, operations: operations)
    }

    /// The next batch, which must be there.
    mutating func next() throws -> Batch {
        let batch = try take()
        return try #require(batch, "no batch")
    }

    /// Answers the operations of a batch, in their order. Each text is the members of a result.
    /// Returns what comes of it.
    @discardableResult
    mutating func answer(_ batch: Batch, _ results: String...) throws -> [String] {
        #expect(results.count == batch.operations.count)
        let list = zip(batch.operations, results).map { #"{"id":"\#($0.id)","result":\#($1)}"# }
        return try answer(batch.number, #"{"results":[\#(list.joined(separator: ","))]}"#)
    }

    @discardableResult
    mutating func answer(_ number: UInt64, _ json: String) throws -> [String] {
        try traffic.answer(number, Array(json.utf8), now).map(Self.describe)
    }

    /// The next batch has that one operation, and is answered so.
    @discardableResult
    mutating func next(_ name: String, _ result: String) throws -> [String] {
        let batch = try next()
        #expect(batch.names == [name])
        return try answer(batch, result)
    }

    mutating func tick() -> [String] { traffic.tick(now).map(Self.describe) }

    /// This client has the key.
    mutating func claimed(_ key: String = "k", clock: Int = 10, id: TransferID = 7) throws {
        claim(key, clock: clock, id: id)
        #expect(try next("claim \(key)", #""claimed""#) == ["\(id): intent of \(key) is durable"])
    }

    // MARK: Texts

    /// A result with a row.
    static func result(
        _ word: String, _ state: String = "open", key: String = "k", claim: String = "other-1", owner: String = "other",
        lease: Int = 9_000, bot: String = "b", start: String = "2030-01-14T10:00:00Z"
    ) -> String {
        #""\#(word)","row":\#(row(state, key: key, claim: claim, owner: owner, lease: lease, bot: bot, start: start))"#
    }

    static func row(
        _ state: String = "open", key: String = "k", claim: String = "other-1", owner: String = "other", lease: Int = 9_000,
        bot: String = "b", start: String = "2030-01-14T10:00:00Z"
    ) -> String {
        let rest =
            switch state {
            case "open": #""body":"{}","lease_ms":\#(lease)"#
            case "booked": #""reply":"{\"booking\":{\"id\":\"bkg_1\"}}""#
            case "given_up": #""outcome":"given_up""#
            default: #""outcome":"rejected""#
            }
        let booking = #""bot_id":"\#(bot)","start_at":"\#(start)","duration_minutes":30,"recorded_at":5"#
        let names = #""key":"\#(key)","claim":"\#(claim)","owner":"\#(owner)""#
        let word = state == "given_up" ? "refused" : state
        return #"{"state":"\#(word)","fingerprint":"\#(JournalSample.wish.fingerprint.hex)",\#(names),\#(booking),\#(rest)}"#
    }

    private static func describe(_ output: LedgerTraffic.Output) -> String {
        switch output {
        case .report(let report):
            guard case .event(let event, let key, _) = report.record else { return "report of no event" }
            let name = if case .intent = event { "intent" } else { "void" }
            let end = if case .durable = report.result { "durable" } else { "not durable" }
            return "\(report.id): \(name) of \(key) is \(end)"
        case .finding(let finding):
            let id = finding.id == .none ? "nobody" : "\(finding.id)"
            return "\(id): " + (finding.key.isEmpty ? "" : "\(finding.key) ") + describe(finding.state)
        case .orphans(let entries): return "orphans \(entries.map(\.key).joined(separator: " "))"
        }
    }

    private static func describe(_ state: LedgerFinding.State) -> String {
        switch state {
        case .tookOver(_, let isOwn): isOwn ? "was taken over from this client" : "was taken over"
        case .held: "is held"
        case .looked(let row, _): "is " + (row.map { "\($0.pendingState.rawValue)" } ?? "absent")
        case .other: "is another request's"
        case .lost: "is lost"
        case .gaveUp(let result, let keys):
            if let result {
                "gave up \(keys) of \(result.givenUp.map(\.key)), kept \(result.kept.map { "\($0.key) \($0.state.rawValue)" })"
            } else {
                "knows nothing"
            }
        case .failed(let message): message
        }
    }
}

extension LedgerTraffic {
    /// As a client takes the host's answer.
    mutating func answer(_ number: UInt64, _ json: [UInt8], _ now: Now) throws -> [Output] {
        try answer(number, LedgerBatchAnswer(json, to: operations(of: number)), now)
    }
}
