/// `SpeechText` in a form that is fast to read.
struct SpeechWords: Sendable {
    let numbers: WordList
    let clockNumbers: WordList
    let lengthNumbers: WordList
    let weekdays: WordList
    let months: WordList
    let days: WordList
    let hours: WordList
    let years: SpeechRules
    let today: SpeechPhrase
    let tomorrow: SpeechPhrase
    let date: SpeechPhrase
    /// The form of a date in the current month, if it differs.
    let dateOfThisMonth: SpeechPhrase?
    let ofYear: SpeechPhrase
    let dayParts: SpeechRules
    let clock: SpeechRules
    let lengths: SpeechRules
    let text: SpeechText

    init(_ locale: LocaleText) {
        text = locale.speech
        let numbers = WordList.words(text.numbers, ",")
        self.numbers = WordList(numbers)
        clockNumbers = WordList(Self.forms(text.clockForms, of: numbers))
        lengthNumbers = WordList(Self.forms(text.lengthForms, of: numbers))
        weekdays = WordList(WordList.words(locale.calendar.weekdays, " "))
        months = WordList(WordList.words(locale.calendar.months, " "))
        days = WordList(WordList.words(text.days, ","))
        hours = WordList(WordList.words(text.hours, ","))
        years = SpeechRules(text.years)
        today = SpeechPhrase(text.today)
        tomorrow = SpeechPhrase(text.tomorrow)
        date = SpeechPhrase(text.date)
        dateOfThisMonth = text.dateOfThisMonth.utf8CodeUnitCount > 0 ? SpeechPhrase(text.dateOfThisMonth) : nil
        ofYear = SpeechPhrase(text.ofYear)
        dayParts = SpeechRules(text.dayParts)
        clock = SpeechRules(text.clock)
        lengths = SpeechRules(text.lengths)
    }

    /// Returns the numbers, some in another form: `1=une`.
    private static func forms(_ text: StaticString, of numbers: [[UInt8]]) -> [[UInt8]] {
        var words = numbers
        for item in TableItems(text, separator: ",") {
            let parts = Array(TableItems(item, separator: "="))
            let place = parts.first.map { $0.prefix(3).reduce(0) { $0 * 10 + Int($1 & 15) } } ?? 0
            if parts.count == 2, words.indices.contains(place) { words[place] = Array(parts[1]) }
        }
        return words
    }
}

/// Words by number, one after the other in memory.
struct WordList: Sendable {
    private let bytes: [UInt8]
    private let ends: [Int]

    init(_ words: [[UInt8]]) {
        bytes = Array(words.joined())
        var end = 0
        ends = words.map { word in
            end += word.count
            return end
        }
    }

    var count: Int { ends.count }

    /// The word at a place. Empty if there is none.
    subscript(place: Int) -> ArraySlice<UInt8> {
        guard ends.indices.contains(place) else { return [] }
        return bytes[(place > 0 ? ends[place - 1] : 0)..<ends[place]]
    }

    static func words(_ text: StaticString, _ separator: Unicode.Scalar) -> [[UInt8]] {
        TableItems(text, separator: separator).map(Array.init)
    }
}
