/// A phone number as a person said or wrote it, ready to dial and to read back.
///
///     let phone = try PhoneNumber(
///         "it's five five five, one two three, four five six seven", region: "US")
///     phone.e164   // +15551234567
///     phone.words  // five five five, one two three, four five six seven
public struct PhoneNumber: Sendable, Equatable {
    /// E.164: a plus sign and 4 to 15 digits.
    public let e164: String
    /// The region of the number, ISO 3166, such as `US`. nil for services that belong to no
    /// country.
    public let region: String?
    /// The groups in which to read the number back. A number of the caller's own country has
    /// the form that people write there, with its national prefix if they write it. Others
    /// begin with the calling code: `+44`.
    public let groups: [String]
    /// The digits of an extension, 1 to 8; nil when there is none.
    public let extensionDigits: String?
    /// The groups in words: letters, blanks and commas only.
    public let words: String

    /// Reads a number, and never guesses. Refuses a text with two readings, and a number that
    /// its country does not have.
    ///
    /// - Parameters:
    ///   - text: Digits, words, or both, with or without prefixes. At most 1024 bytes.
    ///   - region: The region where numbers without `+` are dialled, ISO 3166, such as `US`.
    ///     nil: only numbers with `+` are read.
    ///   - locale: The language of the words.
    /// - Throws: `phone_unclear` with a `phoneProblem`, or `invalid_field`.
    public init(
        _ text: String, region: String? = nil, locale: VoiceLocale = .americanEnglish
    ) throws(PartnerBookingError) {
        guard text.utf8.count <= Self.maxTextBytes else {
            throw .field("text", MemberMessage.mustBe(Form.spokenPhone), .tooLong)
        }
        var plan: PhonePlan?
        if var region {
            plan = region.withUTF8 { PhonePlan(region: UnsafeRawBufferPointer($0)) }
            if plan == nil { throw .field("region", MemberMessage.mustBe(Form.region), .malformed) }
        }
        var text = text
        // `withUTF8` does not carry a typed error, so a `Result` does.
        self = try text.withUTF8 { text in
            Result { () throws(PhoneProblem) in
                try PhoneNumber(UnsafeRawBufferPointer(text), region: plan, locale: locale)
            }
        }.mapError(PartnerBookingError.phoneUnclear).get()
    }

    static let maxTextBytes = 1_024

    init(_ text: UnsafeRawBufferPointer, region: PhonePlan?, locale: VoiceLocale) throws(PhoneProblem) {
        let reading = try PhoneReading.only(of: text, region, locale.vocabulary)
        self.init(reading.found, reading.extension?.text, isNational: reading.found.plan.code == region?.code, locale)
    }

    private init(_ found: PhoneResolver.Found, _ extension: String?, isNational: Bool, _ locale: VoiceLocale) {
        var digits = DigitString()
        digits.append(number: found.plan.code)
        var groups = isNational ? [] : ["+\(found.plan.code)"]
        digits.append(found.number)
        e164 = "+" + digits.text

        var rest = found.number
        for (place, size) in found.grouping.enumerated() {
            var group = place == 0 && isNational && found.hasTrunk ? found.plan.trunk : DigitString()
            for digit in 0..<size { group.append(rest[digit]) }
            groups.append(group.text)
            rest = rest.dropFirst(size)
        }
        self.groups = groups
        region = found.plan.region(of: found.number)
        extensionDigits = `extension`
        words = locale.digitNames.words(groups, extension: `extension`)
    }
}

extension PhonePlan.Grouping: Sequence {
    struct Iterator: IteratorProtocol {
        fileprivate var sizes: UInt32

        mutating func next() -> Int? {
            guard sizes != 0 else { return nil }
            defer { sizes >>= 4 }
            return Int(sizes & 15)
        }
    }

    func makeIterator() -> Iterator { Iterator(sizes: sizes) }
}
