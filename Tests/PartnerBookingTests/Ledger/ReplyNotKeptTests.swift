import Testing

@testable import PartnerBooking

/// `"journal_keeps_replies":false`: a booking of an earlier process is known to be made, and only the service has its reply.
@Suite struct ReplyNotKeptTests {
    private typealias Fixture = LedgerFixture

    private static func restored(isHeard: Bool = true) -> LedgerFixture {
        var bookings = Fixture()
        var entry = JournalEntry.earlier("k", .booked(reply: nil), clock: bookings.now, wish: Fixture.wish())
        entry.isHeard = isHeard
        bookings.ledger.restore([entry], Evidence(), service: { _ in 0 })
        return bookings
    }

    @Test func theFileHasNoReply() throws {
        let record = JournalSample.booked(reply: nil)
        #expect(!String(decoding: record.line, as: UTF8.self).contains("reply"))
        #expect(JournalRecord(line: record.line.dropLast()) == record)
        #expect(JournalSample.entries(record).map(\.state) == [.booked(reply: nil)])
    }

    /// The whole request is sent again with its key. The journal has the booking already.
    @Test func aRepeatIsSent() {
        var bookings = Self.restored()
        #expect(bookings.states == [])
        #expect(
            bookings.begin(id: 3)
                == .send(
                    BookingLedger.Grant(body: Fixture.body(), evidence: .ofBookingMade, isRecorded: true)))
        #expect(bookings.states == [.inFlight])
        #expect(!bookings.withdraw() && bookings.renew() == nil, "no record takes the place of the one that it was made")
        bookings.ended(.made, end: 3)
        #expect(bookings.begin(id: 4) == .replay(Fixture.reply, end: 3))
        bookings.heard(end: 3)
        #expect(bookings.states == [])
    }

    @Test func resumingTakesTheWholeRequest() {
        var bookings = Self.restored(isHeard: false)
        #expect(bookings.resume() == .replyNotKept)
        #expect(bookings.states == [.booked])
    }

    @Test func anotherWishIsRefused() {
        var bookings = Self.restored()
        #expect(bookings.begin("k", Fixture.wish(2)) == Fixture.existing(.booked))
    }

    /// Whatever the service answers now, it was made.
    @Test(arguments: [.unknown, .notBooked(.rejected), .notBooked(.notSent)] as [BookingLedger.Ending])
    func noAnswerUndoesIt(_ ending: BookingLedger.Ending) {
        var bookings = Self.restored()
        bookings.begin(id: 3)
        bookings.ended(ending, end: 3)
        #expect(bookings.states == [.booked])
        #expect(bookings.begin(id: 4).grant?.isRecorded == true)
        bookings.ended(.made, end: 4)
        bookings.wait(milliseconds: Fixture.retention)
        #expect(bookings.begin(id: 5) == Fixture.fresh, "it is forgotten in its time")
    }

    /// A refusal under the same key is no proof against what was told before.
    @Test func theEvidenceStays() {
        var evidence = Evidence.ofBookingMade
        let rules = BookingRules(keys: .first, platformLimitMilliseconds: 1)
        let moment = MonotonicTime(nanoseconds: 1 << 40)
        let sendings = Sendings(count: 1, firstAt: moment, lastAt: moment)
        for answer in [.bookingRefused, .callerRefused, .conflict, .conflict, .none] as [Answer] {
            evidence.add(sendings, answer, endedAt: moment, rules)
            #expect(evidence.outcome == .unknown && evidence.isOfOurs)
        }
        evidence.add(sendings, .made, endedAt: moment, rules)
        #expect(!evidence.isInDoubt)
    }
}
