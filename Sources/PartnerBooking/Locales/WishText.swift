/// Words about the time of an appointment. Commas separate phrases. The longest that fits
/// counts. "Before" and "After" below give the place of the words in a wish.
///
/// A wish with an unknown word is refused. Do not add a word for "not" alone: it must stay
/// unknown.
struct WishText: Sendable {
    /// True when `4/5` is April 5. In any case `4/14` and `14/4` are April 14.
    var monthComesFirst = false
    /// True when `nueve y diez` is ten past nine.
    var minutesFollowAnd = false
    /// True when eight days are a week, and fifteen are two.
    var countsFirstDay = false
    /// True when a number is a day of the month where no hour is expected: `mardi 14`,
    /// `el 14`.
    var daysAreCardinals = false

    /// True when the word for tomorrow also means "morning": `mañana`.
    var tomorrowIsMorning = false

    var today: StaticString
    var tomorrow: StaticString
    var dayAfterTomorrow: StaticString
    /// After "or": `tomorrow or the day after`.
    var dayAfter: StaticString = ""
    /// After "or": `next week or the week after`.
    var weekAfter: StaticString = ""
    /// Words for this morning, if `this` and `morning` do not give it.
    var thisMorning: StaticString = ""
    /// Today from the evening on.
    var tonight: StaticString
    /// Other spellings, from Monday on. Commas separate days, blanks separate spellings.
    var weekdays: StaticString
    /// Words for every Monday and so on, in the same form.
    var everyWeekday: StaticString = ""
    /// From Monday to Friday.
    var workdays: StaticString
    var weekend: StaticString
    var weekends: StaticString = ""
    /// Other spellings, from January on, in the same form.
    var months: StaticString

    var next: StaticString
    var this: StaticString
    /// After `week`: the week after next.
    var afterNext: StaticString
    /// Before a number of days or weeks: from today until then.
    var within: StaticString
    /// Before a number of days or weeks: when they have passed.
    var `in`: StaticString
    /// After a number of days or weeks: the same as `in`.
    var fromNow: StaticString = ""
    var minutes: StaticString
    var hours: StaticString
    var days: StaticString
    var weeks: StaticString
    var fortnight: StaticString = ""
    var monthUnits: StaticString
    var every: StaticString

    /// Numbers besides those of `NumberText`. 101 is a 1 that may also mean nothing: `an=101`.
    var numbers: StaticString
    /// The ordinals from `first` on. `otherOrdinals` have values.
    var ordinals: StaticString
    var otherOrdinals: StaticString = ""
    /// The letters after the digits of an ordinal: `th`.
    var ordinalSuffixes: StaticString
    /// Before a day of the month.
    var dayArticles: StaticString
    /// Before an hour.
    var hourArticles: StaticString = ""

    /// The parts of the day.
    var morning: PartOfDay
    /// Words for every morning and so on, in columns.
    var everyPart: StaticString = ""
    var lunch: PartOfDay
    var afternoon: PartOfDay
    var evening: PartOfDay
    var noon: StaticString
    var midnight: StaticString
    var early: StaticString
    var middle: StaticString
    var late: StaticString

    var am: StaticString
    var pm: StaticString
    /// After an hour.
    var oClock: StaticString
    var half: StaticString
    var quarter: StaticString
    /// `ten past nine`.
    var past: StaticString = ""
    /// `nueve menos diez`.
    var minus: StaticString = ""
    /// Only between minutes and an hour: `diez para las nueve`.
    var toHour: StaticString = ""

    var after: StaticString
    /// With the article of a day: `después del`. Also `beforeThe`, `untilThe` and `fromThe`.
    var afterThe: StaticString = ""
    var before: StaticString
    var beforeThe: StaticString = ""
    var until: StaticString
    var untilThe: StaticString = ""
    var from: StaticString
    var fromThe: StaticString = ""
    var around: StaticString
    /// After an hour: `ish`.
    var roughly: StaticString = ""
    /// After a time: `or later`, `or earlier`.
    var orLater: StaticString
    var orEarlier: StaticString
    var between: StaticString
    var at: StaticString
    /// Between two times or days, or before an hour: `ten to nine`.
    var to: StaticString
    /// "At" before an hour, and "to" between two times.
    var atOrTo: StaticString = ""
    var and: StaticString
    var or: StaticString

    /// The earliest free slot.
    var earliest: StaticString
    /// The earliest free slot today.
    var now: StaticString
    /// The earliest free slot of the day.
    var firstThing: StaticString
    var any: StaticString
    /// Words that may stand anywhere and mean nothing.
    var fillers: StaticString
    /// Fillers behind a day that the next day may replace: `Tuesday, well, Wednesday`.
    var secondThoughts: StaticString = ""
    /// Phrases that are not understood, although their words are: `or rather` takes back the word
    /// before it.
    var refused: StaticString = ""
}

/// A part of the day, in hours.
struct PartOfDay: Sendable {
    var from: Int
    /// The hour at which the early half ends.
    var half: Int
    var to: Int
    var words: StaticString
}
