import Testing

@testable import PartnerBooking

/// One key, one booking.
@Suite struct LedgerTests {
    private typealias Fixture = LedgerFixture

    @Test func newKeysAreSent() {
        var bookings = Fixture()
        #expect(bookings.begin() == Fixture.fresh)
        #expect(bookings.begin("other", id: 2) == Fixture.fresh)
        #expect(bookings.ledger.count == 2)
    }

    @Test func twinsJoin() {
        var bookings = Fixture()
        bookings.begin(id: 7)
        #expect(bookings.begin(id: 8) == .join(7))
        #expect(bookings.resume() == .join(7))
        #expect(bookings.begin("k", Fixture.wish(2), id: 9) == Fixture.existing(.inFlight))
    }

    @Test func aBookedKeyIsReplayed() {
        var bookings = Fixture()
        bookings.end(.made, id: 5)
        let replay = BookingLedger.Decision.replay(Fixture.reply, end: 5)
        #expect(bookings.begin(id: 6) == replay)
        #expect(bookings.resume() == replay)
        #expect(bookings.begin("k", Fixture.wish(2), id: 7) == Fixture.existing(.booked, id: "bkg_1"))
    }

    /// The key is free also when nobody has heard the end: the new booking drops it.
    @Test(arguments: [PartnerBookingError.Outcome.notSent, .rejected], [1, 2] as [UInt8])
    func aRefusedKeyIsFree(_ outcome: PartnerBookingError.Outcome, _ number: UInt8) {
        var bookings = Fixture()
        bookings.end(.notBooked(outcome))
        #expect(bookings.states == [.refused])
        #expect(bookings.begin("k", Fixture.wish(number), id: 2) == Fixture.fresh)
        #expect(bookings.states == [.inFlight] && bookings.ledger.count == 1)
    }

    @Test(arguments: [PartnerBookingError.Outcome.notSent, .rejected])
    func aRefusedBookingIsNotResumed(_ outcome: PartnerBookingError.Outcome) {
        var bookings = Fixture()
        bookings.end(.notBooked(outcome), id: 5)
        #expect(bookings.resume() == .notMade(outcome, end: 5))
        #expect(bookings.states == [.refused], "a question alone is no receipt")
        bookings.heard(end: 5)
        #expect(bookings.resume() == .absent)
    }

    @Test func aDoubtKeepsItsKeyAndItsBodyUntilItIsSettled() {
        var bookings = Fixture()
        bookings.begin()
        bookings.record()
        bookings.ended(.unknown)
        #expect(bookings.begin("k", Fixture.wish(2), id: 2) == Fixture.existing(.inDoubt))
        let again = BookingLedger.Decision.send(
            BookingLedger.Grant(body: Fixture.body(), evidence: Fixture.doubt, isRecorded: true))
        #expect(bookings.resume(id: 3) == again)
        #expect(bookings.begin(id: 4) == .join(3))
        bookings.ended(.unknown, end: 3)
        #expect(bookings.begin(id: 5) == again)
        bookings.ended(.made, end: 5)
        #expect(bookings.begin(id: 6) == .replay(Fixture.reply, end: 5))
    }

    @Test func nothingIsResumedUnderAnUnknownKey() {
        var bookings = Fixture()
        #expect(bookings.resume() == .absent)
        #expect(bookings.ledger.count == 0)
        #expect(bookings.begin() == Fixture.fresh)
    }

    @Test func pendingBookingsAreListedOldestFirst() {
        var bookings = Fixture()
        bookings.begin("b", Fixture.wish(conversation: "call-7"))
        bookings.begin("a", id: 2)
        bookings.wait(milliseconds: -5)
        bookings.begin("older", id: 3)
        bookings.wait(milliseconds: 7)
        bookings.ended("older", .unknown, end: 3)
        #expect(bookings.keys == ["older", "a", "b"], "at the same moment, by key")
        #expect(bookings.states == [.inDoubt, .inFlight, .inFlight])
        let begun = Fixture.wallClock + 5_000
        #expect(bookings.pending.map(\.recordedAt) == [begun - 5, begun, begun])
        #expect(bookings.pending.map(\.conversation) == [nil, nil, "call-7"])
        #expect(bookings.pending.allSatisfy { $0.summary == BookingSummary(body: Fixture.body()) })
    }

    @Test(arguments: [BookingLedger.Ending.made, .unknown, .notBooked(.rejected)])
    func theEndOfAnUnknownKeyHasNoEffect(_ ending: BookingLedger.Ending) {
        var bookings = Fixture()
        bookings.ended(ending)
        #expect(bookings.ledger.count == 0 && bookings.pending.isEmpty)
    }

    // MARK: Another booking under the key

    /// The error names the existing booking. The platform's ID comes from its reply, if there is one.
    @Test(
        arguments: [
            (#"{"booking":{"id":"bkg_1"}}"#, "bkg_1"), (#"{"booking":{"id":7}}"#, nil), (#"{"booking":{}}"#, nil),
            (#"{}"#, nil), ("", nil), ("[1]", nil),
        ] as [(String, String?)])
    func aReusedKeyNamesTheExistingBooking(_ reply: String, _ id: String?) {
        var bookings = Fixture()
        bookings.end(.booked(reply: Array(reply.utf8)))
        #expect(bookings.begin("k", Fixture.wish(2), id: 2) == Fixture.existing(.booked, id: id))
    }

    /// Version 1 of the journal wrote no start: the reply may name it.
    @Test func aReusedKeyOfVersion1NamesTheStartOfTheReply() {
        var bookings = Fixture()
        let wish = Wish(fingerprint: Fingerprint(digest: [1]), summary: nil)
        bookings.ledger.restore(.earlier(.booked(reply: Fixture.reply), wish: wish), service: 0, Evidence())
        #expect(
            bookings.begin("k", Fixture.wish(2))
                == Fixture.existing(.booked, id: "bkg_1", start: "2030-01-14T10:00:00Z"))
        bookings.ledger.restore(.earlier("j", .booked(reply: []), wish: wish), service: 0, Evidence())
        #expect(bookings.begin("j", Fixture.wish(2)) == Fixture.existing(.booked, start: nil))
    }

    /// Only a booking that was made or may have been made changes the outcome of an early error.
    @Test func theLedgerKnowsWhichBookingsMayBeMade() {
        var bookings = Fixture()
        bookings.begin("flight")
        bookings.end("doubt", .unknown)
        bookings.end("booked", .made)
        bookings.end("heard", .made)
        bookings.heard("heard")
        bookings.end("refused", .notBooked(.notSent))
        let mayBeMade = { (key: String) in bookings.ledger.mayBeMade(key, now: bookings.now) }
        #expect(["flight", "doubt", "booked", "heard"].allSatisfy(mayBeMade))
        #expect(!mayBeMade("refused") && !mayBeMade("unknown"))
        bookings.wait(milliseconds: Fixture.retention)
        #expect(["flight", "doubt", "booked", "heard", "refused"].filter(mayBeMade) == ["flight", "doubt"])
    }

    // MARK: An earlier process

    @Test func entriesOfAnEarlierProcessAreRestored() {
        var bookings = Fixture()
        bookings.ledger.restore(.earlier("a", .booked(reply: Fixture.reply)), service: 0, Evidence())
        bookings.ledger.restore(.earlier("b", .unsettled(body: Fixture.body())), service: 0, Fixture.doubt)
        bookings.ledger.restore(.earlier("c", .refused(.rejected)), service: 0, Evidence())
        var heard = JournalEntry.earlier("d", .booked(reply: Fixture.reply))
        heard.isHeard = true
        bookings.ledger.restore(heard, service: 0, Evidence())
        #expect(bookings.keys == ["a", "b", "c"] && bookings.states == [.booked, .inDoubt, .refused])
        #expect(bookings.begin("a") == .replay(Fixture.reply, end: 0))
        #expect(bookings.begin("d") == .replay(Fixture.reply, end: 0))
        #expect(bookings.begin("a", Fixture.wish(2)) == Fixture.existing(.booked, id: "bkg_1"))
        #expect(bookings.resume("c") == .notMade(.rejected, end: 0))
        let grant = BookingLedger.Grant(
            body: Fixture.body(), evidence: Fixture.doubt, isRecorded: true, owedReport: BookingLedger.OwedReport(tag: nil))
        #expect(bookings.begin("b") == .send(grant))
    }

    @Test func theAccountOfAnEarlierProcessIsKnown() {
        var bookings = Fixture()
        var entry = JournalEntry.earlier(.unsettled(body: Fixture.body()))
        entry.accountID = "acct_1"
        bookings.ledger.restore(entry, service: 0, Fixture.doubt)
        #expect(bookings.begin(id: 2).grant?.accountID == "acct_1")
        bookings.ended(.unknown, end: 2)
        #expect(bookings.resume(id: 3).grant?.accountID == "acct_1")
        bookings.ended(.notBooked(.rejected), end: 3)
        #expect(bookings.begin(id: 4) == Fixture.fresh, "the new booking may go to another one")
    }

    /// The old rule compares what version 1 has settled. The new one compares everything else.
    @Test func aKeyThatVersion1SettledIsComparedByItsRule() throws {
        let body = Fixture.body()
        let old = try #require(Fingerprint.ofVersion1(body: body))
        let new = try #require(Fingerprint(body: body))
        for isOfVersion1 in [true, false] {
            var bookings = Fixture()
            var entry = JournalEntry.earlier(
                .booked(reply: Fixture.reply), wish: Wish(fingerprint: isOfVersion1 ? old : new, summary: nil))
            entry.isOfVersion1 = isOfVersion1
            bookings.ledger.restore(entry, service: 0, Evidence())
            #expect(bookings.begin("k", Wish(fingerprint: new, summary: nil)) == .replay(Fixture.reply, end: 0))
        }
    }
}
