/// The meaning of a word or a phrase in a wish.
struct WishWord: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        case number, ordinal, ordinalSuffix, oh
        /// Days from today: 0, 1 or 2.
        case day
        case dayAfter, tonight
        /// A weekday. Monday is 0.
        case weekday
        /// A set of weekdays, one bit each. All of them count.
        case weekdays
        case weekend, month
        case next, this, afterNext, within, `in`, fromNow, every
        /// A unit of time. The value is a `WishUnit`.
        case unit
        case dayArticle, hourArticle
        /// A part of the day, from 0 to 3.
        case part
        case noon, midnight
        /// 0 for early, 1 for the middle, 2 for late.
        case stretch
        case am, pm, oClock, half, quarter, past, minus, toHour
        case after, before, until, from, around, roughly, orLater, between, at, to, atOrTo, and, or
        case earliest, firstThing, any, filler, refused
    }

    var kind: Kind
    var value: Int16 = 0
}

enum WishUnit: Int16 {
    case minute, hour, day, week, fortnight, month
}

/// The phrases of a locale that are understood in wishes: a tree with one word on each branch.
struct WishVocabulary: Sendable {
    /// Hash table with open addressing. A branch is at the hash of its node and its word, or
    /// after it.
    private var words: [UInt64] = Array(repeating: 0, count: Self.size)
    private var nodes: [UInt16] = Array(repeating: 0, count: Self.size)
    private var children: [UInt16] = Array(repeating: 0, count: Self.size)
    private var meanings: [WishWord?] = [nil]

    private static let size = 2_048

    let text: WishText
    let customs: NumberCustoms
    /// True when an article stands before an hour: `las tres`.
    let hasHourArticles: Bool
    /// The parts of the day, in order.
    let parts: [PartOfDay]

    /// The node where every phrase begins.
    static let root: UInt16 = 0

    /// Returns the node after a word. nil when no phrase continues this way.
    @inline(__always)
    func node(after node: UInt16, _ word: UInt64) -> UInt16? {
        guard word != 0 else { return nil }
        let place = place(node, word)
        return words[place] == word ? children[place] : nil
    }

    /// Returns the meaning of the phrase that ends at this node. nil if there is none.
    func meaning(of node: UInt16) -> WishWord? { meanings[Int(node)] }

    private func place(_ node: UInt16, _ word: UInt64) -> Int {
        let hash = (word ^ UInt64(node) << 48) &* 0x9E37_79B9_7F4A_7C15
        var place = Int(truncatingIfNeeded: hash >> 53)
        while words[place] != 0 && (words[place] != word || nodes[place] != node) { place = (place + 1) % Self.size }
        return place
    }

    init(_ locale: LocaleText) {
        text = locale.wishes
        customs = locale.numbers.customs
        hasHourArticles = text.hourArticles.utf8CodeUnitCount > 0
        parts = [text.morning, text.lunch, text.afternoon, text.evening]
        addNumbers(locale)
        addDays(locale)
        addTimes()
        addLimits()
    }

    private mutating func addNumbers(_ locale: LocaleText) {
        let numbers = locale.numbers
        addValues(text.numbers, .number)
        for (base, step, words) in [(0, 1, numbers.digits), (10, 1, numbers.teens), (20, 10, numbers.tens)] {
            for (place, word) in TableItems(words, separator: " ").enumerated() {
                add(word, .number, base + step * place)
            }
        }
        addValues(numbers.others, .number)
        for (place, word) in TableItems(text.ordinals, separator: " ").enumerated() { add(word, .ordinal, place + 1) }
        addValues(text.otherOrdinals, .ordinal)
        add(text.ordinalSuffixes, .ordinalSuffix)
        for word in TableItems(locale.phones.oh, separator: " ") { add(word, .oh) }
    }

    private mutating func addDays(_ locale: LocaleText) {
        for (place, word) in TableItems(locale.calendar.weekdays, separator: " ").enumerated() { add(word, .weekday, place) }
        for (place, word) in TableItems(locale.calendar.months, separator: " ").enumerated() { add(word, .month, place + 1) }
        addColumns(text.weekdays) { WishWord(kind: .weekday, value: $0) }
        addColumns(text.everyWeekday) { WishWord(kind: .weekdays, value: 1 << $0) }
        addColumns(text.months) { WishWord(kind: .month, value: $0 + 1) }
        add(text.today, .day, 0)
        add(text.tomorrow, .day, 1)
        add(text.dayAfterTomorrow, .day, 2)
        add(text.dayAfter, .dayAfter, 0)
        add(text.weekAfter, .dayAfter, 1)
        add(text.thisMorning, .tonight, 0)
        add(text.tonight, .tonight, 3)
        add(text.workdays, .weekdays, 0b001_1111)
        add(text.weekends, .weekdays, 0b110_0000)
        add(text.weekend, .weekend)
        add(text.next, .next)
        add(text.this, .this)
        add(text.afterNext, .afterNext)
        add(text.within, .within)
        add(text.in, .in)
        add(text.fromNow, .fromNow)
        add(text.every, .every)
        let units: [(StaticString, WishUnit)] = [
            (text.minutes, .minute), (text.hours, .hour), (text.days, .day), (text.weeks, .week),
            (text.fortnight, .fortnight), (text.monthUnits, .month),
        ]
        for (words, unit) in units { add(words, .unit, Int(unit.rawValue)) }
        add(text.dayArticles, .dayArticle)
        add(text.hourArticles, .hourArticle)
    }

    private mutating func addTimes() {
        addColumns(text.everyPart) { WishWord(kind: .part, value: 4 + $0) }
        for (place, part) in parts.enumerated() { add(part.words, .part, place) }
        add(text.noon, .noon)
        add(text.midnight, .midnight)
        for (place, words) in [text.early, text.middle, text.late].enumerated() { add(words, .stretch, place) }
        let kinds: [(StaticString, WishWord.Kind)] = [
            (text.am, .am), (text.pm, .pm), (text.oClock, .oClock), (text.half, .half), (text.quarter, .quarter),
            (text.past, .past), (text.minus, .minus), (text.toHour, .toHour),
        ]
        for (words, kind) in kinds { add(words, kind) }
    }

    private mutating func addLimits() {
        let kinds: [(StaticString, WishWord.Kind)] = [
            (text.after, .after), (text.before, .before), (text.until, .until), (text.from, .from),
            (text.around, .around), (text.roughly, .roughly), (text.between, .between), (text.at, .at), (text.to, .to),
            (text.atOrTo, .atOrTo), (text.and, .and), (text.or, .or), (text.earliest, .earliest),
            (text.firstThing, .firstThing), (text.any, .any), (text.fillers, .filler), (text.refused, .refused),
        ]
        for (words, kind) in kinds { add(words, kind) }
        add(text.fromThe, .from, 1)
        add(text.afterThe, .after, 1)
        add(text.beforeThe, .before, 1)
        add(text.untilThe, .until, 1)
        add(text.secondThoughts, .filler, 1)
        add(text.now, .earliest, 1)
        add(text.orLater, .orLater, 0)
        add(text.orEarlier, .orLater, 1)
    }

    func part(_ number: Int) -> PartOfDay { parts[number & 3] }

    // MARK: - Making the tree

    private typealias Text = Slice<UnsafeRawBufferPointer>

    /// Adds the phrases of a text, with commas between. A phrase keeps its first meaning.
    private mutating func add(_ phrases: StaticString, _ kind: WishWord.Kind, _ value: Int = 0) {
        for phrase in TableItems(phrases, separator: ",") { add(phrase, kind, value) }
    }

    private mutating func add(_ phrase: Text, _ kind: WishWord.Kind, _ value: Int = 0) {
        add(phrase, WishWord(kind: kind, value: Int16(truncatingIfNeeded: value)))
    }

    private mutating func add(_ phrase: Text, _ meaning: WishWord) {
        var tokens = SpokenTokens(UnsafeRawBufferPointer(rebasing: phrase))
        var node = Self.root
        while case .word(let word) = tokens.next() {
            guard word.value != 0 else { return }
            let place = place(node, word.value)
            if words[place] == 0 {
                (words[place], nodes[place]) = (word.value, node)
                children[place] = UInt16(truncatingIfNeeded: meanings.count)
                meanings.append(nil)
            }
            node = children[place]
        }
        if node != Self.root && meanings[Int(node)] == nil { meanings[Int(node)] = meaning }
    }

    /// Adds words in columns. Commas separate columns, blanks separate words. The column
    /// decides the meaning.
    private mutating func addColumns(_ columns: StaticString, _ meaning: (Int16) -> WishWord) {
        for (place, column) in TableItems(columns, separator: ",").enumerated() {
            for word in TableItems(column, separator: " ") { add(word, meaning(Int16(truncatingIfNeeded: place))) }
        }
    }

    /// Adds words with their values: `an=101`.
    private mutating func addValues(_ words: StaticString, _ kind: WishWord.Kind) {
        for item in TableItems(words, separator: " ") {
            var parts = TableItems(item, separator: "=")
            guard let word = parts.next(), let value = parts.next() else { continue }
            add(word, kind, value.reduce(0) { $0 * 10 + Int($1 & 15) })
        }
    }
}
