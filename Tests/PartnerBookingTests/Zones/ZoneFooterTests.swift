import Testing

@testable import PartnerBooking

/// The grammar of footers, and what they mean.
@Suite struct ZoneFooterTests {
    private static func footer(_ text: String) -> ZoneFooter? { try? ZoneFooter(ArraySlice(text.utf8)) }

    /// A zone that has this rule for all time.
    private static func zone(_ footer: String) throws -> Zone { try TZifSample(footer: footer).zone() }

    /// The changes of a year, as `MM-DDTHH:MM:SSZ offset, …`.
    private static func changes(_ footer: String, in year: Int) throws -> String {
        let zone = try zone(footer)
        let start = CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch * 86_400
        let end = CalendarDate(year: year + 1, month: 1, day: 1).daysSinceEpoch * 86_400
        var changes: [String] = []
        var instant = zone.period(at: start).start == start ? start : zone.period(at: start).end
        while instant < end {
            let period = zone.period(at: instant)
            if zone.offset(at: instant - 1) != period.offset {
                changes.append("\(Timestamp.format(seconds: instant, offsetMinutes: 0).dropFirst(5)) \(period.offset)")
            }
            instant = period.end
        }
        return changes.joined(separator: ", ")
    }

    @Test(arguments: [
        ("UTC0", 0), ("EST5", -18_000), ("<+03>-3", 10_800), ("<-03>3", -10_800), ("<+0530>-5:30", 19_800),
        ("<-00>0", 0), ("ABCDEFGH+24", -86_400), ("ABC-24", 86_400), ("ABC-00:00:01", 1), ("ABC1:02:03", -3_723),
        ("ABC005", -18_000), ("<A1b->-0", 0),
    ])
    func oneOffset(_ text: String, _ offset: Int) throws {
        guard case .fixed(offset)? = Self.footer(text) else { throw ZoneError("\(text) has not that one offset") }
        #expect(try Self.zone(text).offset(at: 1_900_000_000) == offset)
        #expect(try Self.zone(text).period(at: 0) == ZonePeriod(start: -(1 << 60), end: 1 << 60, offset: offset))
    }

    /// In 2028, a leap year, and in 2030.
    @Test(arguments: [
        (
            "EST5EDT,M3.2.0,M11.1.0",
            "03-12T07:00:00Z -14400, 11-05T06:00:00Z -18000", "03-10T07:00:00Z -14400, 11-03T06:00:00Z -18000"
        ),
        (
            "EST5EDT4,M3.2.0/2,M11.1.0/02:00:00",
            "03-12T07:00:00Z -14400, 11-05T06:00:00Z -18000", "03-10T07:00:00Z -14400, 11-03T06:00:00Z -18000"
        ),
        // The south: daylight saving time lasts over the turn of the year.
        (
            "AEST-10AEDT,M10.1.0,M4.1.0/3",
            "04-01T16:00:00Z 36000, 09-30T16:00:00Z 39600", "04-06T16:00:00Z 36000, 10-05T16:00:00Z 39600"
        ),
        (
            "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
            "04-01T15:00:00Z 37800, 09-30T15:30:00Z 39600", "04-06T15:00:00Z 37800, 10-05T15:30:00Z 39600"
        ),
        // The exception of the rule is the winter.
        (
            "IST-1GMT0,M10.5.0,M3.5.0/1",
            "03-26T01:00:00Z 3600, 10-29T01:00:00Z 0", "03-31T01:00:00Z 3600, 10-27T01:00:00Z 0"
        ),
        (
            "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
            "03-26T01:00:00Z 7200, 10-29T01:00:00Z 0", "03-31T01:00:00Z 7200, 10-27T01:00:00Z 0"
        ),
        // Hours of another day.
        (
            "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
            "03-26T01:00:00Z -3600, 10-29T01:00:00Z -7200", "03-31T01:00:00Z -3600, 10-27T01:00:00Z -7200"
        ),
        (
            "EET-2EEST,M3.4.4/50,M10.4.4/50",
            "03-25T00:00:00Z 10800, 10-27T23:00:00Z 7200", "03-30T00:00:00Z 10800, 10-25T23:00:00Z 7200"
        ),
        (
            "ABC0DEF,M6.1.0/-167,M9.1.0/167:59:59",
            "05-28T01:00:00Z 3600, 09-09T22:59:59Z 0", "05-26T01:00:00Z 3600, 09-07T22:59:59Z 0"
        ),
        // Days of the year: J60 is March 1 in each year, and 59 is February 29 in a leap year. Python 3.11 has the second
        // form a day too early; these are the days of POSIX and glibc.
        (
            "ABC0DEF,J60/0,J300/0",
            "03-01T00:00:00Z 3600, 10-26T23:00:00Z 0", "03-01T00:00:00Z 3600, 10-26T23:00:00Z 0"
        ),
        (
            "ABC0DEF,59/0,299/0",
            "02-29T00:00:00Z 3600, 10-25T23:00:00Z 0", "03-01T00:00:00Z 3600, 10-26T23:00:00Z 0"
        ),
        (
            "ABC0DEF,0/1,365/-1",
            "01-01T01:00:00Z 3600, 12-30T22:00:00Z 0", "01-01T01:00:00Z 3600, 12-31T22:00:00Z 0"
        ),
        // The fifth week is the last one, also where it is the fourth.
        (
            "ABC0DEF,M2.5.4/0,M12.5.2/-0:30",
            "02-24T00:00:00Z 3600, 12-25T22:30:00Z 0", "02-28T00:00:00Z 3600, 12-30T22:30:00Z 0"
        ),
    ])
    func changesComeInTime(_ text: String, _ in2028: String, _ in2030: String) throws {
        #expect(try Self.changes(text, in: 2028) == in2028)
        #expect(try Self.changes(text, in: 2030) == in2030)
    }

    /// RFC 9636: daylight saving time that starts on January 1 at 00:00 and ends on December 31 at 24:00, both in standard
    /// time, lasts all year.
    @Test(arguments: ["EST5EDT,0/0,J365/25", "XXX3EDT4,0/0,J365/23", "EST5EDT4,J1/0,J365/25"])
    func daylightSavingTimeLastsAllYear(_ text: String) throws {
        let zone = try Self.zone(text)
        for year in 1_900...2_100 {
            let start = CalendarDate(year: year, month: 1, day: 1).daysSinceEpoch * 86_400
            for instant in stride(from: start - 30 * 3_600, to: start + 30 * 3_600, by: 1_800) {
                #expect(zone.local(at: instant) == LocalTime(wall: instant - 14_400, offset: -14_400, isRepeated: false))
                #expect(zone.instants(atWall: instant) == .one(instant + 14_400))
            }
        }
        #expect(try Self.changes(text, in: 2_030) == "")
    }

    /// Changes that are not in the order of their dates, or at one moment, are odd, but have an end.
    @Test(arguments: [
        "ABC0DEF,J1/-167,J365/167", "ABC0DEF,J365/167,J1/-167", "ABC0DEF,J100,J100/3", "ABC0DEF,M3.1.0,J65",
        "ABC24DEF-24,0/-167,365/167", "ABC-24DEF24,365/167,0/-167", "ABC0DEF0,J1,J365",
    ])
    func oddRulesCoverAllTime(_ text: String) throws {
        let zone = try Self.zone(text)
        var instant = CalendarDate(year: 2_000, month: 1, day: 1).daysSinceEpoch * 86_400
        for _ in 0..<100 {
            let period = zone.period(at: instant)
            #expect(period.contains(instant) && period.end > instant)
            #expect(zone.period(at: period.end - 1) == period)
            #expect(zone.offset(at: instant) == period.offset)
            instant = period.end
        }
        #expect(CalendarDate(daysSinceEpoch: instant / 86_400).year >= 2_020)
    }

    @Test(arguments: [
        "EST", "ES5", "5", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,", "EST5EDT,M3.2.0,M11.1.0,", "EST5,M3.2.0,M11.1.0",
        "EST25", "EST-25", "EST5:60", "EST5:00:60", "EST5:0", "EST5:", "EST+-5", "EST0005", "<EST5", "<ES>5", "<E,T>5",
        "E1T5",
        "EST5EDT,M0.2.0,M11.1.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.0.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2,M11.1.0", "EST5EDT,J0,J365", "EST5EDT,J366,J365", "EST5EDT,366,0",
        "EST5EDT,J1/168,J365", "EST5EDT,J1/-168,J365", "EST5EDT,J1/,J365", "EST5EDT,j1,J365", "EST5EDT,M3.2.0/2 ,M11.1.0",
        " EST5", "EST5 ", "EST5EDT,M003.2.0,M11.1.0", ":America/New_York", "EST5EDT,M3.2.0,M11.1.0\u{0}", "<+03\u{FF}>-3",
        "-5",
    ])
    func otherTextIsNoFooter(_ text: String) {
        let error = #expect(throws: ZoneError.self) { try ZoneFooter(ArraySlice(text.utf8)) }
        #expect(error?.message.hasPrefix("its footer \"") == true)
        #expect(error?.message.utf8.allSatisfy { (0x20...0x7E).contains($0) } == true)
    }

    @Test func theErrorShowsTheCharacter() {
        let error = #expect(throws: ZoneError.self) { try ZoneFooter(ArraySlice("EST5EDT,M3.2.0,M13.1.0".utf8)) }
        #expect(error?.message == "its footer \"EST5EDT,M3.2.0,M13.1.0\" is wrong at character 17")
    }
}
