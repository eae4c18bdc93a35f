import Testing

@testable import PartnerBooking

/// A booking whose caller may have withdrawn the wish.
@Suite struct JournalWithdrawalTests {
    private typealias Sample = JournalSample

    @Test func aWithdrawnBookingStaysInDoubtAndIsMarked() throws {
        let entries = Sample.entries(Sample.intent("c", accountID: "acct_\"7\""), Sample.withdrawn("c"))
        let entry = try #require(entries.first)
        #expect(entries.count == 1 && entry.key == "c" && entry.isWithdrawn && !entry.isSettled)
        #expect(entry.state == .unsettled(body: Sample.body), "a repeat by the host still sends it")
        #expect(entry.accountID == "acct_\"7\"" && entry.recordedAt == Sample.at && entry.clock == 10)
    }

    @Test func anIntentThatFollowsCancelsTheWithdrawal() {
        let entries = Sample.entries(Sample.intent(), Sample.withdrawn(), Sample.intent(at: 7))
        #expect(entries.map(\.isWithdrawn) == [false] && entries.map(\.recordedAt) == [7])
        let again = Sample.entries(Sample.intent(), Sample.withdrawn(), Sample.intent(), Sample.withdrawn())
        #expect(again.map(\.isWithdrawn) == [true])
    }

    @Test func aSettledOrUnknownBookingIsNotWithdrawn() {
        #expect(Sample.entries(Sample.withdrawn()).isEmpty)
        for end in [Sample.booked(), Sample.void()] {
            let early = Sample.entries(Sample.intent(), end, Sample.withdrawn())
            #expect(early.map(\.isSettled) == [true] && early.map(\.isWithdrawn) == [false])
            let late = Sample.entries(Sample.intent(), Sample.withdrawn(), end)
            #expect(late.map(\.isSettled) == [true] && late.map(\.isWithdrawn) == [false])
        }
        #expect(Sample.entries(Sample.intent(), Sample.withdrawn(), Sample.givenUp()).isEmpty)
    }

    @Test func compactionKeepsTheWithdrawal() {
        let before = Sample.contents([
            Sample.mark(), Sample.intent("a"), Sample.intent("b"), Sample.withdrawn("a"), Sample.withdrawn("b"),
            Sample.intent("b"),
        ])
        let bytes = before.compacted(Sample.mark(), retentionMilliseconds: 1_000, now: 0)
        #expect(bytes == Sample.bytes([Sample.mark(), Sample.intent("a"), Sample.withdrawn("a"), Sample.intent("b")]))
        #expect(JournalContents(bytes).entries.map(\.isWithdrawn) == [true, false])
    }
}
