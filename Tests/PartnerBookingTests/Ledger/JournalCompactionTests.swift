import Testing

@testable import PartnerBooking

/// docs/journal.md, "Compaction".
@Suite struct JournalCompactionTests {
    private typealias Sample = JournalSample

    /// Milliseconds. Nothing in these files is older, except where a test says so.
    private static let retention = 1_000

    private static func compacted(
        _ contents: JournalContents, now: Int = 0, _ retention: Int = retention
    ) -> [UInt8] {
        contents.compacted(Sample.mark("new", clock: 99), retentionMilliseconds: retention, now: now)
    }

    private static func isCompact(_ contents: JournalContents, now: Int = 0) -> Bool {
        contents.isCompact(retentionMilliseconds: retention, now: now)
    }

    @Test func compactionKeepsTheLastRecords() {
        let records = [
            Sample.mark("old"), Sample.intent("a"), Sample.intent("b"), Sample.booked("a"), Sample.intent("c"),
            Sample.void("c"), Sample.intent("d"), Sample.void("d"), Sample.heard("d", end: 20), Sample.intent("e"),
            Sample.givenUp("e"), Sample.booked("f"), Sample.heard("f", end: 20), Sample.intent("g"),
            Sample.withdrawn("g"), Sample.mark("old", clock: 60), Sample.intent("h"), Sample.withdrawn("h"),
            Sample.intent("h", clock: 70), Sample.booked("i"), Sample.heard("i", end: 19),
        ]
        let before = JournalContents(Sample.bytes(records) + Array("torn".utf8), openedAt: Sample.reading())
        let bytes = Self.compacted(before)
        let kept = [Sample.mark("new", clock: 99)] + [2, 3, 5, 11, 12, 13, 14, 18, 19].map { records[$0] }
        #expect(bytes == Sample.bytes(kept))
        let after = JournalContents(bytes, openedAt: Sample.reading())
        #expect(after.entries == before.entries)
        #expect(after.entries.map(\.key) == ["b", "a", "c", "f", "g", "h", "i"])
        #expect(!Self.isCompact(before) && Self.isCompact(after))
        #expect(Self.compacted(after) == bytes)
    }

    // MARK: Age

    /// The boundary, for each kind of end: on the ledger's clock, in microseconds.
    @Test(arguments: [
        [Sample.booked(clock: 500)], [Sample.void(clock: 500)],
        [Sample.booked(clock: 500), Sample.heard(end: 500, clock: 900)],
    ])
    func anEndIsKeptForTheRetentionTime(_ records: [JournalRecord]) {
        let contents = Sample.contents([Sample.mark()] + records)
        let expiry = 500 + Self.retention * 1_000
        #expect(Self.compacted(contents, now: expiry - 1).count > Sample.mark("new", clock: 99).line.count)
        #expect(Self.isCompact(contents, now: expiry - 1))
        #expect(Self.compacted(contents, now: expiry) == Sample.mark("new", clock: 99).line)
        #expect(!Self.isCompact(contents, now: expiry), "there is something to leave out")
    }

    /// Neither the wall clock nor the appointment decides.
    @Test func theWallClockDoesNotDecide() {
        for at in [0, Sample.at, 1 << 50] {
            let contents = Sample.contents([Sample.mark(), Sample.booked(clock: 500, at: at)])
            #expect(JournalContents(Self.compacted(contents, now: 500_000)).entries.count == 1)
            #expect(JournalContents(Self.compacted(contents, now: 2_000_000)).entries.isEmpty)
        }
    }

    @Test func aDoubtIsKeptWithoutEnd() {
        let records = [
            Sample.mark(), Sample.intent("a", clock: 0, at: 0), Sample.intent("b", clock: 1, at: 0),
            Sample.withdrawn("b", clock: 2),
        ]
        let contents = Sample.contents(records)
        let bytes = Self.compacted(contents, now: 1 << 59, 0)
        #expect(bytes == Sample.bytes([Sample.mark("new", clock: 99)] + records.dropFirst()))
        #expect(contents.isCompact(retentionMilliseconds: 0, now: 1 << 59))
    }

    // MARK: When to write it again

    @Test(arguments: [
        [Sample.mark()], [Sample.mark(), Sample.intent()], [Sample.mark(), Sample.booked(), Sample.heard(end: 20)],
        [Sample.mark(), Sample.void()], [Sample.mark(), Sample.intent(), Sample.withdrawn()],
        [Sample.mark(), Sample.intent("a"), Sample.mark(), Sample.booked("b"), Sample.mark()],
    ])
    func aCompactFileIsLeftAlone(_ records: [JournalRecord]) {
        #expect(Self.isCompact(Sample.contents(records)))
    }

    @Test(
        arguments: [
            [], [Sample.intent()], [Sample.mark(), Sample.intent(), Sample.booked()],
            [Sample.mark(), Sample.intent(), Sample.intent()], [Sample.mark(), Sample.booked(), Sample.heard(end: 19)],
            [Sample.mark(), Sample.void(), Sample.heard(end: 20)], [Sample.mark(), Sample.intent(), Sample.givenUp()],
            [Sample.mark(), Sample.givenUp()], [Sample.mark(), Sample.booked(), Sample.withdrawn()],
            [Sample.mark(), Sample.booked(clock: nil)], [Sample.mark(), Sample.intent(), Sample.withdrawn(clock: nil)],
            [.journal(service: "s", nil)],
        ] as [[JournalRecord]])
    func aFileWithMoreThanItNeedsIsWrittenAgain(_ records: [JournalRecord]) {
        #expect(!Self.isCompact(Sample.contents(records)))
    }

    @Test(arguments: ["torn", "damaged\n"])
    func aDamagedFileIsWrittenAgain(_ text: String) {
        let (good, bad) = (Sample.bytes([Sample.mark(), Sample.intent()]), Array(text.utf8))
        #expect(Self.isCompact(JournalContents(good, openedAt: Sample.reading())))
        #expect(!Self.isCompact(JournalContents(good + bad, openedAt: Sample.reading())))
        #expect(!Self.isCompact(JournalContents(bad + good, openedAt: Sample.reading())))
    }

    /// Each opening adds a line. They do not add up.
    @Test func manyOpeningsAreWrittenAgain() {
        var records = [Sample.intent()]
        var openings = 0
        repeat {
            records.append(Sample.mark())
            openings += 1
        } while Self.isCompact(Sample.contents(records)) && openings < 1_000
        #expect((2...100).contains(openings))
    }
}
