// The input is a line with a locale, one with an instant in days from 2030, one with the words about the day, and the words
// about the time.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWhen(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    checkReply(to: input)
    let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let locale = VoiceLocale(Array(parts[0]).text) else { return -1 }
    let day = parts[1].prefix(5).reduce(0) { $0 * 10 + Int($1 & 15) }
    let now = 1_893_456_000 + day * 86_400 + 10 * 3_600
    let (when, time) = (Array(parts[2]).text, Array(parts[3]).text)
    for zone in ["America/New_York", "Asia/Beirut", "Pacific/Apia"] {
        for opening in [nil, Array(repeating: [7 * 60..<12 * 60, 13 * 60..<21 * 60], count: 7)] {
            check(when, time, locale, now, zone, opening)
        }
    }
    return 0
}

/// The whole input as a request.
private func checkReply(to input: [UInt8]) {
    do throws(PartnerBookingError) {
        let reply = try TimeWish.reply(json: input)
        let root = required((try? JSONDocument(reply, profile: .reply))?.root, "a reply is JSON: \(reply.text)")
        require(root["clear"]?.boolean != nil && root["readings"]?.kind == .array, "a reply is complete: \(reply.text)")
    } catch {
        requireUsable(error, of: input)
    }
}

private func check(
    _ when: String, _ time: String, _ locale: VoiceLocale, _ now: Int, _ zone: String, _ opening: [[Range<Int>]]?
) {
    do throws(PartnerBookingError) {
        let wish = try TimeWish(
            when: when, time: time, timeZone: zone, locale: locale, now: now, opening: opening)
        require((1...4).contains(wish.readings.count), "one to four readings: \(wish)")
        require(wish.isClear == (wish.readings.count == 1), "clear is one reading: \(wish)")
        for reading in wish.readings { check(reading, now) }
    } catch {
        requireUsable(error, of: Array(when.utf8))
        guard let problem = error.timeProblem else { return require(error.code == .invalidField, "a known refusal") }
        require(problem.field == "when" || problem.field == "time", "a field of the request: \(problem)")
    }
}

private func check(_ reading: TimeWish.Reading, _ now: Int) {
    require(reading.from <= reading.to, "days are in order: \(reading)")
    guard case .date(let from)? = Timestamp(reading.from), case .date(let to)? = Timestamp(reading.to),
        let start = Timestamp(reading.startAt)?.instantSeconds, let end = Timestamp(reading.endAt)?.instantSeconds
    else { return require(false, "dates and instants: \(reading)") }
    require(start < end && end > now, "nothing is past: \(reading)")
    // Two days of which one is shorter or longer, and zones a day apart.
    require(abs(start / 86_400 - from) <= 1 && abs(end / 86_400 - to - 1) <= 1, "instants are those of the days: \(reading)")
    for minute in [reading.notBeforeMinute, reading.beforeMinute, reading.aroundMinute] {
        require((0..<1_440).contains(minute ?? 0), "minutes are of a day: \(reading)")
    }
    require(reading.notBeforeMinute ?? 0 < reading.beforeMinute ?? 1_440, "times are in order: \(reading)")
    if let weekdays = reading.weekdays {
        require((1...7).contains(weekdays.count) && weekdays == weekdays.sorted(), "weekdays: \(reading)")
    }
}
