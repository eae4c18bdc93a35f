/// Finds the offered slot that a model or a caller named.
enum SlotPick {
    /// Returns the slot that a text names, or nil when it names none or several. Never guesses
    /// the nearest slot.
    ///
    /// A text can name a listed slot by its token, with or without the check letter. It can
    /// give the slot's time, in RFC 3339 or on the clinic's clock. It can name an offer by its
    /// position: `the second one`.
    static func slot(
        named text: UnsafeRawBufferPointer, in slots: [SlotStart], offers: [SlotStart], durationMinutes: Int,
        _ locale: VoiceLocale
    ) -> SlotStart? {
        if let (token, isChecked) = SlotToken.read(text) {
            return slots.only { slot in
                let own = SlotToken(slot.local, durationMinutes: durationMinutes)
                return isChecked ? own == token : own.isAtSameTime(as: token)
            }
        }
        if let time = ItemTime(text) {
            return slots.only { slot in
                switch time {
                case .instant(let instant): slot.instant == instant
                case .wall(let wall): slot.local.wall == wall
                }
            }
        }
        guard let ordinal = OrdinalReader(text, locale.picks).ordinal else { return nil }
        let place = ordinal == 0 ? offers.count - 1 : ordinal - 1
        return offers.indices.contains(place) ? offers[place] : nil
    }
}

extension [SlotStart] {
    /// Returns the matching slot, or nil when none or several match.
    fileprivate func only(where isIt: (SlotStart) -> Bool) -> SlotStart? {
        guard let first = firstIndex(where: isIt) else { return nil }
        return self[(first + 1)...].contains(where: isIt) ? nil : self[first]
    }
}

/// Reads `the second one`, `option 2`, `2nd` and `#2`.
private struct OrdinalReader {
    /// Position from 1, or 0 for the last offer. nil for other texts.
    private(set) var ordinal: Int?

    init(_ text: UnsafeRawBufferPointer, _ words: PickWords) {
        guard text.count <= SlotToken.maxTextBytes else { return }
        var tokens = SpokenTokens(text)
        var number: Int?
        /// True when `#`, a suffix or a label marks the number as a position. A number alone
        /// may be a time of day.
        var isNamed = false
        var found: Int?
        while let token = tokens.next() {
            switch token {
            case .hash: isNamed = true
            case .digit(let digit, _):
                let value = (number ?? 0) * 10 + Int(digit)
                guard value <= 1_000 else { return }
                number = value
            case .word(let word):
                if number != nil, words.suffixes.contains(word) {
                    isNamed = true
                } else if let place = words.ordinal(word) {
                    guard found == nil else { return }
                    found = place
                } else if words.lasts.contains(word) {
                    guard found == nil else { return }
                    found = 0
                } else if words.labels.contains(word) {
                    isNamed = true
                } else if !words.fillers.contains(word) {
                    return
                }
            case .plus, .sign: return
            }
        }
        if let number {
            guard isNamed, found == nil, number > 0 else { return }
            found = number
        }
        ordinal = found
    }
}
