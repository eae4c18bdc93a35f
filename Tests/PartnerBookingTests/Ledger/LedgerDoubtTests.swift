import Testing

@testable import PartnerBooking

/// A booking in doubt: its evidence, its withdrawal, and the report that its host is owed.
@Suite struct LedgerDoubtTests {
    private typealias Fixture = LedgerFixture
    private static let owed = BookingLedger.OwedReport(tag: "call-7")

    /// One booking in flight, whose intent the journal holds.
    private static func inFlight() -> LedgerFixture {
        var bookings = Fixture()
        bookings.begin()
        bookings.record()
        return bookings
    }

    private static func inDoubt(_ owed: BookingLedger.OwedReport? = nil) -> LedgerFixture {
        var bookings = inFlight()
        bookings.ended(.inDoubt(Fixture.doubt, owed))
        return bookings
    }

    // MARK: Grants

    @Test func aNewKeyIsGrantedWithoutEvidence() throws {
        var bookings = Fixture()
        let grant = try #require(bookings.begin().grant)
        #expect(grant == BookingLedger.Grant(body: Fixture.body()))
        #expect(!grant.evidence.isInDoubt && grant.evidence.outcome == .notSent)
        #expect(!grant.isRecorded && grant.owedReport == nil)
    }

    /// Also when the host resumes it.
    @Test(arguments: [true, false])
    func aKeyInDoubtIsGrantedWithItsEvidence(isResumed: Bool) throws {
        var bookings = Self.inDoubt(Self.owed)
        let grant = try #require((isResumed ? bookings.resume() : bookings.begin(id: 2)).grant)
        let expected = BookingLedger.Grant(
            body: Fixture.body(), evidence: Fixture.doubt, isRecorded: true, owedReport: Self.owed)
        #expect(grant == expected)
        #expect(grant.evidence.outcome == .unknown)
        #expect(grant.evidence.inDoubtSince == MonotonicTime(nanoseconds: 1_000_000_000))
    }

    /// A report is owed once per doubt: the next end decides about it.
    @Test func anEndReplacesTheOwedReport() {
        var bookings = Self.inDoubt(Self.owed)
        bookings.begin(id: 2)
        bookings.ended(.unknown, end: 2)
        #expect(bookings.begin(id: 3).grant?.owedReport == nil)
    }

    @Test func theSendingsOfAnEarlierProcessAreDatedAtTheOpening() throws {
        let opening = MonotonicTime(nanoseconds: 7_000_000_000)
        let ledger = LedgerStore(
            Fixture().ledger, restoring: [.earlier(.unsettled(body: Fixture.body()))], openedAt: opening)
        let resume = try Request(.createBooking, json: Array(#"{"idempotency_key":"k","resume":true}"#.utf8))
        let grant = try #require(ledger.begin(resume, "k", service: 0, id: 1).grant)
        let expected = BookingLedger.Grant(
            body: Fixture.body(), evidence: Evidence(inheritedAt: opening), isRecorded: true,
            owedReport: BookingLedger.OwedReport(tag: nil))
        #expect(grant == expected, "its host is owed a report")
    }

    /// A void is on its way to the journal, so that a repeat that books again needs a new intent. That is so before the void
    /// is on the disk, and when the report of the first intent comes late.
    @Test func aVoidMakesTheNextIntentNecessary() {
        var bookings = Self.inFlight()
        bookings.ledger.recording("k", clock: 6, isEnd: false)
        bookings.ledger.recording("k", clock: 7, isEnd: true)
        bookings.ledger.recorded("k", clock: 6)
        bookings.ended(.unknown)
        #expect(bookings.begin(id: 2).grant?.isRecorded == false)
        bookings.ledger.recording("k", clock: 8, isEnd: false)
        bookings.ledger.recorded("k", clock: 6)
        bookings.ledger.recorded("k", clock: 8)
        bookings.ended(.unknown)
        #expect(bookings.begin(id: 3).grant?.isRecorded == true)
    }

    // MARK: Withdrawn

    /// Also when the intent is not in the journal yet: it may be on its way there.
    @Test func anUnsettledBookingIsWithdrawn() {
        var recorded = Self.inFlight()
        #expect(recorded.withdraw() == true)
        var unrecorded = Fixture()
        unrecorded.begin()
        let (own, other) = (unrecorded.withdraw(), unrecorded.withdraw("another"))
        #expect(own && !other)
        for ending in [BookingLedger.Ending.made, .notBooked(.rejected)] {
            var settled = Self.inFlight()
            settled.ended(ending)
            #expect(settled.withdraw() == false, "it is settled")
        }
    }

    @Test func aWithdrawalOutlivesItsCall() {
        var bookings = Self.inFlight()
        #expect(bookings.withdraw() == true)
        bookings.ended(.unknown)
        #expect(bookings.states == [.inDoubt])
        #expect(bookings.begin(id: 2).grant?.isRecorded == false, "the repeat needs a new intent")
    }

    /// A new intent cancels the withdrawal in the journal.
    @Test func aRepeatOfAWithdrawnBookingIsRecordedAgain() {
        var bookings = Self.inFlight()
        #expect(bookings.withdraw() == true)
        bookings.ended(.unknown)
        #expect(bookings.begin(id: 2).grant == BookingLedger.Grant(body: Fixture.body(), evidence: Fixture.doubt))
        bookings.record()
        bookings.ended(.unknown, end: 2)
        #expect(bookings.begin(id: 3).grant?.isRecorded == true)
    }

    @Test func theWithdrawalOfAnEarlierProcessEndsWithARepeat() {
        var bookings = Fixture()
        var entry = JournalEntry.earlier(.unsettled(body: Fixture.body()))
        entry.isWithdrawn = true
        bookings.ledger.restore(entry, service: 0, Fixture.doubt)
        let grant = bookings.begin().grant
        #expect(grant?.body == Fixture.body() && grant?.evidence == Fixture.doubt && grant?.isRecorded == false)
    }

    /// The host repeats a booking that was withdrawn and is still in flight.
    @Test func aWithdrawnBookingInFlightIsRenewedOnce() throws {
        var bookings = Self.inFlight()
        let early = bookings.renew()
        #expect(early == nil, "it was not withdrawn")
        #expect(bookings.withdraw() == true)
        let renewed = bookings.renew()
        let entry = try #require(renewed)
        #expect(entry.wish == Fixture.wish() && entry.body == Fixture.body())
        let again = bookings.renew()
        #expect(again == nil, "once")
        bookings.ended(.unknown)
        #expect(bookings.begin(id: 2).grant?.isRecorded == true)
    }

    @Test func onlyAnUnsettledBookingIsRenewed() {
        var bookings = Self.inFlight()
        #expect(bookings.withdraw() == true)
        let other = bookings.renew("another")
        #expect(other == nil)
        bookings.ended(.made)
        let settled = bookings.renew()
        #expect(settled == nil)
    }

    // MARK: Records

    /// Everything that a record of its end needs.
    @Test func theRecordOfABookingInFlightHasItsWish() throws {
        var bookings = Fixture()
        let wish = Fixture.wish(3, conversation: "call-7")
        bookings.begin("k", wish)
        let entry = try #require(bookings.ledger.wish(of: "k"))
        #expect(entry.wish == wish && entry.recordedAt == Fixture.wallClock + 5_000)
        #expect(bookings.ledger.wish(of: "another") == nil)
    }

    /// Its end is heard, or a person gives it up. Nothing else ends a doubt.
    @Test func aDoubtIsListedUntilItEnds() {
        var bookings = Self.inDoubt(Self.owed)
        bookings.heard()
        #expect(bookings.states == [.inDoubt], "the end is not known, so nobody has heard it")
        bookings.wait(milliseconds: 1_000 * Fixture.retention)
        #expect(bookings.states == [.inDoubt])
        bookings.begin(id: 2)
        #expect(bookings.states == [.inFlight])
        bookings.ended(.made, end: 2)
        #expect(bookings.states == [.booked])
        bookings.heard(end: 2)
        #expect(bookings.pending.isEmpty)
    }
}
