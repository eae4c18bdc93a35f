@testable import PartnerBooking

/// Records and lines of a journal.
enum JournalSample {
    static let at = 1_800_000_000_000
    static let body = body("2030-01-14T10:00:00Z")

    static func body(_ start: String) -> [UInt8] {
        let booking = #""start_at":"\#(start)","duration_minutes":30,"notes":"a\nb\\ \"ü😀\u0001""#
        return Array(#"{"bot_id":"b","booking":{\#(booking)}}"#.utf8)
    }

    static let reply = Array(#"{"booking":{"id":"ü"}}"#.utf8)

    // Computed: kept in a global, such values look leaked to LeakSanitizer. It cannot follow an enum's marked pointers.
    static var wish: Wish { wish(conversation: nil) }

    static func wish(conversation: String?) -> Wish {
        Wish(
            fingerprint: Fingerprint(digest: Array(0..<32)), summary: BookingSummary(body: body),
            conversation: conversation)
    }

    private static func record(
        _ event: JournalRecord.Event, _ key: String, _ clock: Int?, _ at: Int
    ) -> JournalRecord {
        .event(event, key: key, JournalRecord.Stamp(at: at, clock: clock))
    }

    static func intent(
        _ key: String = "k", clock: Int? = 10, at: Int = at, _ wish: Wish = wish, body: [UInt8] = body,
        accountID: String? = nil
    ) -> JournalRecord {
        record(.intent(wish, body: body, accountID: accountID), key, clock, at)
    }

    static func booked(
        _ key: String = "k", clock: Int? = 20, at: Int = at, _ wish: Wish = wish, reply: [UInt8]? = reply
    ) -> JournalRecord {
        record(.booked(wish, recordedAt: at - 7, reply: reply), key, clock, at)
    }

    static func void(
        _ key: String = "k", clock: Int? = 20, at: Int = at, _ wish: Wish? = wish,
        _ outcome: PartnerBookingError.Outcome = .rejected
    ) -> JournalRecord {
        record(.void(wish, recordedAt: at - 7, outcome), key, clock, at)
    }

    static func withdrawn(_ key: String = "k", clock: Int? = 30) -> JournalRecord { record(.withdrawn, key, clock, at) }

    static func heard(_ key: String = "k", end: Int, clock: Int? = 40, at: Int = at) -> JournalRecord {
        record(.heard(end: end), key, clock, at)
    }

    static func givenUp(_ key: String = "k", clock: Int? = 50) -> JournalRecord { record(.givenUp, key, clock, at) }

    static func mark(
        _ service: String = "s", clock: Int = 0, boot: String? = "boot-1", up: Int = 1_000, at: Int = at
    ) -> JournalRecord {
        .journal(service: service, JournalRecord.Mark(clock: clock, reading: reading(boot, up: up, at: at)))
    }

    static func reading(_ boot: String? = "boot-1", up: Int = 1_000, at: Int = at) -> LedgerClock.Reading {
        LedgerClock.Reading(bootID: boot, upMilliseconds: up, wallMilliseconds: at)
    }

    // MARK: Texts

    static func bytes(_ records: [JournalRecord]) -> [UInt8] { records.flatMap(\.line) }

    /// Opened at the moment of `mark()`.
    static func contents(_ records: [JournalRecord]) -> JournalContents {
        JournalContents(bytes(records), openedAt: reading())
    }

    static func entries(_ records: JournalRecord...) -> [JournalEntry] { contents(records).entries }

    /// A line with the right checksum.
    static func line(_ json: String, _ magic: String = "pbk2", isDamaged: Bool = false) -> [UInt8] {
        let checksum = Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex
        return Array("\(magic) \(isDamaged ? String(checksum.reversed()) : checksum) \(json)\n".utf8)
    }

    /// A line as version 0.1.0 wrote it.
    static func version1(_ json: String) -> [UInt8] { line(json, "pbk1") }

    static func version1Intent(_ key: String, body: [UInt8] = body, account: String? = nil) -> [UInt8] {
        let fingerprint = Fingerprint.ofVersion1(body: body)?.hex ?? ""
        let text = JSONWriter.object { record in
            record.member("type", "intent")
            record.member("key", key)
            record.member("at", at)
            record.member("fingerprint", fingerprint)
            if let account { record.member("account_id", account) }
            record.member("body", String(decoding: body, as: UTF8.self))
        }
        return version1(String(decoding: text, as: UTF8.self))
    }

    static func version1Booked(_ key: String, body: [UInt8] = body, reply: [UInt8] = reply) -> [UInt8] {
        let fingerprint = Fingerprint.ofVersion1(body: body)?.hex ?? ""
        let text = JSONWriter.object { record in
            record.member("type", "booked")
            record.member("key", key)
            record.member("at", at)
            record.member("fingerprint", fingerprint)
            record.member("reply", String(decoding: reply, as: UTF8.self))
        }
        return version1(String(decoding: text, as: UTF8.self))
    }

    static func version1Void(_ key: String) -> [UInt8] { version1(#"{"type":"void","key":"\#(key)","at":\#(at)}"#) }

    static func version1Start(_ service: String = "s") -> [UInt8] {
        version1(#"{"type":"journal","version":1,"service":"\#(service)"}"#)
    }
}

extension JournalContents {
    func compacted(_ mark: JournalRecord, retentionMilliseconds: Int, now: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        writeCompacted(mark, retentionMilliseconds: retentionMilliseconds, now: now) { bytes += $0 }
        return bytes
    }
}

extension JournalEntry {
    /// Returns whether a compaction leaves it out.
    func isExpired(_ now: Int, retentionMilliseconds: Int) -> Bool {
        isSettled && clock + retentionMilliseconds * 1_000 <= now
    }
}
