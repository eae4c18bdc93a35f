/// The words for days, times and lengths of time, as a speech synthesiser reads them.
///
/// Words have letters, blanks, commas, apostrophes and hyphens. A name in braces, such as
/// `{weekday}`, is a placeholder for other words of the locale. Commas separate the entries of
/// a list.
///
/// A rule is one line: hours, a colon, minutes, a blank, and the words. Hours and minutes are
/// `*`, or numbers and ranges with commas between: `0,12:01-09 …`. The first line that fits
/// counts.
struct SpeechText: Sendable {
    /// Zero to ninety-nine.
    var numbers: StaticString
    /// Numbers that have another form as minutes of a clock: `1=une,21=vingt-et-une`.
    var clockForms: StaticString = ""
    /// Numbers that have another form before the words for hours and minutes: `21=veintiún`.
    var lengthForms: StaticString = ""

    /// The first to the thirty-first day of a month.
    var days: StaticString
    /// Years, by rules of `century:year`: `20:00-09 two thousand {year}`. Other years are read
    /// digit by digit.
    var years: StaticString
    var today: StaticString
    /// Tomorrow. May contain `{weekday}`.
    var tomorrow: StaticString
    /// A date, with `{weekday}`, `{month}` and `{day}`.
    var date: StaticString
    /// A date in the current month, if it has another form.
    var dateOfThisMonth: StaticString = ""
    /// Words after a date in another year, with `{year}`.
    var ofYear: StaticString

    /// The hours from midnight on: 12 or 24 entries.
    var hours: StaticString
    /// The parts of the day, by rules of hours: `18-20:* in the evening`.
    var dayParts: StaticString
    /// The times of a clock, by rules. Placeholders: `{hour}`, `{next}` (the next hour),
    /// `{minute}`, `{left}` (minutes to the next hour) and `{part}` (of the day, at the end).
    var clock: StaticString
    /// Words between a day and its time.
    var at: StaticString
    /// Words before each further time of the same day.
    var alsoAt: StaticString = ""
    /// Words after a time that comes twice because the clocks are put back.
    var firstTime: StaticString
    var secondTime: StaticString

    /// Words before the last of several times of a day.
    var or: StaticString
    var and: StaticString
    /// Words before the last of several days.
    var orDay: StaticString
    var andDay: StaticString

    /// Lengths of time, by rules. Placeholders: `{hours}` and `{minutes}`.
    var lengths: StaticString
}
