import Testing

@testable import PartnerBooking

/// A file that version 0.1.0 has written.
@Suite struct JournalVersion1Tests {
    private typealias Sample = JournalSample

    /// The same wish as `Sample.body`, written in another way: version 1 took it for another one.
    private static let sameWish = Sample.body("2030-01-14T05:00:00.0-05:00")

    private static var file: [UInt8] {
        Sample.version1Start() + Sample.version1Intent("a") + Sample.version1Intent("b", account: "acct_1")
            + Sample.version1Booked("b") + Sample.version1Intent("c") + Sample.version1Void("c")
            + Sample.version1Intent("d", account: "acct_1")
    }

    private static func open(_ bytes: [UInt8], up: Int = 1_000) -> JournalContents {
        JournalContents(bytes, openedAt: Sample.reading(up: up))
    }

    private static func wish(_ body: [UInt8]) throws -> Wish {
        Wish(fingerprint: try #require(Fingerprint(body: body)), summary: BookingSummary(body: body))
    }

    // MARK: What it means

    @Test func itsEntriesAreRead() throws {
        #expect(Self.file.starts(with: "pbk1 ".utf8))
        let contents = Self.open(Self.file)
        #expect(contents.isJournal && !contents.isOfLaterVersion && contents.service == "s")
        #expect(contents.tornBytes == 0 && contents.damagedBytes == 0)
        #expect(contents.entries.map(\.key) == ["a", "b", "d"], "a void counts as heard, and leaves nothing")
        #expect(contents.entries.map(\.isSettled) == [false, true, false])
        #expect(contents.entries.map(\.isHeard) == [false, true, false], "nothing else is known of an end")
        #expect(contents.entries.map(\.accountID) == [nil, nil, "acct_1"])
        #expect(contents.entries.map(\.recordedAt) == [Sample.at, Sample.at, Sample.at])
        #expect(contents.entries.map(\.clock) == [0, 0, 0], "their age starts now")
    }

    /// An intent has the whole request: so it gets the fingerprint of version 2.
    @Test func anIntentGetsTheNewFingerprint() throws {
        let entry = try #require(Self.open(Self.file).entries.first)
        #expect(entry.wish == (try Self.wish(Sample.body)) && !entry.isOfVersion1)
        #expect(entry.wish.fingerprint == Fingerprint(body: Self.sameWish))
    }

    /// Only the old fingerprint of a booked one is known.
    @Test func aBookedEntryKeepsTheOldFingerprint() throws {
        let entry = Self.open(Self.file).entries[1]
        #expect(entry.wish == Wish(fingerprint: try #require(Fingerprint.ofVersion1(body: Sample.body)), summary: nil))
        #expect(entry.isOfVersion1 && entry.state == .booked(reply: Sample.reply))
    }

    @Test func theLedgerComparesEachByItsRule() throws {
        for (key, body, isSame) in [
            ("a", Sample.body, true), ("a", Self.sameWish, true), ("b", Sample.body, true), ("b", Self.sameWish, false),
        ] {
            var ledger = BookingLedger(BookingLedger.Settings(retentionMilliseconds: 1_000, capacity: 100))
            for entry in Self.open(Self.file).entries { ledger.restore(entry, service: 0, LedgerFixture.doubt) }
            #expect(ledger.pending(0).sorted().map(\.key) == ["a", "d"])
            let decision = ledger.begin(
                key, try Self.wish(body), body: body, service: 0, id: 1, now: 1, wallClock: 0)
            if case .refuse = decision { #expect(!isSame) } else { #expect(isSame, "\(key)") }
        }
    }

    @Test func itsAgeStartsAtTheOpening() {
        let contents = Self.open(Self.file)
        let mark = Sample.mark(clock: 0)
        let kept = contents.compacted(mark, retentionMilliseconds: 1_000, now: 999_999)
        #expect(Self.open(kept).entries.map(\.key) == ["a", "b", "d"])
        let later = Self.open(kept, up: 2_000)
        #expect(later.clock == 1_000_000)
        #expect(later.entries.map { $0.isExpired(later.clock, retentionMilliseconds: 1_000) } == [false, true, false])
    }

    // MARK: Written again

    @Test func itIsWrittenAgainOnce() {
        let old = Self.open(Self.file)
        #expect(!old.isCompact(retentionMilliseconds: 1_000, now: 0))
        let bytes = old.compacted(Sample.mark(), retentionMilliseconds: 1_000, now: 0)
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 4 && lines.allSatisfy { $0.starts(with: "pbk2 ".utf8) })
        let new = Self.open(bytes)
        #expect(new.entries == old.entries)
        #expect(new.isCompact(retentionMilliseconds: 1_000, now: 0))
        #expect(new.compacted(Sample.mark(), retentionMilliseconds: 1_000, now: 0) == bytes)
    }

    /// The development version wrote `withdrawn`, and no clock.
    @Test func recordsWithoutAClockAreOld() {
        let bytes = Sample.bytes([
            Sample.mark(), Sample.intent("a", clock: nil), Sample.withdrawn("a", clock: nil), Sample.intent("b"),
            Sample.withdrawn("b", clock: nil), Sample.booked("c", clock: nil),
        ])
        let old = Self.open(bytes)
        #expect(old.entries.map(\.isWithdrawn) == [true, true, false])
        #expect(old.clock == 10 && old.entries.map(\.clock) == [10, 10, 10])
        let new = Self.open(old.compacted(Sample.mark(), retentionMilliseconds: 1_000, now: 0))
        #expect(new.entries == old.entries && new.isCompact(retentionMilliseconds: 1_000, now: 0))
    }

    /// Lines of version 2 follow those of version 1, if the file could not be written again at its opening.
    @Test func linesOfBothVersionsCount() {
        let bytes =
            Self.file
            + Sample.bytes([
                Sample.mark(clock: 7), Sample.withdrawn("a", clock: 8), Sample.booked("d", clock: 9),
                Sample.givenUp("b", clock: 10), Sample.heard("d", end: 9, clock: 11),
            ])
        let contents = Self.open(bytes)
        #expect(contents.entries.map(\.key) == ["a", "d"])
        #expect(
            contents.entries.map(\.isWithdrawn) == [true, false] && contents.entries.map(\.isHeard) == [false, true])
        #expect(contents.entries.map(\.clock) == [contents.clock, 9] && contents.damagedBytes == 0)
        let new = Self.open(contents.compacted(Sample.mark(clock: 12), retentionMilliseconds: 1_000, now: 12))
        #expect(new.entries == contents.entries)
    }

    @Test(arguments: [1, 2])
    func theFirstLineOfEitherVersionNamesTheService(_ version: Int) {
        let first = Sample.line(#"{"type":"journal","version":\#(version),"service":"s"}"#, "pbk\(version)")
        let contents = Self.open(first + Sample.intent("a").line)
        #expect(contents.service == "s" && contents.entries.map(\.key) == ["a"] && contents.damagedBytes == 0)
    }

    // MARK: On a disk

    @Test func theFileBecomesOneOfVersion2() throws {
        let file = try TemporaryPath()
        try file.write(Self.file)
        let settings = Journal.Settings(path: file.path, service: "s", retentionMilliseconds: 86_400_000)
        var entries: [[JournalEntry]] = []
        var texts: [[UInt8]] = []
        for _ in 0..<3 {
            // Opened, and closed by the end of the reference.
            entries.append(try Journal.open(settings).1)
            texts.append(try file.read())
        }
        #expect(entries.map { $0.map(\.key) } == Array(repeating: ["a", "b", "d"], count: 3))
        #expect(entries.map { $0.map(\.isHeard) } == Array(repeating: [false, true, false], count: 3))
        #expect(!String(decoding: texts[0], as: UTF8.self).contains("pbk1"))
        for (before, after) in [(texts[0], texts[1]), (texts[1], texts[2])] {
            #expect(after.starts(with: before), "it is not written again")
            #expect(after.count { $0 == UInt8(ascii: "\n") } == before.count { $0 == UInt8(ascii: "\n") } + 1)
        }
    }
}
