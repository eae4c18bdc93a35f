import Testing

@testable import PartnerBooking

/// When a journal is rewritten without what nobody needs any more.
@Suite struct JournalUpkeepTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func nothingIsDueUntilSomethingIsSettled() {
        var upkeep = JournalUpkeep(size: 100)
        upkeep.added(1_000, settles: false, now: Self.start)
        #expect(upkeep.due == nil && !upkeep.isWanted)
    }

    @Test func soonAfterTheLastOfWhatIsWorthIt() {
        var upkeep = JournalUpkeep(size: 100)
        upkeep.added(25, settles: true, now: Self.start)
        #expect(upkeep.due == Self.start.adding(milliseconds: 1_000))
        upkeep.added(1, settles: false, now: Self.start.adding(milliseconds: 900))
        #expect(upkeep.due == Self.start.adding(milliseconds: 1_900))
        #expect(!upkeep.isDue(Self.start.adding(milliseconds: 1_899)))
        #expect(upkeep.isDue(Self.start.adding(milliseconds: 1_900)))
    }

    @Test func afterAMinuteInAnyCase() {
        var upkeep = JournalUpkeep(size: 1_000_000)
        upkeep.added(25, settles: true, now: Self.start)
        #expect(upkeep.due == Self.start.adding(milliseconds: 60_000))
        for second in 1...59 {
            upkeep.added(100_000, settles: true, now: Self.start.adding(milliseconds: second * 1_000))
        }
        #expect(upkeep.due == Self.start.adding(milliseconds: 60_000))
        upkeep.rewritten(size: 10)
        #expect(upkeep.due == nil)
    }
}
