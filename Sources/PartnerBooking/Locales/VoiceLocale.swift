/// A language with the customs of a country, as people speak it on the phone.
public struct VoiceLocale: Sendable, Equatable {
    /// English as in the United States: `en-US`.
    public static let americanEnglish = VoiceLocale(.americanEnglish)
    /// English as in Great Britain: `en-GB`.
    public static let britishEnglish = VoiceLocale(.britishEnglish)
    /// Spanish: `es`.
    public static let spanish = VoiceLocale(.spanish)
    /// French: `fr`.
    public static let french = VoiceLocale(.french)

    /// All locales.
    public static let all = [americanEnglish, britishEnglish, spanish, french]

    /// The tables made from the text of a locale. Made once, because that takes longer than a
    /// call.
    private final class Tables: Sendable {
        let text: LocaleText
        let vocabulary: Vocabulary
        let digitNames: DigitNames
        let picks: PickWords
        let speech: SpeechWords
        let wishVocabulary: WishVocabulary

        init(_ text: LocaleText) {
            self.text = text
            vocabulary = Vocabulary(text)
            digitNames = DigitNames(text)
            picks = PickWords(text.picks)
            speech = SpeechWords(text)
            wishVocabulary = WishVocabulary(text)
        }
    }

    private let tables: Tables

    private init(_ text: LocaleText) { tables = Tables(text) }

    /// Creates the locale with a name such as `en-GB`. nil when there is no such locale.
    public init?(_ name: String) {
        // A search in `all` would make the tables of every locale.
        switch name {
        case "en-US": self = .americanEnglish
        case "en-GB": self = .britishEnglish
        case "es": self = .spanish
        case "fr": self = .french
        default: return nil
        }
    }

    /// The name in BCP 47, such as `en-US`.
    public var name: String { tables.text.name.description }

    /// The words that are understood in phone numbers.
    var vocabulary: Vocabulary { tables.vocabulary }

    /// The words for reading digits aloud.
    var digitNames: DigitNames { tables.digitNames }

    /// The words for picking a slot.
    var picks: PickWords { tables.picks }

    /// The words for saying times.
    var speech: SpeechWords { tables.speech }

    /// The words that are understood in wishes for a time.
    var wishVocabulary: WishVocabulary { tables.wishVocabulary }

    /// The sentences that lead a caller to an appointment.
    var tools: ToolText { tables.text.tools }

    public static func == (left: VoiceLocale, right: VoiceLocale) -> Bool { left.tables === right.tables }
}
