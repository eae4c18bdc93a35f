/// The time of an appointment in a caller's words, as ranges of days and times.
///
///     let wish = try TimeWish(
///         when: "tomorrow", time: "after three", timeZone: "America/New_York")
///     wish.readings[0].from       // 2030-01-15
///     wish.readings[0].notBefore  // 15:00
///     wish.assumed                // [.afternoon]
///
/// A closed grammar reads the words, with one table of words for each locale. It skips nothing:
/// an unknown word, or a "not", throws `time_unclear`.
///
/// - `from` and `to` are local days, both included. `startAt` is the first instant of `from`, and
///   `endAt` the first instant after `to`. They span whole days, because platforms list free
///   windows that begin before the wanted time.
/// - `notBefore`, `before`, `weekdays` and `parts` filter the slots of these days. A slot must
///   begin at `notBefore` or later, and before `before`.
/// - `around` is a time to search around. It filters nothing, so that neighbouring slots can be
///   offered.
/// - More than one reading means that the bot must ask the caller. Examples: "next Tuesday" while
///   a Tuesday is ahead in this week, "Tuesday" on a Tuesday, or "at eight" with both hours open.
public struct TimeWish: Sendable, Equatable {
    /// A correction of the caller's words.
    public enum Correction: String, Sendable {
        /// Date and weekday disagreed. The nearest day with the weekday counts.
        case weekday
        /// The date was past. The same day within twelve months counts.
        case year
    }

    /// A likely meaning that the caller did not say.
    public enum Assumption: String, Sendable {
        /// Morning, for hours from seven to eleven.
        case morning
        /// Noon, for twelve o'clock.
        case noon
        /// Afternoon, for hours from one to six, and for later hours when the morning is past.
        case afternoon
        /// Local time, when the written offset is not the zone's at that time. The digits count.
        case localTime = "local_time"
    }

    /// A part of the day, with the names that slots use.
    public enum Part: String, Sendable {
        /// The parts, by their names.
        case morning, lunchtime, afternoon, evening
    }

    /// One possible meaning of the words.
    public struct Reading: Sendable, Equatable {
        /// The first day, such as `2030-01-22`.
        public let from: String
        /// The last day, which is included.
        public let to: String
        /// The weekdays that count, with 0 for Monday. Nil means all of them.
        public let weekdays: [Int]?
        /// The beginning in minutes after midnight. Nil means the beginning of the day.
        public let notBeforeMinute: Int?
        /// The end in minutes after midnight, excluded. Nil means the end of the day.
        public let beforeMinute: Int?
        /// Parts of the day with a gap between them. Nil means no such limit.
        public let parts: [Part]?
        /// The time to search around, in minutes after midnight.
        public let aroundMinute: Int?
        /// True when the caller wants the first slot, not a choice.
        public let isEarliest: Bool
        /// The first instant of the first day, in RFC 3339.
        public let startAt: String
        /// The first instant after the last day, in RFC 3339.
        public let endAt: String
    }

    /// The possible meanings: one, or two to four if the words do not decide.
    public let readings: [Reading]
    /// Corrections of the caller's words.
    public let corrected: [Correction]
    /// Likely meanings that the caller did not say.
    public let assumed: [Assumption]

    /// True when there is one reading.
    public var isClear: Bool { readings.count == 1 }

    /// Reads a caller's words.
    ///
    /// - Parameters:
    ///   - when: The caller's words about the day, at most 512 bytes. Empty means any day.
    ///   - time: The caller's words about the time of the day, at most 512 bytes. Either text may
    ///     contain both.
    ///   - timeZone: The IANA name of the clinic's zone, such as `America/New_York`.
    ///   - locale: The language of the words. It also decides about the order of `4/14`.
    ///   - now: Current time, in seconds since 1970. Nil means the system's clock.
    ///   - opening: Opening hours of each day, Monday first, in minutes after midnight. They
    ///     decide about hours without am and pm. Nil means not known.
    ///   - maxDaysAhead: Days from today that a wish without end covers, such as `any day`,
    ///     `Mondays` or `after the 14th`.
    /// - Throws: `time_unclear` with a `timeProblem`, `unknown_time_zone` or `invalid_field`.
    public init(
        when: String, time: String = "", timeZone: String, locale: VoiceLocale = .americanEnglish, now: Int? = nil,
        opening: [[Range<Int>]]? = nil, maxDaysAhead: Int = 60
    ) throws(PartnerBookingError) {
        for (name, text) in [("when", when), ("time", time)] where text.utf8.count > Self.maxTextBytes {
            throw .field(name, MemberMessage.mustBe(Form.spokenTime), .tooLong)
        }
        let zone = try Zone.named(timeZone)
        guard (0...253_402_300_799).contains(now ?? 0) else {
            throw .field("now", MemberMessage.seconds, .outOfRange)
        }
        guard (1...WishSettings.mostDaysAhead).contains(maxDaysAhead) else {
            throw .field(
                "max_days_ahead", MemberMessage.mustBe(Form.wholeNumber(1...WishSettings.mostDaysAhead)), .outOfRange)
        }
        guard opening.map({ $0.count == 7 }) ?? true else { throw .field("opening", MemberMessage.sevenDays, .malformed) }
        let settings = WishSettings(
            zone: zone, locale: locale, now: now ?? WallClock.seconds(), opening: opening,
            maxDaysAhead: maxDaysAhead)
        var (when, time) = (when, time)
        // `withUTF8` does not carry a typed error, so its result contains the error.
        self = try when.withUTF8 { when in
            time.withUTF8 { time in
                Result { () throws(TimeProblem) in
                    try TimeWish(
                        when: UnsafeRawBufferPointer(when), time: UnsafeRawBufferPointer(time), settings)
                }
            }
        }.mapError(PartnerBookingError.timeUnclear).get()
    }

    static let maxTextBytes = 512

    init(
        when: UnsafeRawBufferPointer, time: UnsafeRawBufferPointer, _ settings: WishSettings
    ) throws(TimeProblem) {
        let vocabulary = settings.locale.wishVocabulary
        let now = settings.zone.local(at: settings.now)
        var parts = WishParts()
        for (text, field) in [(when, WishField.when), (time, .time)] where !text.isEmpty {
            let parser = WishParser(vocabulary, now: now, field: field, parts)
            parts = try parser.read(text)
        }
        let field: WishField = when.isEmpty ? .time : .when
        var resolver = WishResolver(parts, now: now, settings, vocabulary, field: field)
        var readings: [Reading] = []
        for days in try resolver.days() {
            for time in try resolver.times(on: days) {
                resolver.assumed.formUnion(time.assumed)
                if let offset = parts.offset, let around = time.around, !settings.hasOffset(offset, days.from, around) {
                    resolver.assumed.insert(.localTime)
                }
                readings.append(Reading(days, time, isEarliest: parts.times.isEarliest, settings.zone))
            }
        }
        if readings.isEmpty { throw TimeProblem(.past, field: field.rawValue) }
        self.readings = readings
        corrected = (resolver.isWeekdayCorrected ? [.weekday] : []) + (resolver.isYearCorrected ? [.year] : [])
        assumed = resolver.assumed.list
    }
}

extension WishAssumptions {
    fileprivate var list: [TimeWish.Assumption] {
        var list: [TimeWish.Assumption] = []
        if contains(.morning) { list.append(.morning) }
        if contains(.noon) { list.append(.noon) }
        if contains(.afternoon) { list.append(.afternoon) }
        if contains(.localTime) { list.append(.localTime) }
        return list
    }
}

extension TimeWish.Reading {
    fileprivate init(_ days: WishSpan, _ time: WishTime, isEarliest: Bool, _ zone: Zone) {
        from = WishFormat.date(days.from)
        to = WishFormat.date(days.to)
        weekdays = days.weekdays == 0 ? nil : (0..<7).filter { days.weekdays & 1 << UInt8($0) != 0 }
        notBeforeMinute = time.notBefore
        beforeMinute = time.before
        let all: [TimeWish.Part] = [.morning, .lunchtime, .afternoon, .evening]
        parts = time.parts == 0 ? nil : (0..<4).filter { time.parts & 1 << UInt8($0) != 0 }.map { all[$0] }
        aroundMinute = time.around
        self.isEarliest = isEarliest
        startAt = WishFormat.instant(zone.startOfDay(days.from), zone)
        endAt = WishFormat.instant(zone.startOfDay(days.to + 1), zone)
    }
}

/// The settings of a wish.
struct WishSettings {
    let zone: Zone
    let locale: VoiceLocale
    /// Current time, in seconds since 1970.
    let now: Int
    /// Opening hours of each day, Monday first, in minutes after midnight. Nil means not known.
    var opening: [[Range<Int>]]?
    var maxDaysAhead = 60

    static let mostDaysAhead = 3_660

    /// Returns true if the zone has this offset at a local time.
    fileprivate func hasOffset(_ minutes: Int, _ day: Int, _ minute: Int) -> Bool {
        let wall = day * 86_400 + minute * 60
        return zone.local(at: wall - minutes * 60).wall == wall
    }
}
