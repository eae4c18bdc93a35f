// Dates, which may lack a month or a year.

extension WishParser {
    /// Reads a month, or a day of a month.
    func monthPoint(_ number: Int) throws(TimeProblem) -> Point? {
        index += 1
        var place = index
        while kind(at: place) == .filler || kind(at: place) == .dayArticle { place += 1 }
        guard let day = self.number(at: place), !day.isWeak, day.digits < 3 else { return .span(month(number)) }
        // "May 3 pm" may be the third, or three o'clock.
        if isTime(at: day) { return nil }
        index = day.end
        return .span(try span(of: WishDate(year: takeYear(), month: number, day: day.value)))
    }

    private func isTime(at number: WishNumber) -> Bool {
        switch kind(at: number.end) {
        case .am, .pm, .oClock, .unit: !number.isOrdinal
        default: false
        }
    }

    /// Reads a year behind a date: four digits, or two spoken halves. Only this year and the next
    /// one are understood in halves.
    private func takeYear() -> Int? {
        var place = index
        while place < tokens.count, tokens[place] == .comma || kind(at: place) == .filler { place += 1 }
        if place < tokens.count, case .number(let year, digits: 4) = tokens[place], (1_900...2_999).contains(year) {
            index = place + 1
            return year
        }
        let year = now.date.year
        guard let century = number(at: index), century.value == year / 100, century.digits == 0,
            let rest = number(at: century.end), rest.digits == 0, (year % 100...year % 100 + 1).contains(rest.value)
        else { return nil }
        index = rest.end
        return century.value * 100 + rest.value
    }

    /// Makes a day from a number that was read. The month follows it, was said before, or is the
    /// next month that has the day.
    func dayPoint(_ number: WishNumber, like first: Point?) throws(TimeProblem) -> Point? {
        index = number.end
        guard (1...31).contains(number.value) else { throw noSuchTime }
        let next = skipFillers(from: index)
        // "The first Monday" counts Mondays, which is not understood.
        if number.isOrdinal, number.value <= 5, kind(at: next) == .weekday { throw problem }
        if kind(at: next) == .month {
            index = next + 1
            return .span(try span(of: WishDate(year: takeYear(), month: value(at: next), day: number.value)))
        }
        if let (steps, end) = monthSteps(at: next) {
            index = end
            let span = month(now.date.month + steps)
            let date = CalendarDate(daysSinceEpoch: span.from)
            guard span.from + number.value - 1 <= span.to else { throw noSuchTime }
            guard span.from + number.value - 1 >= today else { throw TimeProblem(.past, field: field.rawValue) }
            return .span(try self.span(of: WishDate(year: date.year, month: date.month, day: number.value)))
        }
        if let month = sharedMonth(at: index) {
            return .span(try span(of: WishDate(month: month, day: number.value)))
        }
        if let lastDate, let month = lastDate.month, first != nil || isAfterOr {
            return .span(try span(of: WishDate(year: lastDate.year, month: month, day: number.value)))
        }
        if case .span(let span) = first { return .span(try dayOfMonth(number.value, from: span.from)) }
        return .span(try dayOfMonth(number.value, from: today))
    }

    /// Reads "of this month" or "of next month".
    private func monthSteps(at place: Int) -> (steps: Int, end: Int)? {
        switch (kind(at: place), kind(at: place + 1)) {
        case (.this, .unit) where unit(at: place + 1) == .month: (0, place + 2)
        case (.next, .unit) where unit(at: place + 1) == .month: (1, place + 2)
        case (.unit, .next) where unit(at: place) == .month: (1, place + 2)
        case (.unit, _) where unit(at: place) == .month: (0, place + 1)
        default: nil
        }
    }

    /// Returns the month behind the second day in "the 14th or 15th of April".
    private func sharedMonth(at place: Int) -> Int? {
        guard isConnector(at: place) || kind(at: place) == .or || kind(at: place) == .and,
            let second = number(at: skipFillers(from: place + 1))
        else { return nil }
        let month = skipFillers(from: second.end)
        return kind(at: month) == .month ? value(at: month) : nil
    }

    private func dayOfMonth(_ day: Int, from start: Int) throws(TimeProblem) -> WishSpan {
        let first = CalendarDate(daysSinceEpoch: start)
        for step in 0..<12 {
            let (year, month) = (first.year + (first.month - 1 + step) / 12, (first.month - 1 + step) % 12 + 1)
            guard day <= CalendarDate.daysIn(month: month, year: year) else { continue }
            let found = CalendarDate(year: year, month: month, day: day).daysSinceEpoch
            if found >= start { return WishSpan(from: found, to: found, kind: .dayOfMonth) }
        }
        throw noSuchTime
    }

    /// Returns the day of a date. A past date means the same day within twelve months.
    func span(of date: WishDate) throws(TimeProblem) -> WishSpan {
        guard let month = date.month, (1...12).contains(month), date.day >= 1 else { throw noSuchTime }
        func day(_ year: Int) -> Int? {
            guard date.day <= CalendarDate.daysIn(month: month, year: year) else { return nil }
            return CalendarDate(year: year, month: month, day: date.day).daysSinceEpoch
        }
        lastDate = date
        if let year = date.year {
            guard let said = day(year) else { throw noSuchTime }
            if said >= today { return WishSpan(from: said, to: said, kind: .date) }
        }
        let year = now.date.year
        guard let found = [year, year + 1].lazy.compactMap(day).first(where: { $0 >= today }) else { throw noSuchTime }
        lastDate?.year = CalendarDate(daysSinceEpoch: found).year
        return WishSpan(from: found, to: found, kind: .date, isOfOtherYear: date.year != nil)
    }

    var noSuchTime: TimeProblem { TimeProblem(.noSuchTime, field: field.rawValue) }
}
