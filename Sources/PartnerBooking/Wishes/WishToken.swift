/// A token of the caller's words about a time.
enum WishToken: Equatable {
    case word(WishWord)
    /// Written digits: their value and their number.
    case number(Int, digits: Int)
    /// A written time of day. With `isBare`, it may be in the morning or in the afternoon.
    case clock(WishClock)
    /// A written date. The locale decides the order of day and month.
    case date(WishDate)
    /// The offset in minutes that was written behind a date and a time.
    case offset(Int)
    case dash, comma
}

/// A time of the day.
struct WishClock: Equatable {
    /// Minutes after midnight, from 0 to 1440.
    var minute: Int
    /// True when the time half a day later is just as likely.
    var isBare: Bool

    init(_ minute: Int, isBare: Bool) {
        self.minute = minute
        self.isBare = isBare
    }

    /// Returns nil for a time that no clock shows. Hours from 1 to 12 are bare, unless they have
    /// a leading zero.
    init?(hour: Int, minute: Int, hasLeadingZero: Bool = false) {
        guard (0..<24).contains(hour) && (0..<60).contains(minute) || hour == 24 && minute == 0 else { return nil }
        self.init(hour * 60 + minute, isBare: (1...12).contains(hour) && !hasLeadingZero)
    }
}

extension WishClock {
    /// Merges two mentions of one time, and returns the more exact one. Returns nil if the times
    /// differ.
    func merged(with other: WishClock) -> WishClock? {
        if minute == other.minute { return WishClock(minute, isBare: isBare && other.isBare) }
        guard isBare != other.isBare, minute % 720 == other.minute % 720 else { return nil }
        return isBare ? other : self
    }
}

/// A date as the caller said it. A year or month that was not said is nil.
struct WishDate: Equatable {
    var year: Int?
    var month: Int?
    var day: Int
}

/// A lexer that cuts a text into words of the locale, numbers, dates and times.
struct WishLexer {
    private let text: UnsafeRawBufferPointer
    private let vocabulary: WishVocabulary
    private var place = 0
    /// True behind the `T` of a date and a time.
    private var isAfterT = false
    private var tokens: [WishToken] = []

    /// Returns the tokens of a text, or nil if a word or a sign is unknown.
    static func tokens(_ text: UnsafeRawBufferPointer, _ vocabulary: WishVocabulary) -> [WishToken]? {
        var lexer = WishLexer(text: text, vocabulary: vocabulary)
        lexer.tokens.reserveCapacity(24)
        while lexer.place < text.count {
            guard lexer.next() else { return nil }
        }
        return lexer.tokens
    }

    private init(text: UnsafeRawBufferPointer, vocabulary: WishVocabulary) {
        self.text = text
        self.vocabulary = vocabulary
    }

    private mutating func next() -> Bool {
        let (scalar, count) = SpokenTokens.scalar(text, place)
        switch SpokenTokens.kind(scalar) {
        case .letter: return word()
        case .digit: return number()
        case .blank, .apostrophe, .mark, .ignored: break
        case .hyphen: tokens.append(.dash)
        case .pause:
            switch scalar {
            case UInt32(UInt8(ascii: "<")), UInt32(UInt8(ascii: ">")): return false
            case UInt32(UInt8(ascii: ",")), UInt32(UInt8(ascii: ";")): tokens.append(.comma)
            case UInt32(UInt8(ascii: "/")):
                // The slash of an ISO 8601 interval.
                if case .date? = tokens.last { tokens.append(.dash) } else { tokens.append(.word(WishWord(kind: .or))) }
            default: break
            }
        case .sign where scalar == UInt32(UInt8(ascii: "@")): tokens.append(.word(WishWord(kind: .at)))
        case .sign where scalar == UInt32(UInt8(ascii: "&")): tokens.append(.word(WishWord(kind: .and)))
        case .plus, .hash, .sign: return false
        }
        place += count
        return true
    }

    // MARK: - Words

    /// Reads the longest phrase that begins here.
    private mutating func word() -> Bool {
        var (node, end, found) = (WishVocabulary.root, place, WishWord?.none)
        var start = place
        while let (word, behind) = readWord(at: start), let next = vocabulary.node(after: node, word) {
            node = next
            if let meaning = vocabulary.meaning(of: next), meaning.kind != .dayAfter || isAfterOr {
                (end, found) = (behind, meaning)
            }
            start = skipGap(behind)
        }
        guard let found, found.kind != .weekdays || !hasApostrophe(end) else { return false }
        if found.kind == .weekday, hasApostrophe(end) {
            // "We'd" is not a Wednesday.
            tokens.append(.word(WishWord(kind: .filler)))
        } else if found.kind == .afterNext, !isAfterUnit {
            // The phrase is "after next week", not "the week after next".
            tokens += [.word(WishWord(kind: .after)), .word(WishWord(kind: .next))]
        } else {
            tokens.append(.word(found))
        }
        place = end
        return true
    }

    /// Returns true for "Tuesday's", which may mean "Tuesday is".
    private func hasApostrophe(_ end: Int) -> Bool {
        var place = place
        while place < end {
            let (scalar, count) = SpokenTokens.scalar(text, place)
            if case .apostrophe = SpokenTokens.kind(scalar) { return true }
            place += count
        }
        return false
    }

    /// True behind "or" or "and", also with an article. Only there, "the day after" has a day to
    /// count from.
    private var isAfterOr: Bool {
        guard case .word(let word)? = tokens.last(where: { $0 != .word(WishWord(kind: .dayArticle)) }) else { return false }
        return word.kind == .or || word.kind == .and
    }

    private var isAfterUnit: Bool {
        if case .word(let word)? = tokens.last { word.kind == .unit } else { false }
    }

    private func readWord(at start: Int) -> (word: UInt64, end: Int)? {
        var (key, place) = (WordKey(), start)
        while place < text.count {
            let (scalar, count) = SpokenTokens.scalar(text, place)
            switch SpokenTokens.kind(scalar) {
            case .letter(let letter): key.append(letter)
            case .apostrophe, .mark, .ignored: break
            default: return place > start ? (key.value, place) : nil
            }
            place += count
        }
        return place > start ? (key.value, place) : nil
    }

    /// Skips the signs between the words of a phrase: blanks, hyphens and the points of `a.m.`
    private func skipGap(_ start: Int) -> Int {
        var place = start
        while place < text.count {
            let (scalar, count) = SpokenTokens.scalar(text, place)
            switch SpokenTokens.kind(scalar) {
            case .blank, .hyphen: break
            default: guard scalar == UInt32(UInt8(ascii: ".")) else { return place }
            }
            place += count
        }
        return place
    }

    // MARK: - Digits

    private mutating func number() -> Bool {
        guard let (first, digits) = run() else { return false }
        let zero = digits == 2 && first < 10
        switch byte {
        case UInt8(ascii: ":"):
            guard let minute = part(after: ":", 2...2) else { break }
            _ = part(after: ":", 2...2)
            guard let clock = WishClock(hour: first, minute: minute, hasLeadingZero: zero) else { return false }
            let start = tokens.count
            tokens.append(.clock(clock))
            guard offset() else { return false }
            // Models write a date as the midnight with which it begins.
            if isAfterT, clock.minute == 0 { tokens.removeSubrange(start...) }
            return true
        case UInt8(ascii: "h"), UInt8(ascii: "H"):
            guard let minute = part(after: byte, 2...2) else { break }
            guard let clock = WishClock(hour: first, minute: minute, hasLeadingZero: zero) else { return false }
            tokens.append(.clock(clock))
            return true
        case UInt8(ascii: "."):
            guard let second = part(after: byte, 1...2) else { break }
            if let year = part(after: UInt8(ascii: "."), 2...4) { return date(first, second, year, dayComesFirst: true) }
            guard let clock = WishClock(hour: first, minute: second, hasLeadingZero: zero), text[place - 2].isDigit else {
                return false
            }
            tokens.append(.clock(clock))
            return true
        case UInt8(ascii: "/"), UInt8(ascii: "-"):
            let sign = byte
            let start = place
            guard let second = part(after: sign, 1...2) else { break }
            let third = part(after: sign, digits == 4 ? 2...2 : 2...4)
            if digits == 4, let third { return isoDate(first, second, third) }
            if let third { return date(first, second, third) }
            if sign == UInt8(ascii: "/") { return date(first, second, nil) }
            place = start  // a range: 9-11
        default: break
        }
        tokens.append(.number(first, digits: digits))
        return true
    }

    private var byte: UInt8 { place < text.count ? text[place] : 0 }

    /// Reads one to eight digits.
    private mutating func run() -> (value: Int, digits: Int)? {
        var (value, digits) = (0, 0)
        while place < text.count, text[place].isDigit, digits < 9 {
            value = value * 10 + Int(text[place] & 15)
            digits += 1
            place += 1
        }
        return (1...8).contains(digits) ? (value, digits) : nil
    }

    /// Reads a sign and the digits behind it, or nothing.
    private mutating func part(after sign: UInt8, _ count: ClosedRange<Int>) -> Int? {
        let start = place
        guard byte == sign else { return nil }
        place += 1
        guard byte.isDigit, let (value, digits) = run(), count.contains(digits) else {
            place = start
            return nil
        }
        return value
    }

    private mutating func part(after sign: Unicode.Scalar, _ count: ClosedRange<Int>) -> Int? {
        part(after: UInt8(ascii: sign), count)
    }

    /// Appends a date. A `T` may join it with a time.
    private mutating func isoDate(_ year: Int, _ month: Int, _ day: Int) -> Bool {
        guard (1...12).contains(month), (1...31).contains(day) else { return false }
        tokens.append(.date(WishDate(year: year, month: month, day: day)))
        if byte | 0x20 == UInt8(ascii: "t"), place + 1 < text.count, text[place + 1].isDigit {
            place += 1
            isAfterT = true
        }
        return true
    }

    private mutating func date(_ first: Int, _ second: Int, _ year: Int?, dayComesFirst: Bool = false) -> Bool {
        var (month, day) = vocabulary.text.monthComesFirst && !dayComesFirst ? (first, second) : (second, first)
        // If the month does not exist, only the other order is possible.
        if month > 12 { swap(&month, &day) }
        guard (1...12).contains(month), (1...31).contains(day) else { return false }
        let full = year.map { $0 < 100 ? 2_000 + $0 : $0 }
        tokens.append(.date(WishDate(year: full, month: month, day: day)))
        return true
    }

    /// Skips fractions of a second. Behind a date and a time, also reads the offset: `Z` or
    /// `±HH:MM`.
    private mutating func offset() -> Bool {
        if byte == UInt8(ascii: "."), place + 1 < text.count, text[place + 1].isDigit {
            place += 1
            _ = run()
        }
        guard tokens.count >= 2, case .date = tokens[tokens.count - 2] else { return true }
        if byte | 0x20 == UInt8(ascii: "z") {
            place += 1
            tokens.append(.offset(0))
            return true
        }
        let sign = byte
        // "2030-01-15 15:00-17:00" is a range.
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") && isAfterT else { return true }
        let start = place
        guard let hours = part(after: sign, 2...2), let minutes = part(after: ":", 2...2), hours < 24, minutes < 60 else {
            place = start
            return true
        }
        tokens.append(.offset((hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)))
        return true
    }
}
