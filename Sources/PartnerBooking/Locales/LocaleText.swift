/// The words of a locale, as plain text that a native speaker can correct.
///
/// Words stand one blank apart. Capitals, accents and apostrophes do not count in heard words:
/// `dieciseis` matches `dieciséis`, and `its` matches `it's`. The library speaks with this
/// spelling.
///
/// Each concern has its own part. Add a new part beside `numbers` and `phones`.
struct LocaleText: Sendable {
    /// BCP 47, such as `en-US`.
    var name: StaticString
    var numbers: NumberText
    var phones: PhoneText
    var calendar: CalendarText
    var picks: PickText
    var speech: SpeechText
    var wishes: WishText
    var tools: ToolText
}

/// The words with which a caller picks one of a few slots.
struct PickText: Sendable {
    /// The ordinals: first, second, third …
    var ordinals: StaticString
    /// Other forms of the ordinals, in the same order.
    var otherOrdinals: StaticString = ""
    /// The words for the last slot.
    var lasts: StaticString
    /// The endings of an ordinal in digits: 2nd. A digit with an ending, or after a label, is
    /// a place in the list.
    var suffixes: StaticString
    /// Words before a digit that is a place in the list: option 2.
    var labels: StaticString
    /// Words that mean nothing beside these words.
    var fillers: StaticString
    /// Words that mean nothing behind an ordinal: the second one. Before it, they have a meaning:
    /// one second.
    var ones: StaticString = ""
}

/// Names of days and months, in their form within a sentence.
struct CalendarText: Sendable {
    /// The days from Monday to Sunday.
    var weekdays: StaticString
    /// The months from January to December.
    var months: StaticString
}

/// The words for numbers from 0 to 99, and for larger numbers.
struct NumberText: Sendable {
    /// Zero to nine, also for reading digits aloud.
    var digits: StaticString
    /// Ten, and the numbers after it that are one word: eleven, twelve …
    var teens: StaticString
    /// Twenty, thirty …, as far as the language counts in tens.
    var tens: StaticString
    /// Other words for numbers below 1,000, each with its value:
    /// `veintiuno=21 doscientos=200`.
    var others: StaticString = ""
    /// The words for times a hundred and times a thousand.
    var hundred: StaticString
    var thousand: StaticString
    /// The word between the parts of a number: and.
    var joiner: StaticString
    /// The rules that join the parts of a number.
    var customs: NumberCustoms
}

/// The rules by which a language joins two words into one number.
struct NumberCustoms: OptionSet, Sendable {
    let rawValue: Int

    /// `twenty one` is 21. Without this rule, the joiner is needed: `treinta y uno`.
    static let unitsFollowTens = NumberCustoms(rawValue: 1)
    /// The joiner may stand between tens and units: `treinta y uno`.
    static let joinerFollowsTens = NumberCustoms(rawValue: 2)
    /// `deux cent cinq` is 205. Without this rule, `eight hundred five` is 800 and 5: only the
    /// joiner, or a number from ten on, continues the hundreds.
    static let unitsFollowHundreds = NumberCustoms(rawValue: 4)
    /// `soixante-dix` is 70, `quatre-vingt-dix` is 90 and `dix-sept` is 17.
    static let countsByTwenties = NumberCustoms(rawValue: 8)
}

/// The words with which people say phone numbers.
struct PhoneText: Sendable {
    /// Words for the sign before an international number. The library says the first word and
    /// understands all of them.
    var plus: StaticString
    /// Words that repeat the next digit two, three or four times.
    var double: StaticString
    var triple: StaticString
    var quadruple: StaticString = ""
    /// Words before the digits of an extension. The library says the first word.
    var extensions: StaticString
    /// Words that sound like zero, but may be only a sigh.
    var oh: StaticString = ""
    /// Words that a speech recogniser writes for digits, each with its digit. They count only
    /// among other digits.
    var soundsLike: StaticString = ""
    /// Words without meaning that may stand anywhere, even between digits.
    var fillers: StaticString
    /// Words without meaning before the first digit. After it they may be a correction.
    var openings: StaticString
}
