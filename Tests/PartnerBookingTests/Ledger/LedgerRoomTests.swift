import Testing

@testable import PartnerBooking

/// Each service may have half the capacity in doubt or in flight.
@Suite struct LedgerRoomTests {
    private typealias Fixture = LedgerFixture
    private static let full = BookingLedger.Decision.full(limit: 5)

    /// Service 0 has three bookings in doubt and two in flight.
    private static func filled() -> LedgerFixture {
        var bookings = Fixture(capacity: 10)
        for number in 0..<3 { bookings.end("doubt-\(number)", .unknown, id: TransferID(number)) }
        for number in 3..<5 { bookings.begin("flight-\(number)", id: TransferID(number)) }
        return bookings
    }

    @Test(arguments: [(1, 0), (2, 1), (10, 5), (11, 5), (10_000, 5_000)])
    func theLimitIsHalfTheCapacity(_ capacity: Int, _ limit: Int) {
        var bookings = Fixture(capacity: capacity)
        #expect(bookings.ledger.unsettledLimit == limit)
        for number in 0..<limit { #expect(bookings.begin("k\(number)") == Fixture.fresh) }
        #expect(bookings.begin("one more") == .full(limit: limit))
        #expect(bookings.ledger.count == limit)
    }

    @Test func doubtsAndFlightsCountTogether() {
        var bookings = Self.filled()
        #expect(bookings.begin("new") == Self.full)
        #expect(!bookings.keys.contains("new"))
        #expect(!bookings.ledger.mayBeMade("new", now: bookings.now))
    }

    @Test func otherServicesGoOn() {
        var bookings = Self.filled()
        #expect(bookings.begin("new", id: 6, service: 1) == Fixture.fresh)
        for number in 0..<4 { bookings.end("other-\(number)", .unknown, service: 1) }
        #expect(bookings.begin("one more", service: 1) == Self.full)
        #expect(bookings.begin("new", service: 2) == .join(6), "the key is known")
        #expect(bookings.begin("third", service: 2) == Fixture.fresh)
    }

    /// The library does not know the service of a bot: there is nothing to count.
    @Test func aBookingWithoutAServiceIsNotCounted() {
        var bookings = Self.filled()
        for number in 0..<20 { #expect(bookings.begin("none-\(number)", service: nil) == Fixture.fresh) }
        #expect(bookings.begin("new") == Self.full)
    }

    // MARK: Known keys

    @Test func aKnownKeyIsNeverRefused() {
        var bookings = Fixture(capacity: 10)
        bookings.end("booked", .made, id: 1)
        bookings.end("refused", .notBooked(.rejected), id: 2)
        for number in 0..<5 { bookings.end("doubt-\(number)", .unknown) }
        #expect(bookings.begin("booked") == .replay(Fixture.reply, end: 1))
        #expect(bookings.resume("booked") == .replay(Fixture.reply, end: 1))
        #expect(bookings.resume("refused") == .notMade(.rejected, end: 2))
        #expect(bookings.begin("doubt-0", Fixture.wish(2)) == Fixture.existing(.inDoubt))
        #expect(bookings.begin("doubt-0", id: 3).grant?.evidence == Fixture.doubt)
        #expect(bookings.begin("doubt-0", id: 4) == .join(3))
        #expect(bookings.resume("doubt-1", id: 5).grant?.evidence == Fixture.doubt)
        #expect(bookings.begin("new") == Self.full)
    }

    /// A new booking with a refused key is a new booking. When it is refused, the old end stays unheard.
    @Test func aRefusedKeyNeedsRoomToBook() {
        var bookings = Fixture(capacity: 10)
        bookings.end("refused", .notBooked(.rejected), id: 2)
        for number in 0..<5 { bookings.end("doubt-\(number)", .unknown) }
        #expect(bookings.begin("refused") == Self.full)
        #expect(bookings.resume("refused") == .notMade(.rejected, end: 2))
        #expect(bookings.keys.contains("refused"))
    }

    // MARK: Places become free

    @Test(arguments: [BookingLedger.Ending.made, .notBooked(.rejected), .notBooked(.notSent)])
    func anEndFreesExactlyOnePlace(_ ending: BookingLedger.Ending) {
        var bookings = Self.filled()
        bookings.ended("flight-3", ending, end: 3)
        #expect(bookings.begin("new", id: 6) == Fixture.fresh)
        #expect(bookings.begin("one more") == Self.full)
    }

    @Test func aDoubtThatIsSettledFreesExactlyOnePlace() {
        var bookings = Self.filled()
        bookings.begin("doubt-1", id: 7)
        #expect(bookings.begin("new") == Self.full, "it is in flight again")
        bookings.ended("doubt-1", .unknown, end: 7)
        #expect(bookings.begin("new") == Self.full, "and in doubt again")
        bookings.begin("doubt-1", id: 8)
        bookings.ended("doubt-1", .made, end: 8)
        #expect(bookings.begin("new") == Fixture.fresh)
        #expect(bookings.begin("one more") == Self.full)
    }

    @Test func aGiveUpFreesExactlyOnePlace() {
        var bookings = Self.filled()
        let result = bookings.giveUp("doubt-1")
        #expect(result?.givenUp.map(\.key) == ["doubt-1"])
        #expect(bookings.giveUp("doubt-1") == nil)
        #expect(bookings.giveUp("flight-3")?.givenUp == [])
        #expect(bookings.begin("new") == Fixture.fresh)
        #expect(bookings.begin("one more") == Self.full)
    }

    /// Neither time, nor a receipt, nor a withdrawal frees a place.
    @Test func nothingElseFreesAPlace() {
        var bookings = Self.filled()
        #expect(bookings.withdraw("doubt-0") == true)
        bookings.ledger.recording("doubt-1", clock: 7, isEnd: true)
        for number in 0..<5 { bookings.heard("doubt-\(number)", end: TransferID(number)) }
        bookings.wait(milliseconds: 1_000 * Fixture.retention)
        #expect(bookings.begin("new") == Self.full)
        bookings.ended("unknown", .made)
        #expect(bookings.begin("new") == Self.full)
    }

    /// Settled bookings leave a service all of its places, however many there are.
    @Test func settledBookingsTakeNoPlace() {
        var bookings = Fixture(capacity: 10)
        for number in 0..<100 { bookings.end("k\(number)", number.isMultiple(of: 2) ? .made : .notBooked(.rejected)) }
        for number in 0..<5 { #expect(bookings.begin("new-\(number)") == Fixture.fresh) }
        #expect(bookings.begin("one more") == Self.full)
    }

    // MARK: An earlier process

    @Test func entriesOfAnEarlierProcessCount() {
        var bookings = Fixture(capacity: 10)
        let unsettled = JournalEntry.State.unsettled(body: Fixture.body())
        for number in 0..<6 {
            bookings.ledger.restore(.earlier("doubt-\(number)", unsettled), service: 0, Fixture.doubt)
        }
        bookings.ledger.restore(.earlier("booked", .booked(reply: [])), service: 1, Evidence())
        bookings.ledger.restore(.earlier("refused", .refused(.rejected)), service: 1, Evidence())
        bookings.ledger.restore(.earlier("nobody's", unsettled), service: nil, Fixture.doubt)
        #expect(bookings.begin("new") == Self.full, "there may be more than the limit")
        for number in 0..<2 {
            bookings.begin("doubt-\(number)", id: 7)
            bookings.ended("doubt-\(number)", .made, end: 7)
        }
        #expect(bookings.begin("new") == Fixture.fresh)
        #expect(bookings.begin("one more") == Self.full)
        for number in 0..<5 { #expect(bookings.begin("other-\(number)", service: 1) == Fixture.fresh) }
        #expect(bookings.begin("one more", service: 1) == Self.full)
    }

    /// The service of an entry is that of its bot.
    @Test func anEntryCountsForTheServiceOfItsBot() throws {
        let entries = (0..<4).map { number in
            let bot = number < 3 ? "first" : "second"
            return JournalEntry.earlier(
                "k\(number)", .unsettled(body: Fixture.body(bot: bot)), wish: Fixture.wish(bot: bot))
        }
        let ledger = LedgerStore(Fixture(capacity: 6).ledger, restoring: entries) { $0 == "first" ? 0 : 1 }
        let request = try Request(.createBooking, json: Sample.booking())
        #expect(ledger.begin(request, "new", service: 0, id: 1) == .full(limit: 3))
        #expect(ledger.begin(request, "new", service: 1, id: 1).grant != nil)
    }

    // MARK: Earlier processes

    /// The first new booking would drop them all at once, on the transfer thread.
    @Test func noMoreHeardBookingsThanThereIsRoomForComeBack() {
        var bookings = Fixture(capacity: 10)
        let entries = (0..<100).map { number in
            var entry = JournalEntry.earlier("k\(number)", .booked(reply: Fixture.reply), clock: bookings.now + number)
            entry.isHeard = number != 3
            return entry
        }
        bookings.ledger.restore(entries, Evidence(), service: { _ in 0 })
        #expect(bookings.ledger.count == 10)
        #expect(bookings.keys == ["k3"], "nobody has heard that one")
        #expect(bookings.begin("k99") == .replay(Fixture.reply, end: .none))
    }
}
