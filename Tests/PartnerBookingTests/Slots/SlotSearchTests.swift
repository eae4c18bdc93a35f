import Testing

@testable import PartnerBooking

/// From the items of a reply to slots.
@Suite struct SlotSearchTests {
    private let newYork = "America/New_York"

    @Test func cutsAWindowOnTheWallClock() throws {
        let day = try slots([("2030-01-15T14:00:00Z", 480)], newYork)
        #expect(day.slots.count == 16)
        #expect(day.starts.first == "2030-01-15T09:00:00-05:00")
        #expect(day.starts.last == "2030-01-15T16:30:00-05:00")
        #expect(day.tokens.first == "tue15-0900x")
        let odd = try slots([("2030-01-15T14:13:27Z", 107)], newYork)
        #expect(odd.starts == ["09:30", "10:00", "10:30"].map { "2030-01-15T\($0):00-05:00" })
    }

    @Test func anItemWithRoomAlwaysGivesASlot() throws {
        let window = try slots([("2030-01-15T14:10:00Z", 45)], newYork)
        #expect(window.starts == ["2030-01-15T09:10:00-05:00"])
        let exact = try slots([("2030-01-15T14:13:27Z", 30)], newYork)
        #expect(exact.starts == ["2030-01-15T09:13:27-05:00"])
    }

    @Test func newYorkPutsTheClockForward() throws {
        let night = try slots([("2030-03-10T05:30:00Z", 180)], newYork)
        #expect(
            night.slots.map(\.local) == ["00:30", "01:00", "01:30", "03:00", "03:30", "04:00"].map { "2030-03-10T\($0)" })
    }

    @Test func newYorkPutsTheClockBack() throws {
        let night = try slots([("2030-11-03T04:30:00Z", 210)], newYork, duration: 60)
        let one = night.slots.filter { $0.local == "2030-11-03T01:00" }
        #expect(one.map(\.utcOffset) == ["-04:00", "-05:00"])
        #expect(one.map(\.endAt) == ["2030-11-03T01:00:00-05:00", "2030-11-03T02:00:00-05:00"])
        #expect(Set(night.tokens).count == night.slots.count)
    }

    @Test func lordHoweMovesByHalfAnHour() throws {
        let night = try slots([("2030-04-06T14:00:00Z", 150)], "Australia/Lord_Howe")
        #expect(
            night.starts == [
                "2030-04-07T01:00:00+11:00", "2030-04-07T01:30:00+11:00", "2030-04-07T01:30:00+10:30",
                "2030-04-07T02:00:00+10:30", "2030-04-07T02:30:00+10:30",
            ])
    }

    @Test func beirutHasADayWithoutMidnight() throws {
        let night = try slots([("2030-03-30T20:00:00Z", 240)], "Asia/Beirut", duration: 60, step: 60) {
            ($0.from, $0.to) = ("2030-03-31", "2030-03-31")
        }
        #expect(night.starts.first == "2030-03-31T01:00:00+03:00")
        #expect(night.slots.count == 2)
    }

    @Test(arguments: [("2030-03-10", 23), ("2030-11-03", 25), ("2030-06-01", 24)])
    func aDayHasAllItsHours(_ day: String, _ hours: Int) throws {
        let list = try slots([("2030-01-01T00:00:00Z", 365 * 1_440)], newYork, duration: 60, step: 60) {
            ($0.from, $0.to) = (day, day)
        }
        #expect(list.slots.count == hours)
    }

    @Test func anOffsetOfAnotherDayMovesNoSlot() throws {
        // The public demo platform writes each item with the offset of the first.
        let list = try slots([("2030-03-09T10:00:00-05:00", 30), ("2030-03-11T09:00:00-05:00", 30)], newYork)
        #expect(list.starts == ["2030-03-09T10:00:00-05:00", "2030-03-11T10:00:00-04:00"])
    }

    @Test func readsEachSpelling() throws {
        let items = """
            [{"start_at":"2030-01-15T14:00:00Z","duration_minutes":"30"},{"start":"2030-01-15 10:00"},
            {"start_time":1894719600,"end_time":1894721400},{"startAt":"2030-01-15T11:30:00.5","endAt":"2030-01-15T12:00"},
            {"start_at":"2030-01-15T12:00:00-0500","duration_minutes":30.0},{"start_at":1894728600000}]
            """
        let list = try slots(of: items, newYork)
        #expect(
            list.slots.map { String($0.local.suffix(5)) } == ["09:00", "10:00", "10:00", "11:30", "12:00", "12:30"].unique)
        #expect(list.reasons == [])
    }

    @Test func oneOddItemHidesNoOther() throws {
        let items = """
            [7,{"duration_minutes":30},{"start_at":"soon"},{"start_at":"2030-03-10T02:30:00","duration_minutes":30},
            {"start_at":"2030-01-15T14:00:00Z","duration_minutes":"long"},{"start_at":"2030-01-15T14:00:00Z",
            "duration_minutes":20},{"start_at":"2030-01-15T15:00:00Z","duration_minutes":-5},
            {"start_at":"2030-01-15T16:00:00Z","end_at":"2030-01-15T15:00:00Z"},{"start_at":null},
            {"start_at":"2030-01-15T20:00:00Z","duration_minutes":30}]
            """
        let list = try slots(of: items, newYork)
        #expect(list.starts == ["2030-01-15T15:00:00-05:00"])
        #expect(
            list.reasons == [
                "0 not_an_object", "1 no_start", "2 unreadable_start", "3 nonexistent_time", "4 unreadable_length",
                "5 too_short",
                "6 unreadable_length", "7 unreadable_length", "8 no_start",
            ])
        #expect(list.itemCount == 10)
    }

    @Test func mergesShortItemsOfOneDoctorOnly() throws {
        func item(_ start: String, _ doctor: String) -> String {
            #"{"start_at":"2030-01-15T\#(start):00-05:00","duration_minutes":15,"doctor":"\#(doctor)"}"#
        }
        let one = try slots(of: "[\(item("09:15", "a")),\(item("09:00", "a")),\(item("09:30", "a"))]", newYork)
        #expect(one.starts == ["2030-01-15T09:00:00-05:00"])
        let two = try slots(of: "[\(item("09:00", "a")),\(item("09:15", "b"))]", newYork)
        #expect(two.starts == [])
        #expect(two.reasons == ["0 too_short", "1 too_short"])
        let both = "[\(item("09:00", "a")),\(item("09:00", "b")),\(item("09:15", "b")),\(item("09:15", "a"))]"
        #expect(try slots(of: both, newYork).starts == ["2030-01-15T09:00:00-05:00"])
    }

    @Test func doublesAreOne() throws {
        let list = try slots([("2030-01-15T14:00:00Z", 30), ("2030-01-15T09:00:00-05:00", 60)], newYork)
        #expect(list.starts == ["2030-01-15T09:00:00-05:00", "2030-01-15T09:30:00-05:00"])
        #expect(list.slots.map(\.item) == [0, 1])
    }

    @Test func itemsMayBeSlotsOrWindows() throws {
        let hour = [("2030-01-15T14:00:00Z", 60)]
        #expect(try slots(hour, newYork) { $0.items = .slots }.starts == ["2030-01-15T09:00:00-05:00"])
        let halves = [("2030-01-15T14:15:00Z", 30), ("2030-01-15T14:45:00Z", 30)]
        #expect(try slots(halves, newYork) { $0.items = .windows }.starts == ["2030-01-15T09:30:00-05:00"])
    }

    @Test func filtersByTheClinicsClock() throws {
        let week = [("2030-01-14T05:00:00Z", 7 * 1_440)]
        func count(_ change: (inout SlotOptions) -> Void) throws -> Int {
            try slots(week, newYork, now: "2030-01-14T15:00:00Z", change).slots.count
        }
        #expect(try count { _ in } == 7 * 48 - 20)
        #expect(try count { $0.minNoticeMinutes = 60 } == 7 * 48 - 22)
        #expect(try count { $0.maxDaysAhead = 0 } == 28)
        #expect(try count { $0.weekdays = [1, 6] } == 96)
        #expect(try count { ($0.notBefore, $0.before, $0.weekdays) = (9 * 60, 17 * 60, [1]) } == 16)
        #expect(try count { ($0.parts, $0.weekdays) = ([.morning, .evening], [2]) } == 24)
        #expect(try count { ($0.from, $0.to) = ("2030-01-16T10:00:00-05:00", "2030-01-16T11:00:00-05:00") } == 2)
    }

    @Test func saysThatThereAreMore() throws {
        let list = try slots([("2030-01-15T14:00:00Z", 480)], newYork) { $0.limit = 5 }
        #expect(list.slots.count == 5)
        #expect(list.hasMore)
        #expect(try !slots([("2030-01-15T14:00:00Z", 480)], newYork).hasMore)
    }

    @Test func yearsOfWindowsAreBounded() throws {
        let years = (0..<400).map { (start: "20\($0 % 50 + 30)-01-01T00:00:0\($0 % 7)Z", minutes: 527_040) }
        let list = try slots(years, newYork, duration: 5, step: 1)
        #expect(list.hasMore)
        #expect(list.slots.count == 500)
    }
}

extension [String] {
    /// Without neighbours that are equal.
    fileprivate var unique: [String] { reduce(into: []) { if $0.last != $1 { $0.append($1) } } }
}
