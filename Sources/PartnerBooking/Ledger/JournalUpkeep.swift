/// Decides when the journal is written again without what is settled. A pure state machine.
///
/// Requests contain customer data, which is not kept longer than needed. The journal is written again after a second without
/// work if that is worth it, and in any case after a minute.
struct JournalUpkeep {
    static let idleMilliseconds = 1_000
    static let longestMilliseconds = 60_000

    private var size = 0
    private var added = 0
    private var firstSettled: MonotonicTime?
    private var hasLeftovers = false
    private(set) var due: MonotonicTime?

    /// Something has been settled or heard since the journal was written again.
    var isWanted: Bool { firstSettled != nil || hasLeftovers }

    func isDue(_ now: MonotonicTime) -> Bool { due.map { $0 <= now } ?? false }

    mutating func added(_ count: Int, settles: Bool, now: MonotonicTime) {
        added += count
        if settles { firstSettled = firstSettled ?? now }
        guard let firstSettled else { return }
        let latest = firstSettled.adding(milliseconds: Self.longestMilliseconds)
        due = added >= size / 4 ? min(latest, now.adding(milliseconds: Self.idleMilliseconds)) : latest
    }

    /// An end was heard. That leaves at most a few bytes, which can stay until the next time or the end.
    mutating func heard() { hasLeftovers = true }

    /// An attempt is made; should it fail, the next settlement asks again.
    mutating func begun() {
        due = nil
        firstSettled = nil
    }

    mutating func rewritten(size: Int) { self = JournalUpkeep(size: size) }

    init(size: Int = 0) { self.size = size }
}
