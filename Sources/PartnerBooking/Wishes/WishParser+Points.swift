// Days and parts of the day. A function that finds none leaves the index unchanged.

extension WishParser {
    /// Reads a day, several days, a time or a part of the day. `first` is the beginning of a
    /// range that ends with this point.
    func point(_ place: Place, like first: Point? = nil) throws(TimeProblem) -> Point? {
        let start = index
        if let point = try pointOrNil(place, like: first) { return point }
        index = start
        return nil
    }

    private func pointOrNil(_ place: Place, like first: Point?) throws(TimeProblem) -> Point? {
        var article: WishWord.Kind? = isAfterArticle ? .dayArticle : nil
        isAfterArticle = false
        while let kind, kind == .filler || kind == .dayArticle || kind == .hourArticle || kind == .at || kind == .in {
            if kind == .in, let counted = try countedPoint(from: index + 1, hasIn: true) { return counted }
            if kind != .filler { article = kind }
            index += 1
        }
        guard index < tokens.count else { return nil }
        switch tokens[index] {
        case .date(let date):
            index += 1
            return .span(try span(of: date))
        case .clock, .number: return try numericPoint(place, article, like: first)
        case .word(let word): return try wordPoint(word, place, article, like: first)
        case .dash, .comma, .offset: return nil
        }
    }

    private func wordPoint(
        _ word: WishWord, _ place: Place, _ article: WishWord.Kind?, like first: Point?
    ) throws(TimeProblem) -> Point? {
        let value = Int(word.value)
        switch word.kind {
        case .number, .ordinal, .half, .quarter, .noon, .midnight:
            return try numericPoint(place, article, like: first)
        case .day:
            if value == 1, vocabulary.text.tomorrowIsMorning {
                // "Martes" and "mañana" in two texts: Tuesday morning.
                if field == .time, !parts.days.isEmpty { index += 1; return .part(0) }
                guard last != .day || isAfterOr || isAfterComma else { throw problem }
            }
            index += 1
            return .span(counted(value + 7 * takeWeeks()))
        case .weekday:
            guard article != .in else { throw problem }
            index += 1
            if kind == .next, isPostponed { index += 1; return .weekday(value, .next, weeksLater: 0) }
            if kind == .this, isPostponed { index += 1; return .weekday(value, .this, weeksLater: 0) }
            return .weekday(value, .plain, weeksLater: takeWeeks())
        case .next: return try nextPoint()
        case .this: return thisPoint()
        case .within: return withinPoint()
        case .unit: return unitPoint()
        case .weekend:
            index += 1
            return .span(kind == .next && isPostponed && take(.next) ? nextWeekend : weekend(0))
        case .month: return try monthPoint(value)
        case .stretch: return try stretchedSpan().map { .span($0) }
        case .part:
            index += 1
            isPlural = value > 3
            return .part(value & 3)
        default: return nil
        }
    }

    /// True when "next" belongs to the word before it, because nothing follows that could be
    /// next.
    private var isPostponed: Bool {
        switch kind(at: index + 1) {
        case .unit, .weekend, .weekday, .month, .number: false
        default: true
        }
    }

    /// Reads "week" in "Tuesday week", and returns the number of weeks.
    private func takeWeeks() -> Int {
        guard kind(at: index + 1) != .afterNext, kind(at: index + 1) != .next else { return 0 }
        let weeks = unit(at: index) == .week ? 1 : unit(at: index) == .fortnight ? 2 : 0
        if weeks > 0 { index += 1 }
        return weeks
    }

    private func nextPoint() throws(TimeProblem) -> Point? {
        if let (count, unit, end) = countedUnits(at: skipFillers(from: index + 1)), !isWeak(index + 1) {
            index = end
            return within(count, unit).map { .span($0) }
        }
        let noun = skipFillers(from: index + 1)
        switch kind(at: noun) {
        case .weekday:
            index = noun + 1
            return .weekday(value(at: noun), .next, weeksLater: 0)
        case .weekend:
            index = noun + 1
            return .span(nextWeekend)
        case .month:
            // "Next January", in January, may mean this month or that of next year.
            guard value(at: noun) != now.date.month else { throw problem }
            index = noun
            return try monthPoint(value(at: noun))
        case .unit:
            guard let span = period(unit(at: noun), 1) else { return nil }
            index = noun + 1
            return .span(span)
        default: return nil
        }
    }

    private func thisPoint() -> Point? {
        let noun = skipFillers(from: index + 1)
        switch kind(at: noun) {
        case .weekday:
            index = noun + 1
            // "This Tuesday next week" has no meaning, so no weeks follow.
            return .weekday(value(at: noun), .this, weeksLater: 0)
        case .weekend:
            index = noun + 1
            return .span(weekend(0))
        case .month:
            index = noun + 1
            return .span(month(value(at: noun)))
        case .unit:
            guard let span = period(unit(at: noun), 0) else { return nil }
            index = noun + 1
            return .span(span)
        default: return nil
        }
    }

    /// Reads "the week after next", and in other languages "the week next".
    private func unitPoint() -> Point? {
        let steps: Int
        switch kind(at: index + 1) {
        case .next: steps = 1
        case .this: steps = 0
        case .afterNext: steps = 2
        default: return nil
        }
        guard let span = period(unit(at: index), steps) else { return nil }
        index += 2
        return .span(span)
    }

    private func withinPoint() -> Point? {
        let start = skipFillers(from: index + 1)
        if let span = withinSpan(from: start) { return .span(span) }
        // "In the next days" has no number.
        if let unit = unit(at: start), unit != .day, let span = within(1, unit) {
            index = start + 1
            return .span(span)
        }
        return nil
    }

    /// Reads a number of days, weeks or months from today.
    func withinSpan(from start: Int) -> WishSpan? {
        guard let (count, unit, end) = countedUnits(at: start), let span = within(count, unit) else { return nil }
        index = end
        return span
    }

    // MARK: - Counted days and weeks

    private func isWeak(_ place: Int) -> Bool { kind(at: place) == .number && value(at: place) == 101 }

    func isCounted(at place: Int) -> Bool { countedUnits(at: place) != nil }

    /// Reads a number and a unit of time, such as `a couple of weeks`.
    private func countedUnits(at start: Int) -> (count: Int, unit: WishUnit, end: Int)? {
        var place = start
        if isWeak(place), case .number? = kind(at: place + 1) { place += 1 }
        guard let number = number(at: place), !number.isOrdinal else { return nil }
        let end = skipFillers(from: number.end)
        guard let unit = unit(at: end), number.value <= 400 else { return nil }
        return (number.value, unit, end + 1)
    }

    /// Reads "in two weeks" or "two weeks from Tuesday".
    func countedPoint(from start: Int, hasIn: Bool) throws(TimeProblem) -> Point? {
        let start = skipFillers(from: start)
        if hasIn, kind(at: start) == .half {
            let hour = isWeak(start + 1) ? start + 2 : start + 1
            guard unit(at: hour) == .hour else { return nil }
            index = hour + 1
            return try later(minutes: 30)
        }
        guard let (count, unit, end) = countedUnits(at: start) else { return nil }
        if unit == .minute || unit == .hour {
            guard hasIn || kind(at: end) == .fromNow else { return nil }
            index = end
            _ = take(.fromNow)
            return try later(minutes: unit == .hour ? 60 * count : count)
        }
        let days: Int? = unit == .day ? count : unit == .week ? 7 * count : unit == .fortnight ? 14 * count : nil
        // Skip fillers first. "A week on Tuesday" is a week after Tuesday, but "in a week on
        // Tuesday" is a day of that week.
        var next = end
        let isFromNow = kind(at: next) == .fromNow
        if isFromNow { next += 1 }
        if !isFromNow, let days {
            let joins = kind(at: next) == .from || kind(at: next) == .after
            let day = skipFillers(from: joins ? next + 1 : next)
            if joins || !hasIn, kind(at: day) == .day {
                index = day + 1
                return .span(counted(value(at: day) + days))
            }
            if joins || !hasIn, kind(at: day) == .weekday, days % 7 == 0 {
                index = day + 1
                return .weekday(value(at: day), .plain, weeksLater: days / 7)
            }
        }
        guard hasIn || isFromNow else { return nil }
        index = next
        return inUnits(count, unit).map { .span($0) }
    }

    /// Takes the day that is some minutes from now, and returns the time.
    private func later(minutes: Int) throws(TimeProblem) -> Point? {
        let wall = now.wall + 60 * minutes
        let day = wall.flooringDivision(by: 86_400)
        try take(.span(counted(day - today)))
        return .clock(WishClock((wall - day * 86_400) / 60, isBare: false))
    }

    /// Returns a day, or the week of a day.
    private func inUnits(_ count: Int, _ unit: WishUnit) -> WishSpan? {
        switch unit {
        case .day where vocabulary.text.countsFirstDay && (count == 8 || count == 15): week(count / 7)
        case .day: counted(count)
        case .week: week(count)
        case .fortnight: week(2 * count)
        case .month: week((day(monthsLater: count) - monday) / 7)
        default: nil
        }
    }

    private func within(_ count: Int, _ unit: WishUnit) -> WishSpan? {
        let days: Int
        switch unit {
        case .day: days = count
        case .week: days = 7 * count
        case .fortnight: days = 14 * count
        case .month: days = day(monthsLater: count) - today
        default: return nil
        }
        return WishSpan(from: today, to: today + days, kind: .period)
    }

    // MARK: - Weeks and months

    private var monday: Int { today - now.weekday }

    private func week(_ number: Int) -> WishSpan {
        WishSpan(from: monday + 7 * number, to: monday + 7 * number + 6, kind: .period)
    }

    private func weekend(_ number: Int) -> WishSpan {
        WishSpan(from: monday + 7 * number + 5, to: monday + 7 * number + 6, kind: .period)
    }

    private var nextWeekend: WishSpan {
        var span = weekend(1)
        span.hasEarlierReading = now.weekday < 5
        return span
    }

    private func period(_ unit: WishUnit?, _ steps: Int) -> WishSpan? {
        switch unit {
        case .week: week(steps)
        case .month: month(now.date.month + steps)
        default: nil
        }
    }

    /// Returns a month of this year, or of next year if it is over. 13 is always next January.
    func month(_ number: Int) -> WishSpan {
        let date = now.date
        let year = date.year + (number < date.month ? 1 : 0) + (number - 1) / 12
        let month = (number - 1) % 12 + 1
        let from = CalendarDate(year: year, month: month, day: 1).daysSinceEpoch
        return WishSpan(from: from, to: from + CalendarDate.daysIn(month: month, year: year) - 1, kind: .period)
    }

    private func day(monthsLater count: Int) -> Int {
        let date = now.date
        let months = date.month - 1 + count
        let (year, month) = (date.year + months / 12, months % 12 + 1)
        let day = min(date.day, CalendarDate.daysIn(month: month, year: year))
        return CalendarDate(year: year, month: month, day: day).daysSinceEpoch
    }

    /// Reads "early next week" or "the end of April", but not "early in the morning".
    func stretchedSpan() throws(TimeProblem) -> WishSpan? {
        let start = index
        let stretch = value(at: index)
        index = skipFillers(from: index + 1)
        let unit = unit(at: index)
        let isThis = (unit == .week || unit == .month) && kind(at: index + 1) != .next && kind(at: index + 1) != .afterNext
        var span: WishSpan?
        if isThis {
            span = period(unit, 0)
            index += 1
        } else if kind == .next || kind == .this || kind == .unit || kind == .month {
            if case .span(let found)? = try point(.free), found.kind == .period { span = found }
        }
        guard let span, let found = Self.stretch(stretch, of: span) else {
            index = start
            return nil
        }
        return found
    }

    private static func stretch(_ stretch: Int, of span: WishSpan) -> WishSpan? {
        let isWeek = span.to - span.from == 6
        guard isWeek || span.to - span.from >= 27 else { return nil }
        var part = span
        switch stretch {
        case 0: part.to = span.from + (isWeek ? 1 : 9)
        case 1: (part.from, part.to) = (span.from + (isWeek ? 1 : 10), span.from + (isWeek ? 3 : 19))
        default: (part.from, part.to) = (span.from + (isWeek ? 3 : 20), isWeek ? span.from + 4 : span.to)
        }
        return part
    }
}
