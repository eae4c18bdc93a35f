import Testing

@testable import PartnerBooking

/// A clinic whose clocks are changed. In New York they go forward on Sunday, 10 March 2030, and back on Sunday, 3 November.
@Suite struct SandboxZoneTests {
    private func clinic(_ zone: String, now: String, _ more: [String: String] = [:]) throws -> SandboxFixture {
        let members = ["time_zone": "\"\(zone)\"", "slot_minutes": "60"].merging(more) { $1 }
        return try SandboxFixture(members, now: now)
    }

    @Test(arguments: [("2030-03-08", "2030-03-11", "-05:00", "-04:00"), ("2030-11-01", "2030-11-04", "-04:00", "-05:00")])
    func openingHoursAreOnTheClocksOfTheClinic(_ friday: String, _ monday: String, _ old: String, _ new: String) throws {
        var clinic = try clinic("America/New_York", now: "\(friday)T00:00:00\(old)")
        let hours = ["09", "10", "11", "12", "13", "14", "15", "16"]
        let expected = [(friday, old), (monday, new)].flatMap { day in hours.map { "\(day.0)T\($0):00:00\(day.1)" } }
        #expect(try clinic.slots(friday, monday) == expected)
        for slot in expected { try clinic.book(slot, 60, key: slot).expect(201) }
        #expect(try clinic.slots(friday, monday) == [])
        let early = "\(monday)T08:00:00\(new)"
        try clinic.book(early, 60, key: "early").expect(422, "outside_opening_hours")
    }

    @Test func repliesAndBooksHaveTheOffsetOfTheirInstant() throws {
        var clinic = try clinic("America/New_York", now: "2030-03-08T00:00:00Z")
        let reply = try clinic.book("2030-03-11T13:00:00Z", 60, key: "k")
        #expect(try reply.booking("start_at") == "2030-03-11T09:00:00-04:00")
        #expect(try reply.booking("end_at") == "2030-03-11T10:00:00-04:00")
    }

    @Test(arguments: [("2030-03-10", 23), ("2030-03-11", 24), ("2030-11-03", 25)])
    func aDayHasItsHours(_ day: String, _ hours: Int) throws {
        let more = ["opening_hours": SandboxFixture.alwaysOpen, "days": "366"]
        var slots = try clinic("America/New_York", now: "2030-01-14T08:00:00Z", more)
        let listed = try slots.slots(day, day)
        #expect(listed.count == hours && Set(listed).count == hours)
        #expect(listed.first?.hasPrefix("\(day)T00:00:00") == true && listed.last?.hasPrefix("\(day)T23:00:00") == true)
        let listing = more.merging(["answer": #""windows""#]) { $1 }
        var windows = try clinic("America/New_York", now: "2030-01-14T08:00:00Z", listing)
        #expect(try windows.slotsWithLengths(day, day).map(\.minutes) == [hours * 60])
    }

    /// 02:00 to 03:00 is skipped, and 01:00 to 02:00 comes twice.
    @Test func hoursInAChange() throws {
        let more = ["days": "366", "opening_hours": #"{"sunday":["01:00-02:00","02:15-02:45","03:00-04:00"]}"#]
        var clinic = try clinic("America/New_York", now: "2030-01-14T08:00:00Z", more)
        #expect(
            try clinic.slots("2030-03-10", "2030-03-10") == ["2030-03-10T01:00:00-05:00", "2030-03-10T03:00:00-04:00"])
        #expect(
            try clinic.slots("2030-11-03", "2030-11-03")
                == ["2030-11-03T01:00:00-04:00", "2030-11-03T01:00:00-05:00", "2030-11-03T03:00:00-05:00"])
        try clinic.book("2030-03-10T02:15:00-05:00", 30, key: "skipped").expect(400, "slot_not_on_grid")
        try clinic.book("2030-11-03T02:15:00-05:00", 30, key: "there").expect(201)
    }

    @Test func theLastDayAndTheFirstAreThoseOfTheClinic() throws {
        var clinic = try clinic("Pacific/Auckland", now: "2030-01-14T12:00:00Z", ["days": "2"])
        #expect(Set(try clinic.slots("2030-01-01", "2030-02-01").map { $0.prefix(10) }) == ["2030-01-15", "2030-01-16"])
        try clinic.book("2030-01-17T09:00:00+13:00", 60, key: "k").expect(422, "beyond_booking_horizon")
    }

    /// In Beirut the clock is put back from midnight into the day before; in Lord Howe by half an hour.
    @Test(arguments: ["Asia/Beirut", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Pacific/Chatham"])
    func whatIsListedCanBeBookedAllYear(_ zone: String) throws {
        let more = ["days": "366", "opening_hours": SandboxFixture.alwaysOpen]
        var clinic = try clinic(zone, now: "2030-01-14T08:00:00Z", more)
        let slots = try clinic.slots("2030-01-14", "2031-01-14")
        let instants = try slots.map(SandboxFixture.seconds)
        #expect(instants == instants.sorted() && Set(instants).count == instants.count)
        #expect(slots.count >= 365 * 24)
        for (slot, next) in zip(slots, slots.dropFirst()) where slot.suffix(6) != next.suffix(6) {
            for start in [slot, next] { try clinic.book(start, 60, key: start).expect(201) }
        }
    }
}
