/// The time of an appointment in a caller's words, as ranges of days and times.
///
///     let wish = try TimeWish(when: "tomorrow", time: "after three", timeZone: "America/New_York")
///     wish.readings[0].from       // 2030-01-15
///     wish.readings[0].notBefore  // 15:00
///     wish.assumed                // [.afternoon]
///
/// A closed grammar reads the words, with one table of words for each locale. Nothing is searched for that was not understood:
/// an unknown word, or a "not", throws `time_unclear`.
///
/// - `from` and `to` are local days, both included. `startAt` is the first instant of `from`, and `endAt` the first one
///   behind `to`: whole days, because platforms answer free windows that begin before the time that is wanted.
/// - `notBefore`, `before`, `weekdays` and `parts` filter the slots in these days. A slot fits that begins at
///   `notBefore` or later, and before `before`.
/// - `around` is a time to look next to. It filters nothing, so that neighbours can be offered.
/// - More than one reading means that the caller has to be asked: "next Tuesday" while a Tuesday is still ahead in this week,
///   "Tuesday" on a Tuesday, "at eight" where both are open.
public struct TimeWish: Sendable, Equatable {
    /// Said otherwise, and changed.
    public enum Correction: String, Sendable {
        /// Date and weekday disagreed. The weekday counts, on the nearest such day.
        case weekday
        /// The date was past. It is the same day within twelve months.
        case year
    }

    /// Not said, and taken for likely.
    public enum Assumption: String, Sendable {
        /// Hours from seven to eleven.
        case morning
        /// Twelve o'clock.
        case noon
        /// Hours from one to six, and later ones when the morning is past.
        case afternoon
        /// A time was written with an offset that the zone does not have then. Its digits count.
        case localTime = "local_time"
    }

    /// A part of the day, as slots have it.
    public enum Part: String, Sendable {
        /// The parts, by their names.
        case morning, lunchtime, afternoon, evening
    }

    /// One meaning of the words.
    public struct Reading: Sendable, Equatable {
        /// The first day, such as `2030-01-22`.
        public let from: String
        /// The last day, which is included.
        public let to: String
        /// The weekdays that count, from Monday, 0; nil: all of them.
        public let weekdays: [Int]?
        /// Minutes after midnight; nil: from its beginning.
        public let notBeforeMinute: Int?
        /// Minutes after midnight; nil: until its end.
        public let beforeMinute: Int?
        /// Parts of the day with a pause between them; nil: no such limit.
        public let parts: [Part]?
        /// Minutes after midnight: the time to look next to.
        public let aroundMinute: Int?
        /// The first slot is wanted, not a choice.
        public let isEarliest: Bool
        /// RFC 3339: the first instant of the first day.
        public let startAt: String
        /// RFC 3339: the first instant behind the last day.
        public let endAt: String
    }

    /// One, or two to four that the words do not decide between.
    public let readings: [Reading]
    /// Changes of what was said.
    public let corrected: [Correction]
    /// Additions to it.
    public let assumed: [Assumption]

    /// True: there is one reading.
    public var isClear: Bool { readings.count == 1 }

    /// Reads what a caller said.
    ///
    /// - Parameters:
    ///   - when: The caller's words about the day. Empty: any day. At most 512 bytes.
    ///   - time: The caller's words about the time of the day. Either text may hold both.
    ///   - timeZone: The IANA name of the clinic's zone, such as `America/New_York`.
    ///   - locale: The language of the words, and the order of `4/14`.
    ///   - now: Seconds since 1970. nil: the system's clock.
    ///   - opening: From Monday on, in minutes after midnight. Decides about hours without am and pm. nil: not known.
    ///   - maxDaysAhead: How far a wish without end reaches: `any day`, `Mondays`, `after the 14th`.
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
        // withUTF8 does not carry a typed error, so the result does.
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
    /// Seconds since 1970.
    let now: Int
    /// From Monday on, in minutes after midnight; nil when it is not known.
    var opening: [[Range<Int>]]?
    var maxDaysAhead = 60

    static let mostDaysAhead = 3_660

    /// Returns whether the zone has an offset at a local time.
    fileprivate func hasOffset(_ minutes: Int, _ day: Int, _ minute: Int) -> Bool {
        let wall = day * 86_400 + minute * 60
        return zone.local(at: wall - minutes * 60).wall == wall
    }
}
