import Glibc
import Testing

@testable import PartnerBooking

/// Settled keys are forgotten in time, or for lack of room. Bookings in doubt are not.
@Suite struct LedgerForgettingTests {
    private typealias Fixture = LedgerFixture

    /// Returns whether the ledger still knows a booked key. A key that was begun anew is lost.
    private static func isKnown(_ key: String, _ bookings: LedgerFixture) -> Bool {
        bookings.ledger.mayBeMade(key, now: bookings.now)
    }

    // MARK: In time

    @Test func aBookedKeyIsKnownForTheRetentionTime() {
        var bookings = Fixture()
        bookings.end(.made)
        bookings.now += Fixture.retention * 1_000 - 1
        #expect(bookings.begin(id: 2) == .replay(Fixture.reply, end: 1))
        bookings.now += 1
        #expect(bookings.pending.isEmpty && !Self.isKnown("k", bookings))
        #expect(bookings.resume() == .absent)
        #expect(bookings.begin("k", Fixture.wish(2), id: 3) == Fixture.fresh)
    }

    /// A repeat or a receipt does not make it older or younger.
    @Test func theRetentionTimeBeginsWithTheEnd() {
        var bookings = Fixture()
        bookings.begin()
        bookings.wait(milliseconds: 10 * Fixture.retention)
        bookings.ended(.made)
        bookings.wait(milliseconds: Fixture.retention - 1)
        bookings.heard()
        #expect(bookings.begin(id: 2) == .replay(Fixture.reply, end: 1))
        bookings.wait(milliseconds: 1)
        #expect(bookings.begin(id: 3) == Fixture.fresh)
    }

    @Test(arguments: [BookingLedger.Ending.made, .notBooked(.rejected)])
    func anEndThatNobodyHearsIsForgottenInTime(_ ending: BookingLedger.Ending) {
        var bookings = Fixture()
        bookings.end(ending)
        bookings.wait(milliseconds: Fixture.retention)
        #expect(bookings.pending.isEmpty)
        #expect(bookings.resume() == .absent)
        #expect(bookings.ledger.count == 0)
    }

    @Test func anEarlierProcesssEntryIsAsOldAsItsRecord() {
        var bookings = Fixture()
        let clock = bookings.now - Fixture.retention * 1_000
        bookings.ledger.restore(.earlier("old", .booked(reply: []), clock: clock), service: 0, Evidence())
        bookings.ledger.restore(.earlier("k", .booked(reply: []), clock: clock + 1), service: 0, Evidence())
        #expect(bookings.keys == ["k"])
        #expect(bookings.resume("old") == .absent)
        #expect(bookings.resume() == .replay([], end: 0))
        bookings.now += 1
        #expect(bookings.resume() == .absent)
    }

    /// The appointment of the doubt is long over. Nobody knows whether it was booked.
    @Test func aDoubtIsNeverForgotten() {
        var bookings = Fixture(capacity: 10)
        bookings.end("doubt", .unknown)
        bookings.begin("flight", id: 2)
        bookings.ledger.restore(
            .earlier("earlier", .unsettled(body: Fixture.body()), clock: 0), service: 0, Fixture.doubt)
        bookings.wait(milliseconds: 1_000_000 * Fixture.retention)
        for number in 0..<100 {
            bookings.end("k\(number)", .made, id: 3)
            bookings.heard("k\(number)", end: 3)
        }
        #expect(bookings.keys.sorted() == ["doubt", "earlier", "flight"])
        #expect(bookings.begin("doubt", Fixture.wish(2)) == Fixture.existing(.inDoubt))
        #expect(bookings.resume("doubt").grant?.evidence == Fixture.doubt)
        #expect(bookings.resume("flight") == .join(2))
    }

    // MARK: For lack of room

    @Test func heardKeysGoFirstAndTheOldestOfThem() {
        var bookings = Fixture(capacity: 6)
        for number in 0..<6 { bookings.end("k\(number)", .made, id: TransferID(number)) }
        for number in [4, 1, 3] { bookings.heard("k\(number)", end: TransferID(number)) }
        var lost: [String] = []
        for round in 0..<6 {
            bookings.begin("new-\(round)", id: 10)
            for number in 0..<6 where !lost.contains("k\(number)") && !Self.isKnown("k\(number)", bookings) {
                lost.append("k\(number)")
            }
            bookings.ended("new-\(round)", .made, end: 10)
        }
        #expect(lost.prefix(3).sorted() == ["k1", "k3", "k4"], "the heard ones")
        #expect(lost.suffix(3) == ["k0", "k2", "k5"], "then the others, oldest first")
    }

    /// A blocking call has returned it, but the host may not have it yet.
    @Test func anEndThatWillBeHeardIsNotHeardYet() {
        var bookings = Fixture(capacity: 2)
        bookings.end("soon", .made, id: 1)
        bookings.end("now", .made, id: 2)
        bookings.heard("now", end: 2)
        bookings.heard("soon", end: 1, afterMilliseconds: 1_000)
        bookings.begin("new", id: 3)
        #expect(Self.isKnown("soon", bookings) && !Self.isKnown("now", bookings))
    }

    /// An unheard end stays where a heard one can go: also when it was heard after it was passed over once.
    @Test func anUnheardEndOutlivesOneThatWasHeardLate() {
        var bookings = Fixture(capacity: 3)
        for number in 0..<3 { bookings.end("k\(number)", .made, id: TransferID(number)) }
        bookings.end("k3", .made, id: 3)
        #expect(bookings.keys == ["k1", "k2", "k3"], "nobody has heard any of them: the oldest goes")
        bookings.heard("k2", end: 2)
        bookings.end("k4", .made, id: 4)
        #expect(bookings.keys == ["k1", "k3", "k4"], "k2 was heard")
    }

    /// Refused bookings that are heard are forgotten at once: they take no room from booked ones.
    @Test func heardRefusalsTakeNoRoom() {
        var bookings = Fixture(capacity: 10)
        for number in 0..<5 {
            bookings.end("booked-\(number)", .made, id: 1)
            bookings.heard("booked-\(number)", end: 1)
        }
        for number in 0..<20 {
            bookings.end("refused-\(number)", .notBooked(.rejected), id: 2)
            bookings.heard("refused-\(number)", end: 2)
        }
        #expect((0..<5).filter { Self.isKnown("booked-\($0)", bookings) } == [0, 1, 2, 3, 4])
    }

    /// There is room for all of them as long as nothing new comes.
    @Test func aRepeatNeverForgetsItsOwnKey() {
        var bookings = Fixture(capacity: 3)
        for number in 0..<3 {
            bookings.end("k\(number)", .made, id: TransferID(number))
            bookings.heard("k\(number)", end: TransferID(number))
        }
        for number in 0..<3 {
            #expect(bookings.begin("k\(number)", id: 7) == .replay(Fixture.reply, end: TransferID(number)))
        }
    }

    /// A completion may be freed at any time after its booking was forgotten, and within its last second.
    @Test(arguments: [(0, 0), (1, 0), (-1, 0), (-500, 1_000), (60_000, 0)])
    func aLateReceiptKeepsNothing(_ lateness: Int, _ delay: Int) {
        var bookings = Fixture()
        bookings.end(.notBooked(.rejected))
        bookings.wait(milliseconds: Fixture.retention + lateness)
        bookings.heard(afterMilliseconds: delay)
        bookings.wait(milliseconds: 10 * Fixture.retention)
        bookings.begin("another", id: 2)
        #expect(bookings.ledger.count == 1)
    }

    /// It was forgotten before. A blocking call that resumed it does not bring it back for another second.
    @Test func aLateReceiptDoesNotListTheEndAgain() {
        var bookings = Fixture()
        bookings.end(.notBooked(.rejected))
        bookings.wait(milliseconds: Fixture.retention)
        #expect(bookings.pending.isEmpty)
        bookings.heard(afterMilliseconds: 1_000)
        #expect(bookings.pending.isEmpty)
        #expect(bookings.resume() == .absent)
    }

    /// A key that was settled again is as old as its last end.
    @Test func aKeyThatWasSettledAgainIsYoung() {
        var bookings = Fixture(capacity: 3)
        bookings.end("again", .notBooked(.rejected), id: 1)
        bookings.wait(milliseconds: 10)
        bookings.end("old", .made, id: 2)
        bookings.wait(milliseconds: Fixture.retention / 2)
        bookings.end("again", .made, id: 3)
        bookings.end("third", .made, id: 4)
        bookings.begin("new", id: 5)
        #expect(!Self.isKnown("old", bookings), "the oldest")
        #expect(bookings.resume("again") == .replay(Fixture.reply, end: 3))
        bookings.wait(milliseconds: Fixture.retention / 2)
        #expect(bookings.resume("again") == .replay(Fixture.reply, end: 3))
        bookings.wait(milliseconds: Fixture.retention / 2)
        #expect(bookings.resume("again") == .absent)
    }

    // MARK: Amortised

    /// Of the bookings none, all, every other one, or each after the next 500 is heard. Returns the CPU time of this
    /// thread.
    private static func book(_ count: Int, capacity: Int, _ pattern: Int) -> Int {
        var bookings = Fixture(capacity: capacity)
        var largest = 0
        let start = cpuMicroseconds()
        for number in 0..<count {
            let (key, id) = ("k\(number)", TransferID(number))
            bookings.end(key, number.isMultiple(of: 5) ? .notBooked(.rejected) : .made, id: id)
            switch pattern {
            case 1: bookings.heard(key, end: id)
            case 2 where number.isMultiple(of: 2): bookings.heard(key, end: id)
            case 3 where number >= 500: bookings.heard("k\(number - 500)", end: TransferID(number - 500))
            default: break
            }
            bookings.now += 37
            largest = max(largest, bookings.ledger.count)
        }
        let elapsed = cpuMicroseconds() - start
        #expect(largest <= capacity && bookings.pending.count <= capacity)
        return elapsed
    }

    private static func cpuMicroseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    /// With twenty times the keys it would take twenty times as long if each booking looked at all of them.
    @Test(arguments: 0..<4)
    func forgettingTakesConstantTime(_ pattern: Int) {
        let count = isSanitized ? 4_000 : 40_000
        let few = Self.book(count, capacity: count / 80, pattern)
        let many = Self.book(count, capacity: count / 4, pattern)
        #expect(many < 4 * few, "\(many) and \(few) microseconds")
    }

    @Test func aHundredThousandBookingsNeedNoMoreThanTheirRoom() {
        _ = Self.book(isSanitized ? 10_000 : 100_000, capacity: 1_000, 2)
    }
}
