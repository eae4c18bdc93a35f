/// The digits of a phone number, as a person said or wrote it.
struct SpokenNumber: Sendable, Equatable {
    /// The digits with all prefixes that were said, without the plus sign.
    var digits = DigitString()
    /// True when the number begins with a plus sign.
    var isInternational = false
    /// The digits of the extension. nil when the number has none.
    var `extension`: DigitString?
    /// True when some words also have a rarer reading: `eight hundred five`.
    var hasRareReading = false
    /// True when an "oh" may be a zero or a sigh.
    var hasDoubtfulZero = false

    /// The choice among several readings of a text.
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
