/// The decision when to rewrite the journal without settled bookings. A pure state machine.
///
/// Requests contain customer data, which must not be kept longer than needed. The journal is
/// rewritten after a second without work if that is worth it, and in any case after a minute.
struct JournalUpkeep {
    static let idleMilliseconds = 1_000
    static let longestMilliseconds = 60_000

    private var size = 0
    private var added = 0
    private var firstSettled: MonotonicTime?
    private var hasLeftovers = false
    private(set) var due: MonotonicTime?

    /// True when a booking was settled or heard since the last rewrite.
    var isWanted: Bool { firstSettled != nil || hasLeftovers }

    func isDue(_ now: MonotonicTime) -> Bool { due.map { $0 <= now } ?? false }

    mutating func added(_ count: Int, settles: Bool, now: MonotonicTime) {
        added += count
        if settles { firstSettled = firstSettled ?? now }
        guard let firstSettled else { return }
        let latest = firstSettled.adding(milliseconds: Self.longestMilliseconds)
        due = added >= size / 4 ? min(latest, now.adding(milliseconds: Self.idleMilliseconds)) : latest
    }

    /// Notes that an end was heard. That leaves a few bytes at most, which can stay until the
    /// next rewrite or the close.
    mutating func heard() { hasLeftovers = true }

    /// Notes that a rewrite begins. If it fails, the next settlement asks again.
    mutating func begun() {
        due = nil
        firstSettled = nil
    }

    mutating func rewritten(size: Int) { self = JournalUpkeep(size: size) }

    init(size: Int = 0) { self.size = size }
}
