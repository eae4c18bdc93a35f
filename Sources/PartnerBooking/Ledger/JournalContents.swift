/// One key in a journal, with all its records taken together.
struct JournalEntry: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case unsettled(body: [UInt8])
        case booked(reply: [UInt8])
        case refused(PartnerBookingError.Outcome)
    }

    let key: String
    let wish: Wish
    /// When it was asked for, in milliseconds since 1970.
    let recordedAt: Int
    /// The last of its records but for `withdrawn` and `heard`. It identifies an end.
    var clock: Int
    let state: State
    /// The account in which it was sent, if the library named it.
    var accountID: String?
    /// Its call was cancelled, and the host has not repeated it.
    var isWithdrawn = false
    /// The host has heard its end.
    var isHeard = false
    /// Its fingerprint follows the rules of version 1.
    var isOfVersion1 = false

    var isSettled: Bool {
        if case .unsettled = state { false } else { true }
    }

    var isRefused: Bool {
        if case .refused = state { true } else { false }
    }

    /// Returns whether it can be forgotten. A booking that may have been made is never forgotten.
    func isExpired(_ now: Int, retentionMilliseconds: Int) -> Bool {
        isSettled && clock + retentionMilliseconds * 1_000 <= now
    }
}

/// The meaning of the bytes of a journal, damaged as they may be: every line that is intact counts, and no other.
struct JournalContents {
    /// Whose bookings these are; nil when the line that says so is missing or damaged.
    private(set) var service: String?
    /// The ledger's clock at the moment of opening.
    private(set) var clock = 0
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
        /// Version 1 wrote one of them. It is written again.
        var isOld: Bool
    }

    private let bytes: [UInt8]
    private var places: [String: Place] = [:]
    private var eventCount = 0
    private var markCount = 0
    private var lastMark: JournalRecord.Mark?
    private var lastAt = 0
    /// Settled entries without a time on the clock.
    private var undated: [String] = []

    private static let mostMarks = 64
    /// Thousands of years. Adding to it does not overflow.
    static let lastClock = 1 << 60

    init(_ bytes: [UInt8], openedAt reading: LedgerClock.Reading = .now()) {
        self.bytes = bytes
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            // A line without its line feed was not written to its end, even if all of the record is there.
            if end < bytes.count, let record = JournalRecord(line: bytes[start..<end]) {
                damagedBytes += tornBytes
                tornBytes = 0
                hasRecords = true
                apply(record, start..<end + 1)
            } else {
                isOfLaterVersion = isOfLaterVersion || JournalRecord.isOfLaterVersion(bytes[start..<end])
                tornBytes += min(end + 1, bytes.count) - start
            }
            start = end + 1
        }
        goOn(to: reading)
    }

    private mutating func apply(_ record: JournalRecord, _ line: Range<Int>) {
        switch record {
        case .journal(let service, let mark):
            self.service = service
            guard let mark else { return }
            lastMark = mark
            markCount += 1
            clock = max(clock, mark.clock)
            lastAt = mark.reading.wallMilliseconds
        case .event(let event, let key, let stamp):
            eventCount += 1
            clock = max(clock, stamp.clock ?? 0)
            lastAt = stamp.at
            apply(event, key, stamp, line)
        }
    }

    private mutating func apply(
        _ event: JournalRecord.Event, _ key: String, _ stamp: JournalRecord.Stamp, _ line: Range<Int>
    ) {
        var entry: JournalEntry
        switch event {
        case .intent(let wish, let body, let accountID):
            entry = JournalEntry(
                key: key, wish: wish, recordedAt: stamp.at, clock: stamp.clock ?? 0, state: .unsettled(body: body),
                accountID: accountID)
        case .booked(let wish, let recordedAt, let reply):
            entry = JournalEntry(
                key: key, wish: wish, recordedAt: recordedAt, clock: stamp.clock ?? 0, state: .booked(reply: reply))
            // Version 1 wrote no summary: there is nothing to list.
            entry.isOfVersion1 = wish.summary == nil
            entry.isHeard = entry.isOfVersion1
        case .void(let wish?, let recordedAt, let outcome):
            entry = JournalEntry(
                key: key, wish: wish, recordedAt: recordedAt, clock: stamp.clock ?? 0, state: .refused(outcome))
        case .void(nil, _, _), .givenUp:
            places[key] = nil
            return
        case .withdrawn:
            guard places[key]?.entry.isSettled == false else { return }
            places[key]?.entry.isWithdrawn = true
            places[key]?.lines.append(line)
            if stamp.clock == nil { places[key]?.isOld = true }
            return
        case .heard(let end):
            guard places[key]?.isOld == false, let entry = places[key]?.entry, entry.isSettled, !entry.isHeard,
                entry.clock == end
            else { return }
            if case .refused = entry.state {
                places[key] = nil
            } else {
                places[key]?.entry.isHeard = true
                places[key]?.lines.append(line)
            }
            return
        }
        places[key] = Place(entry: entry, order: line.lowerBound, lines: [line], isOld: stamp.clock == nil)
        if stamp.clock == nil { undated.append(key) }
    }

    /// The clock goes on from the last record to the moment of opening. Entries of version 1 begin to age then.
    private mutating func goOn(to reading: LedgerClock.Reading) {
        if let mark = lastMark {
            let sinceMark = (clock - mark.clock) / 1_000
            let last = LedgerClock.Reading(
                bootID: mark.reading.bootID, upMilliseconds: mark.reading.upMilliseconds + sinceMark,
                wallMilliseconds: lastAt)
            clock = min(clock + reading.milliseconds(since: last) * 1_000, Self.lastClock)
        }
        for key in undated where places[key]?.isOld == true { places[key]?.entry.clock = clock }
    }

    /// Each key's entry, in the order in which they were written.
    var entries: [JournalEntry] { ordered.map(\.entry) }

    private var ordered: [Place] { places.values.sorted { $0.order < $1.order } }

    /// Whether this is a journal at all, or the beginning of one.
    var isJournal: Bool {
        hasRecords || JournalRecord.magics.contains { bytes.starts(with: $0) || $0.starts(with: bytes) }
    }

    /// Returns whether `compacted` would leave something out, or write something again.
    func isCompact(retentionMilliseconds: Int, now: Int) -> Bool {
        guard tornBytes + damagedBytes == 0, service != nil, lastMark != nil, markCount <= Self.mostMarks else {
            return false
        }
        let kept = places.values.filter { !$0.entry.isExpired(now, retentionMilliseconds: retentionMilliseconds) }
        return kept.allSatisfy { !$0.isOld } && kept.reduce(0) { $0 + $1.lines.count } == eventCount
    }

    /// The same without what is damaged, settled twice over, or expired.
    func compacted(_ mark: JournalRecord, retentionMilliseconds: Int, now: Int) -> [UInt8] {
        var result = mark.line
        for place in ordered where !place.entry.isExpired(now, retentionMilliseconds: retentionMilliseconds) {
            if place.isOld {
                for record in place.entry.records { result += record.line }
            } else {
                for line in place.lines { result += bytes[line] }
            }
        }
        return result
    }
}

extension JournalEntry {
    /// The records that give this entry.
    fileprivate var records: [JournalRecord] {
        let event: JournalRecord.Event =
            switch state {
            case .unsettled(let body): .intent(wish, body: body, accountID: accountID)
            case .booked(let reply): .booked(wish, recordedAt: recordedAt, reply: reply)
            case .refused(let outcome): .void(wish, recordedAt: recordedAt, outcome)
            }
        let stamp = JournalRecord.Stamp(at: recordedAt, clock: clock)
        let withdrawn = JournalRecord.event(.withdrawn, key: key, stamp)
        return [.event(event, key: key, stamp)] + (isWithdrawn ? [withdrawn] : [])
    }
}
