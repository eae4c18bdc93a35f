/// The clock of a ledger, in microseconds. Retention is measured on it.
///
/// It goes on with the boot clock, also from one process to the next, and does not follow the wall clock: a wall clock that
/// jumps deletes nothing.
struct LedgerClock: Sendable {
    /// A moment on the clocks of the system.
    struct Reading: Sendable, Equatable {
        /// Names the boot that `upMilliseconds` counts from; nil: not known.
        var bootID: String?
        var upMilliseconds: Int
        /// Milliseconds since 1970.
        var wallMilliseconds: Int

        static func now() -> Reading {
            Reading(
                bootID: BootClock.bootID, upMilliseconds: BootClock.microseconds() / 1_000,
                wallMilliseconds: WallClock.milliseconds())
        }

        /// Returns the time since an earlier reading, or less where it is not certain.
        func milliseconds(since earlier: Reading) -> Int {
            let difference = upMilliseconds - earlier.upMilliseconds
            if bootID != nil, bootID == earlier.bootID { return max(0, difference) }
            // In another boot the system has been up for a part of that time.
            let least = difference >= 0 ? difference : upMilliseconds
            return max(0, min(wallMilliseconds - earlier.wallMilliseconds, least))
        }
    }

    /// The clock minus the boot clock.
    private let offset: Int
    private var last: Int

    /// The clock shows `start` now.
    init(startingAt start: Int = 0) {
        offset = start - BootClock.microseconds()
        last = start
    }

    var now: Int { max(last, BootClock.microseconds() + offset) }

    /// Returns a moment that it has never returned before. It identifies a record.
    mutating func tick() -> Int {
        last = max(last + 1, BootClock.microseconds() + offset)
        return last
    }
}
