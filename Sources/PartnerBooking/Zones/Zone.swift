/// A time zone: the offset of its clocks from UTC at each instant.
///
/// An instant is the number of seconds since 1970-01-01T00:00:00Z. A wall time is the time
/// that a clock in the zone shows, as seconds since 1970-01-01T00:00 on that clock. No
/// conversion allocates memory, and none can fail. An instant outside `Zone.instants` has the
/// offset of the nearest instant inside.
final class Zone: Sendable {
    /// 18 billion years before and after 1970, so that no sum of values from a file can
    /// overflow.
    static let instants = -(1 << 59)...1 << 59

    /// The IANA name, such as `America/New_York`.
    let name: String
    /// The tzdata version of the built-in table. nil when the system's zoneinfo was used.
    let builtInVersion: String?

    /// The instants of the changes, in order.
    private let changes: [Int]
    /// The offset before the first change, and from each change on.
    private let offsets: [Int32]
    /// The rule from `ruleStart` on.
    private let rule: DaylightRule?
    private let ruleStart: Int
    private let leastOffset: Int
    private let greatestOffset: Int

    init(_ name: String, _ file: TZifFile, builtInVersion: String? = nil) {
        self.name = name
        self.builtInVersion = builtInVersion
        let start = file.changes.last?.instant ?? Zone.instants.lowerBound
        var offset = file.changes.last?.offset ?? file.firstOffset
        switch file.footer {
        case nil: rule = nil
        case .fixed(let footer)?: (rule, offset) = (nil, footer)
        case .daylight(let footer)?: (rule, offset) = (footer, footer.period(at: start).offset)
        }
        ruleStart = start
        // The footer applies from the last change on, or at all times if there is no change.
        var changes: [Int] = []
        var offsets = [Int32(truncatingIfNeeded: file.changes.isEmpty ? offset : file.firstOffset)]
        for (index, change) in file.changes.enumerated() {
            let isLast = index == file.changes.count - 1
            let next = Int32(truncatingIfNeeded: isLast ? offset : change.offset)
            guard next != offsets[offsets.count - 1] else { continue }
            changes.append(change.instant)
            offsets.append(next)
        }
        (self.changes, self.offsets) = (changes, offsets)
        let all = offsets.map(Int.init) + (rule.map { [$0.standard, $0.daylight] } ?? [])
        leastOffset = all.min() ?? 0
        greatestOffset = all.max() ?? 0
    }

    /// Returns the offset of an instant, in seconds east of UTC.
    func offset(at instant: Int) -> Int {
        let instant = instant.clamped(to: Zone.instants)
        if let rule, instant >= ruleStart { return rule.period(at: instant).offset }
        return Int(offsets[changeCount(upTo: instant)])
    }

    /// Returns the time around an instant in which the offset does not change.
    func period(at instant: Int) -> ZonePeriod {
        let instant = instant.clamped(to: Zone.instants)
        if let rule, instant >= ruleStart {
            let period = rule.period(at: instant)
            return period.start > ruleStart ? period : period.starting(at: changes.last ?? ZonePeriod.always.lowerBound)
        }
        let index = changeCount(upTo: instant)
        let end =
            if index < changes.count { changes[index] } else {
                rule?.period(at: ruleStart).end ?? ZonePeriod.always.upperBound
            }
        return ZonePeriod(
            start: index > 0 ? changes[index - 1] : ZonePeriod.always.lowerBound, end: end, offset: Int(offsets[index]))
    }

    /// Returns the time that a clock in the zone shows at an instant.
    func local(at instant: Int) -> LocalTime {
        let instant = instant.clamped(to: Zone.instants)
        let period = period(at: instant)
        let wall = instant + period.offset
        var isRepeated = false
        if instant - period.start < greatestOffset - leastOffset, case .two(let first, _) = self.instants(atWall: wall) {
            isRepeated = instant > first
        }
        return LocalTime(wall: wall, offset: period.offset, isRepeated: isRepeated)
    }

    /// Returns the instants at which a clock in the zone shows a wall time.
    func instants(atWall wall: Int) -> ZoneInstants {
        let bound = Zone.instants.upperBound / 2
        let wall = wall.clamped(to: -bound...bound)
        var period = period(at: wall - greatestOffset)
        var (found, gap): (Int?, Int?)
        while true {
            let instant = wall - period.offset
            if period.contains(instant) {
                if let found { return .two(found, instant) }
                found = instant
            }
            guard period.end <= wall - leastOffset else { break }
            let next = self.period(at: period.end)
            // Before the change, the clock has not reached the wall time. After it, the wall
            // time is past.
            if gap == nil, instant >= period.end, wall - next.offset < period.end { gap = period.end }
            period = next
        }
        return if let found { .one(found) } else { .gap(gap ?? period.start) }
    }

    /// Returns the first instant of a local day, given in days since 1970-01-01. If the clock
    /// skips midnight, returns the instant of that change. If it skips the whole day, returns
    /// the first instant of the next day.
    func startOfDay(_ day: Int) -> Int {
        let bound = Zone.instants.upperBound / 86_400
        return instants(atWall: day.clamped(to: -bound...bound) * 86_400).first
    }

    /// Returns the first instant at which the clock shows a minute of a day, or skips it.
    func instant(day: Int, minute: Int) -> Int { instants(atWall: day * 86_400 + minute * 60).first }

    /// Returns the number of changes at or before an instant.
    private func changeCount(upTo instant: Int) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The instants at which a clock shows a wall time.
enum ZoneInstants: Equatable, Sendable {
    case one(Int)
    /// The clock is set back and shows the wall time twice. Of three times, these are the
    /// first two.
    case two(Int, Int)
    /// The clock is put forward over the wall time at this instant.
    case gap(Int)

    /// The first instant, or the instant of the gap.
    var first: Int {
        switch self {
        case .one(let instant), .two(let instant, _), .gap(let instant): instant
        }
    }
}

/// The time between two changes of a zone's offset.
struct ZonePeriod: Equatable, Sendable {
    /// The first instant. The bound of `always` when there is no change before.
    let start: Int
    /// The first instant after the period. The bound of `always` when there is no change
    /// after.
    let end: Int
    /// Seconds east of UTC.
    let offset: Int

    /// Wider than `Zone.instants`, and narrow enough to subtract.
    static let always = -(1 << 60)...1 << 60

    func contains(_ instant: Int) -> Bool { start <= instant && instant < end }

    fileprivate func starting(at start: Int) -> ZonePeriod { ZonePeriod(start: start, end: end, offset: offset) }
}

/// The time that a clock in a zone shows.
struct LocalTime: Equatable, Sendable {
    /// Seconds since 1970-01-01T00:00 on that clock.
    let wall: Int
    /// Seconds east of UTC.
    let offset: Int
    /// True when the clock was set back and has shown this wall time before.
    let isRepeated: Bool

    /// Days since 1970-01-01.
    var day: Int { wall.flooringDivision(by: 86_400) }
    var date: CalendarDate { CalendarDate(daysSinceEpoch: day) }
    var secondOfDay: Int { wall - day * 86_400 }
    var minuteOfDay: Int { secondOfDay / 60 }
    /// From Monday (0) to Sunday (6).
    var weekday: Int { day + 3 - (day + 3).flooringDivision(by: 7) * 7 }
}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
