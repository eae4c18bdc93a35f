/// The clock of a ledger, in microseconds. Retention is measured on it.
///
/// It runs with the boot clock, also from one process to the next. It does not follow the wall
/// clock, so a jump of the wall clock deletes nothing.
struct LedgerClock: Sendable {
    /// A moment on the clocks of the system.
    struct Reading: Sendable, Equatable {
        /// The boot from which `upMilliseconds` counts. nil: not known.
        var bootID: String?
        var upMilliseconds: Int
        /// Milliseconds since 1970.
        var wallMilliseconds: Int

        static func now() -> Reading {
            Reading(
                bootID: BootClock.bootID, upMilliseconds: BootClock.microseconds() / 1_000,
                wallMilliseconds: WallClock.milliseconds())
        }

        /// Returns the time since an earlier reading, or less if it is not certain.
        func milliseconds(since earlier: Reading) -> Int {
            let difference = upMilliseconds - earlier.upMilliseconds
            if bootID != nil, bootID == earlier.bootID { return max(0, difference) }
            // After a reboot, the system has been up for only a part of that time.
            let least = difference >= 0 ? difference : upMilliseconds
            return max(0, min(wallMilliseconds - earlier.wallMilliseconds, least))
        }
    }

    /// The ledger's clock minus the boot clock, in microseconds.
    private let offset: Int
    private var last: Int

    /// Starts the clock at `start`.
    init(startingAt start: Int = 0) {
        offset = start - BootClock.microseconds()
        last = start
    }

    var now: Int { max(last, BootClock.microseconds() + offset) }

    /// Returns the time, as a value that it has never returned before. The value identifies a
    /// record.
    mutating func tick() -> Int {
        last = max(last + 1, BootClock.microseconds() + offset)
        return last
    }
}
