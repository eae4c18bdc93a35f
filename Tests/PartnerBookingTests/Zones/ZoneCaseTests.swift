import Testing

@testable import PartnerBooking

/// The days on which booking goes wrong: by the system's zoneinfo, if there is one, and by the built-in table.
@Suite struct ZoneCaseTests {
    static let sources = [ZoneCache.shared, ZoneCache(directories: [])]
    private static let hour = 3_600

    private func dayLength(_ zone: Zone, _ date: String) -> Double {
        let day = seconds("\(date)T00:00:00Z") / 86_400
        return Double(zone.startOfDay(day + 1) - zone.startOfDay(day)) / 3_600
    }

    @Test(arguments: sources) func newYorkLosesAnHour(_ source: ZoneCache) throws {
        let zone = try source.zone("America/New_York")
        let change = seconds("2030-03-10T07:00:00Z")
        #expect(zone.offset(at: change - 1) == -5 * Self.hour)
        #expect(zone.offset(at: change) == -4 * Self.hour)
        for minute in 0..<60 {
            let wall = seconds("2030-03-10T02:00:00Z") + minute * 60
            #expect(zone.instants(atWall: wall) == .gap(change))
        }
        #expect(zone.instants(atWall: seconds("2030-03-10T01:59:59Z")) == .one(change - 1))
        #expect(zone.instants(atWall: seconds("2030-03-10T03:00:00Z")) == .one(change))
        #expect(dayLength(zone, "2030-03-10") == 23)
        // Three hours from 05:30Z on: no half-hour of them begins at 02:xx.
        let starts = (0..<6).map { zone.local(at: seconds("2030-03-10T05:30:00Z") + $0 * 1_800).minuteOfDay }
        #expect(starts == [30, 60, 90, 180, 210, 240])
    }

    @Test(arguments: sources) func newYorkHasOneHourTwice(_ source: ZoneCache) throws {
        let zone = try source.zone("America/New_York")
        let change = seconds("2030-11-03T06:00:00Z")
        for minute in 0..<60 {
            let wall = seconds("2030-11-03T01:00:00Z") + minute * 60
            let (first, second) = (change - Self.hour + minute * 60, change + minute * 60)
            #expect(zone.instants(atWall: wall) == .two(first, second))
            #expect(zone.local(at: first) == LocalTime(wall: wall, offset: -4 * Self.hour, isRepeated: false))
            #expect(zone.local(at: second) == LocalTime(wall: wall, offset: -5 * Self.hour, isRepeated: true))
        }
        #expect(zone.instants(atWall: seconds("2030-11-03T00:59:59Z")) == .one(change - Self.hour - 1))
        #expect(zone.instants(atWall: seconds("2030-11-03T02:00:00Z")) == .one(change + Self.hour))
        #expect(!zone.local(at: change + Self.hour).isRepeated)
        #expect(dayLength(zone, "2030-11-03") == 25)
    }

    @Test(arguments: sources) func lordHoweShiftsByHalfAnHour(_ source: ZoneCache) throws {
        let zone = try source.zone("Australia/Lord_Howe")
        let (autumn, spring) = (seconds("2030-04-06T15:00:00Z"), seconds("2030-10-05T15:30:00Z"))
        #expect(zone.local(at: autumn - 1).wall == seconds("2030-04-07T01:59:59Z"))
        #expect(zone.local(at: autumn) == LocalTime(wall: seconds("2030-04-07T01:30:00Z"), offset: 37_800, isRepeated: true))
        #expect(zone.instants(atWall: seconds("2030-04-07T01:45:00Z")) == .two(autumn - 900, autumn + 900))
        #expect(zone.instants(atWall: seconds("2030-10-06T02:15:00Z")) == .gap(spring))
        #expect(dayLength(zone, "2030-04-07") == 24.5)
        #expect(dayLength(zone, "2030-10-06") == 23.5)
    }

    @Test(arguments: sources) func beirutHasADayWithoutMidnight(_ source: ZoneCache) throws {
        let zone = try source.zone("Asia/Beirut")
        let day = seconds("2030-03-31T00:00:00Z") / 86_400
        let change = seconds("2030-03-30T22:00:00Z")
        #expect(zone.instants(atWall: day * 86_400) == .gap(change))
        #expect(zone.startOfDay(day) == change)
        let first = zone.local(at: change)
        #expect(first.day == day)
        #expect(first.minuteOfDay == 60)
        #expect(zone.local(at: change - 1).day == day - 1)
        #expect(dayLength(zone, "2030-03-31") == 23)
        #expect(dayLength(zone, "2030-03-30") == 24)
        // In autumn the day before gets the hour: midnight comes once, and 23:00 twice.
        #expect(dayLength(zone, "2030-10-26") == 25)
        #expect(dayLength(zone, "2030-10-27") == 24)
    }

    @Test func dublinsWinterIsTheExceptionOfTheRule() throws {
        let zone = try ZoneCache(directories: []).zone("Europe/Dublin")
        #expect(zone.offset(at: seconds("2030-01-15T12:00:00Z")) == 0)
        #expect(zone.offset(at: seconds("2030-07-15T12:00:00Z")) == Self.hour)
        #expect(zone.instants(atWall: seconds("2030-03-31T01:30:00Z")) == .gap(seconds("2030-03-31T01:00:00Z")))
    }

    /// Samoa went from one side of the date line to the other.
    @Test func aDayThatDoesNotExist() throws {
        let change = seconds("2011-12-30T10:00:00Z")
        let zone = try TZifSample(offsets: [-36_000, 50_400], changes: [(change, 1)]).zone()
        let lost = seconds("2011-12-30T00:00:00Z") / 86_400
        #expect(zone.local(at: change - 1).date == CalendarDate(year: 2011, month: 12, day: 29))
        #expect(zone.local(at: change).date == CalendarDate(year: 2011, month: 12, day: 31))
        #expect(zone.instants(atWall: lost * 86_400 + 43_200) == .gap(change))
        #expect(zone.startOfDay(lost) == change)
        #expect(zone.startOfDay(lost + 1) == change)
    }

    /// Where the clock goes back over midnight, the day starts when it is midnight for the first time.
    @Test func aMidnightThatComesTwice() throws {
        let change = seconds("2030-11-03T05:30:00Z")
        let zone = try TZifSample(offsets: [-18_000, -21_600], changes: [(change, 1)]).zone()
        #expect(zone.startOfDay(seconds("2030-11-03T00:00:00Z") / 86_400) == change - 1_800)
    }

    @Test func aMomentHasADateAWeekdayAndATime() throws {
        let zone = try ZoneCache(directories: []).zone("Asia/Kathmandu")
        let local = zone.local(at: seconds("2030-01-14T20:30:15Z"))
        #expect(local.date == CalendarDate(year: 2030, month: 1, day: 15))
        #expect(local.weekday == 1)
        #expect(local.secondOfDay == 2 * Self.hour + 15 * 60 + 15)
        #expect(local.minuteOfDay == 135)
        #expect(local.offset == 20_700)
        let monday = zone.local(at: seconds("1969-12-29T12:00:00Z"))
        #expect(monday.weekday == 0)
        #expect(zone.local(at: seconds("1969-12-28T12:00:00Z")).weekday == 6)
    }

    @Test func absurdInstantsAreNoTrap() throws {
        for name in ["America/New_York", "Africa/Casablanca", "UTC"] {
            let zone = try ZoneCache(directories: []).zone(name)
            for number in [Int.min, Int.min + 1, -(1 << 59), 1 << 59, 1 << 60, Int.max] {
                _ = zone.local(at: number)
                _ = zone.instants(atWall: number)
                _ = zone.startOfDay(number)
                let period = zone.period(at: number)
                #expect(period.start < period.end && zone.offset(at: number) == period.offset)
            }
        }
    }
}
