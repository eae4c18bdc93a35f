import Testing

@testable import PartnerBooking

/// A wish that its caller may have withdrawn, and files that an earlier version has written.
@Suite struct JournalWithdrawalTests {
    private static let now = JournalFormatTests.now

    private static func intent(_ key: String, at: Int = now) -> JournalRecord { JournalFormatTests.intent(key, at: at) }
    private static func withdrawn(_ key: String) -> JournalRecord { .withdrawn(key: key, at: now) }
    private static func contents(_ records: JournalRecord...) -> JournalContents {
        JournalContents(records.flatMap(\.line))
    }

    @Test func aWithdrawnWishStaysInDoubtAndIsMarked() throws {
        let contents = Self.contents(Self.intent("c"), Self.withdrawn("c"))
        let entry = try #require(contents.entries.first)
        #expect(contents.entries.count == 1 && entry.key == "c" && entry.isWithdrawn && !entry.isSettled)
        #expect(entry.state == .unsettled(body: JournalFormatTests.body), "a repeat by the host still sends it")
        #expect(entry.accountID == "acct_\"7\"" && entry.recordedAt == Self.now)
    }

    @Test func anIntentThatFollowsTakesTheWithdrawalBack() {
        let contents = Self.contents(Self.intent("a"), Self.withdrawn("a"), Self.intent("a", at: 7))
        #expect(contents.entries.map(\.isWithdrawn) == [false] && contents.entries.map(\.recordedAt) == [7])
        let again = Self.contents(Self.intent("a"), Self.withdrawn("a"), Self.intent("a"), Self.withdrawn("a"))
        #expect(again.entries.map(\.isWithdrawn) == [true])
    }

    @Test func aWithdrawalOfWhatIsSettledOrUnknownSaysNothing() {
        #expect(Self.contents(Self.withdrawn("a")).entries.isEmpty)
        let booked = Self.contents(Self.intent("a"), JournalFormatTests.booked("a"), Self.withdrawn("a"))
        #expect(booked.entries.map(\.isSettled) == [true] && booked.entries.map(\.isWithdrawn) == [false])
        let late = Self.contents(Self.intent("a"), Self.withdrawn("a"), JournalFormatTests.booked("a"))
        #expect(late.entries.map(\.isSettled) == [true] && late.entries.map(\.isWithdrawn) == [false])
        let void = Self.contents(Self.intent("a"), Self.withdrawn("a"), .void(key: "a", at: Self.now))
        #expect(void.entries.isEmpty)
    }

    @Test func compactionKeepsTheWithdrawal() {
        let before = Self.contents(
            .journal(service: "s"), Self.intent("a"), Self.intent("b"), Self.withdrawn("a"), Self.withdrawn("b"),
            Self.intent("b"))
        let bytes = before.compacted(service: "s", retentionMilliseconds: 1_000, now: Self.now)
        let kept = [.journal(service: "s"), Self.intent("a"), Self.withdrawn("a"), Self.intent("b")]
        #expect(bytes == kept.flatMap(\.line))
        #expect(JournalContents(bytes).entries.map(\.isWithdrawn) == [true, false])
    }

    // MARK: Version 1

    /// What version 0.1.0 has written. The checksum is over the JSON alone.
    private static func version1(_ records: [JournalRecord]) -> [UInt8] {
        records.flatMap { record in
            let line = String(decoding: record.line, as: UTF8.self)
            return Array(
                line.replacing("pbk2 ", with: "pbk1 ", maxReplacements: 1).replacing(#""version":2"#, with: #""version":1"#)
                    .utf8)
        }
    }

    @Test func aFileOfVersion1IsRead() {
        let bytes = Self.version1([Self.intent("a"), Self.intent("b"), JournalFormatTests.booked("b")])
        #expect(bytes.starts(with: "pbk1 ".utf8))
        let contents = JournalContents(bytes)
        #expect(contents.isJournal && !contents.isOfLaterVersion)
        #expect(contents.entries.map(\.key) == ["a", "b"] && contents.entries.map(\.isSettled) == [false, true])
        #expect(contents.tornBytes == 0 && contents.damagedBytes == 0)
    }

    @Test(arguments: [1, 2])
    func theFirstLineOfEitherVersionSaysWhoseBookingsTheseAre(_ version: Int) {
        let json = #"{"type":"journal","version":\#(version),"service":"s"}"#
        let checksum = Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex
        let contents = JournalContents(Array("pbk\(version) \(checksum) \(json)\n".utf8) + Self.intent("a").line)
        #expect(contents.service == "s" && contents.entries.map(\.key) == ["a"] && contents.damagedBytes == 0)
    }

    /// Lines of both versions stand in one file until it is rewritten.
    @Test func aFileMayHoldLinesOfBothVersions() {
        let contents = JournalContents(Self.version1([Self.intent("a"), Self.intent("b")]) + Self.withdrawn("a").line)
        #expect(contents.entries.map(\.isWithdrawn) == [true, false] && contents.damagedBytes == 0)
        let rewritten = contents.compacted(service: "s", retentionMilliseconds: 1_000, now: Self.now)
        #expect(rewritten.starts(with: "pbk2 ".utf8))
        #expect(JournalContents(rewritten).entries == contents.entries)
    }
}
