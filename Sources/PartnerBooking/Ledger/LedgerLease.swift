/// The rows that this client has in the host's store, and the end of their lease. Moments are
/// on the boot clock, in microseconds. That clock also runs while the machine sleeps.
///
/// The store counts a lease from the moment when it executes the operation. So a lease lasts
/// at least until the start of that operation plus its length. The margin of a fifth is for
/// sendings that begin a little late.
struct LedgerLease: Sendable {
    private struct Held: Sendable {
        let claim: String
        /// The start of its claim, or of its last renewal.
        var begin: Int
    }

    let milliseconds: Int
    private var held: [String: Held] = [:]

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    var isEmpty: Bool { held.isEmpty }
    var all: [LedgerOperation.Held] { held.map { LedgerOperation.Held(key: $0.key, claim: $0.value.claim) } }

    /// The moment before which sendings must begin. nil: there are no rows.
    private(set) var end: Int?

    mutating func claimed(_ key: String, _ claim: String, begin: Int) {
        held[key] = Held(claim: claim, begin: begin)
        end = min(held.count == 1 ? .max : end ?? .max, endOfLease(begin))
    }

    func claim(of key: String) -> String? { held[key]?.claim }

    /// Removes a row that is settled, or whose booking this client no longer sends. Without a
    /// claim it removes the row under any claim.
    mutating func release(_ key: String, _ claim: String? = nil) {
        guard claim == nil || held[key]?.claim == claim else { return }
        held[key] = nil
        if held.isEmpty { end = nil }
    }

    /// Notes the new lease of these rows, and returns the lost rows. If a row is lost, `end` stays
    /// as it was until the next renewal. So the exchange of the row learns of the loss first.
    mutating func renewed(_ rows: [LedgerOperation.Held], lost: [String], begin: Int) -> [LedgerOperation.Held] {
        let lost = Set(lost)
        var gone: [LedgerOperation.Held] = []
        for row in rows where held[row.key]?.claim == row.claim {
            if lost.contains(row.key) {
                held[row.key] = nil
                gone.append(row)
            } else {
                held[row.key]?.begin = begin
            }
        }
        if gone.isEmpty || held.isEmpty { end = held.values.map(\.begin).min().map(endOfLease) }
        return gone
    }

    private func endOfLease(_ begin: Int) -> Int { begin + milliseconds * 800 }
}
