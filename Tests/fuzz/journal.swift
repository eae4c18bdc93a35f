// The input is a journal. A `?` where a checksum begins asks for the right one to be put there: no fuzzer finds a SHA-256.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJournal(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    check(input)
    check(mended(input))
    return 0
}

/// The journal with the checksums that are asked for.
private func mended(_ journal: [UInt8]) -> [UInt8] {
    let lines = journal.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
        guard line.count > 22, line[line.startIndex + 5] == UInt8(ascii: "?") else { return Array(line) }
        let json = Array(line.dropFirst(22))
        return line.prefix(5) + Array(Array(SHA256.digest(of: json).prefix(8)).hex.utf8) + [UInt8(ascii: " ")] + json
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
}

private func compacted(
    _ contents: JournalContents, _ mark: JournalRecord, retentionMilliseconds: Int, now: Int
) -> [UInt8] {
    var bytes: [UInt8] = []
    contents.writeCompacted(mark, retentionMilliseconds: retentionMilliseconds, now: now) { bytes += $0 }
    return bytes
}

private func check(_ journal: [UInt8]) {
    let contents = JournalContents(journal)
    require((0...journal.count).contains(contents.tornBytes + contents.damagedBytes), "no more is lost than there was")
    // Also one that a later version has gone on with: it is left alone.
    if contents.hasRecords { require(contents.isJournal, "what holds records is a journal") }

    for line in journal.split(separator: UInt8(ascii: "\n")) {
        guard let record = JournalRecord(line: line) else { continue }
        require(JournalRecord(line: record.line.dropLast()) == record, "a record that is written is read: \(record)")
        require(record.line.count { $0 == UInt8(ascii: "\n") } == 1, "a record is one line: \(record)")
    }

    // Nothing expires.
    let mark = JournalRecord.journal(
        service: "https://clinic.example/v1/bookings",
        JournalRecord.Mark(
            clock: 7, reading: LedgerClock.Reading(bootID: "b", upMilliseconds: 1, wallMilliseconds: 2)))
    let written = compacted(contents, mark, retentionMilliseconds: 60_000, now: Int.min)
    let again = JournalContents(written)
    require(again.entries == contents.entries, "compacted it holds the same")
    require(again.service == "https://clinic.example/v1/bookings", "of its service")
    require(again.tornBytes == 0 && again.damagedBytes == 0, "and no damage")
    // Cut off anywhere, it holds a beginning of that, though perhaps not that the last booking was withdrawn.
    for end in Set([written.count / 3, written.count / 2, written.count - 1]) {
        let part = JournalContents(Array(written.prefix(end)))
        let keys = (contents.entries.map(\.key), part.entries.map(\.key))
        require(part.damagedBytes == 0 && keys.0.starts(with: keys.1), "cut off, it holds the beginning")
    }
    require(again.isCompact(retentionMilliseconds: 60_000, now: Int.min), "and nothing that could go")
    // All of it expires but the doubts.
    let rest = JournalContents(compacted(contents, mark, retentionMilliseconds: 0, now: Int.max))
    require(rest.entries == contents.entries.filter { !$0.isSettled }, "doubts never expire")
}
