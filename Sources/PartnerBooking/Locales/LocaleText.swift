/// The words of a locale: plain text that a native speaker can correct, in one file for each language.
///
/// Words stand one blank apart. Capitals, accents and apostrophes do not count when somebody speaks: `dieciséis` is also
/// understood as `dieciseis`, and `it's` as `its`. What the library says it spells as it stands here.
///
/// Each concern has a part of its own. A new part goes beside `numbers` and `phones`.
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

/// Words with which somebody picks one of a few slots.
struct PickText: Sendable {
    /// First, second, third …
    var ordinals: StaticString
    /// Their other forms, in the same order.
    var otherOrdinals: StaticString = ""
    /// The last one.
    var lasts: StaticString
    /// The ends of an ordinal in digits: 2nd. A digit with one of them is a place, and so is one after a label.
    var suffixes: StaticString
    /// Words before a digit that is a place: option 2.
    var labels: StaticString
    /// Words that mean nothing beside them.
    var fillers: StaticString
}

/// Names of days and months, as they stand in a sentence.
struct CalendarText: Sendable {
    /// From Monday to Sunday.
    var weekdays: StaticString
    /// From January to December.
    var months: StaticString
}

/// Numbers from zero to ninety-nine, and what makes larger ones.
struct NumberText: Sendable {
    /// Zero to nine. The library reads digits with these.
    var digits: StaticString
    /// Ten, and what follows it as one word: eleven, twelve …
    var teens: StaticString
    /// Twenty, thirty …, as far as the language counts in tens.
    var tens: StaticString
    /// Other words for numbers below a thousand, each with its value: `veintiuno=21 doscientos=200`.
    var others: StaticString = ""
    /// Times a hundred, and times a thousand.
    var hundred: StaticString
    var thousand: StaticString
    /// The word between the parts of a number: and.
    var joiner: StaticString
    /// The way in which parts make one number.
    var customs: NumberCustoms
}

/// The way in which a language makes one number of two words.
struct NumberCustoms: OptionSet, Sendable {
    let rawValue: Int

    /// `twenty one` is 21. Without it the joiner is needed: `treinta y uno`.
    static let unitsFollowTens = NumberCustoms(rawValue: 1)
    /// The joiner may stand between tens and units: `treinta y uno`.
    static let joinerFollowsTens = NumberCustoms(rawValue: 2)
    /// `deux cent cinq` is 205. Without it `eight hundred five` is taken for 800 and a 5: it takes the joiner, or a number
    /// from ten on.
    static let unitsFollowHundreds = NumberCustoms(rawValue: 4)
    /// `soixante-dix` is 70, `quatre-vingt-dix` is 90 and `dix-sept` is 17.
    static let countsByTwenties = NumberCustoms(rawValue: 8)
}

/// The words with which people say phone numbers.
struct PhoneText: Sendable {
    /// The sign before an international number. The first word is what the library says; the others are understood, too.
    var plus: StaticString
    /// The next digit two, three or four times.
    var double: StaticString
    var triple: StaticString
    var quadruple: StaticString = ""
    /// Before the digits of an extension. The first word is what the library says.
    var extensions: StaticString
    /// Sounds like zero, and may be no more than a sigh.
    var oh: StaticString = ""
    /// Words that a speech recogniser writes for digits, each with its digit. They count between other digits only.
    var soundsLike: StaticString = ""
    /// Words that may stand anywhere, also between digits, and mean nothing.
    var fillers: StaticString
    /// Words that mean nothing before the first digit. Later they may take something back.
    var openings: StaticString
}
