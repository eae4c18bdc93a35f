// Spoils tokens of offered slots at random, and counts what `pick` makes of them: tokens [COUNT
// [SEED]].
//
// A spoiled token is refused, or is understood as the slot that it was made from: a lost hyphen,
// another case. Only a text that is the token of another offered slot, character by character, or
// all of it but the letter, is that slot. It takes several changes to get there; one wrong digit or
// one swap of neighbours must never do. Both are counted on their own.
import Glibc
@testable import PartnerBooking

typealias Characters = [UInt8]

struct Offer {
    let list: SlotList
    let tokens: [Characters]
    /// The same without the hyphen.
    let names: [Characters]

    init(_ zone: String, days: Int, length: Int, first: String, minutes: Int = 480, step: Int? = nil) throws {
        let start = Timestamp(first)?.instantSeconds ?? 0
        let items = (0..<days).map { #"{"start_at":\#(start + $0 * 86_400),"duration_minutes":\#(minutes)}"# }
        var options = SlotOptions(timeZone: zone)
        options.now = start
        options.durationMinutes = length
        options.stepMinutes = step
        options.limit = 1_000
        let reply = Array(#"{"availabilities":[\#(items.joined(separator: ","))]}"#.utf8)
        list = try SlotList(reply: reply, options: options)
        tokens = list.slots.map { Array($0.token.utf8) }
        names = tokens.map(plain)
    }
}

/// The letters and digits of a text, in small letters.
func plain(_ text: Characters) -> Characters {
    text.compactMap { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        default: nil
        }
    }
}

struct Spoiler {
    var random: SplitMix64
    let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map { Array($0.utf8) }
    let signs = Array("abcdefghijklmnopqrstuvwxyz0123456789 -.:()".utf8)

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    /// Changes one thing. Returns true for a wrong digit, and for a swap of neighbours.
    mutating func spoil(_ text: inout Characters) -> Bool {
        let place = number(0..<text.count)
        switch number(0..<9) {
        case 0, 1:
            let digits = text.indices.filter { text[$0].isDigit }
            guard let place = digits.randomElement(using: &random) else { return false }
            text[place] = UInt8(ascii: "0") + (text[place] - UInt8(ascii: "0") + UInt8(number(1..<10))) % 10
            return true
        case 2, 3:
            guard place > 0 else { return false }
            text.swapAt(place - 1, place)
            return true
        case 4: text.swapAt(place, number(0..<text.count))
        case 5: text[place] = signs[number(0..<signs.count)]
        case 6: if text.count > 1 { text.remove(at: place) }
        case 7: text.insert(signs[number(0..<signs.count)], at: place)
        default: text.replaceSubrange(0..<min(3, text.count), with: weekdays[number(0..<7)])
        }
        return false
    }
}

struct Count {
    var refused = 0, same = 0, other = 0, otherWithoutLetter = 0, accepted = 0, simple = 0

    mutating func add(_ text: Characters, isSimple: Bool, from slot: Int, of offer: Offer) {
        let picked = text.withUnsafeBytes { offer.list.pick($0, .americanEnglish) }
        guard let picked, let found = offer.list.listed.firstIndex(of: picked) else { return refused += 1 }
        if found == slot { return same += 1 }
        let (said, name) = (plain(text), offer.names[found])
        if said == name {
            other += 1
        } else if said == Array(name.dropLast()) {
            otherWithoutLetter += 1
        } else {
            accepted += 1
            print("accepted: \(String(decoding: text, as: UTF8.self)) as \(String(decoding: name, as: UTF8.self))")
        }
        if isSimple {
            simple += 1
            let name = String(decoding: offer.names[slot], as: UTF8.self)
            print("one change: \(name) to \(String(decoding: text, as: UTF8.self))")
        }
    }
}

let newYork = "America/New_York"
let offers = [
    try Offer(newYork, days: 14, length: 30, first: "2030-01-14T14:00:00Z"),
    try Offer(newYork, days: 1, length: 60, first: "2030-01-15T14:00:00Z", minutes: 180),
    try Offer(newYork, days: 14, length: 60, first: "2030-10-28T14:00:00Z", step: 15),
    // The night in which the clocks go back, with an hour that comes twice.
    try Offer(newYork, days: 1, length: 30, first: "2030-11-03T03:00:00Z", step: 5),
    // Days of three months, as 14 and 14 have one name but for the letter.
    try Offer("Europe/Madrid", days: 62, length: 30, first: "2030-01-20T08:00:00Z"),
]
let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let wanted = numbers.first ?? 10_000_000
var spoiler = Spoiler(random: SplitMix64(state: UInt64(numbers.dropFirst().first ?? 1)))
var count = Count()
for number in 0..<wanted {
    let offer = offers[number % offers.count]
    let slot = spoiler.number(0..<offer.names.count)
    var text = offer.tokens[slot]
    // Half of them have one change, the others two to four.
    let changes = number & 8 == 0 ? 1 : spoiler.number(2..<5)
    var isSimple = false
    for _ in 0..<changes { isSimple = spoiler.spoil(&text) }
    count.add(text, isSimple: isSimple && changes == 1, from: slot, of: offer)
}
print(
    "\(wanted) mutations of tokens: \(count.refused) refused, \(count.same) the same slot, "
        + "\(count.other) the token of another offered slot, \(count.otherWithoutLetter) all of it but the letter; "
        + "by one wrong digit or one swap of neighbours: \(count.simple); accepted as another slot: \(count.accepted)")
exit(count.accepted + count.simple == 0 ? 0 : 1)
