/// Spoken words for the times of a clinic, which a speech synthesiser reads well.
///
///     let speech = try Speech(timeZone: "America/New_York")
///     try speech.words(for: "2030-01-16T14:30:00Z")
///     // Wednesday, January sixteenth at nine thirty in the morning
///
/// The words are letters, blanks, commas, apostrophes and hyphens. They have no digit, no AM or
/// PM, no time zone and no markup.
public struct Speech: Sendable {
    /// The parts of a time that are said.
    public enum Style: String, Sendable, CaseIterable {
        /// The day and the time: `Wednesday, January sixteenth at nine thirty in the morning`.
        case full
        /// The day: `Wednesday, January sixteenth`.
        case day
        /// The time: `nine thirty in the morning`.
        case time
    }

    /// The word before the last of several times.
    public enum Joiner: String, Sendable, CaseIterable {
        /// For an offer.
        case or
        /// For a list of times that all apply.
        case and
    }

    /// The most times that are said at once. Nobody remembers so many.
    public static let maxCount = 24
    /// The longest length of time that has words: a day.
    public static let maxMinutes = 1_440

    private let zone: Zone
    private let locale: VoiceLocale

    /// Creates the words of a clinic.
    ///
    /// - Parameters:
    ///   - timeZone: The clinic's IANA time zone.
    ///   - locale: The language of the words.
    /// - Throws: `unknown_time_zone`.
    public init(timeZone: String, locale: VoiceLocale = .americanEnglish) throws(PartnerBookingError) {
        zone = try Zone.named(timeZone)
        self.locale = locale
    }

    /// Returns the words for one start.
    ///
    /// - Parameters:
    ///   - startAt: RFC 3339, as in a slot or a booking. Without an offset, it is a time on the
    ///     clinic's clock.
    ///   - style: The parts to say: all of it, the day or the time.
    ///   - now: Seconds since 1970. nil means the system's clock. It decides about `today`,
    ///     `tomorrow` and the year.
    /// - Throws: `invalid_field`.
    public func words(for startAt: String, style: Style = .full, now: Int? = nil) throws(PartnerBookingError) -> String {
        try words(for: [startAt], style: style, now: now)
    }

    /// Returns the words for several starts, in their order. Neighbouring starts say a shared
    /// part once.
    ///
    /// - Throws: `invalid_field`, also for more starts than `maxCount`.
    public func words(
        for starts: [String], joiner: Joiner = .or, style: Style = .full, now: Int? = nil
    ) throws(PartnerBookingError) -> String {
        guard (1...Self.maxCount).contains(starts.count) else {
            throw .field("slots", MemberMessage.mustBe(Form.list(of: 1...Self.maxCount)), .outOfRange)
        }
        var instants: [Int] = []
        for var start in starts {
            guard let instant = start.withUTF8({ ItemTime(UnsafeRawBufferPointer($0)) })?.instant(in: zone) else {
                throw .field("start_at", MemberMessage.mustBe(Form.spokenStart), .malformed)
            }
            instants.append(instant)
        }
        return String(decoding: writer(instants, joiner, style, now: now).bytes, as: UTF8.self)
    }

    /// Returns the words for a length of time: `half an hour`. nil for a length outside 1 to
    /// `maxMinutes`.
    public static func words(minutes: Int, locale: VoiceLocale = .americanEnglish) -> String? {
        guard (1...maxMinutes).contains(minutes) else { return nil }
        var writer = SpeechWriter(locale.speech)
        writer.length(minutes: minutes)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func instant(_ time: ItemTime) -> Int? { time.instant(in: zone) }

    func writer(_ instants: [Int], _ joiner: Joiner, _ style: Style, now: Int?) -> SpeechWriter {
        var writer = SpeechWriter(locale.speech)
        let now = zone.local(at: now ?? WallClock.seconds())
        writer.times(instants.map(zone.local), now: now, style, joiner)
        return writer
    }
}
