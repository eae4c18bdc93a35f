import Testing

@testable import PartnerBooking

/// docs/journal.md: lines, and what a file of them means, whole or damaged.
@Suite struct JournalFormatTests {
    static let body = Array(
        #"{"bot_id":"b","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"notes":"a\nb\\ \"ü😀\u0001"}}"#
            .utf8)
    static let fingerprint = Fingerprint(digest: Array(0..<32))
    static let now = 1_800_000_000_000

    static func intent(_ key: String, at: Int = now, body: [UInt8] = body) -> JournalRecord {
        .intent(key: key, at: at, fingerprint: fingerprint, body: body, accountID: key == "c" ? "acct_\"7\"" : nil)
    }

    static func booked(_ key: String, at: Int = now, reply: String = #"{"booking":{"id":"ü"}}"#) -> JournalRecord {
        .booked(key: key, at: at, fingerprint: fingerprint, reply: Array(reply.utf8))
    }

    // Computed: kept in a global, such values look leaked to LeakSanitizer, which cannot follow an enum's marked pointers.
    static var records: [JournalRecord] {
        [
            .journal(service: "https://example.com/v1/bookings"), intent("a"), booked("a"), intent("b \"\\ \n"),
            .void(key: "b \"\\ \n", at: now), intent("c"),
            booked("c", reply: "\u{FEFF}{\"booking\":{\"x\":\"\\ud83d\"}}\n"), intent("e"), .withdrawn(key: "e", at: now),
        ]
    }

    @Test(arguments: records)
    func aRecordIsReadAsItWasWritten(_ record: JournalRecord) {
        let line = record.line
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(JournalRecord(line: line.dropLast()) == record)
    }

    /// Both versions are read. The second one is written.
    @Test(arguments: [("pbk1", false), ("pbk2", true), ("pbk3", nil)] as [(String, Bool?)])
    func thePagesLineIsOne(_ magic: String, _ isWritten: Bool?) {
        let line = Array(#"\#(magic) eec3554206a9b31f {"type":"void","key":"call-7-booking-1","at":1894611600000}"#.utf8)
        let record = JournalRecord.void(key: "call-7-booking-1", at: 1_894_611_600_000)
        #expect(JournalRecord(line: line[...]) == (isWritten == nil ? nil : record))
        #expect((record.line == line + [UInt8(ascii: "\n")]) == (isWritten ?? false))
    }

    /// With the right checksum, but not what this version knows.
    @Test(arguments: [
        #"{}"#, #"[]"#, #"null"#, #"{"type":"void"}"#, #"{"type":"void","key":"","at":1}"#,
        #"{"type":"void","key":"k","at":-1}"#, #"{"type":"void","key":"k","at":9223372036854775807}"#,
        #"{"type":"intent","key":"k","at":1,"body":"{}"}"#,
        #"{"type":"intent","key":"k","at":1,"fingerprint":"00","body":"{}"}"#,
        #"{"type":"other","key":"k","at":1}"#, #"{"type":"journal","version":3,"service":"s"}"#,
        #"{"type":"journal","version":0,"service":"s"}"#, #"{"type":"withdrawn","at":1}"#,
        #"{"type":"journal","version":1}"#, #"{"type":1}"#, #"{"type":"void","key":"k","at":1"#,
    ])
    func whatIsNoRecordIsNone(_ json: String) {
        let checksum = Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex
        #expect(JournalRecord(line: Array("pbk1 \(checksum) \(json)".utf8)[...]) == nil)
    }

    @Test(arguments: [0, 1, 4, 5, 20, 21, 22, 30])
    func shortLinesAreNone(_ count: Int) {
        #expect(JournalRecord(line: Self.intent("a").line.prefix(count)) == nil)
    }

    // MARK: Contents

    private static func bytes(_ records: [JournalRecord]) -> [UInt8] { records.flatMap(\.line) }

    @Test func theLastRecordOfAKeyCounts() {
        let contents = JournalContents(
            Self.bytes(Self.records + [Self.intent("d"), Self.booked("d"), Self.intent("d", at: 7)]))
        #expect(contents.service == "https://example.com/v1/bookings")
        #expect(contents.entries.map(\.key) == ["a", "c", "e", "d"])
        #expect(contents.entries.map(\.isSettled) == [true, true, false, false])
        #expect(contents.entries.map(\.isWithdrawn) == [false, false, true, false])
        #expect(contents.entries.last?.recordedAt == 7)
        #expect(contents.tornBytes == 0 && contents.damagedBytes == 0 && contents.isJournal)
    }

    /// Of a file cut anywhere all records before the cut count, and nothing else.
    @Test func aFileCutAnywhereKeepsWhatIsWhole() {
        let bytes = Self.bytes(Self.records)
        var ends: [Int] = []
        for record in Self.records { ends.append((ends.last ?? 0) + record.line.count) }
        for length in 0...bytes.count {
            let contents = JournalContents(Array(bytes.prefix(length)))
            let whole = ends.count { $0 <= length }
            let expected = JournalContents(Self.bytes(Array(Self.records.prefix(whole))))
            #expect(contents.entries == expected.entries, "the first \(length) bytes")
            #expect(contents.tornBytes == length - (ends.last { $0 <= length } ?? 0))
            #expect(contents.damagedBytes == 0)
            #expect(contents.isJournal)
        }
    }

    /// Whatever bit is flipped, exactly the line it is in is lost; a line feed that goes takes the next line with it.
    @Test func aFlippedBitCostsItsLineAndNoOther() {
        let records = [.journal(service: "s")] + ["a", "b", "c"].map { Self.intent($0, body: Array("{}".utf8)) }
        let lines = records.map(\.line)
        var start = 0
        for (number, line) in lines.enumerated() {
            for offset in line.indices {
                for bit in 0..<8 {
                    var bytes = lines.flatMap { $0 }
                    bytes[start + offset] ^= 1 << bit
                    let contents = JournalContents(bytes)
                    let isFeed = offset == line.count - 1
                    let lost = Set([number, isFeed ? number + 1 : number])
                    let expected = ["", "a", "b", "c"].enumerated().filter { $0.offset > 0 && !lost.contains($0.offset) }
                    #expect(contents.entries.map(\.key) == expected.map(\.element))
                    #expect((contents.service == nil) == lost.contains(0))
                    let isLast = lost.contains(3)
                    #expect((contents.tornBytes > 0) == isLast && (contents.damagedBytes > 0) == !isLast)
                }
            }
            start += line.count
        }
    }

    @Test func damageInTheMiddleIsCountedApartFromATornEnd() {
        let good = Self.intent("a").line
        let contents = JournalContents(Self.booked("z").line + Array("rubbish\n".utf8) + good + Array("pbk1 torn".utf8))
        #expect(contents.damagedBytes == 8)
        #expect(contents.tornBytes == 9)
        #expect(contents.entries.map(\.key) == ["z", "a"])
    }

    @Test(arguments: [
        ("", true), ("p", true), ("pbk1 ", true), ("pbk1 rubbish", true), ("pbk", true), ("x", false),
        ("pbk2 ", true), ("pbk2 rubbish", true), ("#!/bin/sh\n", false), ("pbk3 1234", false), ("\0\0\0\0", false),
    ])
    func aJournalIsKnownByItsBeginning(_ text: String, _ expected: Bool) {
        #expect(JournalContents(Array(text.utf8)).isJournal == expected)
    }

    @Test func aJournalWithADamagedBeginningIsKnownByItsRecords() {
        #expect(JournalContents(Array("rubbish\n".utf8) + Self.intent("a").line).isJournal)
    }

    private static func line(_ magic: String, _ json: String, isDamaged: Bool = false) -> [UInt8] {
        let checksum = Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex
        return Array("\(magic) \(isDamaged ? String(checksum.reversed()) : checksum) \(json)\n".utf8)
    }

    /// The version is under the checksum: damage is not taken for a later one.
    @Test(arguments: [("pbk3", 3, true), ("pbk9", 100, true), ("pbk2", 3, true), ("pbk2", 2, false), ("pbk1", 1, false)])
    func aLaterVersionIsKnown(_ magic: String, _ version: Int, _ expected: Bool) {
        let json = #"{"type":"journal","version":\#(version),"service":"s","more":[1.5]}"#
        let line = Self.line(magic, json)
        #expect(JournalContents(line).isOfLaterVersion == expected)
        #expect(JournalContents(Self.intent("a").line + line).isOfLaterVersion == expected, "nor is it overwritten")
        #expect(!JournalContents(Self.line(magic, json, isDamaged: true)).isOfLaterVersion)
        #expect(!JournalContents(Array(line.dropLast(2))).isOfLaterVersion)
        #expect(!JournalContents(Self.line(magic, #"{"type":"void","version":3,"key":"k","at":1}"#)).isOfLaterVersion)
    }

    @Test(arguments: ["", "pbk3 00", "pbk9 ", "pbk", "pbk3", "rubbish\n"])
    func whatIsNoWholeLineIsOfNoLaterVersion(_ text: String) {
        #expect(!JournalContents(Array(text.utf8)).isOfLaterVersion)
    }

    // MARK: Compaction

    @Test func compactionKeepsWhatCounts() {
        let records = [
            JournalRecord.journal(service: "old"), Self.intent("a"), Self.intent("b"), Self.booked("a"), Self.intent("c"),
            .void(key: "c", at: Self.now), Self.booked("d", at: Self.now - 1_000), Self.booked("e", at: Self.now - 999),
        ]
        let before = JournalContents(Self.bytes(records) + Array("torn".utf8))
        let bytes = before.compacted(service: "s", retentionMilliseconds: 1_000, now: Self.now)
        let after = JournalContents(bytes)
        #expect(bytes == Self.bytes([.journal(service: "s"), Self.intent("b"), Self.booked("a"), records[7]]))
        #expect(after.entries.map(\.key) == ["b", "a", "e"])
        #expect(after.compacted(service: "s", retentionMilliseconds: 1_000, now: Self.now) == bytes)
    }

    /// An unsettled booking is kept until its appointment is long past.
    @Test func anUnsettledBookingIsKeptUntilAfterItsStart() {
        let start = 1_894_615_200_000  // 2030-01-14T10:00:00Z
        let contents = JournalContents(Self.intent("a", at: 0).line)
        #expect(
            JournalContents(contents.compacted(service: "s", retentionMilliseconds: 5, now: start + 4)).entries.count == 1)
        #expect(JournalContents(contents.compacted(service: "s", retentionMilliseconds: 5, now: start + 5)).entries.isEmpty)
    }
}
