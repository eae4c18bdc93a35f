@testable import PartnerBooking

/// A wish in one line, as the tests write it: `2030-01-22 15:00-18:00 ?afternoon`. A wish that is unclear is `!when past`.
func summary(
    _ when: String, _ time: String = "", locale: VoiceLocale = .americanEnglish, zone: String = "America/New_York",
    now: String = "2030-01-16T09:00:00-05:00", opening: [[Range<Int>]]? = nil
) -> String {
    do {
        let wish = try TimeWish(
            when: when, time: time, timeZone: zone, locale: locale, now: Timestamp(now)?.instantSeconds, opening: opening)
        var text = wish.readings.map(summary).joined(separator: " / ")
        for correction in wish.corrected { text += " !\(correction.rawValue)" }
        for assumption in wish.assumed { text += " ?\(assumption.rawValue)" }
        return text
    } catch {
        return "!\(error.field ?? "") \(error.timeProblem?.reason.rawValue ?? error.code.rawValue)"
    }
}

private func summary(_ reading: TimeWish.Reading) -> String {
    var text = reading.from == reading.to ? reading.from : "\(reading.from)..\(reading.to)"
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    if let weekdays = reading.weekdays { text += " " + weekdays.map { names[$0] }.joined(separator: ",") }
    if reading.notBefore != nil || reading.before != nil {
        text += " \(reading.notBefore ?? "")-\(reading.before ?? "")"
    }
    if let parts = reading.parts { text += " " + parts.map(\.rawValue).joined(separator: ",") }
    if let around = reading.around { text += " ~\(around)" }
    return reading.isEarliest ? text + " first" : text
}
