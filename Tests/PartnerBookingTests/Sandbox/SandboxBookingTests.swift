import Testing

@testable import PartnerBooking

/// What the sandbox's clinic books, and what it does not. 14 January 2030 is a Monday.
@Suite struct SandboxBookingTests {
    @Test func aBookingIsConfirmedAsTheReferenceWritesIt() throws {
        var clinic = try SandboxFixture(["time_zone": #""-05:00""#], now: "2030-01-14T08:00:07Z")
        let text = SandboxFixture.bookingText("2030-01-14T14:30:00Z", 45).setting("booking.notes", #""a\n\"b\"""#)
            .setting("booking.customer.email", #""q@host.test""#)
        let reply = try clinic.answer(.createBooking, text)
        #expect(reply.status == 201)
        let id = try #require(try reply.booking("id"))
        let expected =
            #"{"booking":{"id":"\#(id)","status":"confirmed","start_at":"2030-01-14T09:30:00-05:00","#
            + #""end_at":"2030-01-14T10:15:00-05:00","customer":{"phone":"+4930987","name":"Q"},"#
            + #""location":{"name":"Sandbox Clinic","address":"1 Loopback Lane"},"notes":"a\n\"b\"","#
            + #""created_at":"2030-01-14T08:00:07Z"}}"#
        #expect(String(decoding: reply.body, as: UTF8.self) == expected)
        let plain = try clinic.book("2030-01-15T14:30:00Z", key: "other")
        #expect(!String(decoding: plain.body, as: UTF8.self).contains("notes"))
    }

    @Test(arguments: ["2030-01-14T10:00:00Z", "2030-01-14T05:00:00-05:00", "2030-01-14T15:30:00+05:30"])
    func aSlotThatIsOfferedCanBeBookedOnceHoweverItIsWritten(_ start: String) throws {
        var clinic = try SandboxFixture()
        try clinic.book(start, key: "first").expect(201)
        #expect(try clinic.slots("2030-01-14", "2030-01-14").contains("2030-01-14T10:00:00Z") == false)
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 15)
        try clinic.book("2030-01-14T10:00:00Z", key: "second").expect(409, "slot_unavailable")
    }

    @Test func everySlotThatIsOfferedCanBeBooked() throws {
        for offset in ["Z", "+05:30", "-12:00", "+14:00"] {
            let members = [
                "time_zone": "\"\(offset)\"", "slot_minutes": "20", "opening_hours": #"{"monday":["09:10-12:00"]}"#,
            ]
            var clinic = try SandboxFixture(members, now: "2030-01-12T00:00:00Z")
            let slots = try clinic.slots("2030-01-12", "2030-01-16")
            #expect(slots.count == 8)
            for slot in slots { try clinic.book(slot, 20, key: slot).expect(201) }
            #expect(try clinic.slots("2030-01-12", "2030-01-16") == [])
        }
    }

    // MARK: Where a booking may stand

    /// nil: it is booked.
    @Test(
        arguments: [
            ("09:00:00", 30, nil), ("09:00:00", 1, nil), ("09:00:00", 480, nil), ("16:30:00", 30, nil),
            ("09:00:00", 481, closed), ("16:30:00", 31, closed), ("17:00:00", 30, closed), ("08:30:00", 30, closed),
            ("08:59:00", 30, closed), ("08:00:01", 1, closed), ("23:59:00", 1, closed), ("09:00:00", 1_440, closed),
            ("09:15:00", 30, offGrid), ("09:00:01", 30, offGrid), ("09:30:59", 1, offGrid), ("09:01:00", 1, offGrid),
        ] as [(String, Int, String?)])
    func aBookingIsWithinOpeningHoursAndStartsWhereASlotStarts(_ time: String, _ minutes: Int, _ code: String?) throws {
        var clinic = try SandboxFixture()
        let reply = try clinic.book("2030-01-14T\(time)Z", minutes, key: "k")
        reply.expect([nil: 201, Self.closed: 422, Self.offGrid: 400][code] ?? 0, code)
    }

    private static let closed = "outside_opening_hours"
    private static let offGrid = "slot_not_on_grid"

    @Test func aBookingIsWithinOneStretchOfOpeningHours() throws {
        var clinic = try SandboxFixture(["opening_hours": #"{"monday":["09:00-12:00","12:10-17:00"]}"#])
        try clinic.book("2030-01-14T11:30:00Z", 60, key: "a").expect(422, Self.closed)
        try clinic.book("2030-01-14T12:00:00Z", 30, key: "b").expect(422, Self.closed)
        try clinic.book("2030-01-14T12:10:00Z", 30, key: "c").expect(201)
        try clinic.book("2030-01-14T12:30:00Z", 30, key: "d").expect(400, Self.offGrid)
        try clinic.book("2030-01-15T12:10:00Z", 30, key: "e").expect(422, Self.closed)
    }

    @Test(arguments: [("Z", "2030-01-14T23:30:00Z"), ("+05:30", "2030-01-14T18:00:00Z"), ("-03:30", "2030-01-15T03:00:00Z")])
    func aBookingMayEndAtMidnightButNotCrossIt(_ offset: String, _ start: String) throws {
        let hours = #"{"monday":["20:00-24:00"],"tuesday":["00:00-04:00"]}"#
        var clinic = try SandboxFixture(
            ["time_zone": "\"\(offset)\"", "opening_hours": hours], now: "2030-01-13T00:00:00Z")
        try clinic.book(start, 60, key: "crossing").expect(422, Self.closed)
        let reply = try clinic.book(start, 30, key: "to-midnight")
        reply.expect(201)
        #expect(try reply.booking("start_at") == "2030-01-14T23:30:00\(offset)")
        #expect(try reply.booking("end_at") == "2030-01-15T00:00:00\(offset)")
        // The next day starts with a free slot.
        try clinic.book("2030-01-15T00:00:00\(offset)", 30, key: "from-midnight").expect(201)
        #expect(try clinic.slots("2030-01-14", "2030-01-15").count == 8 + 8 - 2)
    }

    @Test(arguments: [("2030-01-14T10:00:00Z", 422), ("2030-01-14T10:00:01Z", 422), ("2030-01-14T09:59:59Z", 201)])
    func whatIsPastCannotBeBooked(_ now: String, _ status: Int) throws {
        var clinic = try SandboxFixture(now: now)
        try clinic.book("2030-01-14T10:00:00Z", key: "k").expect(status, status == 422 ? "slot_in_past" : nil)
    }

    @Test func whatIsTooFarAheadCannotBeBooked() throws {
        var clinic = try SandboxFixture(["days": "2"])
        try clinic.book("2030-01-15T16:30:00Z", key: "a").expect(201)
        try clinic.book("2030-01-16T09:00:00Z", key: "b").expect(422, "beyond_booking_horizon")
        var india = try SandboxFixture(["days": "2", "time_zone": #""+05:30""#], now: "2030-01-14T18:30:00Z")
        try india.book("2030-01-16T09:00:00+05:30", key: "a").expect(201)
        try india.book("2030-01-17T09:00:00+05:30", key: "b").expect(422, "beyond_booking_horizon")
    }

    /// Each code says one thing, and the pipeline reads each of them as a refusal of the booking.
    @Test(arguments: [
        ("2030-01-14T07:59:00Z", 422, "slot_in_past"), ("2031-01-14T10:00:00Z", 422, "beyond_booking_horizon"),
        ("2030-01-19T10:00:00Z", 422, "outside_opening_hours"), ("2030-01-14T10:10:00Z", 400, "slot_not_on_grid"),
        ("2030-01-14T11:00:00Z", 409, "slot_unavailable"),
    ])
    func eachReasonHasItsCode(_ start: String, _ status: Int, _ code: String) throws {
        for keys in BookingRules.Keys.allCases {
            var clinic = try SandboxFixture(["keys": "\"\(keys)\""])
            try clinic.book("2030-01-14T11:00:00Z", key: "first").expect(201)
            let reply = try clinic.book(start, key: "second")
            reply.expect(status, code)
            let result = AttemptResult(.reply(reply), to: .init(operation: .createBooking))
            #expect(result.answer == .bookingRefused)
            #expect(result.result.failure?.code.rawValue == code && !result.isRetryable)
        }
    }

    // MARK: Conflicts

    @Test(arguments: [
        ("10:00", 60, false), ("09:30", 30, true), ("09:30", 31, false), ("09:30", 180, false), ("10:30", 30, false),
        ("11:00", 30, true),
        ("10:00", 1, false), ("10:30", 90, false), ("09:00", 60, true), ("09:00", 90, false),
    ])
    func bookingsThatOverlapAreInConflict(_ start: String, _ minutes: Int, _ isFree: Bool) throws {
        var clinic = try SandboxFixture()
        try clinic.book("2030-01-14T10:00:00Z", 60, key: "first").expect(201)
        let reply = try clinic.book("2030-01-14T\(start):00Z", minutes, key: "second")
        reply.expect(isFree ? 201 : 409, isFree ? nil : "slot_unavailable")
    }

    @Test func aBookingTakesEverySlotThatItTouches() throws {
        var clinic = try SandboxFixture()
        try clinic.book("2030-01-14T10:00:00Z", 31, key: "k").expect(201)
        let slots = try clinic.slots("2030-01-14T09:30:00Z", "2030-01-14T11:30:00Z")
        #expect(slots == ["2030-01-14T09:30:00Z", "2030-01-14T11:00:00Z"])
    }

    @Test(arguments: [1, 2, 3])
    func soManyBookingsMayOverlap(_ capacity: Int) throws {
        var clinic = try SandboxFixture(["capacity": "\(capacity)"])
        for number in 0..<capacity {
            #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 16)
            try clinic.book("2030-01-14T10:00:00Z", key: "\(number)").expect(201)
        }
        #expect(try clinic.slots("2030-01-14", "2030-01-14").count == 15)
        try clinic.book("2030-01-14T10:00:00Z", key: "one-more").expect(409, "slot_unavailable")
        try clinic.book("2030-01-14T09:30:00Z", 60, key: "a-longer-one").expect(409, "slot_unavailable")
        try clinic.book("2030-01-14T10:30:00Z", key: "the-next-slot").expect(201)
    }

    /// Two short bookings one after the other are never more than one at a time.
    @Test func bookingsCountOnlyWhereTheyOverlapEachOther() throws {
        var clinic = try SandboxFixture(["capacity": "2"])
        try clinic.book("2030-01-14T10:00:00Z", key: "a").expect(201)
        try clinic.book("2030-01-14T10:30:00Z", key: "b").expect(201)
        try clinic.book("2030-01-14T10:00:00Z", 60, key: "over-both").expect(201)
    }

    /// Random bookings against a count for each minute.
    @Test(arguments: 1...3, 0..<6 as Range<UInt64>)
    func noMinuteEverHoldsMoreThanTheCapacity(_ capacity: Int, _ seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var clinic = try SandboxFixture(["capacity": "\(capacity)", "slot_minutes": "10"])
        var load = [Int](repeating: 0, count: 480)
        var wrong: [String] = []
        for number in 0..<120 {
            let start = 10 * Int.random(in: 0..<48, using: &random)
            let end = start + Int.random(in: 1...90, using: &random)
            let (hour, minute) = (9 + start / 60, start % 60)
            let time = "2030-01-14T\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute):00Z"
            let isFree = end <= 480 && load[start..<end].allSatisfy { $0 < capacity }
            let status = try clinic.book(time, end - start, key: "\(number)").status
            let expected = isFree ? 201 : end > 480 ? 422 : 409
            if status != expected { wrong.append("\(time), \(end - start) minutes: \(status)") }
            if status == 201 { for minute in start..<min(end, 480) { load[minute] += 1 } }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(3))")
    }

    // MARK: The same key again

    @Test func theSameKeyGivesTheOriginalBooking() throws {
        var clinic = try SandboxFixture()
        let first = try clinic.book("2030-01-14T10:00:00Z", key: "k")
        clinic.now += 100
        let again = try clinic.book("2030-01-14T10:00:00Z", key: "k")
        #expect(first.status == 201 && again.status == 200)
        #expect(again.body == first.body)
        // Bodies are not compared.
        let other = try clinic.answer(
            .createBooking, SandboxFixture.bookingText("2030-01-15T11:00:00Z", 60, key: "k", name: "R"))
        #expect(other.status == 200)
        #expect(other.body == first.body)
        #expect(clinic.answer(path: "/v1/bookings", "no JSON").status == 200, "by hand, under the key k")
        // And nothing more was booked.
        #expect(try clinic.slots("2030-01-14", "2030-01-15").count == 31)
        #expect(try clinic.book("2030-01-14T10:00:00Z", key: "K").status == 409, "another key")
    }

    @Test func aRefusalIsNotRemembered() throws {
        var clinic = try SandboxFixture()
        try clinic.book("2030-01-14T10:07:00Z", key: "k").expect(400, Self.offGrid)
        try clinic.book("2030-01-14T10:00:00Z", key: "k").expect(201)
    }
}
