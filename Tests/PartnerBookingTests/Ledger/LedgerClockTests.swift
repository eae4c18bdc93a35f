import Testing

@testable import PartnerBooking

/// The clock of the ledger, within a process and from one to the next.
@Suite struct LedgerClockTests {
    private typealias Sample = JournalSample
    private static let day = 86_400_000

    private static func reading(_ boot: String?, _ up: Int, _ wall: Int) -> LedgerClock.Reading {
        LedgerClock.Reading(bootID: boot, upMilliseconds: up, wallMilliseconds: wall)
    }

    // MARK: One process

    @Test(arguments: [0, 1_000_000, 1 << 59])
    func itGoesOnFromItsStart(_ start: Int) {
        let clock = LedgerClock(startingAt: start)
        let first = clock.now
        let second = clock.now
        #expect(start <= first && first <= second)
    }

    /// Also when many records come in one microsecond.
    @Test func noMomentIsReturnedTwice() {
        var clock = LedgerClock(startingAt: 77)
        var last = 77
        for _ in 0..<100_000 {
            let moment = clock.tick()
            guard moment > last else {
                Issue.record("\(moment) after \(last)")
                return
            }
            last = moment
        }
        #expect(clock.now >= last)
    }

    @Test func theSystemsClocksAreRead() {
        let reading = LedgerClock.Reading.now()
        #expect(reading.upMilliseconds > 0 && reading.wallMilliseconds > 0)
        #expect(reading.bootID == nil || reading.bootID?.utf8.count == 36)
        #expect(BootClock.bootID == reading.bootID)
        #expect(LedgerClock.Reading.now().milliseconds(since: reading) >= 0)
    }

    // MARK: Readings

    /// In the same boot only the boot clock counts: the wall clock may jump.
    @Test(arguments: [0, 9 * day, -9 * day, -1 << 40])
    func theBootClockCountsInTheSameBoot(_ jump: Int) {
        let earlier = Self.reading("boot", 5_000, 1 << 41)
        #expect(Self.reading("boot", 8_000, (1 << 41) + jump).milliseconds(since: earlier) == 3_000)
        #expect(Self.reading("boot", 5_000, (1 << 41) + jump).milliseconds(since: earlier) == 0)
        #expect(Self.reading("boot", 4_000, (1 << 41) + jump).milliseconds(since: earlier) == 0, "never negative")
    }

    /// Otherwise the smallest time counts: by the wall clock, since the reboot, and by the boot clock in case that
    /// there was no reboot. It showed 5,000 ms before.
    @Test(arguments: [
        (4_000, 10_000, 4_000), (4_000, 3_000, 3_000), (0, 10_000, 0), (4_000, 0, 0), (4_000, -1, 0),
        (4_000, 9 * day, 4_000), (4_000, -9 * day, 0), (8_000, 10_000, 3_000), (8_000, 2_000, 2_000),
        (5_000, 10_000, 0), (8_000, 9 * day, 3_000), (8_000, -9 * day, 0),
    ])
    func theSmallestTimeCountsInAnotherBoot(_ up: Int, _ wall: Int, _ expected: Int) {
        let start = 1 << 41
        for (before, after) in [("boot", "other"), (nil, "other"), ("boot", nil), (nil, nil)] as [(String?, String?)] {
            let earlier = Self.reading(before, 5_000, start)
            #expect(Self.reading(after, up, start + wall).milliseconds(since: earlier) == expected)
        }
    }

    // MARK: Openings

    private static func clock(_ records: [JournalRecord], _ reading: LedgerClock.Reading) -> Int {
        JournalContents(Sample.bytes(records), openedAt: reading).clock
    }

    @Test func aNewJournalStartsAtZero() {
        #expect(Self.clock([], Sample.reading()) == 0)
        #expect(Self.clock([Sample.intent(clock: nil)], Sample.reading()) == 0)
        #expect(Self.clock([.journal(service: "s", nil)], Sample.reading()) == 0)
    }

    /// From the mark, at which the system was up for a second.
    @Test(arguments: [0, 9 * day, -9 * day])
    func itGoesOnInTheSameBoot(_ jump: Int) {
        let mark = Sample.mark(clock: 500)
        let later = Sample.reading(up: 4_000, at: Sample.at + jump)
        #expect(Self.clock([mark], later) == 3_000_500)
        // Two seconds of the three had passed when the intent was written.
        let intent = Sample.intent(clock: 2_000_500, at: Sample.at + 2_000 + jump)
        #expect(Self.clock([mark, intent], later) == 3_000_500)
        #expect(
            Self.clock([mark, intent], Sample.reading(up: 2_000, at: Sample.at)) == 2_000_500, "it never goes back")
    }

    /// From the last record, at which the system was up for three seconds.
    @Test(arguments: [
        (63_000, 10_000, 10_000), (2_000, 10_000, 2_000), (60_000, -10_000, 0), (2_500, 9 * day, 2_500),
        (8_000, 9 * day, 5_000),
    ])
    func itGoesOnInAnotherBoot(_ up: Int, _ wall: Int, _ expected: Int) {
        let records = [Sample.mark(clock: 500), Sample.intent(clock: 2_000_500, at: Sample.at + 2_000)]
        for boot in ["boot-2", nil] {
            let later = Sample.reading(boot, up: up, at: Sample.at + 2_000 + wall)
            #expect(Self.clock(records, later) == 2_000_500 + expected * 1_000)
        }
    }

    /// The last mark and the highest clock count.
    @Test func itGoesOnFromTheLastOpening() {
        let records = [
            Sample.mark(clock: 0, boot: "boot-0", up: 7_000_000), Sample.intent("a", clock: 4_000_000),
            Sample.mark(clock: 9_000_000, boot: "boot-1", up: 1_000), Sample.intent("b", clock: 8_000_000),
        ]
        #expect(Self.clock(records, Sample.reading("boot-1", up: 1_500)) == 9_500_000)
        #expect(Self.clock(records, Sample.reading("boot-0", up: 7_000_500)) == 9_000_000, "that boot is over")
    }

    /// The file was written again an hour after its last record. Its boot has no name.
    @Test func theLatestTimeCountsWhereTheBootIsNotKnown() {
        let hour = 3_600_000
        let records = [
            Sample.mark(clock: hour * 1_000, boot: nil, up: 2 * hour, at: Sample.at + hour),
            Sample.intent(clock: 500, at: Sample.at),
        ]
        let soon = Sample.reading(nil, up: 2 * hour + 5_000, at: Sample.at + hour + 5_000)
        #expect(Self.clock(records, soon) == (hour + 5_000) * 1_000, "five seconds have passed")
    }

    /// Openings one after the other, with the wall clock set in between: the clock follows the boot clock.
    @Test func theWallClockDoesNotMatterOverManyOpenings() {
        var records: [JournalRecord] = []
        var random = SplitMix64(state: 15)
        var (up, expected) = (1_000, 0)
        for opening in 0..<50 {
            let reading = Sample.reading(up: up, at: Int.random(in: 0..<1 << 42, using: &random))
            let clock = Self.clock(records, reading)
            #expect(clock == expected, "opening \(opening)")
            records.append(.journal(service: "s", JournalRecord.Mark(clock: clock, reading: reading)))
            let used = Int.random(in: 0..<5_000, using: &random)
            records.append(Sample.intent(clock: clock + used * 1_000, at: Int.random(in: 0..<1 << 42, using: &random)))
            let closed = Int.random(in: 0..<5_000, using: &random)
            up += used + closed
            expected += (used + closed) * 1_000
        }
    }
}
