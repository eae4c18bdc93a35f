/// Daylight saving time that starts and ends by the same rule in every year.
struct DaylightRule: Sendable {
    /// Seconds east of UTC, outside daylight saving time and in it. `daylight` may be smaller
    /// than `standard`, as in Dublin.
    let standard: Int
    let daylight: Int
    /// The offset between the two changes of one year, and the offset outside them.
    private let innerOffset: Int
    private let outerOffset: Int
    /// The first and second change of each kind of year, in seconds since January 1 in UTC.
    private let firstChanges: InlineArray<14, Int>
    private let secondChanges: InlineArray<14, Int>

    init(standard: Int, daylight: Int, start: Change, end: Change) {
        (self.standard, self.daylight) = (standard, daylight)
        let starts = InlineArray<14, Int> { start.seconds(in: YearKind(index: $0)) - standard }
        let ends = InlineArray<14, Int> { end.seconds(in: YearKind(index: $0)) - daylight }
        // Otherwise daylight saving time lasts over the turn of the year.
        let startsFirst = starts[0] < ends[0]
        (innerOffset, outerOffset) = startsFirst ? (daylight, standard) : (standard, daylight)
        (firstChanges, secondChanges) = startsFirst ? (starts, ends) : (ends, starts)
    }

    /// A day of the year, and a time on it or near it: at most 167 hours forwards or back.
    struct Change: Equatable, Sendable {
        let day: Day
        let seconds: Int

        /// Returns the seconds since January 1, on the clock before the change.
        fileprivate func seconds(in year: YearKind) -> Int { day.index(in: year) * 86_400 + seconds }
    }

    enum Day: Equatable, Sendable {
        /// `J60` is March 1 in each year.
        case ofCommonYear(Int)
        /// Counts from 0, and counts February 29.
        case ofYear(Int)
        /// Sunday is 0. Week 5 is the last week of the month.
        case weekday(Int, week: Int, month: Int)
    }

    /// Returns the time between two changes that contains an instant. Its neighbours may have
    /// the same offset, if daylight saving time lasts all year.
    func period(at instant: Int) -> ZonePeriod {
        var year = Year(near: instant)
        // `Year(near:)` may give a neighbour of the year. A change may also be a week outside
        // its year.
        while instant < firstChange(of: year) { year = Year(year.number - 1) }
        var following = Year(year.number + 1)
        while instant >= firstChange(of: following) { (year, following) = (following, Year(following.number + 1)) }
        let (first, next) = (firstChange(of: year), firstChange(of: following))
        // A second change that is not between two first changes does not happen.
        let second = min(max(year.start + secondChanges[year.kind.index], first), next)
        return instant < second
            ? ZonePeriod(start: first, end: second, offset: innerOffset)
            : ZonePeriod(start: second, end: next, offset: outerOffset)
    }

    @inline(__always)
    private func firstChange(of year: Year) -> Int { year.start + firstChanges[year.kind.index] }

    /// A year and its start in UTC.
    private struct Year {
        let number: Int
        /// Days since 1970-01-01.
        let firstDay: Int

        @inline(__always)
        init(_ number: Int) {
            self.number = number
            let last = number - 1
            firstDay =
                last * 365 + last.flooringDivision(by: 4) - last.flooringDivision(by: 100)
                + last.flooringDivision(by: 400) - 719_162
        }

        /// Creates the year of an instant, or a year next to it.
        @inline(__always)
        init(near instant: Int) {
            let day = instant.flooringDivision(by: 86_400)
            self.init(1970 + (day * 400).flooringDivision(by: 146_097))
        }

        var start: Int { firstDay * 86_400 }
        var kind: YearKind { YearKind(firstWeekday: (firstDay + 4).remainder(by: 7), isLeap: isLeap) }
        private var isLeap: Bool { CalendarDate.daysIn(month: 2, year: number) == 29 }
    }
}

/// The kind of a year, all that a rule needs: there are 14 calendars.
private struct YearKind {
    /// From Sunday (0) to Saturday (6).
    let firstWeekday: Int
    let isLeap: Bool

    init(firstWeekday: Int, isLeap: Bool) { (self.firstWeekday, self.isLeap) = (firstWeekday, isLeap) }

    init(index: Int) { self.init(firstWeekday: index % 7, isLeap: index >= 7) }

    var index: Int { firstWeekday + (isLeap ? 7 : 0) }
}

extension DaylightRule.Day {
    /// Returns the days since January 1.
    fileprivate func index(in year: YearKind) -> Int {
        switch self {
        case .ofYear(let index): return index
        case .ofCommonYear(let number): return year.isLeap && number >= 60 ? number : number - 1
        case .weekday(let weekday, let week, let month):
            // The year matters only for the length of February.
            let lengths = (1...12).map { CalendarDate.daysIn(month: $0, year: year.isLeap ? 2000 : 2001) }
            let start = lengths[..<(month - 1)].reduce(0, +)
            let first = (year.firstWeekday + start).remainder(by: 7)
            let day = (weekday - first).remainder(by: 7) + (week - 1) * 7
            return start + (day < lengths[month - 1] ? day : day - 7)
        }
    }
}

extension Int {
    /// Returns the remainder of a division that rounds down. Never negative.
    fileprivate func remainder(by divisor: Int) -> Int { self - flooringDivision(by: divisor) * divisor }
}
