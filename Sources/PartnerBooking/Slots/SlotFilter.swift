/// The limits that the start of a slot must satisfy.
struct SlotFilter {
    let zone: Zone
    /// Seconds since 1970.
    let now: Int
    /// The first and last allowed start, in seconds since 1970.
    private(set) var earliest: Int
    private(set) var latest = Int.max
    private let weekdays: UInt8
    private let notBefore: Int
    private let before: Int
    private let parts: Set<SlotOptions.Part>
    private let allowsAll: Bool

    /// A parsed `from` or `to` option.
    enum Bound {
        /// Days since 1970-01-01.
        case day(Int)
        /// Seconds since 1970.
        case instant(Int)
    }

    init(_ options: SlotOptions, zone: Zone, from: Bound?, to: Bound?) {
        self.zone = zone
        now = options.now ?? WallClock.seconds()
        earliest = now + options.minNoticeMinutes * 60
        weekdays = options.weekdays.reduce(0) { $0 | 1 << UInt8(truncatingIfNeeded: $1 & 7) }
        notBefore = options.notBefore ?? 0
        before = options.before ?? 1_440
        parts = options.parts
        allowsAll = weekdays == 0 && options.parts.isEmpty && options.notBefore == nil && options.before == nil
        if let days = options.maxDaysAhead {
            latest = zone.startOfDay(zone.local(at: now).day + days + 1) - 1
        }
        switch from {
        case .day(let day)?: earliest = max(earliest, zone.startOfDay(day))
        case .instant(let instant)?: earliest = max(earliest, instant)
        case nil: break
        }
        switch to {
        case .day(let day)?: latest = min(latest, zone.startOfDay(day + 1) - 1)
        case .instant(let instant)?: latest = min(latest, instant - 1)
        case nil: break
        }
    }

    /// Returns true when the options allow this weekday, time and part of the day.
    func allows(_ local: LocalTime) -> Bool {
        if allowsAll { return true }
        let minute = local.minuteOfDay
        return (weekdays == 0 || weekdays & 1 << UInt8(truncatingIfNeeded: local.weekday) != 0)
            && notBefore <= minute && minute < before
            && (parts.isEmpty || parts.contains { $0.contains(minuteOfDay: minute) })
    }
}
