/// One way to read a text, and the number that it gives.
struct PhoneReading: Equatable {
    let found: PhoneResolver.Found
    /// nil when the number has none.
    let `extension`: DigitString?

    private init(_ spoken: SpokenNumber, _ region: PhonePlan?) throws(PhoneProblem) {
        found = try PhoneResolver.resolve(spoken, region: region)
        self.extension = spoken.extension
    }

    /// The only reading of a text that gives a number. Throws if there is none, or another one.
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
        // A zero or a sigh: what makes a number of the digits was meant.
        if case .failure = meant, let sigh { meant = .success(sigh) }
        var others = [sigh]
        if spoken.hasRareReading {
            // These are never taken alone: what fits may be the beginning of another number.
            others.append(reading(.init(takesRareReading: true)))
            others.append(reading(.init(takesRareReading: true, dropsDoubtfulZeros: true)))
        }
        let reading = try meant.get()
        for case let other? in others where other != reading { throw PhoneProblem(.ambiguous) }
        return reading
    }
}
