/// One way to read a text, and the resulting number.
struct PhoneReading: Equatable {
    let found: PhoneResolver.Found
    /// The digits of the extension. nil when the number has none.
    let `extension`: DigitString?

    private init(_ spoken: SpokenNumber, _ region: PhonePlan?) throws(PhoneProblem) {
        found = try PhoneResolver.resolve(spoken, region: region)
        self.extension = spoken.extension
    }

    /// Returns the only reading of a text that gives a number. Throws if there is none, or a
    /// second one.
    static func only(
        of text: UnsafeRawBufferPointer, _ region: PhonePlan?, _ vocabulary: Vocabulary
    ) throws(PhoneProblem) -> PhoneReading {
        let spoken = try SpokenNumber(text, vocabulary)
        var meant = Result { () throws(PhoneProblem) in try PhoneReading(spoken, region) }
        guard spoken.hasDoubtfulZero || spoken.hasRareReading else { return try meant.get() }

        func reading(_ choice: SpokenNumber.Choice) -> PhoneReading? {
            guard let spoken = try? SpokenNumber(text, vocabulary, choice) else { return nil }
            return try? PhoneReading(spoken, region)
        }
        let sigh = spoken.hasDoubtfulZero ? reading(.init(dropsDoubtfulZeros: true)) : nil
        // A doubtful "oh" is a zero or a sigh. The reading that gives a number was meant.
        if case .failure = meant, let sigh { meant = .success(sigh) }
        var others = [sigh]
        if spoken.hasRareReading {
            // A rare reading is never used alone. Digits that fit may be the beginning of
            // another number.
            others.append(reading(.init(takesRareReading: true)))
            others.append(reading(.init(takesRareReading: true, dropsDoubtfulZeros: true)))
        }
        let reading = try meant.get()
        for case let other? in others where other != reading { throw PhoneProblem(.ambiguous) }
        return reading
    }
}
