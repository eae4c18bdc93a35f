// Answers one request after the other, for wishes.py: JSON in, JSON out, a line each.
@testable import PartnerBooking

if CommandLine.arguments.contains("--time") {
    printTimes()
} else {
    while let line = readLine() { print(answer(to: line)) }
}

func answer(to line: String) -> String {
    do {
        return String(decoding: try TimeWish.reply(json: Array(line.utf8)), as: UTF8.self)
    } catch {
        return String(decoding: error.json, as: UTF8.self)
    }
}

func printTimes() {
    let opening = #""mon":["09:00-17:00"],"tue":["09:00-17:00"],"wed":["09:00-17:00"],"thu":["09:00-12:00","13:00-17:00"]"#
    let phrases = [
        ("en-US", "tomorrow", "after three", ""),
        ("en-US", "next Tuesday", "after three", ""),
        ("en-US", "tomorrow afternoon at half past three", "", ""),
        ("en-US", "I'd like to come in on Friday the fourteenth of April please", "between nine and eleven", ""),
        ("en-US", "Tuesday", "three", #","opening":{\#(opening)}"#),
        ("en-GB", "14/4", "half nine", ""),
        ("es", "el martes que viene por la tarde", "a las cuatro y media", ""),
        ("fr", "mardi prochain dans l'après-midi", "à quinze heures trente", ""),
        ("en-US", "not Tuesday", "", ""),
    ]
    for (locale, when, time, more) in phrases {
        let request =
            #"{"when":"\#(when)","time":"\#(time)","time_zone":"America/New_York","locale":"\#(locale)""#
            + #","now":"2030-01-14T13:00:00Z"\#(more)}"#
        let bytes = Array(request.utf8)
        let time = shortestTime(calls: 2_000) { consume(bytes) }
        print("\(Int(time)) ns  \(request)")
    }
}

@inline(never)
func consume(_ request: [UInt8]) {
    _ = try? TimeWish.reply(json: request)
}
