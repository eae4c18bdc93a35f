/// Words about the time of an appointment. Phrases stand between commas; the longest that fits counts.
///
/// Only words that stand here are understood. A word for "not" must not: a wish with an unknown word is refused.
struct WishText: Sendable {
    /// `4/14` is the fourteenth of April. Without it, the fourth of a fourteenth month, which is read the other way round.
    var monthComesFirst = false
    /// `nueve y diez` is ten past nine.
    var minutesFollowAnd = false
    /// Eight days are a week, and fifteen are two.
    var countsFirstDay = false
    /// `mardi 14`, `el 14`: a number is a day of the month where no hour is expected.
    var daysAreCardinals = false

    var today: StaticString
    var tomorrow: StaticString
    var dayAfterTomorrow: StaticString
    /// After "or": `tomorrow or the day after`.
    var dayAfter: StaticString = ""
    /// After "or": `next week or the week after`.
    var weekAfter: StaticString = ""
    /// Today in the morning, where it is not the words for both.
    var thisMorning: StaticString = ""
    /// Today from the evening on.
    var tonight: StaticString
    /// From Monday on: other spellings of the day's name, with blanks between.
    var weekdays: StaticString
    /// From Monday on: words for every Monday, with blanks between.
    var everyWeekday: StaticString = ""
    /// From Monday to Friday.
    var workdays: StaticString
    var weekend: StaticString
    var weekends: StaticString = ""
    /// From January on: other spellings, with blanks between.
    var months: StaticString

    var next: StaticString
    var this: StaticString
    /// After `week`: the one after next.
    var afterNext: StaticString
    /// Before a number of days or weeks: from today until then.
    var within: StaticString
    /// Before a number of days or weeks: when they have passed.
    var `in`: StaticString
    /// After them: the same.
    var fromNow: StaticString = ""
    var minutes: StaticString
    var hours: StaticString
    var days: StaticString
    var weeks: StaticString
    var fortnight: StaticString = ""
    var monthUnits: StaticString
    var every: StaticString

    /// Numbers besides those of `NumberText`. 101 is a one that may also mean nothing: `an=101`.
    var numbers: StaticString
    /// From `first` on, and others with their values.
    var ordinals: StaticString
    var otherOrdinals: StaticString = ""
    /// The letters behind the digits of an ordinal: `th`.
    var ordinalSuffixes: StaticString
    /// Before a day of the month.
    var dayArticles: StaticString
    /// Before an hour.
    var hourArticles: StaticString = ""

    /// Parts of the day: hours from, to, and where their early half ends.
    var morning: PartOfDay
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
    /// Behind an hour.
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
    var before: StaticString
    var until: StaticString
    var from: StaticString
    var around: StaticString
    /// Behind an hour: `ish`.
    var roughly: StaticString = ""
    /// Behind a time: `or later`, `or earlier`.
    var orLater: StaticString
    var orEarlier: StaticString
    var between: StaticString
    var at: StaticString
    /// Between two times or days. Before an hour, `ten to nine`.
    var to: StaticString
    /// "At" before an hour, and "to" between two times.
    var atOrTo: StaticString = ""
    var and: StaticString
    var or: StaticString

    /// As early as there is one.
    var earliest: StaticString
    /// The same, and today.
    var now: StaticString
    /// As early in the day as there is one.
    var firstThing: StaticString
    var any: StaticString
    /// Words that may stand anywhere and mean nothing here.
    var fillers: StaticString
    /// Phrases that are not understood, although their words are: `or rather` takes back the word
    /// before it.
    var refused: StaticString = ""
}

/// A part of the day, in hours.
struct PartOfDay: Sendable {
    var from: Int
    /// The hour at which its early half ends.
    var half: Int
    var to: Int
    var words: StaticString
}
