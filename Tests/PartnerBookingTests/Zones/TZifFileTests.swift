import Testing

@testable import PartnerBooking

@Suite struct TZifFileTests {
    private static let berlin = TZifSample(
        offsets: [3_208, 3_600, 7_200], changes: [(-2_422_054_408, 1), (828_234_000, 2), (846_378_000, 1)],
        footer: "CET-1CEST,M3.5.0,M10.5.0/3")

    @Test(arguments: [true, false], ["2", "3", "4"])
    func eachVersionIsRead(_ isFat: Bool, _ version: Unicode.Scalar) throws {
        var sample = Self.berlin
        sample.version = UInt8(ascii: version)
        sample.isFat = isFat
        let file = try TZifFile(sample.bytes)
        #expect(file.firstOffset == 3_208)
        #expect(
            file.changes == [
                ZoneChange(instant: -2_422_054_408, offset: 3_600), ZoneChange(instant: 828_234_000, offset: 7_200),
                ZoneChange(instant: 846_378_000, offset: 3_600),
            ])
        guard case .daylight(let rule)? = file.footer else { throw ZoneError("the footer is not there") }
        #expect(rule.standard == 3_600 && rule.daylight == 7_200)
    }

    /// Of the old version there is one block, with four bytes for a time, and no footer.
    @Test func version1IsRead() throws {
        let zone = try TZifSample(
            version: 0, offsets: [-18_000, -14_400], changes: [(-1_000_000, 1), (1_000_000, 0)], footer: "unread"
        ).zone()
        #expect(zone.offset(at: -1_000_001) == -18_000)
        #expect(zone.offset(at: -1_000_000) == -14_400)
        #expect(zone.offset(at: 1_000_000) == -18_000)
        #expect(zone.period(at: 2_000_000_000) == ZonePeriod(start: 1_000_000, end: 1 << 60, offset: -18_000))
    }

    @Test func timeBeforeTheFirstChangeHasTheFirstType() throws {
        let zone = try Self.berlin.zone()
        #expect(zone.offset(at: -2_422_054_409) == 3_208)
        #expect(zone.offset(at: .min) == 3_208)
        #expect(zone.period(at: -3_000_000_000) == ZonePeriod(start: -(1 << 60), end: -2_422_054_408, offset: 3_208))
    }

    /// The period in which the list ends and the rule begins is one.
    @Test func theFooterGoesOnFromTheLastChange() throws {
        let zone = try Self.berlin.zone()
        let period = zone.period(at: 846_378_000)
        #expect(period.start == 846_378_000)
        #expect(period.offset == 3_600)
        #expect(zone.offset(at: period.end) == 7_200)
        #expect(zone.period(at: period.end - 1) == period)
        #expect(zone.offset(at: seconds("2030-07-01T00:00:00Z")) == 7_200)
    }

    /// They should agree, and where they do not the footer is right, as in zoneinfo.
    @Test func theFooterOverridesTheLastChange() throws {
        let start = seconds("2030-07-01T00:00:00Z")
        let zone = try TZifSample(offsets: [0, 3_600], changes: [(start, 1)], footer: "CET-1CEST,M3.5.0,M10.5.0/3").zone()
        #expect(zone.offset(at: start - 1) == 0)
        #expect(zone.period(at: start) == ZonePeriod(start: start, end: seconds("2030-10-27T01:00:00Z"), offset: 7_200))
        #expect(zone.instants(atWall: start + 3_600) == .gap(start))
    }

    @Test func withoutAFooterTheLastOffsetStays() throws {
        var sample = Self.berlin
        sample.footer = ""
        let zone = try sample.zone()
        #expect(zone.offset(at: seconds("2030-07-01T00:00:00Z")) == 3_600)
        #expect(zone.period(at: .max) == ZonePeriod(start: 846_378_000, end: 1 << 60, offset: 3_600))
    }

    /// The footer is for all time when there is no change, whatever the first type says.
    @Test func aFooterAloneIsForAllTime() throws {
        let zone = try TZifSample(offsets: [7_777], footer: "EST5EDT,M3.2.0,M11.1.0").zone()
        #expect(zone.offset(at: seconds("1600-01-01T00:00:00Z")) == -18_000)
        #expect(zone.offset(at: seconds("1600-07-01T00:00:00Z")) == -14_400)
        let fixed = try TZifSample(offsets: [7_777], footer: "EST5").zone()
        #expect(fixed.offset(at: .min) == -18_000)
        #expect(try TZifSample(offsets: [7_777]).zone().offset(at: 0) == 7_777)
    }

    /// Names and flags change without the clock.
    @Test func aChangeToTheSameOffsetIsNoChange() throws {
        let zone = try TZifSample(offsets: [0, 3_600, 3_600], changes: [(100, 1), (200, 2), (300, 0)]).zone()
        #expect(zone.period(at: 250) == ZonePeriod(start: 100, end: 300, offset: 3_600))
    }

    /// Nuuk in 2023: the list ends with a change of the flag alone, where the rule has the end of a daylight saving time that
    /// was not. No hour is repeated.
    @Test func aRuleMayBeginWithoutAChange() throws {
        let start = seconds("2023-10-29T01:00:00Z")
        let zone = try TZifSample(
            offsets: [-10_800, -7_200, -7_200], changes: [(1_679_792_400, 1), (start, 2)],
            footer: "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"
        ).zone()
        #expect(zone.local(at: start + 60) == LocalTime(wall: start + 60 - 7_200, offset: -7_200, isRepeated: false))
        #expect(zone.instants(atWall: start - 7_200) == .one(start))
        #expect(zone.period(at: start).start == 1_679_792_400)
        #expect(zone.period(at: start).end == seconds("2024-03-31T01:00:00Z"))
        #expect(zone.local(at: seconds("2024-10-27T01:00:00Z")).isRepeated)
    }

    /// What follows the footer is not for us.
    @Test func theRestIsNotRead() throws {
        #expect(throws: Never.self) { try TZifFile(Self.berlin.bytes + [0, 1, 2]) }
    }

    @Test func leapSecondsAreRefused() {
        var sample = Self.berlin
        sample.leapSeconds = [(78_796_800, 1)]
        let error = #expect(throws: ZoneError.self) { try TZifFile(sample.bytes) }
        #expect(error?.message.contains("leap seconds") == true)
    }
}
