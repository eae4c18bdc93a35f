// Adds each piece to the wish. A second piece of a kind must be joined to the first.

extension WishParser {
    /// Checks that a piece may follow. Returns true if it is joined to the last piece of its
    /// kind.
    private func join(_ piece: Piece, isFirst: Bool) throws(TimeProblem) -> Bool {
        defer { (last, isAfterOr, isAfterComma) = (piece, false, false) }
        if isFirst {
            // "Tuesday and in the morning" is one wish. "Tuesday or in the morning" is two, as is
            // "evenings and weekends".
            guard last == .none || !isAfterOr || isAfterAnd && last == .day else { throw problem }
            return false
        }
        guard last == piece, isAfterOr || isAfterComma && piece == .day, !hasSecondThought else { throw problem }
        if piece == .day { (isListOpen, hasAlternativeDays) = (!isAfterOr, true) }
        return true
    }

    func take(_ point: Point, _ bound: WishDays.Bound = .none) throws(TimeProblem) {
        hasMeaning = true
        switch point {
        case .span(let span): try takeSpan(span, bound)
        case .weekday(let weekday, let mode, let weeks): try takeWeekday(weekday, mode, weeks, bound)
        case .clock(let clock): try takeClock(clock, bound)
        case .part(let part): try takePart(part, bound)
        }
        isAfterWeekday = if case .weekday = point { true } else { false }
    }

    func takeSpan(_ span: WishSpan, _ bound: WishDays.Bound) throws(TimeProblem) {
        // "Today, this evening" names the same day twice.
        if let old = parts.days.span, (old.from, old.to) == (span.from, span.to), bound == .none, !isAfterOr { return }
        // "By Tuesday next week" counts from today, "next week by Tuesday" from that week.
        guard span.isDay || parts.days.weekdayBound == .none else { throw problem }
        let isAlternative = last == .day && isAfterOr && bound == .none
        if isAlternative, parts.days.span == nil, parts.days.weekdays != 0 { try turnWeekdayIntoSpan() }
        if try !join(.day, isFirst: parts.days.span == nil) {
            (parts.days.span, parts.days.spanBound) = (span, bound)
        } else {
            guard let old = parts.days.span, !parts.days.isBounded, bound == .none, parts.days.weekdays == 0,
                let both = Self.union(old, span)
            else { throw problem }
            parts.days.span = both
        }
    }

    /// Reads "or the day after" or "or the week after".
    func takeDayAfter(weeks: Bool) throws(TimeProblem) {
        guard isAfterOr, last == .day, let span = parts.days.span, span.to - span.from == (weeks ? 6 : 0) else {
            throw problem
        }
        index += 1
        try takeSpan(WishSpan(from: span.to + 1, to: span.to + (weeks ? 7 : 1), kind: span.kind), .none)
    }

    /// Reads "or later" or "or earlier", as in "three or later".
    func takeOrLater(isLater: Bool) throws(TimeProblem) {
        index += 1
        if isLater, last == .clock, parts.times.lower != nil, parts.times.around == nil, parts.times.upper == nil { return }
        // "From Tuesday onwards".
        if isLater, last == .day, parts.days.spanBound == .from || parts.days.weekdayBound == .from { return }
        guard last == .clock || last == .part, let clock = parts.times.around, !parts.days.isBounded else { throw problem }
        guard parts.times.upper == nil else { throw problem }
        parts.times.around = nil
        if isLater { parts.times.lower = clock } else { parts.times.upper = clock }
    }

    private func turnWeekdayIntoSpan() throws(TimeProblem) {
        let days = parts.days
        guard days.mode == .plain, days.weekdays.nonzeroBitCount == 1, days.weekdayBound == .none, days.weeksLater == 0,
            days.weekdays != 1 << UInt8(now.weekday)
        else {
            throw problem
        }
        parts.days.span = dayAhead(days.weekdays.trailingZeroBitCount)
        parts.days.weekdays = 0
    }

    func dayAhead(_ weekday: Int) -> WishSpan {
        counted((weekday - now.weekday + 7) % 7)
    }

    func counted(_ days: Int) -> WishSpan { WishSpan(from: today + days, to: today + days, kind: .counted) }

    /// Returns the union of two spans, or nil if one range of days cannot contain both.
    static func union(_ first: WishSpan, _ second: WishSpan) -> WishSpan? {
        let (from, to) = (min(first.from, second.from), max(first.to, second.to))
        var both = WishSpan(from: from, to: to, kind: first.kind)
        both.isOfOtherYear = first.isOfOtherYear || second.isOfOtherYear
        if first.weekdays == 0, second.weekdays == 0, first.to + 1 >= second.from, second.to + 1 >= first.from {
            return both
        }
        guard to - from < 7 else { return nil }
        for span in [first, second] {
            for day in span.from...span.to where span.weekdays == 0 || span.weekdays & weekdayBit(day) != 0 {
                both.weekdays |= weekdayBit(day)
            }
        }
        return both
    }

    /// Returns the bit of a day's weekday.
    static func weekdayBit(_ day: Int) -> UInt8 {
        1 << UInt8(LocalTime(wall: day * 86_400, offset: 0, isRepeated: false).weekday)
    }

    func takeWeekday(
        _ weekday: Int, _ mode: WishDays.Mode, _ weeks: Int, _ bound: WishDays.Bound
    ) throws(TimeProblem) {
        let isAlternative = last == .day && isAfterOr && bound == .none
        if isAlternative, parts.days.weekdays == 0, parts.days.span != nil {
            // "Tomorrow or Monday", on a Monday, may mean today or the next one.
            guard mode == .plain, weeks == 0, weekday != now.weekday else { throw problem }
            return try takeSpan(dayAhead(weekday), .none)
        }
        if parts.days.weekdays == 1 << UInt8(weekday), mode == .plain, weeks == 0, bound == .none, !isAfterOr { return }
        guard bound == .none || parts.days.weekdays == 0 else { throw problem }
        // "Monday Wednesday or Friday": recognized speech has no commas.
        if kind(at: index - 2) == .weekday { isAfterComma = true }
        let isJoined = try join(.day, isFirst: parts.days.weekdays == 0)
        if isJoined {
            guard mode == .plain, weeks == 0, parts.days.weeksLater == 0, !parts.days.isBounded, parts.days.firstOfRun == nil
            else { throw problem }
        } else {
            if mode != .plain { parts.days.mode = mode }
            (parts.days.weeksLater, parts.days.weekdayBound) = (weeks, bound)
        }
        parts.days.weekdays |= 1 << UInt8(weekday)
    }

    func takeWeekdays(_ weekdays: UInt8, _ mode: WishDays.Mode) throws(TimeProblem) {
        hasMeaning = true
        index += 1
        let isJoined = try join(.day, isFirst: parts.days.weekdays == 0)
        guard !isJoined || parts.days.mode == .every else { throw problem }
        parts.days.mode = mode
        parts.days.weekdays |= weekdays
    }

    func takeClock(_ clock: WishClock, _ bound: WishDays.Bound) throws(TimeProblem) {
        if bound == .none, let old = parts.times.around, let same = old.merged(with: clock) {
            // Language models often put the same time into both texts.
            parts.times.around = same
            return
        }
        let isFree = bound == .none ? !parts.times.hasClock : parts.times.around == nil
        // "Before nine or after five" has a gap, which a range cannot have.
        guard isFree, !isAfterOr || isAfterAnd && (bound != .none || last == .day) else { throw problem }
        guard clock.minute < 1_440 || bound == .before || bound == .until else {
            throw TimeProblem(.noSuchTime, field: field.rawValue)
        }
        let isAnd = isAfterOr
        (last, isAfterOr, isAfterComma) = (.clock, false, false)
        switch bound {
        case .none: parts.times.around = clock
        case .after, .from:
            // "Before ten and after four" has a gap.
            guard parts.times.lower == nil, parts.times.upper.map({ !isAnd && !$0.isBare }) ?? true else { throw problem }
            parts.times.lower = clock
        case .before, .until:
            guard parts.times.upper == nil else { throw problem }
            parts.times.upper = clock
        }
    }

    func takePart(_ part: Int, _ bound: WishDays.Bound) throws(TimeProblem) {
        if bound != .none {
            let hours = vocabulary.part(part)
            // "After lunch" can begin while other people still have lunch.
            let hour = bound == .after ? (part == 1 ? hours.half : hours.to) : hours.from
            return try takeClock(WishClock(hour * 60, isBare: false), bound)
        }
        if last == .clock, parts.times.parts == 0 {
            // "Three in the afternoon", but "three or in the morning" is two wishes.
            guard !isAfterOr else { throw problem }
            (last, isAfterOr, parts.times.isPartOfClock) = (.part, false, true)
            parts.times.parts = 1 << UInt8(part)
            return
        }
        if parts.times.parts == 1 << UInt8(part), !isAfterOr { return }
        // "Tonight or in the morning" is not this morning.
        guard !isPartOfToday || !isAfterOr || part > parts.times.parts.trailingZeroBitCount else { throw problem }
        // "First thing Tuesday or Wednesday afternoon".
        guard !hasAlternativeDays || !parts.times.isFirstThing && parts.times.stretch == nil else { throw problem }
        let isJoined = try join(.part, isFirst: parts.times.parts == 0)
        guard !isJoined || parts.times.stretch == nil && parts.times.around == nil else { throw problem }
        parts.times.parts |= 1 << UInt8(part)
    }

    /// Takes "this morning" or "tonight", which consists of a day and a part.
    func takePartOfToday(_ part: Int) throws(TimeProblem) {
        let today = counted(0)
        if isAfterOr, last == .part, let day = parts.days.span, (day.from, day.to) == (today.from, today.to) {
            // "This morning or this afternoon" names one day.
            isPartOfToday = false
            return try take(.part(part))
        }
        // "Tomorrow or this afternoon" is two wishes.
        guard !isAfterOr || last == .none else { throw problem }
        try take(.span(today))
        try take(.part(part))
        isPartOfToday = true
    }

    func takeRange(_ first: Point, _ second: Point) throws(TimeProblem) {
        hasMeaning = true
        switch (first, second) {
        case (.clock(let from), .clock(let to)):
            try takeClock(from, .from)
            try takeClock(to, .until)
        case (.weekday(let from, let mode, 0), .weekday(let to, .plain, 0)):
            guard parts.days.weekdays == 0, !isAfterOr || last == .none else { throw problem }
            try takeWeekday(from, mode, 0, .none)
            parts.days.firstOfRun = from
            for step in 0...(to - from + 7) % 7 { parts.days.weekdays |= 1 << UInt8((from + step) % 7) }
        default:
            guard let from = span(of: first, from: today), let to = span(of: second, from: from.from), from.from <= to.to
            else { throw problem }
            // "15 a 10" does not end in the next month.
            if from.kind == .dayOfMonth, to.kind == .dayOfMonth, to.from - from.from > 15,
                CalendarDate(daysSinceEpoch: to.from).day < CalendarDate(daysSinceEpoch: from.from).day
            {
                throw problem
            }
            var both = WishSpan(from: from.from, to: to.to, kind: .period)
            both.isOfOtherYear = from.isOfOtherYear || to.isOfOtherYear
            try takeSpan(both, .none)
        }
    }

    private func span(of point: Point, from day: Int) -> WishSpan? {
        switch point {
        case .span(let span): span
        case .weekday(let weekday, .plain, 0):
            WishSpan(
                from: day + (weekday - Self.weekday(day) + 7) % 7, to: day + (weekday - Self.weekday(day) + 7) % 7,
                kind: .counted)
        default: nil
        }
    }

    static func weekday(_ day: Int) -> Int { weekdayBit(day).trailingZeroBitCount }
}
