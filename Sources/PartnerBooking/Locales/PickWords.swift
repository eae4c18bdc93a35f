/// The words of `PickText`, ready to compare.
struct PickWords: Sendable {
    private let ordinals: [WordKey]
    private let otherOrdinals: [WordKey]
    let lasts: [WordKey]
    let suffixes: [WordKey]
    let labels: [WordKey]
    let fillers: [WordKey]
    let ones: [WordKey]

    init(_ text: PickText) {
        ordinals = Self.words(text.ordinals)
        otherOrdinals = Self.words(text.otherOrdinals)
        lasts = Self.words(text.lasts)
        suffixes = Self.words(text.suffixes)
        labels = Self.words(text.labels)
        fillers = Self.words(text.fillers)
        ones = Self.words(text.ones)
    }

    /// Returns the place that an ordinal names: 1 for `first`. nil for other words.
    func ordinal(_ word: WordKey) -> Int? {
        (ordinals.firstIndex(of: word) ?? otherOrdinals.firstIndex(of: word)).map { $0 + 1 }
    }

    private static func words(_ text: StaticString) -> [WordKey] {
        var tokens = SpokenTokens(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        var words: [WordKey] = []
        while case .word(let word) = tokens.next() { words.append(word) }
        return words
    }
}
