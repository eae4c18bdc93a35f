// Answers one line after the other, for slots.py: the options and the search reply, with a tab between.
import PartnerBooking

if CommandLine.arguments.contains("--time") {
    printTime()
} else {
    while let line = readLine() { print(answer(to: line)) }
}

func answer(to line: String) -> String {
    let fields = line.split(separator: "\t").map { Array($0.utf8) }
    guard fields.count == 2 else { return "!line" }
    do {
        return String(decoding: try SlotList.reply(search: fields[1], options: fields[0]), as: UTF8.self)
    } catch {
        return String(decoding: error.json, as: UTF8.self)
    }
}

/// Prints the time of 14 windows of eight hours, which give 224 slots.
func printTime() {
    let windows = (14..<28).map { #"{"start_at":"2030-01-\#($0)T14:00:00Z","duration_minutes":480}"# }
    let search = Array(#"{"availabilities":[\#(windows.joined(separator: ","))]}"#.utf8)
    let options = Array(#"{"time_zone":"America/New_York","now":"2030-01-01T00:00:00Z","offers":3}"#.utf8)
    var count = 0
    let time = shortestTime(calls: 20) { count = (try? SlotList.reply(search: search, options: options).count) ?? 0 }
    print("\(Int(time / 1_000)) µs  224 slots of 14 windows, \(count) bytes")
}
