/// One key in a journal, with all its records taken together.
struct JournalEntry: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case unsettled(body: [UInt8])
        case booked(reply: [UInt8])
    }

    let key: String
    let fingerprint: Fingerprint
    /// In milliseconds since 1970.
    let recordedAt: Int
    let state: State
    /// The account in which it was sent, if the library named it.
    var accountID: String?
    /// Its call was cancelled, and the host has not repeated it.
    var isWithdrawn = false

    var isSettled: Bool {
        if case .booked = state { true } else { false }
    }

    /// When it may be forgotten. A booking that may have been made is remembered until long after its appointment.
    func expiresAt(retentionMilliseconds: Int) -> Int {
        let start =
            switch state {
            case .booked: 0
            case .unsettled(let body): BookingSummary(body: body)?.startMilliseconds ?? 0
            }
        return max(start, recordedAt) + retentionMilliseconds
    }
}

/// What the bytes of a journal say, damaged as they may be: every line that is intact counts, and no other.
struct JournalContents {
    /// Whose bookings these are; nil when the line that says so is missing or damaged.
    private(set) var service: String?
    /// Damaged bytes at the end: a record that was being written when the process or the machine died.
    private(set) var tornBytes = 0
    /// Damaged bytes with intact records after them.
    private(set) var damagedBytes = 0
    private(set) var hasRecords = false
    /// A later version of this library wrote some of it.
    private(set) var isOfLaterVersion = false

    private struct Place {
        var entry: JournalEntry
        let order: Int
        /// The places of its records.
        var lines: [Range<Int>]
    }

    private let bytes: [UInt8]
    private var places: [String: Place] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            // A line without its line feed was not written to its end, even if all of the record is there.
            if end < bytes.count, let record = JournalRecord(line: bytes[start..<end]) {
                damagedBytes += tornBytes
                tornBytes = 0
                hasRecords = true
                take(record, start..<end + 1)
            } else {
                isOfLaterVersion = isOfLaterVersion || JournalRecord.isOfLaterVersion(bytes[start..<end])
                tornBytes += min(end + 1, bytes.count) - start
            }
            start = end + 1
        }
    }

    private mutating func take(_ record: JournalRecord, _ line: Range<Int>) {
        let entry: JournalEntry
        switch record {
        case .journal(let service):
            self.service = service
            return
        case .void(let key, _):
            places[key] = nil
            return
        case .withdrawn(let key, _):
            guard places[key]?.entry.isSettled == false else { return }
            places[key]?.entry.isWithdrawn = true
            places[key]?.lines.append(line)
            return
        case .intent(let key, let at, let fingerprint, let body, let accountID):
            entry = JournalEntry(
                key: key, fingerprint: fingerprint, recordedAt: at, state: .unsettled(body: body), accountID: accountID)
        case .booked(let key, let at, let fingerprint, let reply):
            entry = JournalEntry(key: key, fingerprint: fingerprint, recordedAt: at, state: .booked(reply: reply))
        }
        places[entry.key] = Place(entry: entry, order: line.lowerBound, lines: [line])
    }

    /// Each key's entry, in the order in which they were written.
    var entries: [JournalEntry] { ordered.map(\.entry) }

    private var ordered: [Place] { places.values.sorted { $0.order < $1.order } }

    /// Whether this is a journal at all, or the beginning of one.
    var isJournal: Bool {
        hasRecords || JournalRecord.magics.contains { bytes.starts(with: $0) || $0.starts(with: bytes) }
    }

    /// The same without what is damaged, settled twice over, or expired.
    func compacted(service: String, retentionMilliseconds: Int, now: Int) -> [UInt8] {
        var result = JournalRecord.journal(service: service).line
        for place in ordered where place.entry.expiresAt(retentionMilliseconds: retentionMilliseconds) > now {
            for line in place.lines {
                result += JournalRecord.magic.bytes + bytes[line].dropFirst(JournalRecord.magic.utf8CodeUnitCount)
            }
        }
        return result
    }
}
