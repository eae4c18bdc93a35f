/// A word of up to 13 letters as a number, without capitals and accents.
struct WordKey: Sendable, Equatable {
    /// The letters as digits of base 27. 0 for a word that no vocabulary can contain.
    private(set) var value: UInt64 = 0
    private var count = 0

    /// Appends a letter from a to z. 0 makes the word unknown.
    mutating func append(_ letter: UInt8) {
        count += 1
        // 27 to the 13th is below 2 to the 62nd.
        let isKnown = letter != 0 && count <= 13 && (count == 1 || value != 0)
        value = isKnown ? value * 27 + UInt64(letter & 31) : 0
    }
}

/// The words of a locale that are understood in phone numbers.
struct Vocabulary: Sendable {
    enum Meaning: Equatable {
        /// A number from 0 to 99, or a multiple of 100.
        case number(Int16)
        case hundred, thousand, joiner, plus, `extension`, oh
        /// The number of times that the next digit counts.
        case repeats(Int16)
        case soundsLike(Int16)
        case filler, opening
    }

    let customs: NumberCustoms
    /// Hash table with open addressing: a word is at its hash, or after it. More than half of
    /// the places are free.
    private var keys = [UInt64](repeating: 0, count: Self.size)
    private var meanings = [Meaning](repeating: .filler, count: Self.size)

    private static let size = 512

    init(_ text: LocaleText) {
        let (numbers, phones) = (text.numbers, text.phones)
        customs = numbers.customs
        // A word keeps its first meaning.
        add(numbers.digits) { .number($0) }
        add(numbers.teens) { .number(10 + $0) }
        add(numbers.tens) { .number(20 + 10 * $0) }
        addValues(numbers.others) { .number($0) }
        add(numbers.hundred) { _ in .hundred }
        add(numbers.thousand) { _ in .thousand }
        add(numbers.joiner) { _ in .joiner }
        add(phones.plus) { _ in .plus }
        add(phones.double) { _ in .repeats(2) }
        add(phones.triple) { _ in .repeats(3) }
        add(phones.quadruple) { _ in .repeats(4) }
        add(phones.extensions) { _ in .extension }
        add(phones.oh) { _ in .oh }
        addValues(phones.soundsLike) { .soundsLike($0) }
        add(phones.fillers) { _ in .filler }
        add(phones.openings) { _ in .opening }
    }

    /// Returns the meaning of a word. nil for an unknown word.
    func meaning(_ word: WordKey) -> Meaning? {
        guard word.value != 0 else { return nil }
        let place = self.place(word.value)
        return keys[place] == word.value ? meanings[place] : nil
    }

    /// Returns the place of a word, or the free place for it.
    private func place(_ key: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 55)
        while keys[place] != 0 && keys[place] != key { place = (place + 1) % Self.size }
        return place
    }

    private mutating func add(_ word: WordKey, _ meaning: Meaning) {
        let place = place(word.value)
        if word.value != 0 && keys[place] == 0 { (keys[place], meanings[place]) = (word.value, meaning) }
    }

    /// Adds the words of a text. The position of a word gives its meaning.
    private mutating func add(_ words: StaticString, _ meaning: (Int16) -> Meaning) {
        var tokens = SpokenTokens(UnsafeRawBufferPointer(start: words.utf8Start, count: words.utf8CodeUnitCount))
        var count: Int16 = 0
        while case .word(let word) = tokens.next() {
            add(word, meaning(count))
            count += 1
        }
    }

    /// Adds words with their values: `veintiuno=21`.
    private mutating func addValues(_ words: StaticString, _ meaning: (Int16) -> Meaning) {
        var tokens = SpokenTokens(UnsafeRawBufferPointer(start: words.utf8Start, count: words.utf8CodeUnitCount))
        var (word, value): (WordKey?, Int16) = (nil, 0)
        while true {
            switch tokens.next() {
            case .digit(let digit, _): value = 10 * value + Int16(digit)
            case .word(let next):
                if let word { add(word, meaning(value)) }
                (word, value) = (next, 0)
            default:
                if let word { add(word, meaning(value)) }
                return
            }
        }
    }
}
