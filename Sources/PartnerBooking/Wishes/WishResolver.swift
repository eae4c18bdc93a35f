/// The step from the words about days to the days themselves: one reading, or two.
struct WishResolver {
    let parts: WishParts
    let now: LocalTime
    /// The last day of a wish without end.
    let horizon: Int
    let settings: WishSettings
    let vocabulary: WishVocabulary
    let field: WishField

    var isYearCorrected = false
    var isWeekdayCorrected = false
    var assumed = WishAssumptions()

    var today: Int { now.day }

    init(_ parts: WishParts, now: LocalTime, _ settings: WishSettings, _ vocabulary: WishVocabulary, field: WishField) {
        self.parts = parts
        self.now = now
        self.settings = settings
        self.vocabulary = vocabulary
        self.field = field
        horizon = now.day + settings.maxDaysAhead
    }

    func problem(_ reason: TimeProblem.Reason) -> TimeProblem { TimeProblem(reason, field: field.rawValue) }

    // MARK: - Days

    /// Returns the days that the words mean. There are several ranges when the words do not
    /// decide.
    mutating func days() throws(TimeProblem) -> [WishSpan] {
        let days = parts.days
        var found: [WishSpan]
        var bound = days.spanBound
        if let span = days.span {
            isYearCorrected = span.isOfOtherYear
            // "From next week on Tuesdays".
            guard span.isDay || bound == .none || days.weekdays == 0 else { throw problem(.notUnderstood) }
            if days.weekdays == 0 {
                var earlier = span
                (earlier.from, earlier.to) = (span.from - 7, span.to - 7)
                found = span.hasEarlierReading ? [earlier, span] : [span]
            } else if span.isDay {
                // "Monday after the 20th" is not the Monday nearest to the 20th.
                guard bound == .none || days.weekdayBound != .none else { throw problem(.notUnderstood) }
                found = [try day(span)]
                if bound == .none { bound = days.weekdayBound }
            } else {
                found = [try chosen(from: span)]
            }
        } else if days.weekdays != 0 {
            found = weekdays()
            bound = days.weekdayBound
        } else {
            return [WishSpan(from: today, to: horizon, kind: .period)]
        }
        found = found.compactMap { limited($0, bound) }
        if found.isEmpty { throw problem(.past) }
        return found
    }

    /// Returns the days before or after a span, or nil when all of them are past.
    private func limited(_ span: WishSpan, _ bound: WishDays.Bound) -> WishSpan? {
        var limited = span
        switch bound {
        case .none: break
        case .after: (limited.from, limited.to, limited.weekdays) = (span.to + 1, max(horizon, span.to + 1), 0)
        case .from: (limited.to, limited.weekdays) = (max(horizon, span.from), 0)
        case .before: (limited.from, limited.to, limited.weekdays) = (today, span.from - 1, 0)
        case .until: (limited.from, limited.weekdays) = (today, 0)
        }
        limited.from = max(limited.from, today)
        return limited.from <= limited.to ? limited : nil
    }

    /// Returns the day for a date that was said with a weekday. The weekday counts, because
    /// people know it better than the date.
    private mutating func day(_ span: WishSpan) throws(TimeProblem) -> WishSpan {
        var day = span
        // "Monday or Tuesday the 22nd" has one date for two days.
        guard parts.days.weekdays.nonzeroBitCount == 1 else { throw problem(.notUnderstood) }
        if isWanted(span.from) { return span }
        guard span.kind == .date || span.kind == .dayOfMonth else {
            throw problem(.contradictory)
        }
        if span.kind == .dayOfMonth, let later = sameDayNextMonth(span.from), isWanted(later) {
            (day.from, day.to) = (later, later)
            return day
        }
        for distance in 1...3 {
            for near in [span.from - distance, span.from + distance] where isWanted(near) {
                isWeekdayCorrected = true
                day.from = near < today ? near + 7 : near
                day.to = day.from
                return day
            }
        }
        throw problem(.contradictory)
    }

    private func isWanted(_ day: Int) -> Bool { parts.days.weekdays & WishParser.weekdayBit(day) != 0 }

    private func sameDayNextMonth(_ day: Int) -> Int? {
        let date = CalendarDate(daysSinceEpoch: day)
        let (year, month) = date.month == 12 ? (date.year + 1, 1) : (date.year, date.month + 1)
        guard date.day <= CalendarDate.daysIn(month: month, year: year) else { return nil }
        return CalendarDate(year: year, month: month, day: date.day).daysSinceEpoch
    }

    /// Returns the days of a week, a month or another period that have the weekdays.
    private func chosen(from span: WishSpan) throws(TimeProblem) -> WishSpan {
        var days = span
        days.from = max(span.from, today)
        guard days.from <= days.to else { throw problem(.past) }
        let isLong = span.to - span.from >= 7
        if isLong, let first = parts.days.firstOfRun {
            while WishParser.weekday(days.from) != first { days.from += 1 }
            days.to = min(days.to, days.from + parts.days.weekdays.nonzeroBitCount - 1)
            guard days.from <= days.to else { throw problem(.past) }
            return days
        }
        if isLong {
            guard parts.days.weekdayBound == .none else { throw problem(.notUnderstood) }
            days.weekdays = parts.days.weekdays
            return days
        }
        let hits = (days.from...days.to).filter(isWanted)
        guard let first = hits.first, let last = hits.last else { throw problem(.past) }
        switch parts.days.weekdayBound {
        case .none:
            (days.from, days.to) = (first, last)
            if hits.count < last - first + 1 { days.weekdays = parts.days.weekdays }
            return days
        case .after: days.from = last + 1
        case .from: days.from = first
        case .before: days.to = first - 1
        case .until: days.to = last
        }
        guard days.from <= days.to else { throw problem(.contradictory) }
        return days
    }

    /// Returns the days for weekdays that were said without a week.
    private func weekdays() -> [WishSpan] {
        let days = parts.days
        let monday = today - now.weekday
        if days.mode == .every { return [WishSpan(from: today, to: horizon, kind: .period, weekdays: days.weekdays)] }
        if let first = days.firstOfRun {
            let length = days.weekdays.nonzeroBitCount - 1
            let start = today + (first - now.weekday + 7) % 7
            guard days.mode == .next else { return [WishSpan(from: start, to: start + length, kind: .period)] }
            let later = WishSpan(from: monday + 7 + first, to: monday + 7 + first + length, kind: .period)
            return first > now.weekday ? [WishSpan(from: start, to: start + length, kind: .period), later] : [later]
        }
        if days.mode == .next {
            let later = Self.spanning((0..<7).filter { isWanted($0 + monday) }.map { $0 + monday + 7 })
            let ahead = (now.weekday + 1..<7).filter { isWanted($0 + monday) }.map { $0 + monday }
            return ahead.isEmpty ? [later] : [Self.spanning(ahead), later]
        }
        let shift = 7 * days.weeksLater
        let ahead = (today..<today + 7).filter(isWanted).map { $0 + shift }
        let span = Self.spanning(ahead)
        // "Tuesday" on a Tuesday may be today or in a week. Callers who mean today mostly say
        // "today", but not always.
        guard days.mode == .plain, ahead.count == 1, span.from == today + shift else { return [span] }
        return [span, WishSpan(from: span.from + 7, to: span.to + 7, kind: .counted)]
    }

    /// Returns the range of some days, which must be in order. If it contains other days, too, it
    /// gets their weekdays.
    private static func spanning(_ days: [Int]) -> WishSpan {
        var span = WishSpan(from: days.first ?? 0, to: days.last ?? 0, kind: .counted)
        if days.count < span.to - span.from + 1 {
            for day in days { span.weekdays |= WishParser.weekdayBit(day) }
        }
        return span
    }
}

/// Likely meanings that the caller did not say.
struct WishAssumptions: OptionSet {
    let rawValue: UInt8

    static let morning = WishAssumptions(rawValue: 1)
    static let noon = WishAssumptions(rawValue: 2)
    static let afternoon = WishAssumptions(rawValue: 4)
    static let localTime = WishAssumptions(rawValue: 8)
}
