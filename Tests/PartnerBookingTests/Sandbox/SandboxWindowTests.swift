import Testing

@testable import PartnerBooking

/// A clinic that lists free windows, as many platforms do. 14 January 2030 is a Monday.
@Suite struct SandboxWindowTests {
    private static let noNotice = ["answer": #""windows""#, "min_notice_minutes": "0"]

    /// `START+MINUTES` for each item.
    private func windows(_ clinic: inout SandboxFixture, _ start: String, _ end: String) throws -> [String] {
        try clinic.slotsWithLengths(start, end).map { "\($0.start)+\($0.minutes)" }
    }

    private func today(_ clinic: inout SandboxFixture) throws -> [String] {
        try windows(&clinic, "2030-01-14", "2030-01-14").map { String($0.dropFirst(11)) }
    }

    @Test func aDayIsOneWindow() throws {
        var clinic = try SandboxFixture(["answer": #""windows""#])
        #expect(
            try windows(&clinic, "2030-01-14", "2030-01-16")
                == ["2030-01-14T09:00:00Z+480", "2030-01-15T09:00:00Z+480", "2030-01-16T09:00:00Z+480"])
        #expect(try windows(&clinic, "2030-01-19", "2030-01-20") == [])
    }

    /// Like the vendor's demo platform.
    @Test func theFirstWindowStartsAnHourFromNowToTheSecond() throws {
        var clinic = try SandboxFixture(["answer": #""windows""#], now: "2030-01-14T08:46:02Z")
        #expect(try today(&clinic) == ["09:46:02Z+433"])
        clinic.now += 3_600
        #expect(try today(&clinic) == ["10:46:02Z+373"])
        clinic.now = try SandboxFixture.seconds("2030-01-14T15:59:00Z")
        #expect(try today(&clinic) == ["16:59:00Z+1"])
        clinic.now += 1
        #expect(try today(&clinic) == [], "less than a minute is no window")
    }

    @Test func whatIsListedCanBeBooked() throws {
        for notice in ["0", "1", "60"] {
            let members = ["answer": #""windows""#, "min_notice_minutes": notice]
            var clinic = try SandboxFixture(members, now: "2030-01-14T11:22:33Z")
            let free = try clinic.slotsWithLengths("2030-01-14", "2030-01-14")
            #expect(free.count == 1)
            for window in free { try clinic.book(window.start, window.minutes, key: window.start).expect(201) }
        }
    }

    @Test func noticeIsForListsAlone() throws {
        var clinic = try SandboxFixture(["min_notice_minutes": "120"])
        #expect(try clinic.slots("2030-01-14", "2030-01-14").first == "2030-01-14T10:00:00Z")
        try clinic.book("2030-01-14T09:00:00Z", key: "k").expect(201)
        clinic.now += 1
        #expect(try clinic.slots("2030-01-14", "2030-01-14").first == "2030-01-14T10:30:00Z")
    }

    @Test func appointmentsAreCutOut() throws {
        var clinic = try SandboxFixture(Self.noNotice)
        try clinic.book("2030-01-14T10:00:00Z", 30, key: "a").expect(201)
        try clinic.book("2030-01-14T12:15:00Z", 45, key: "b").expect(201)
        #expect(try today(&clinic) == ["09:00:00Z+60", "10:30:00Z+105", "13:00:00Z+240"])
        try clinic.book("2030-01-14T09:00:00Z", 60, key: "c").expect(201)
        try clinic.book("2030-01-14T13:00:00Z", 240, key: "d").expect(201)
        #expect(try today(&clinic) == ["10:30:00Z+105"])
        try clinic.book("2030-01-14T10:30:00Z", 105, key: "e").expect(201)
        #expect(try today(&clinic) == [])
    }

    @Test func thereIsNoGrid() throws {
        var clinic = try SandboxFixture(Self.noNotice)
        try clinic.book("2030-01-14T09:46:02Z", 13, key: "a").expect(201)
        #expect(try today(&clinic) == ["09:00:00Z+46", "09:59:02Z+420"])
        try clinic.book("2030-01-14T09:59:01Z", 10, key: "b").expect(409, "slot_unavailable")
        try clinic.book("2030-01-14T16:59:59Z", 1, key: "c").expect(422, "outside_opening_hours")
        try clinic.book("2030-01-14T08:59:59Z", 1, key: "d").expect(422, "outside_opening_hours")
    }

    @Test func windowsEndWithTheRangeAndWithOpeningHours() throws {
        var clinic = try SandboxFixture(Self.noNotice)
        #expect(
            try windows(&clinic, "2030-01-14T10:07:30Z", "2030-01-14T11:00:00Z") == ["2030-01-14T10:07:30Z+52"])
        #expect(try windows(&clinic, "2030-01-14T17:00:00Z", "2030-01-15T08:59:00Z") == [])
        var split = try SandboxFixture(
            ["answer": #""windows""#, "opening_hours": #"{"monday":["09:00-12:00","13:00-17:30"]}"#])
        #expect(try today(&split) == ["09:00:00Z+180", "13:00:00Z+270"])
    }

    @Test func aWindowLastsWhileThereIsRoomForOneMore() throws {
        var clinic = try SandboxFixture(["answer": #""windows""#, "capacity": "2"])
        try clinic.book("2030-01-14T10:00:00Z", 60, key: "a").expect(201)
        #expect(try today(&clinic) == ["09:00:00Z+480"])
        try clinic.book("2030-01-14T10:30:00Z", 60, key: "b").expect(201)
        #expect(try today(&clinic) == ["09:00:00Z+90", "11:00:00Z+360"])
    }

    /// Random bookings against a count for each minute.
    @Test(arguments: 1...3, 0..<4 as Range<UInt64>)
    func exactlyTheFreeMinutesAreListed(_ capacity: Int, _ seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var clinic = try SandboxFixture(["answer": #""windows""#, "capacity": "\(capacity)"])
        var load = [Int](repeating: 0, count: 480)
        for number in 0..<60 {
            let start = Int.random(in: 0..<470, using: &random)
            let end = min(480, start + Int.random(in: 1...60, using: &random))
            let time = Timestamp.format(seconds: clinic.now + (60 + start) * 60, offsetMinutes: 0)
            let isFree = load[start..<end].allSatisfy { $0 < capacity }
            #expect(try clinic.book(time, end - start, key: "\(number)").status == (isFree ? 201 : 409))
            if isFree { for minute in start..<end { load[minute] += 1 } }
            var listed = [Bool](repeating: false, count: 480)
            for window in try clinic.slotsWithLengths("2030-01-14", "2030-01-14") {
                let first = (try SandboxFixture.seconds(window.start) - clinic.now) / 60 - 60
                #expect(first == 0 || !listed[first - 1], "two windows touch")
                for minute in first..<first + window.minutes { listed[minute] = true }
            }
            #expect(listed == load.map { $0 < capacity })
        }
    }

    // MARK: Dates

    /// As some platforms read them.
    @Test func aDateMayBeMidnightInUTC() throws {
        var clinic = try SandboxFixture(["dates": #""utc""#, "time_zone": #""-05:00""#])
        #expect(try clinic.slots("2030-01-14", "2030-01-14") == [])
        #expect(try clinic.slots("2030-01-14", "2030-01-15").count == 16, "the clinic's day ends before midnight in UTC")
        #expect(try clinic.slots("2030-01-14T00:00:00-05:00", "2030-01-14") == [])
        #expect(try clinic.slots("2030-01-14", "2030-01-14T10:00:00-05:00").count == 2)
        var early = try SandboxFixture(["dates": #""utc""#, "time_zone": #""+14:00""#], now: "2030-01-12T00:00:00Z")
        let slots = try early.slots("2030-01-14", "2030-01-15")
        #expect(slots.first == "2030-01-14T14:00:00+14:00" && slots.last == "2030-01-15T13:30:00+14:00")
    }
}
