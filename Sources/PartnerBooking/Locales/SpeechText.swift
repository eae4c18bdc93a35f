/// The words for days, times and lengths of time, as a speech synthesiser reads them.
///
/// Words are letters, blanks, commas, apostrophes and hyphens. A name in braces stands for other words of the locale:
/// `{weekday}`. Lists have commas between their entries.
///
/// Rules are lines: hours, a colon, minutes, a blank, and the words. Hours and minutes are `*`, or numbers and ranges with
/// commas between: `0,12:01-09 …`. The first line that fits counts.
struct SpeechText: Sendable {
    /// Zero to ninety-nine.
    var numbers: StaticString
    /// Numbers that have another form as minutes on a clock: `1=une,21=vingt-et-une`.
    var clockForms: StaticString = ""
    /// Numbers that have another form before the words for hours and minutes: `21=veintiún`.
    var lengthForms: StaticString = ""

    /// The first to the thirty-first day of a month.
    var days: StaticString
    /// Years, by rules of `century:year`: `20:00-09 two thousand {year}`. Other years are said digit by digit.
    var years: StaticString
    var today: StaticString
    /// Also with `{weekday}`.
    var tomorrow: StaticString
    /// A day, with `{weekday}`, `{month}` and `{day}`.
    var date: StaticString
    /// A day of the current month, if it is said in another way.
    var dateOfThisMonth: StaticString = ""
    /// Behind a day of another year, with `{year}`.
    var ofYear: StaticString

    /// The hours of the clock from midnight on: twelve, or twenty-four.
    var hours: StaticString
    /// The parts of the day by rules of hours: `18-20:* in the evening`.
    var dayParts: StaticString
    /// The times of a clock, by rules. With `{hour}`, `{next}` (the next hour), `{minute}`, `{left}` (minutes to the next
    /// hour) and `{part}` (of the day), which stands at the end.
    var clock: StaticString
    /// Between a day and its time.
    var at: StaticString
    /// Before each further time of the same day.
    var alsoAt: StaticString = ""
    /// Behind a time that comes twice, because the clocks are put back.
    var firstTime: StaticString
    var secondTime: StaticString

    /// Before the last of several times of a day.
    var or: StaticString
    var and: StaticString
    /// Before the last of several days.
    var orDay: StaticString
    var andDay: StaticString

    /// Lengths of time, by rules. With `{hours}` and `{minutes}`.
    var lengths: StaticString
}
