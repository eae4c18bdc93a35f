/// The rows that this client has in the host's store, and until when. Moments are on the boot
/// clock, in microseconds: it goes on while the machine sleeps.
///
/// The store counts a lease from the moment at which it executes the operation. So a lease lasts at
/// least until the begin of that operation plus its length. The margin is for sendings that begin a
/// little late.
struct LedgerLease: Sendable {
    private struct Held: Sendable {
        let claim: String
        /// The begin of its claim, or of its last renewal.
        var begin: Int
    }

    let milliseconds: Int
    private var held: [String: Held] = [:]

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    var isEmpty: Bool { held.isEmpty }
    var all: [LedgerOperation.Held] { held.map { LedgerOperation.Held(key: $0.key, claim: $0.value.claim) } }

    /// Sendings begin before this moment. nil: there are no rows.
    private(set) var end: Int?

    mutating func claimed(_ key: String, _ claim: String, begin: Int) {
        held[key] = Held(claim: claim, begin: begin)
        end = min(held.count == 1 ? .max : end ?? .max, endOfLease(begin))
    }

    func claim(of key: String) -> String? { held[key]?.claim }

    /// The row is settled, or nobody sends its booking any more. nil: whichever claim has it.
    mutating func release(_ key: String, _ claim: String? = nil) {
        guard claim == nil || held[key]?.claim == claim else { return }
        held[key] = nil
        if held.isEmpty { end = nil }
    }

    /// Those rows have a new lease. Returns those that are lost. With one of them the end stays as
    /// it was, until the next renewal: their exchanges learn of it first.
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
