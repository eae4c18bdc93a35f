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
            let slot = slots.only { slot in
                switch time {
                case .instant(let instant): slot.instant == instant
                case .wall(let wall): slot.local.wall == wall
                }
            }
            // "16:00Z" is not the slot at 11:00 when there is one at 16:00.
            let shown = ItemTime.shownWall(text)
            guard let slot else { return nil }
            return slot.local.wall == shown || !slots.contains { $0.local.wall == shown } ? slot : nil
        }
        let reader = OrdinalReader(text, locale.picks)
        guard let ordinal = reader.ordinal else { return nil }
        let place = ordinal == 0 ? offers.count - 1 : ordinal - 1
        guard offers.indices.contains(place) else { return nil }
        // "The 2nd" may be the second slot, or a slot on the second of the month.
        let isDay = reader.isLikeDay && offers.contains { $0.local.date.day == ordinal }
        return isDay && offers[place].local.date.day != ordinal ? nil : offers[place]
    }

    /// Returns whether the text names the slot for sure: by a token with its check letter, or by
    /// the time that the clinic's clock shows. Other texts depend on the list, or on a
    /// computation that models get wrong.
    static func isSure(_ text: UnsafeRawBufferPointer, of slot: SlotStart) -> Bool {
        if let (_, isChecked) = SlotToken.read(text) { return isChecked }
        return ItemTime.shownWall(text) == slot.local.wall
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
    /// True for `the second` and `the 2nd`, which may also be a day of the month.
    private(set) var isLikeDay = false

    init(_ text: UnsafeRawBufferPointer, _ words: PickWords) {
        guard text.count <= SlotToken.maxTextBytes else { return }
        var tokens = SpokenTokens(text)
        var number: Int?
        var found: Int?
        /// True when `#` or a label marks the number as a position. A number alone may be a time
        /// of day.
        var isLabelled = false
        var hasSuffix = false
        while let token = tokens.next() {
            switch token {
            case .hash: isLabelled = true
            case .digit(let digit, _):
                // Neither "1/0" nor "option -1" is a position.
                guard number == nil ? tokens.gap != .pause || tokens.isAfterColon : tokens.gap == .none else { return }
                let value = (number ?? 0) * 10 + Int(digit)
                guard value <= 1_000 else { return }
                number = value
            case .word(let word):
                if number != nil, !hasSuffix, tokens.gap == .none, words.suffixes.contains(word) {
                    hasSuffix = true
                } else if let place = words.ordinal(word) ?? (words.lasts.contains(word) ? 0 : nil) {
                    // "Number one, the second" names two.
                    guard found == nil, number == nil, !isLabelled else { return }
                    (found, isLikeDay) = (place, place > 0)
                } else if words.ones.contains(word) {
                    // "The second one", but not "one second".
                    guard found != nil else { return }
                    isLikeDay = false
                } else if words.labels.contains(word) {
                    isLabelled = isLabelled || found == nil
                } else if !words.fillers.contains(word) {
                    return
                }
            case .plus, .sign: return
            }
        }
        if let number {
            guard isLabelled || hasSuffix, found == nil, number > 0 else { return }
            (found, isLikeDay) = (number, !isLabelled)
        }
        ordinal = found
    }
}
