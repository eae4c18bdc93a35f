import Testing

@testable import PartnerBooking

/// docs/journal.md: the lines, and the meaning of a file that is whole or damaged.
@Suite struct JournalFormatTests {
    private typealias Sample = JournalSample

    private static var records: [JournalRecord] {
        let named = Sample.wish(conversation: "call \"7\"\n")
        let reply = Array("\u{FEFF}{\"booking\":{\"x\":\"\\ud83d\"}}\n".utf8)
        return [
            Sample.mark("https://example.com/v1/bookings"), Sample.mark(clock: 5, boot: nil, up: 0, at: 0),
            Sample.intent("a"), Sample.booked("a"), Sample.heard("a", end: 20), Sample.intent("b \"\\ \n", named),
            Sample.void("b \"\\ \n", named, .notSent), Sample.void("v"), Sample.intent("c", accountID: "acct_\"7\""),
            Sample.booked("c", named, reply: reply), Sample.intent("e"), Sample.withdrawn("e"), Sample.intent("f"),
            Sample.givenUp("f"), Sample.intent("g", clock: 1 << 60, at: 1 << 50),
        ]
    }

    @Test(arguments: records)
    func aRecordIsReadAsItWasWritten(_ record: JournalRecord) {
        let line = record.line
        #expect(line.starts(with: "pbk2 ".utf8) && line.last == UInt8(ascii: "\n"))
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(JournalRecord(line: line.dropLast()) == record)
    }

    /// The members of docs/journal.md, in this order.
    @Test(arguments: [
        (Sample.mark(), "type version service at clock boot up"),
        (Sample.intent(accountID: "x"), "type key at clock fingerprint account_id body"),
        (Sample.booked(), "type key at clock fingerprint bot_id start_at duration_minutes recorded_at reply"),
        (Sample.void(), "type key at clock outcome fingerprint bot_id start_at duration_minutes recorded_at"),
        (Sample.withdrawn(), "type key at clock"), (Sample.heard(end: 20), "type key at clock end"),
        (Sample.givenUp(), "type key at clock"),
    ])
    func aLineHasTheDocumentedMembers(_ record: JournalRecord, _ names: String) throws {
        let json = Array(record.line.dropFirst(22).dropLast())
        let root = try JSONDocument(json, profile: .request).root
        #expect(root.members.compactMap { $0.key.string } == names.split(separator: " ").map(String.init))
    }

    /// The line that docs/journal.md shows.
    @Test(arguments: [("pbk1", false), ("pbk2", true), ("pbk3", nil)] as [(String, Bool?)])
    func thePagesLineIsOne(_ magic: String, _ isWritten: Bool?) {
        let json =
            #"{"type":"heard","key":"call-7-booking-1","at":1894611600000,"clock":86400000000,"end":86398500000}"#
        let line = Array("\(magic) 44c49d6a618d7d7f \(json)".utf8)
        let record = Sample.heard("call-7-booking-1", end: 86_398_500_000, clock: 86_400_000_000, at: 1_894_611_600_000)
        #expect(JournalRecord(line: line[...]) == (isWritten == nil ? nil : record))
        #expect((record.line == line + [UInt8(ascii: "\n")]) == (isWritten ?? false))
    }

    /// With the right checksum, but nothing that this version knows.
    @Test(arguments: [
        #"{}"#, #"[]"#, #"null"#, #"{"type":"void"}"#, #"{"type":"void","key":"","at":1}"#,
        #"{"type":"void","key":"k","at":-1}"#, #"{"type":"void","key":"k","at":9223372036854775807}"#,
        #"{"type":"intent","key":"k","at":1,"body":"{}"}"#,
        #"{"type":"intent","key":"k","at":1,"fingerprint":"00","body":"{}"}"#,
        #"{"type":"other","key":"k","at":1}"#, #"{"type":"journal","version":3,"service":"s"}"#,
        #"{"type":"journal","version":0,"service":"s"}"#, #"{"type":"withdrawn","at":1}"#,
        #"{"type":"journal","version":1}"#, #"{"type":1}"#, #"{"type":"void","key":"k","at":1"#,
        #"{"type":"heard","key":"k","at":1,"clock":2}"#, #"{"type":"heard","key":"k","at":1,"clock":2,"end":-1}"#,
        #"{"type":"heard","key":"k","at":1,"clock":2,"end":"1"}"#, #"{"type":"given_up","at":1,"clock":2}"#,
        #"{"type":"given_up","key":"k","clock":2}"#, #"{"type":"booked","key":"k","at":1,"clock":2,"reply":"{}"}"#,
    ])
    func anUnknownRecordIsNotRead(_ json: String) {
        for magic in ["pbk1", "pbk2"] { #expect(JournalRecord(line: Sample.line(json, magic).dropLast()) == nil) }
    }

    @Test(arguments: [0, 1, 4, 5, 20, 21, 22, 30])
    func aShortLineIsNotRead(_ count: Int) {
        #expect(JournalRecord(line: Sample.intent().line.prefix(count)) == nil)
    }

    // MARK: Damage

    /// All records before the cut count, and nothing else.
    @Test func aFileCutAnywhereKeepsItsWholeLines() {
        let bytes = Sample.bytes(Self.records)
        var ends: [Int] = []
        for record in Self.records { ends.append((ends.last ?? 0) + record.line.count) }
        var expected = Sample.contents([])
        for length in 0...bytes.count {
            let contents = JournalContents(Array(bytes.prefix(length)), openedAt: Sample.reading())
            let whole = ends.count { $0 <= length }
            if ends.contains(length) { expected = Sample.contents(Array(Self.records.prefix(whole))) }
            #expect(contents.entries == expected.entries, "the first \(length) bytes")
            #expect(contents.clock == expected.clock)
            #expect(contents.tornBytes == length - (ends.last { $0 <= length } ?? 0))
            #expect(contents.damagedBytes == 0)
            #expect(contents.isJournal)
        }
    }

    /// A line feed that is damaged takes the next line with it.
    @Test func aFlippedBitCostsItsLineAndNoOther() {
        let records = [Sample.mark()] + ["a", "b", "c"].map { Sample.intent($0, body: Array("{}".utf8)) }
        let lines = records.map(\.line)
        var start = 0
        for (number, line) in lines.enumerated() {
            for offset in line.indices {
                for bit in 0..<8 {
                    var bytes = lines.flatMap { $0 }
                    bytes[start + offset] ^= 1 << bit
                    let contents = JournalContents(bytes, openedAt: Sample.reading())
                    let isFeed = offset == line.count - 1
                    let lost = Set([number, isFeed ? number + 1 : number])
                    let expected = ["", "a", "b", "c"].enumerated().filter {
                        $0.offset > 0 && !lost.contains($0.offset)
                    }
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
        let bytes =
            Sample.booked("z").line + Array("rubbish\n".utf8) + Sample.intent("a").line + Array("pbk2 torn".utf8)
        let contents = JournalContents(bytes)
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
        #expect(JournalContents(Array("rubbish\n".utf8) + Sample.intent().line).isJournal)
    }

    /// The version is under the checksum: damage is not taken for a later one.
    @Test(arguments: [
        ("pbk3", 3, true), ("pbk9", 100, true), ("pbk2", 3, true), ("pbk2", 2, false), ("pbk1", 1, false),
    ])
    func aLaterVersionIsKnown(_ magic: String, _ version: Int, _ expected: Bool) {
        let json = #"{"type":"journal","version":\#(version),"service":"s","more":[1.5]}"#
        let line = Sample.line(json, magic)
        #expect(JournalContents(line).isOfLaterVersion == expected)
        #expect(JournalContents(Sample.intent().line + line).isOfLaterVersion == expected, "it is not overwritten")
        #expect(!JournalContents(Sample.line(json, magic, isDamaged: true)).isOfLaterVersion)
        #expect(!JournalContents(Array(line.dropLast(2))).isOfLaterVersion)
        let other = Sample.line(#"{"type":"void","version":3,"key":"k","at":1}"#, magic)
        #expect(!JournalContents(other).isOfLaterVersion)
    }

    @Test(arguments: ["", "pbk3 00", "pbk9 ", "pbk", "pbk3", "rubbish\n"])
    func aLineThatIsNotWholeIsOfNoLaterVersion(_ text: String) {
        #expect(!JournalContents(Array(text.utf8)).isOfLaterVersion)
    }
}
