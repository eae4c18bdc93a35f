@testable import PartnerBooking

/// A store of the host's in memory, with a clock of the test's own, written from
/// docs/ledger-protocol.md.
struct HostStore: Sendable {
    struct Row: Sendable {
        var state = "open"
        let fingerprint: String
        let recordedAt: Int
        let botID: String?
        let startAt: String?
        let durationMinutes: Int?
        let startMilliseconds: Int?
        let conversation: String?
        var claim: String
        var owner: String
        var leaseUntil = 0
        var isWithdrawn = false
        var isHeard = false
        var tookOver = false
        var accountID: String?
        var body: String?
        var reply: String?
        var outcome: String?
    }

    private struct Result {
        var word: String
        var row: (key: String, Row)?
        var rows: [(key: String, Row)]?
        var lost: [String]?
    }

    /// Milliseconds on the clock of the store.
    var now = 1_000
    private(set) var rows: [String: Row] = [:]

    /// Carries out a batch. Returns its answer.
    mutating func execute(_ batch: [UInt8]) throws -> [UInt8] {
        let document = try JSONDocument(batch, profile: .reply)
        var results: [(id: String, Result)] = []
        for operation in document.root["operations"]?.elements.map({ $0 }) ?? [] {
            results.append((operation["id"]?.string ?? "", try execute(operation)))
        }
        return JSONWriter.object { root in
            root.array("results", results) { object, item in
                object.member("id", item.id)
                object.member("result", item.1.word)
                if let (key, row) = item.1.row { object.object("row") { write(key, row, &$0) } }
                if let rows = item.1.rows { object.array("rows", rows) { write($1.key, $1.1, &$0) } }
                object.member("lost", ifAny: item.1.lost)
            }
        }
    }

    private mutating func execute(_ operation: JSONValue) throws -> Result {
        let key = operation["key"]?.string ?? ""
        let claim = operation["claim"]?.string ?? ""
        switch operation["op"]?.string {
        case "claim": return self.claim(key, claim, operation)
        case "wait":
            return rows[key].map { Result(word: $0.state, row: (key, $0)) } ?? Result(word: "absent")
        case "settle": return settle(key, claim, operation)
        case "void": return void(key, claim, operation)
        case "withdraw":
            guard let row = rows[key], row.state == "open", row.claim == claim else { return Result(word: "lost") }
            rows[key]?.isWithdrawn = operation["withdrawn"]?.boolean ?? false
            return Result(word: "done")
        case "give_up": return giveUp(key, claim, operation)
        case "heard":
            guard let row = rows[key], row.state != "open", row.claim == claim else { return Result(word: "lost") }
            rows[key]?.isHeard = true
            return Result(word: "done")
        case "renew": return renew(operation)
        case "orphans": return orphans(operation)
        case "pending":
            let found = rows.filter { row in
                (row.value.state == "open" || !row.value.isHeard)
                    && operation["bot_id"]?.string.map { $0 == row.value.botID } ?? true
            }
            let sorted = found.sorted { ($0.value.recordedAt, $0.key) < ($1.value.recordedAt, $1.key) }
            return Result(word: "rows", rows: sorted.map { ($0.key, $0.value) })
        case let name: throw TestFailure("no operation \(name ?? "without a name")")
        }
    }

    // MARK: Operations

    private mutating func claim(_ key: String, _ claim: String, _ operation: JSONValue) -> Result {
        let until = now + (operation["lease_ms"]?.integer ?? 0)
        let replaces = operation["replaces"]?.string
        let isOrphan = operation["orphan"]?.boolean ?? false
        guard let row = rows[key] else { return isOrphan ? Result(word: "lost") : insertOpen(key, until, operation) }
        if row.claim == claim {
            guard row.state == "open" else {
                return row.state == "booked" ? Result(word: "booked", row: (key, row)) : Result(word: "lost")
            }
            rows[key]?.leaseUntil = until
            return row.tookOver ? Result(word: "in_doubt", row: (key, row)) : Result(word: "claimed")
        }
        let isSame = row.fingerprint == operation["fingerprint"]?.string
        if row.state == "booked" { return Result(word: isSame ? "booked" : "other", row: (key, row)) }
        if row.state == "refused" {
            if isOrphan { return Result(word: "lost") }
            return row.claim == replaces ? insertOpen(key, until, operation) : Result(word: "refused", row: (key, row))
        }
        guard isSame else { return Result(word: "other", row: (key, row)) }
        let owner = operation["owner"]?.string ?? ""
        guard !isLive(row) || row.owner == owner, row.claim == replaces else { return Result(word: "held", row: (key, row)) }
        if isOrphan, row.isWithdrawn { return Result(word: "lost") }
        var taken = row
        (taken.claim, taken.owner, taken.leaseUntil) = (claim, owner, until)
        (taken.isWithdrawn, taken.tookOver) = (false, true)
        rows[key] = taken
        return Result(word: "in_doubt", row: (key, row))
    }

    private mutating func insertOpen(_ key: String, _ until: Int, _ operation: JSONValue) -> Result {
        var row = newRow(operation)
        row.leaseUntil = until
        row.accountID = operation["account_id"]?.string
        row.body = operation["body"]?.string
        rows[key] = row
        return Result(word: "claimed")
    }

    private mutating func settle(_ key: String, _ claim: String, _ operation: JSONValue) -> Result {
        var row = rows[key] ?? newRow(operation)
        guard row.fingerprint == operation["fingerprint"]?.string else { return Result(word: "other") }
        if row.state != "booked" {
            (row.state, row.claim, row.reply) = ("booked", claim, operation["reply"]?.string)
            (row.body, row.outcome, row.isHeard) = (nil, nil, false)
            rows[key] = row
        }
        return Result(word: "done")
    }

    private mutating func void(_ key: String, _ claim: String, _ operation: JSONValue) -> Result {
        guard var row = rows[key] else {
            var row = newRow(operation)
            (row.state, row.outcome, row.isHeard) = ("refused", operation["outcome"]?.string, true)
            rows[key] = row
            return Result(word: "done")
        }
        guard row.claim == claim, row.state != "booked" else { return Result(word: "lost") }
        if row.state == "open" {
            (row.state, row.outcome, row.body, row.isHeard) = ("refused", operation["outcome"]?.string, nil, false)
            rows[key] = row
        }
        return Result(word: "done")
    }

    private mutating func giveUp(_ key: String, _ claim: String, _ operation: JSONValue) -> Result {
        guard let row = rows[key] else { return Result(word: "absent") }
        if row.state != "open" {
            let isRepeated = row.outcome == "given_up" && row.claim == claim
            return Result(word: isRepeated ? "given_up" : "kept", row: (key, row))
        }
        guard row.claim == claim, !isLive(row) || row.owner == operation["owner"]?.string else {
            return Result(word: "held", row: (key, row))
        }
        var ended = row
        (ended.state, ended.outcome, ended.body, ended.isHeard) = ("refused", "given_up", nil, true)
        rows[key] = ended
        return Result(word: "given_up", row: (key, row))
    }

    private mutating func renew(_ operation: JSONValue) -> Result {
        var lost: [String] = []
        for claim in operation["claims"]?.elements.map({ $0 }) ?? [] {
            let key = claim["key"]?.string ?? ""
            if let row = rows[key], row.state == "open", row.claim == claim["claim"]?.string,
                row.owner == operation["owner"]?.string
            {
                rows[key]?.leaseUntil = now + (operation["lease_ms"]?.integer ?? 0)
            } else {
                lost.append(key)
            }
        }
        return Result(word: "renewed", lost: lost)
    }

    private func orphans(_ operation: JSONValue) -> Result {
        let notBefore = operation["not_before_ms"]?.integer ?? 0
        let found = rows.filter { row in
            row.value.state == "open" && !isLive(row.value) && !row.value.isWithdrawn
                && row.value.startMilliseconds.map { $0 > notBefore } ?? true
        }
        let sorted = found.sorted { ($0.value.leaseUntil, $0.key) < ($1.value.leaseUntil, $1.key) }
        return Result(word: "rows", rows: sorted.prefix(operation["limit"]?.integer ?? 0).map { ($0.key, $0.value) })
    }

    // MARK: Rows

    private func isLive(_ row: Row) -> Bool { row.state == "open" && row.leaseUntil > now }

    private func newRow(_ operation: JSONValue) -> Row {
        Row(
            fingerprint: operation["fingerprint"]?.string ?? "", recordedAt: operation["recorded_at"]?.integer ?? 0,
            botID: operation["bot_id"]?.string, startAt: operation["start_at"]?.string,
            durationMinutes: operation["duration_minutes"]?.integer, startMilliseconds: operation["start_ms"]?.integer,
            conversation: operation["conversation"]?.string, claim: operation["claim"]?.string ?? "",
            owner: operation["owner"]?.string ?? "")
    }

    private func write(_ key: String, _ row: Row, _ object: inout JSONWriter) {
        object.member("key", key)
        object.member("state", row.state)
        object.member("fingerprint", row.fingerprint)
        object.member("recorded_at", row.recordedAt)
        object.member("bot_id", row.botID)
        object.member("start_at", row.startAt)
        object.member("duration_minutes", row.durationMinutes)
        object.member("start_ms", row.startMilliseconds)
        object.member("conversation", row.conversation)
        object.member("claim", row.claim)
        object.member("owner", row.owner)
        object.member("withdrawn", row.isWithdrawn)
        object.member("heard", row.isHeard)
        object.member("account_id", row.accountID)
        object.member("body", row.body)
        object.member("reply", row.reply)
        object.member("outcome", row.outcome)
        if row.state == "open" { object.member("lease_ms", row.leaseUntil - now) }
    }
}
