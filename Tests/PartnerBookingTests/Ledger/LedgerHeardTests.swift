import Testing

@testable import PartnerBooking

/// Ends that were heard.
@Suite struct LedgerHeardTests {
    private typealias Fixture = LedgerFixture
    private static let ends: [(BookingLedger.Ending, PendingBooking.State)] = [
        (.made, .booked), (.notBooked(.rejected), .refused), (.notBooked(.notSent), .refused),
    ]

    @Test(arguments: ends)
    func anEndIsListedUntilItIsHeard(_ ending: BookingLedger.Ending, _ state: PendingBooking.State) {
        var bookings = Fixture()
        bookings.end(ending)
        #expect(bookings.states == [state])
        bookings.wait(milliseconds: Fixture.retention - 1)
        #expect(bookings.states == [state])
        bookings.heard()
        #expect(bookings.pending.isEmpty)
    }

    /// Twins share one end. Any one of their completions acknowledges it.
    @Test func oneOfSeveralCompletionsCounts() {
        var bookings = Fixture()
        bookings.begin(id: 7)
        #expect(bookings.begin(id: 8) == .join(7))
        bookings.ended(.made, end: 7)
        #expect(bookings.resume() == .replay(Fixture.reply, end: 7))
        bookings.heard(end: 7)
        #expect(bookings.pending.isEmpty)
        bookings.heard(end: 7)
        #expect(bookings.pending.isEmpty, "the others change nothing")
        #expect(bookings.resume() == .replay(Fixture.reply, end: 7))
    }

    @Test(arguments: ends)
    func theReceiptOfAnotherEndDoesNotCount(_ ending: BookingLedger.Ending, _ state: PendingBooking.State) {
        var bookings = Fixture()
        bookings.end(ending, id: 5)
        for end in [0, 4, 6] as [TransferID] { bookings.heard(end: end) }
        bookings.heard("another", end: 5)
        #expect(bookings.states == [state])
    }

    /// The first completion is freed late: after the key was refused, begun again, and booked.
    @Test func anOldReceiptDoesNotAcknowledgeANewerEnd() {
        var bookings = Fixture()
        bookings.end(.notBooked(.rejected), id: 1)
        bookings.begin(id: 2)
        bookings.heard(end: 1)
        #expect(bookings.states == [.inFlight])
        bookings.ended(.made, end: 2)
        bookings.heard(end: 1)
        #expect(bookings.states == [.booked])
        bookings.heard(end: 2)
        #expect(bookings.pending.isEmpty)
    }

    /// The same after a restart, where all ends have the same name.
    @Test func theReceiptOfAnEarlierProcessDoesNotAcknowledgeANewerEnd() {
        var bookings = Fixture()
        bookings.ledger.restore(.earlier(.refused(.rejected)), service: 0, Evidence())
        #expect(bookings.resume() == .notMade(.rejected, end: 0))
        bookings.begin(id: 2)
        bookings.heard(end: 0)
        #expect(bookings.states == [.inFlight])
        bookings.ended(.made, end: 2)
        bookings.heard(end: 0)
        #expect(bookings.states == [.booked])
    }

    /// The call in doubt ended before: its completion carries no end.
    @Test func theReceiptOfACallInDoubtDoesNotAcknowledgeItsEnd() {
        var bookings = Fixture()
        bookings.end(.unknown, id: 1)
        bookings.begin(id: 2)
        bookings.ended(.made, end: 2)
        bookings.heard(end: 1)
        #expect(bookings.states == [.booked])
    }

    @Test func aBookingThatHasNotEndedIsNotHeard() {
        var bookings = Fixture()
        bookings.begin()
        #expect(bookings.heard() == nil)
        bookings.ended(.unknown)
        #expect(bookings.heard() == nil)
        #expect(bookings.states == [.inDoubt])
        bookings.begin(id: 2)
        bookings.ended(.made, end: 1)
        #expect(bookings.states == [.booked], "an earlier receipt is not kept for a later end")
    }

    // MARK: Blocking calls: heard in the future

    @Test(arguments: ends)
    func aBlockingCallIsHeardLater(_ ending: BookingLedger.Ending, _ state: PendingBooking.State) {
        var bookings = Fixture()
        bookings.end(ending)
        bookings.heard(afterMilliseconds: 1_000)
        #expect(bookings.states == [state])
        bookings.now += 999_999
        #expect(bookings.states == [state])
        bookings.now += 1
        #expect(bookings.pending.isEmpty)
    }

    /// The earliest moment of several receipts counts.
    @Test(arguments: [(1_000, 0), (0, 1_000), (1_000, 400), (400, 1_000)])
    func theEarliestReceiptCounts(_ first: Int, _ second: Int) {
        var bookings = Fixture()
        bookings.end(.made)
        bookings.heard(afterMilliseconds: first)
        bookings.heard(afterMilliseconds: second)
        bookings.now += min(first, second) * 1_000 - 1
        #expect(bookings.states == [.booked])
        bookings.now += 1
        #expect(bookings.pending.isEmpty)
    }

    // MARK: Refused

    @Test func aRefusedBookingThatIsHeardIsForgotten() {
        var bookings = Fixture()
        bookings.end(.notBooked(.rejected))
        bookings.heard(afterMilliseconds: 1_000)
        #expect(bookings.resume() == .notMade(.rejected, end: 1))
        bookings.wait(milliseconds: 1_000)
        #expect(bookings.resume() == .absent)
        #expect(bookings.begin(id: 2) == Fixture.fresh)
    }

    /// A booked one goes on answering repeats.
    @Test func aBookingThatIsHeardIsStillReplayed() {
        var bookings = Fixture()
        bookings.end(.made)
        bookings.heard()
        #expect(bookings.begin(id: 2) == .replay(Fixture.reply, end: 1))
        #expect(bookings.begin("k", Fixture.wish(2), id: 3) == Fixture.existing(.booked, id: "bkg_1"))
        #expect(bookings.pending.isEmpty, "a replay is not listed again")
    }

    // MARK: The journal's record

    /// The first receipt of an end returns the record of that end. The journal learns it once.
    @Test(arguments: [0, 1_000])
    func theRecordOfTheEndIsReturnedOnce(_ delay: Int) {
        var bookings = Fixture()
        bookings.end(.made)
        bookings.ledger.recording("k", clock: 77, isEnd: true)
        #expect(bookings.heard(end: 2) == nil)
        #expect(bookings.heard(afterMilliseconds: delay) == 77)
        #expect(bookings.heard() == nil)
        #expect(bookings.resume() == .replay(Fixture.reply, end: 1))
        #expect(bookings.heard() == nil)
    }

    @Test func anEndThatIsNotInTheJournalHasNoRecord() {
        var bookings = Fixture()
        bookings.end(.notBooked(.notSent))
        #expect(bookings.heard() == nil)
    }

    /// A new booking under the key has another record. Until it is written, the record of the old end stands.
    @Test func aNewBookingHasARecordOfItsOwn() {
        var bookings = Fixture()
        bookings.end(.notBooked(.rejected))
        bookings.ledger.recording("k", clock: 77, isEnd: true)
        bookings.end(.made, id: 2)
        #expect(bookings.heard(end: 2) == 77)
        bookings.end("other", .notBooked(.rejected), id: 3)
        bookings.ledger.recording("other", clock: 78, isEnd: true)
        bookings.begin("other", id: 4)
        bookings.ledger.recording("other", clock: 79, isEnd: true)
        bookings.ended("other", .made, end: 4)
        #expect(bookings.heard("other", end: 4) == 79)
    }

    @Test(arguments: [true, false])
    func theEndOfAnEarlierProcessHasItsRecord(isHeard: Bool) {
        var bookings = Fixture()
        var entry = JournalEntry.earlier(.booked(reply: Fixture.reply), clock: 77)
        entry.isHeard = isHeard
        bookings.ledger.restore(entry, service: 0, Evidence())
        #expect(bookings.keys == (isHeard ? [] : ["k"]))
        #expect(bookings.resume() == .replay(Fixture.reply, end: 0))
        #expect(bookings.heard(end: 0) == (isHeard ? nil : 77))
        #expect(bookings.pending.isEmpty)
    }
}
