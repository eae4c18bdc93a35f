import Testing

@testable import PartnerBooking

/// docs/journal.md, "Several records with one key".
@Suite struct JournalEntriesTests {
    private typealias Sample = JournalSample

    /// An entry with all that its records say.
    @Test func anIntentIsABookingInDoubt() throws {
        let wish = Sample.wish(conversation: "call-7")
        let entries = Sample.entries(Sample.mark(), Sample.intent("c", clock: 11, at: 5, wish, accountID: "acct_1"))
        var expected = JournalEntry(
            key: "c", wish: wish, recordedAt: 5, clock: 11, state: .unsettled(body: Sample.body))
        expected.accountID = "acct_1"
        #expect(entries == [expected] && !expected.isSettled)
    }

    @Test func anEndReplacesTheIntent() {
        let wish = Sample.wish(conversation: "call-7")
        let entries = Sample.entries(
            Sample.intent("a", wish), Sample.intent("b", wish), Sample.booked("a", clock: 12, wish),
            Sample.void("b", clock: 13, wish, .notSent))
        let recordedAt = Sample.at - 7
        #expect(
            entries == [
                JournalEntry(
                    key: "a", wish: wish, recordedAt: recordedAt, clock: 12, state: .booked(reply: Sample.reply)),
                JournalEntry(key: "b", wish: wish, recordedAt: recordedAt, clock: 13, state: .refused(.notSent)),
            ])
        #expect(entries.allSatisfy { $0.isSettled && !$0.isHeard && !$0.isOfVersion1 })
    }

    /// Entries stand in the order of the last records that count.
    @Test func theLastRecordOfAKeyCounts() {
        let contents = Sample.contents([
            Sample.mark("old"), Sample.intent("a"), Sample.booked("a"), Sample.intent("d"), Sample.booked("d"),
            Sample.intent("e"), Sample.mark("new"), Sample.intent("d", at: 7), Sample.withdrawn("e"),
        ])
        #expect(contents.service == "new")
        #expect(contents.entries.map(\.key) == ["a", "e", "d"])
        #expect(contents.entries.map(\.isSettled) == [true, false, false])
        #expect(contents.entries.map(\.isWithdrawn) == [false, true, false])
        #expect(contents.entries.last?.recordedAt == 7)
        #expect(contents.tornBytes == 0 && contents.damagedBytes == 0 && contents.isJournal)
    }

    // MARK: Heard

    @Test func aBookingThatIsHeardStays() {
        let entries = Sample.entries(Sample.intent(), Sample.booked(clock: 20), Sample.heard(end: 20, clock: 25))
        #expect(entries.map(\.isHeard) == [true] && entries.map(\.clock) == [20], "it is as old as its end")
        #expect(entries.map(\.state) == [.booked(reply: Sample.reply)])
    }

    @Test func aRefusalThatIsHeardLeavesNothing() {
        #expect(Sample.entries(Sample.intent(), Sample.void(clock: 20), Sample.heard(end: 20)).isEmpty)
    }

    /// `heard` counts only for the line that it names.
    @Test func anotherEndIsNotHeard() {
        for end in [0, 10, 19, 21, 40] {
            let booked = Sample.entries(Sample.intent(clock: 10), Sample.booked(clock: 20), Sample.heard(end: end))
            #expect(booked.map(\.isHeard) == [false], "end \(end)")
            let void = Sample.entries(Sample.intent(clock: 10), Sample.void(clock: 20), Sample.heard(end: end))
            #expect(void.map(\.isHeard) == [false] && void.map(\.isSettled) == [true])
        }
    }

    /// The record of a receipt comes late: after the key was begun again, or booked again.
    @Test func aLateReceiptDoesNotCountForANewerRecord() {
        let refused = [Sample.intent(clock: 10), Sample.void(clock: 20), Sample.intent(clock: 30)]
        let receipt = Sample.heard(end: 20, clock: 35)
        let inDoubt = Sample.contents(refused + [receipt]).entries
        #expect(inDoubt.map(\.isSettled) == [false] && inDoubt.map(\.isHeard) == [false])
        let booked = Sample.contents(refused + [Sample.booked(clock: 40), receipt]).entries
        #expect(booked.map(\.isHeard) == [false])
        let heard = Sample.contents(
            refused + [Sample.booked(clock: 40), receipt, Sample.heard(end: 40, clock: 50), receipt])
        #expect(heard.entries.map(\.isHeard) == [true])
    }

    /// An intent has no end, whatever its clock.
    @Test func aBookingInDoubtIsNotHeard() {
        let entries = Sample.entries(Sample.intent(clock: 10), Sample.heard(end: 10))
        #expect(entries.map(\.isHeard) == [false] && entries.map(\.isSettled) == [false])
        #expect(Sample.entries(Sample.heard(end: 10)).isEmpty)
    }

    @Test func aNewEndIsNotHeardBecauseTheOldOneWas() {
        let entries = Sample.entries(
            Sample.booked(clock: 20), Sample.heard(end: 20), Sample.intent(clock: 60), Sample.void(clock: 70))
        #expect(entries.map(\.isHeard) == [false] && entries.map(\.state) == [.refused(.rejected)])
    }

    // MARK: Given up

    @Test(arguments: [Sample.intent(), Sample.booked(), Sample.void(), Sample.withdrawn()])
    func aGivenUpBookingLeavesNothing(_ record: JournalRecord) {
        #expect(Sample.entries(Sample.intent(), record, Sample.givenUp()).isEmpty)
        #expect(
            Sample.entries(Sample.intent(), record, Sample.intent("other"), Sample.givenUp()).map(\.key) == ["other"])
    }

    @Test func aGivenUpKeyIsFree() {
        let entries = Sample.entries(Sample.intent(), Sample.withdrawn(), Sample.givenUp(), Sample.intent(clock: 60))
        #expect(entries.map(\.clock) == [60] && entries.map(\.isWithdrawn) == [false])
        #expect(Sample.entries(Sample.givenUp()).isEmpty)
        #expect(Sample.entries(Sample.intent(), Sample.givenUp(), Sample.withdrawn(), Sample.heard(end: 10)).isEmpty)
    }
}
