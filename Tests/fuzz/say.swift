// The input is a request of pbk_say. It is also taken as a list of starts, eight bytes each, to be said in several places.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSay(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    checkReply(to: input)
    checkStarts(in: input)
    return 0
}

private func checkReply(to input: [UInt8]) {
    do throws(PartnerBookingError) {
        let reply = try Speech.reply(json: input)
        let root = required((try? JSONDocument(reply, profile: .reply))?.root, "a reply is JSON: \(reply.text)")
        requireWords(required(root["say"]?.string, "a reply has words: \(reply.text)"))
    } catch {
        requireUsable(error, of: input)
    }
}

private let zones = ["America/New_York", "Australia/Lord_Howe", "Etc/UTC", "Pacific/Apia"]

private func checkStarts(in input: [UInt8]) {
    guard let first = input.first, input.count >= 9 else { return }
    let locale = VoiceLocale.all[Int(first & 3)]
    guard let speech = try? Speech(timeZone: zones[Int(first >> 2 & 3)], locale: locale) else { return }
    let joiner = first & 16 == 0 ? Speech.Joiner.or : .and
    var starts: [Int] = []
    for place in stride(from: 1, to: input.count - 7, by: 8).prefix(Speech.maxCount) {
        starts.append(Int(truncatingIfNeeded: input[place..<place + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
    }
    for style in Speech.Style.allCases {
        for now in [starts[0], 0] {
            let words = speech.writer(starts, joiner, style, now: now).bytes
            requireWords(words.text)
            // Said on the same day, the day has words of its own, and with one start there is nothing to join.
            let alone = speech.writer([starts[0]], joiner, style, now: now).bytes
            require(starts.count > 1 || words == alone, "one start: \(words.text)")
            require(starts.count == 1 || words.count > alone.count || style == .day, "all are said: \(words.text)")
        }
    }
}

/// Letters, blanks, commas, apostrophes and hyphens.
private func requireWords(_ words: String) {
    require(!words.isEmpty && !words.contains("  ") && !words.hasSuffix(" ") && !words.hasSuffix(","), "words: \(words)")
    require(
        words.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || " ,'-".unicodeScalars.contains($0) },
        "no digits and signs: \(words)")
}
