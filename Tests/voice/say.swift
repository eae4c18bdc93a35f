// Answers one request of pbk_say on each line, for say.py: the words, or the error's code after a `!`. With `--minutes` a
// line is a zone, a locale, a first and a last minute since 1970 and `now` in seconds, with tabs between, and the answer has
// a line for each minute.

@testable import PartnerBooking

if CommandLine.arguments.contains("--time") {
    printTimes()
} else if CommandLine.arguments.contains("--minutes") {
    while let line = readLine() { printMinutes(line) }
} else {
    while let line = readLine() { print(answer(to: line)) }
}

func answer(to line: String) -> String {
    do {
        let reply = String(decoding: try Speech.reply(json: Array(line.utf8)), as: UTF8.self)
        guard reply.hasPrefix(#"{"say":""#), reply.hasSuffix(#""}"#) else { return "!reply" }
        return String(reply.dropFirst(8).dropLast(2))
    } catch {
        return "!" + error.code.rawValue
    }
}

func printMinutes(_ line: String) {
    let fields = line.split(separator: "\t").map(String.init)
    guard fields.count == 5, let locale = VoiceLocale(fields[1]), let first = Int(fields[2]), let last = Int(fields[3]),
        let now = Int(fields[4]), let speech = try? Speech(timeZone: fields[0], locale: locale)
    else { return print("!line") }
    var output = ""
    for minute in first...last {
        output += String(decoding: speech.writer([minute * 60], .or, .full, now: now).bytes, as: UTF8.self)
        output += "\n"
        if output.utf8.count > 1 << 20 {
            print(output, terminator: "")
            output = ""
        }
    }
    print(output, terminator: "")
}

func printTimes() {
    let zone = #""time_zone":"America/New_York","now":"2030-01-14T13:00:00Z""#
    let slots = ["15T14:30", "16T15:00", "16T19:00"].map { #"{"start_at":"2030-01-\#($0):00Z"}"# }.joined(separator: ",")
    let requests = [
        #"{"start_at":"2030-01-16T14:30:00Z",\#(zone)}"#,
        #"{"start_at":"2030-01-16T14:30:00Z",\#(zone),"locale":"en-GB"}"#,
        #"{"start_at":"2030-01-16T14:30:00Z",\#(zone),"locale":"es"}"#,
        #"{"start_at":"2030-01-16T14:30:00Z",\#(zone),"locale":"fr"}"#,
        #"{"slots":[\#(slots)],\#(zone)}"#,
        #"{"phone":"+15555551234","region":"US"}"#,
        #"{"duration_minutes":90}"#,
    ]
    for request in requests {
        let bytes = Array(request.utf8)
        let time = shortestTime(calls: 2_000) { consume(bytes) }
        print("\(Int(time)) ns  \(request)")
    }
}

@inline(never)
func consume(_ request: [UInt8]) {
    _ = try? Speech.reply(json: request)
}
