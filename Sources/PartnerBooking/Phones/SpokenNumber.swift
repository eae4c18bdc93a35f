/// The digits of a phone number, as somebody said or wrote it.
struct SpokenNumber: Sendable, Equatable {
    /// With all prefixes that were said, and without the plus sign.
    var digits = DigitString()
    /// It begins with a plus sign.
    var isInternational = false
    /// nil when the number has none.
    var `extension`: DigitString?
    /// Some words have a rarer reading, too: `eight hundred five`.
    var hasRareReading = false
    /// An "oh" may be a zero or a sigh.
    var hasDoubtfulZero = false

    /// Which reading to take where there are several.
    struct Choice {
        var takesRareReading = false
        var dropsDoubtfulZeros = false
    }

    /// Reads a number in the words of a locale. `text` is UTF-8.
    init(
        _ text: UnsafeRawBufferPointer, _ vocabulary: Vocabulary, _ choice: Choice = Choice()
    ) throws(PhoneProblem) {
        var reader = SpokenNumberReader(text, vocabulary, choice)
        self = try reader.read()
    }

    init() {}
}
