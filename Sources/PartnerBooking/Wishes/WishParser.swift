/// The parser of a wish. It reads the words from left to right, and skips none: every word must
/// have its place.
final class WishParser {
    /// A piece behind "after", or at either end of a range.
    enum Point {
        case span(WishSpan)
        case weekday(Int, WishDays.Mode, weeksLater: Int)
        case clock(WishClock)
        case part(Int)
    }

    /// The kind of the last piece. "Or" joins pieces of one kind.
    enum Piece { case none, day, clock, part }

    /// The word before a number, which decides about its meaning. `open` means `free` at a place
    /// where a range may begin.
    enum Place { case free, open, at, around, limit, between }

    let vocabulary: WishVocabulary
    let today: Int
    let now: LocalTime
    let field: WishField

    var tokens: [WishToken] = []
    var index = 0
    var parts: WishParts

    var last = Piece.none
    /// True when the caller said more than fillers.
    var hasMeaning = false
    /// True when "or" or "and" was read, and no piece after it.
    var isAfterOr = false
    /// True when that word was "and".
    var isAfterAnd = false
    var isAfterComma = false
    /// True when "well" or a similar word was read behind a day: the next day may replace it.
    var hasSecondThought = false
    /// True when the wish has several days.
    var hasAlternativeDays = false
    /// True when the last part of the day was a plural: "mornings".
    var isPlural = false
    /// True when the parts of the day are those of today, as in "this afternoon".
    var isPartOfToday = false
    /// True behind a phrase such as "a partir del", which ends with the article of a day.
    var isAfterArticle = false
    /// True when days were listed with a comma, so that an "or" must follow.
    var isListOpen = false
    /// True when the last day was a weekday. A number behind it may be a date.
    var isAfterWeekday = false
    /// The last date. Its month and year count for days that follow.
    var lastDate: WishDate?

    init(_ vocabulary: WishVocabulary, now: LocalTime, field: WishField, _ parts: WishParts) {
        self.vocabulary = vocabulary
        self.now = now
        self.field = field
        self.parts = parts
        today = now.day
    }

    func read(_ text: UnsafeRawBufferPointer) throws(TimeProblem) -> WishParts {
        guard let tokens = WishLexer.tokens(text, vocabulary) else { throw problem }
        self.tokens = tokens
        let daysBefore = parts.days
        while index < tokens.count { try step() }
        // Words without a meaning are not a wish for any day.
        guard !isAfterOr, !isListOpen, hasMeaning || tokens.isEmpty else { throw problem }
        // "Tuesday mornings" are more than one.
        if isPlural, parts.days.weekdays != 0, parts.days.mode == .plain { throw problem }
        // "By Friday at three" limits more than the day, so it is not understood.
        let isBoundHere = parts.days.isBounded && daysBefore.isEmpty
        if isBoundHere, parts.times.around != nil || parts.times.parts != 0, field == .when { throw problem }
        return parts
    }

    var problem: TimeProblem { TimeProblem(.notUnderstood, field: field.rawValue) }

    // MARK: - Tokens

    func kind(at place: Int) -> WishWord.Kind? {
        guard tokens.indices.contains(place), case .word(let word) = tokens[place] else { return nil }
        return word.kind
    }

    var kind: WishWord.Kind? { kind(at: index) }

    func value(at place: Int) -> Int {
        guard place < tokens.count, case .word(let word) = tokens[place] else { return 0 }
        return Int(word.value)
    }

    func unit(at place: Int) -> WishUnit? {
        kind(at: place) == .unit ? WishUnit(rawValue: Int16(truncatingIfNeeded: value(at: place))) : nil
    }

    private func isClock(at place: Int) -> Bool {
        if place < tokens.count, case .clock = tokens[place] { true } else { false }
    }

    func take(_ kind: WishWord.Kind) -> Bool {
        guard self.kind == kind else { return false }
        index += 1
        return true
    }

    /// Returns the place of the next token that is not a filler.
    func skipFillers(from place: Int) -> Int {
        var place = place
        while let kind = kind(at: place), kind == .filler || kind == .dayArticle || kind == .hourArticle || kind == .fromNow
        {
            place += 1
        }
        return place
    }

    // MARK: - Steps

    private func step() throws(TimeProblem) {
        switch tokens[index] {
        case .comma:
            isAfterComma = true
            index += 1
        case .dash: index += 1
        case .offset(let minutes):
            parts.offset = minutes
            index += 1
        case .word(let word): try step(word)
        case .number, .clock, .date: try readPoint(.free)
        }
    }

    private func step(_ word: WishWord) throws(TimeProblem) {
        switch word.kind {
        case .filler, .fromNow:
            if word.value == 1, last == .day { hasSecondThought = true }
            index += 1
        case .any:
            hasMeaning = true
            index += 1
        case .dayArticle, .hourArticle:
            if isNumber(at: index + 1) || isClock(at: index + 1) { try readPoint(.free) } else { index += 1 }
        case .number where word.value == 101 && !isCounted(at: index): index += 1
        case .earliest:
            hasMeaning = true
            parts.times.isEarliest = true
            index += 1
            if word.value == 1 { try take(.span(counted(0))) }
        case .firstThing:
            hasMeaning = true
            (parts.times.isEarliest, parts.times.isFirstThing) = (true, true)
            index += 1
        case .or, .and:
            // "As soon as possible or Tuesday" is two wishes.
            guard word.kind == .and || last != .none || !hasMeaning else { throw problem }
            (isAfterOr, isAfterAnd) = (true, word.kind == .and)
            index += 1
        case .dayAfter: try takeDayAfter(weeks: word.value == 1)
        case .orLater: try takeOrLater(isLater: word.value == 0)
        case .after, .past, .before, .until, .from: try readBound(word.kind)
        case .around: try takeAndRead(.around)
        case .at, .atOrTo, .toHour: try takeAndRead(.at)
        case .between: try readBetween()
        case .stretch: try readStretch(Int(word.value))
        case .every:
            hasMeaning = true
            try readEvery()
        case .weekdays: try takeWeekdays(UInt8(truncatingIfNeeded: word.value), .every)
        case .tonight:
            index += 1
            try takePartOfToday(Int(word.value))
        case .roughly, .am, .pm, .oClock, .to, .minus, .afterNext, .ordinalSuffix, .oh, .refused:
            throw problem
        default: try readPoint(.free)
        }
    }

    private func takeAndRead(_ place: Place) throws(TimeProblem) {
        index += 1
        // In "in at" and "at around", the last word counts.
        if kind == .around || kind == .at || kind == .between || kind == .after || kind == .before { return }
        try readPoint(place)
    }

    /// Reads one piece, or a range when "to" and another piece of its kind follow.
    private func readPoint(_ place: Place) throws(TimeProblem) {
        let article = kind
        if let range = try readRange(place) { return try takeRange(range.0, range.1) }
        guard let point = try point(place) else {
            guard article == .this, let next = nextPart else { throw problem }
            index = next + 1
            return try takePartOfToday(value(at: next) & 3)
        }
        if place == .around {
            // "Around the 15th" is several days.
            switch point {
            case .span, .weekday: throw problem
            case .clock, .part: break
            }
        }
        try take(point)
    }

    /// The place of a part of the day behind "this".
    private var nextPart: Int? {
        let place = skipFillers(from: index + 1)
        return kind == .this && kind(at: place) == .part ? place : nil
    }

    private func readRange(_ place: Place) throws(TimeProblem) -> (Point, Point)? {
        let start = index
        let date = lastDate
        guard let first = try point(place == .free ? .open : place),
            isConnector(at: index)
        else {
            (index, lastDate) = (start, date)
            return nil
        }
        index += 1
        // "15 a las 10" is a day and a time.
        let isHourBehind = kind == .hourArticle && !tokens[start..<index].contains(.word(WishWord(kind: .hourArticle)))
        if !isHourBehind, let second = try point(.between, like: first), Self.areOfOneKind(first, second) {
            if case (.clock(let from), .clock(let to)) = (first, second), !from.isBare, to.isBare,
                let hour = number(at: start), hour.value > 12
            {
                // Nobody says "15 to 10".
                throw problem
            }
            return (first, second)
        }
        (index, lastDate) = (start, date)
        return nil
    }

    func isConnector(at place: Int) -> Bool {
        if place < tokens.count, tokens[place] == .dash { return true }
        return switch kind(at: place) {
        case .to, .atOrTo, .until: true
        default: false
        }
    }

    static func areOfOneKind(_ first: Point, _ second: Point) -> Bool {
        switch (first, second) {
        case (.clock, .clock), (.span, .span), (.weekday, .weekday), (.span, .weekday), (.weekday, .span): true
        default: false
        }
    }

    private func readBetween() throws(TimeProblem) {
        index += 1
        guard let first = try point(.between) else { throw problem }
        guard isConnector(at: index) || kind == .and else { throw problem }
        index += 1
        guard let second = try point(.between, like: first), Self.areOfOneKind(first, second) else { throw problem }
        try takeRange(first, second)
    }

    private func readBound(_ kind: WishWord.Kind) throws(TimeProblem) {
        isAfterArticle = value(at: index) == 1
        index += 1
        if kind == .from, !isAfterArticle, let (first, second) = try readRange(.between) {
            return try takeRange(first, second)
        }
        if kind == .until, let span = withinSpan(from: skipFillers(from: index)) { return try take(.span(span)) }
        let noun = skipFillers(from: index)
        let isBeforeEnd = kind == .before && self.kind(at: noun) == .stretch && value(at: noun) == 2
        guard let point = try point(.limit) else { throw problem }
        if isBeforeEnd { return try take(point, .until) }
        let bound: WishDays.Bound =
            switch kind {
            case .after, .past: .after
            case .before: .before
            case .until: .until
            default: .from
            }
        try take(point, bound)
    }

    /// Reads "early", "in the middle" or "late", of a week, a month or a part of the day.
    private func readStretch(_ stretch: Int) throws(TimeProblem) {
        if let span = try stretchedSpan() { return try take(.span(span)) }
        guard parts.times.stretch == nil else { throw problem }
        hasMeaning = true
        parts.times.stretch = stretch
        index += 1
    }

    private func readEvery() throws(TimeProblem) {
        // "Every two weeks".
        guard !isCounted(at: index + 1) else { throw problem }
        let next = skipFillers(from: index + 1)
        index += 1
        guard kind(at: next) == .weekday else {
            // In "any day", "any morning" and "any weekday", the word "any" adds nothing.
            if unit(at: next) == .day { index = next + 1 }
            return
        }
        // "Tomorrow or every Friday" is two wishes.
        guard parts.days.mode == .every || parts.days.weekdays == 0 && !(isAfterOr && last == .day) else { throw problem }
        parts.days.mode = .every
    }
}

/// The members of a request that contain a wish.
enum WishField: String {
    case when, time
}
