import Testing

@testable import PartnerBooking

/// When the sandbox's clinic is free. 14 January 2030 is a Monday.
@Suite struct SandboxSearchTests {
    /// `HH:MM` every so many minutes, as often as said.
    private func times(_ day: String, _ hour: Int, _ minute: Int = 0, every step: Int = 30, count: Int, _ zone: String = "Z")
        -> [String]
    {
        (0..<count).map { index in
            let total = hour * 60 + minute + index * step
            let (hours, minutes) = (total / 60, total % 60)
            return "\(day)T\(hours < 10 ? "0" : "")\(hours):\(minutes < 10 ? "0" : "")\(minutes):00\(zone)"
        }
    }

    @Test func theDefaultClinicIsOpenOnWeekdaysFromNineToFive() throws {
        var clinic = try SandboxFixture()
        for day in 14...18 {
            #expect(try clinic.slots("2030-01-\(day)", "2030-01-\(day)") == times("2030-01-\(day)", 9, count: 16))
        }
        #expect(try clinic.slots("2030-01-19", "2030-01-20") == [])
        #expect(try clinic.slotsWithLengths("2030-01-14", "2030-01-27").count == 160)
        #expect(try clinic.slotsWithLengths("2030-01-14", "2030-01-14").allSatisfy { $0.minutes == 30 })
    }

    @Test func theReplyIsWrittenAsTheReferenceWritesIt() throws {
        var clinic = try SandboxFixture()
        let text = SandboxFixture.searchText("2030-01-14T10:00:00Z", "2030-01-14T10:59:00Z")
        let reply = try clinic.answer(.searchAvailability, text)
        #expect(reply.status == 200)
        let expected = #"{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}"#
        #expect(String(decoding: reply.body, as: UTF8.self) == expected)
        #expect(reply.header("Content-Type") == nil)
        let none = try clinic.answer(.searchAvailability, SandboxFixture.searchText("2030-01-19", "2030-01-19"))
        #expect(String(decoding: none.body, as: UTF8.self) == #"{"availabilities":[]}"#)
    }

    // MARK: Ranges

    @Test(
        arguments: [
            // Whole slots only: they start at the start or later, and end at the end or earlier.
            ("2030-01-14T09:00:00Z", "2030-01-14T09:30:00Z", ["09:00"]),
            ("2030-01-14T09:00:00Z", "2030-01-14T09:29:59Z", []),
            ("2030-01-14T09:00:01Z", "2030-01-14T10:00:00Z", ["09:30"]),
            ("2030-01-14T08:59:00Z", "2030-01-14T09:31:00Z", ["09:00"]),
            ("2030-01-14T16:00:00Z", "2030-01-14T23:00:00Z", ["16:00", "16:30"]),
            ("2030-01-14T16:45:00Z", "2030-01-15T09:00:00Z", []),
            ("2030-01-14T10:00:00+01:00", "2030-01-14T05:00:00-05:00", ["09:00", "09:30"]),
            ("2030-01-14", "2030-01-14T10:00:00Z", ["09:00", "09:30"]),
            ("2030-01-14T16:00:00Z", "2030-01-14", ["16:00", "16:30"]),
            ("2001-01-01", "2030-01-14T09:30:00Z", ["09:00"]),
        ] as [(String, String, [String])])
    func onlyWholeSlotsWithinTheRangeAreOffered(_ start: String, _ end: String, _ times: [String]) throws {
        var clinic = try SandboxFixture()
        #expect(try clinic.slots(start, end) == times.map { "2030-01-14T\($0):00Z" })
    }

    @Test func anEndDateIncludesItsDayAndNoMore() throws {
        var clinic = try SandboxFixture()
        let twoDays = times("2030-01-14", 9, count: 16) + times("2030-01-15", 9, count: 16)
        #expect(try clinic.slots("2030-01-14", "2030-01-15") == twoDays)
    }

    /// Dates are the clinic's days, not those of UTC.
    @Test(arguments: ["+14:00", "-12:00", "+05:30", "-03:30", "+00:01", "-00:01", "+23:59", "-23:59"])
    func datesAreDaysOfTheClinic(_ offset: String) throws {
        let hours = #"{"monday":["00:00-24:00"],"tuesday":["00:00-24:00"]}"#
        var clinic = try SandboxFixture(
            ["time_zone": "\"\(offset)\"", "opening_hours": hours], now: "2030-01-12T00:00:00Z")
        #expect(try clinic.slots("2030-01-14", "2030-01-14") == times("2030-01-14", 0, count: 48, offset))
        #expect(try clinic.slots("2030-01-15", "2030-01-15") == times("2030-01-15", 0, count: 48, offset))
        #expect(try clinic.slots("2030-01-13", "2030-01-13") == [])
        // The same day, told as two moments.
        #expect(try clinic.slots("2030-01-14T00:00:00\(offset)", "2030-01-15T00:00:00\(offset)").count == 48)
    }

    // MARK: Opening hours

    @Test(arguments: [
        ("+05:30", "2030-01-14T03:30:00Z"), ("-05:00", "2030-01-14T14:00:00Z"), ("+13:45", "2030-01-13T19:15:00Z"),
        ("-09:30", "2030-01-14T18:30:00Z"),
    ])
    func openingHoursAreTheClinicsClock(_ offset: String, _ opening: String) throws {
        var clinic = try SandboxFixture(["time_zone": "\"\(offset)\""], now: "2030-01-11T08:00:00Z")
        let first = try #require(try clinic.slots("2030-01-12", "2030-01-15").first)
        #expect(first == "2030-01-14T09:00:00\(offset)")
        #expect(try SandboxFixture.seconds(first) == SandboxFixture.seconds(opening))
    }

    @Test func everyDayHasItsOwnHoursAndADayLeftOutIsClosed() throws {
        let hours = #"{"sunday":["10:00-11:00"],"wednesday":["13:00-14:00","08:00-09:00"],"friday":[]}"#
        var clinic = try SandboxFixture(["opening_hours": hours], now: "2030-01-13T00:00:00Z")
        #expect(
            try clinic.slots("2030-01-13", "2030-01-19")
                == times("2030-01-13", 10, count: 2) + times("2030-01-16", 8, count: 2) + times("2030-01-16", 13, count: 2))
    }

    @Test(arguments: [(20, 3), (25, 2), (60, 1), (61, 0), (1, 60), (7, 8)])
    func slotsStartAtOpeningAndEverySoManyMinutes(_ minutes: Int, _ count: Int) throws {
        var clinic = try SandboxFixture(["opening_hours": #"{"monday":["09:10-10:10"]}"#, "slot_minutes": "\(minutes)"])
        #expect(try clinic.slots("2030-01-14", "2030-01-14") == times("2030-01-14", 9, 10, every: minutes, count: count))
        #expect(try clinic.slotsWithLengths("2030-01-14", "2030-01-14").allSatisfy { $0.minutes == minutes })
    }

    @Test func aSlotMayLastAllDay() throws {
        var clinic = try SandboxFixture(["opening_hours": #"{"tuesday":["00:00-24:00"]}"#, "slot_minutes": "1440"])
        #expect(try clinic.slots("2030-01-14", "2030-01-16") == ["2030-01-15T00:00:00Z"])
    }

    // MARK: The clock

    @Test(arguments: [
        ("2030-01-14T08:59:59Z", "09:00"), ("2030-01-14T09:00:00Z", "09:30"), ("2030-01-14T09:00:01Z", "09:30"),
        ("2030-01-14T16:29:59Z", "16:30"),
    ])
    func onlySlotsToComeAreOffered(_ now: String, _ first: String) throws {
        var clinic = try SandboxFixture(now: now)
        #expect(try clinic.slots("2030-01-14", "2030-01-14").first == "2030-01-14T\(first):00Z")
        #expect(try clinic.slots("2029-12-01", "2030-01-14").first == "2030-01-14T\(first):00Z")
    }

    @Test func theDayIsOverAtItsLastSlot() throws {
        var clinic = try SandboxFixture(now: "2030-01-14T16:30:00Z")
        #expect(try clinic.slots("2030-01-14", "2030-01-14") == [])
        #expect(try clinic.slots("2030-01-01", "2030-01-13") == [])
    }

    @Test(arguments: [(1, []), (2, [15]), (5, [15, 16, 17, 18]), (8, [15, 16, 17, 18, 21])] as [(Int, [Int])])
    func soManyDaysFromTodayCanBeBooked(_ days: Int, _ open: [Int]) throws {
        let members = ["days": "\(days)", "opening_hours": Self.anHourEachWeekday]
        var clinic = try SandboxFixture(members, now: "2030-01-14T10:00:00Z")
        #expect(try clinic.slots("2030-01-01", "2030-12-31") == open.map { "2030-01-\($0)T09:00:00Z" })
    }

    private static let anHourEachWeekday =
        "{"
        + ["monday", "tuesday", "wednesday", "thursday", "friday"].map { "\"\($0)\":[\"09:00-09:30\"]" }.joined(
            separator: ",") + "}"

    /// Today is the clinic's day: at 23:30 UTC it is tomorrow already in India.
    @Test func todayIsTheClinicsDay() throws {
        var india = try SandboxFixture(["days": "1", "time_zone": #""+05:30""#], now: "2030-01-14T23:30:00Z")
        #expect(try india.slots("2030-01-01", "2030-02-01") == times("2030-01-15", 9, count: 16, "+05:30"))
        var utc = try SandboxFixture(["days": "1"], now: "2030-01-14T23:30:00Z")
        #expect(try utc.slots("2030-01-01", "2030-02-01") == [])
        var hawaii = try SandboxFixture(["days": "1", "time_zone": #""-10:00""#], now: "2030-01-15T05:00:00Z")
        #expect(try hawaii.slots("2030-01-01", "2030-02-01") == [], "it is 19:00 on the 14th")
    }

    @Test func theClockMayStandBefore1970() throws {
        var clinic = try SandboxFixture(now: "1960-02-29T00:00:00Z")
        #expect(try clinic.slots("1960-02-29", "1960-02-29") == times("1960-02-29", 9, count: 16), "a Monday")
        #expect(try clinic.slots("1960-03-05", "1960-03-06") == [], "a weekend")
    }

    // MARK: Limits

    @Test func moreThanTenThousandSlotsAreTooMany() throws {
        let members = ["opening_hours": SandboxFixture.alwaysOpen, "slot_minutes": "1"]
        var clinic = try SandboxFixture(members, now: "2030-01-13T00:00:00Z")
        #expect(try clinic.slots("2030-01-14", "2030-01-19").count == 8_640)
        let reply = try clinic.answer(.searchAvailability, SandboxFixture.searchText("2030-01-14", "2030-01-20"))
        reply.expect(400, "range_too_long")
        let whole = try clinic.answer(.searchAvailability, SandboxFixture.searchText("0001-01-01", "9999-12-31"))
        whole.expect(400, "range_too_long")
    }
}
