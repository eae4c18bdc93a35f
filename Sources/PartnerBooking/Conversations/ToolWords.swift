/// Sentences for the caller in the bot's language, and for the model in English. They contain
/// no text of third parties, except a customer's name, which `name` cleans.
struct ToolWords {
    let profile: VoiceProfile
    /// Seconds since 1970.
    let now: Int

    var text: ToolText { profile.locale.tools }

    /// Returns instants as spoken times, in their order.
    func times(_ instants: [Int], _ joiner: Speech.Joiner = .or, _ style: Speech.Style = .full) -> String {
        var writer = SpeechWriter(profile.locale.speech)
        writer.times(instants.map(profile.zone.local), now: profile.zone.local(at: now), style, joiner)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func spoken(_ offers: [ConversationState.Offer]) -> [ToolReply.SpokenSlot] {
        offers.map { ToolReply.SpokenSlot(offer: $0, words: times([$0.start.instant])) }
    }

    /// Returns a list for the model: `tue15-0930u (Tuesday, January fifteenth at nine thirty in
    /// the morning)`.
    func list(_ slots: [ToolReply.SpokenSlot]) -> String {
        slots.map { slot in
            SlotToken(slot.offer.start.local, durationMinutes: slot.offer.durationMinutes).text + " (" + slot.words + ")"
        }.joined(separator: "; ")
    }

    /// Returns a sentence with words in its places `{}`.
    func say(_ sentence: StaticString, _ words: String...) -> String {
        var bytes: [UInt8] = []
        var words = words[...]
        sentence.withUTF8Buffer { text in
            var index = 0
            while index < text.count {
                if text[index] == UInt8(ascii: "{"), let word = words.popFirst() {
                    bytes += word.utf8
                    index += 2
                } else {
                    bytes.append(text[index])
                    index += 1
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the sentence about an appointment that was made.
    func say(_ booked: BookedReply, _ time: String) -> String {
        say(booked.isRequested ? text.requested : text.booked, time)
    }

    /// Returns the letters, blanks, hyphens and apostrophes of a name, to be spoken.
    static func name(_ name: String) -> String {
        var spoken = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(120) {
            if isLetter(scalar.value) || scalar == "-" || scalar == "'" {
                spoken.append(scalar)
            } else if scalar == "\u{2019}" {
                spoken.append("'")
            } else if let last = spoken.last, last != " " {
                spoken.append(" ")
            }
        }
        while spoken.last == " " { spoken.removeLast() }
        return String(spoken)
    }

    /// Letters of the scripts in which names are written, without digits and signs.
    private static let letters: [ClosedRange<UInt32>] = [
        0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x24F, 0x300...0x36F, 0x386...0x3FF, 0x400...0x481,
        0x48A...0x52F, 0x5D0...0x5EA, 0x621...0x64A, 0x904...0x939, 0x1E00...0x1FFF, 0x3041...0x30FF, 0x4E00...0x9FFF,
        0xAC00...0xD7A3,
    ]

    private static func isLetter(_ scalar: UInt32) -> Bool { letters.contains { $0.contains(scalar) } }
}
