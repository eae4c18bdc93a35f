import Testing

@testable import PartnerBooking

/// A person gives up bookings in doubt.
@Suite struct LedgerGiveUpTests {
    private typealias Fixture = LedgerFixture

    private static let settled: [(BookingLedger.Ending, PendingBooking.State)] = [
        (.made, .booked), (.notBooked(.rejected), .refused),
    ]

    // MARK: By key

    @Test func aBookingInDoubtIsForgotten() throws {
        var bookings = Fixture()
        bookings.end("k", .unknown, Fixture.wish(conversation: "call-7"))
        bookings.end("other", .unknown)
        let listed = bookings.pending
        let answer = bookings.giveUp()
        let result = try #require(answer)
        #expect(result.givenUp == listed.filter { $0.key == "k" }, "as it was listed")
        #expect(result.givenUp.map(\.state) == [.inDoubt] && result.givenUp.map(\.conversation) == ["call-7"])
        #expect(result.kept.isEmpty)
        #expect(bookings.keys == ["other"] && bookings.ledger.count == 1)
    }

    @Test(arguments: [1, 2] as [UInt8])
    func aGivenUpKeyIsFree(_ number: UInt8) {
        var bookings = Fixture()
        bookings.end(.inDoubt(Fixture.doubt, BookingLedger.OwedReport(tag: "call-7")))
        bookings.record()
        #expect(bookings.giveUp() != nil)
        #expect(bookings.resume() == .absent)
        #expect(!bookings.ledger.mayBeMade("k", now: bookings.now))
        #expect(bookings.begin("k", Fixture.wish(number), id: 2) == Fixture.fresh, "nothing of it is left")
    }

    @Test func aBookingInFlightIsKept() throws {
        var bookings = Fixture()
        bookings.begin(id: 7)
        #expect(bookings.ledger.inFlight(.booking(key: "k")) == [7])
        let answer = bookings.giveUp()
        let result = try #require(answer)
        #expect(result.givenUp.isEmpty && result.kept == bookings.pending)
        #expect(result.kept.map(\.state) == [.inFlight])
        #expect(bookings.resume() == .join(7))
    }

    @Test(arguments: settled, [false, true])
    func aSettledBookingIsKept(_ settled: (BookingLedger.Ending, PendingBooking.State), isHeard: Bool) throws {
        let (ending, state) = settled
        var bookings = Fixture()
        bookings.end(ending)
        if isHeard { bookings.heard() }
        let result = bookings.giveUp()
        if state == .refused, isHeard {
            #expect(result == nil, "it is forgotten")
        } else {
            #expect(result?.givenUp == [] && result?.kept.map(\.state) == [state])
            #expect(bookings.resume() != .absent)
        }
        #expect(bookings.ledger.inFlight(.booking(key: "k")).isEmpty)
    }

    @Test func anUnknownKeyHasNothingToGiveUp() {
        var bookings = Fixture()
        bookings.end("other", .unknown)
        bookings.end("expired", .made)
        bookings.wait(milliseconds: Fixture.retention)
        for key in ["k", "expired", ""] {
            #expect(bookings.giveUp(key) == nil)
            #expect(bookings.ledger.inFlight(.booking(key: key)).isEmpty)
        }
        #expect(bookings.keys == ["other"])
    }

    @Test func aBookingIsGivenUpOnce() {
        var bookings = Fixture()
        bookings.end(.unknown)
        let results = (0..<2).map { _ in bookings.giveUp() }
        #expect(results.map { $0?.givenUp.count } == [1, nil])
    }

    /// The exchange of a booking that was given up ends late. It does not come back.
    @Test(arguments: [BookingLedger.Ending.made, .unknown, .notBooked(.rejected)])
    func aLateEndDoesNotBringItBack(_ ending: BookingLedger.Ending) {
        var bookings = Fixture()
        bookings.end(.unknown)
        #expect(bookings.giveUp() != nil)
        bookings.ended(ending)
        bookings.record()
        bookings.ledger.recording("k", clock: 7, isEnd: true)
        let (withdrawn, renewed) = (bookings.withdraw(), bookings.renew())
        #expect(!withdrawn && renewed == nil)
        #expect(bookings.heard() == nil)
        #expect(bookings.ledger.count == 0 && bookings.pending.isEmpty)
    }

    // MARK: By bot and start

    /// Bots `a` and `b`, with a booking in doubt in every hour from 09:00 to 12:00 UTC.
    private static func day() -> LedgerFixture {
        var bookings = Fixture()
        for bot in ["a", "b"] {
            for hour in ["09", "10", "11", "12"] {
                let wish = Fixture.wish(1, "2030-01-14T\(hour):00:00Z", bot: bot)
                bookings.end("\(bot)-\(hour)", .unknown, wish)
            }
        }
        return bookings
    }

    @Test(arguments: [
        ("2030-01-14T09:00:00Z", []), ("2030-01-14T09:00:01Z", ["09"]), ("2030-01-14T11:00:00Z", ["09", "10"]),
        ("2030-01-14T05:00:00-06:00", ["09", "10"]), ("2030-01-14T10:00:00.001Z", ["09", "10"]),
        ("2031-01-01T00:00:00Z", ["09", "10", "11", "12"]),
        ("2000-01-01T00:00:00Z", []),
    ])
    func theBookingsOfABotBeforeAMomentAreForgotten(_ start: String, _ hours: [String]) throws {
        var bookings = Self.day()
        let selection = GiveUp.bookings(botID: "a", startBefore: Fixture.instant(start))
        let answer = bookings.giveUp(selection)
        let result = try #require(answer)
        #expect(result.givenUp.map(\.key) == hours.map { "a-\($0)" }, "oldest first")
        #expect(result.kept.isEmpty)
        let left = ["09", "10", "11", "12"].filter { !hours.contains($0) }.map { "a-\($0)" }
        #expect(bookings.keys == left + ["b-09", "b-10", "b-11", "b-12"])
        #expect(bookings.giveUp(selection) == BookingLedger.GivenUp(), "an empty list, not an error")
    }

    /// Fractions of a second count.
    @Test func theMomentIsExact() {
        let selection = GiveUp.bookings(botID: "b", startBefore: Fixture.instant("2030-01-14T10:00:00.5Z"))
        for (start, isBefore) in [("10:00:00.49Z", true), ("10:00:00.500Z", false), ("10:00:00.500000001Z", false)] {
            var bookings = Fixture()
            bookings.end("k", .unknown, Fixture.wish(1, "2030-01-14T\(start)"))
            #expect(bookings.giveUp(selection)?.givenUp.count == (isBefore ? 1 : 0))
        }
    }

    @Test func anUnknownBotHasAnEmptyList() throws {
        var bookings = Self.day()
        for bot in ["c", "", "A", "a "] {
            let selection = GiveUp.bookings(botID: bot, startBefore: Fixture.later)
            #expect(bookings.giveUp(selection) == BookingLedger.GivenUp())
        }
        #expect(bookings.keys.count == 8)
    }

    /// Settled ones are not selected. Those in flight are, and are kept.
    @Test func onlyUnsettledBookingsAreSelected() throws {
        var bookings = Self.day()
        for (key, id) in [("a-09", 11), ("a-10", 12), ("a-11", 13), ("b-09", 14)] as [(String, TransferID)] {
            bookings.resume(key, id: id)
        }
        bookings.ended("a-09", .made, end: 11)
        bookings.ended("a-10", .notBooked(.rejected), end: 12)
        let selection = GiveUp.bookings(botID: "a", startBefore: Fixture.later)
        #expect(bookings.ledger.inFlight(selection) == [13])
        let answer = bookings.giveUp(selection)
        let result = try #require(answer)
        #expect(result.givenUp.map(\.key) == ["a-12"])
        #expect(result.kept.map(\.key) == ["a-11"] && result.kept.map(\.state) == [.inFlight])
        #expect(bookings.keys == ["a-09", "a-10", "a-11", "b-09", "b-10", "b-11", "b-12"])
        #expect(bookings.resume("a-11") == .join(13))
    }

    @Test func bookingsOfAnEarlierProcessAreSelected() throws {
        var bookings = Fixture()
        var entry = JournalEntry.earlier(.unsettled(body: Fixture.body()))
        entry.isWithdrawn = true
        bookings.ledger.restore(entry, service: nil, Fixture.doubt)
        let selection = GiveUp.bookings(botID: "b", startBefore: Fixture.instant("2030-01-14T10:00:01Z"))
        let answer = bookings.giveUp(selection)
        let result = try #require(answer)
        #expect(result.givenUp.map(\.key) == ["k"])
        #expect(bookings.ledger.count == 0)
    }
}
