import Glibc

/// The entry of one key in a journal, made from all its records.
struct JournalEntry: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case unsettled(body: [UInt8])
        case booked(reply: [UInt8]?)
        case refused(PartnerBookingError.Outcome)
    }

    let key: String
    let wish: Wish
    /// The time when the booking was requested, in milliseconds since 1970.
    let recordedAt: Int
    /// The clock of the last record other than `withdrawn` and `heard`. Identifies an end.
    var clock: Int
    let state: State
    /// The account in which the booking was sent, if the library named the account.
    var accountID: String?
    /// True when its call was cancelled and the host has not repeated it.
    var isWithdrawn = false
    /// True when the host has heard its end.
    var isHeard = false
    /// True when its fingerprint follows the rules of version 1.
    var isOfVersion1 = false

    var isSettled: Bool {
        if case .unsettled = state { false } else { true }
    }

    var isRefused: Bool {
        if case .refused = state { true } else { false }
    }
}

/// The meaning of a journal's bytes, however damaged. Every intact line counts, and no other line.
struct JournalContents {
    /// The service of these bookings. nil: the line that names it is missing or damaged.
    private(set) var service: String?
    /// The ledger's clock at the moment of opening, in microseconds.
    private(set) var clock = 0
    /// Number of damaged bytes at the end: the process or the machine died while it wrote a record.
    private(set) var tornBytes = 0
    /// Number of damaged bytes with intact records after them.
    private(set) var damagedBytes = 0
    private(set) var hasRecords = false
    /// True when a later version of this library wrote a part of it.
    private(set) var isOfLaterVersion = false

    /// The state of a key by its records.
    private struct Place {
        let key: String
        /// The last record other than `withdrawn` and `heard`.
        let line: Range<Int>
        /// The `withdrawn` or `heard` record.
        var mark: Range<Int>?
        var clock: Int
        let isSettled: Bool
        let isRefused: Bool
        /// True when version 1 wrote one of the records. Then a rewrite encodes the entry again.
        var isOld: Bool
        let isOfVersion1: Bool
        /// True when a later record has replaced or removed it.
        var isGone = false

        var isHearable: Bool { isSettled && !isOld && !isOfVersion1 && mark == nil }
        var isHeardBooking: Bool { isSettled && !isRefused && mark != nil }
        var lineCount: Int { mark == nil ? 1 : 2 }

        /// Returns whether the entry is left out. A booking in doubt is never left out.
        func isExpired(_ now: Int, _ retentionMilliseconds: Int) -> Bool {
            isSettled && clock + retentionMilliseconds * 1_000 <= now
        }
    }

    private let bytes: [UInt8]
    /// The states of all keys, in the order of their lines.
    private var places: [Place] = []
    private var indices: [String: Int] = [:]
    private var eventCount = 0
    private var markCount = 0
    private var lastMark: JournalRecord.Mark?
    private var lastAt = 0
    /// Indices of entries without a time on the clock, which version 1 wrote.
    private var undated: [Int] = []

    private static let mostMarks = 64
    /// The largest value of the clock: thousands of years. Additions to it do not overflow.
    static let lastClock = 1 << 60

    init(_ bytes: [UInt8], openedAt reading: LedgerClock.Reading = .now()) {
        self.bytes = bytes
        bytes.withUnsafeBytes { read($0) }
        goOn(to: reading)
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) {
        indices.reserveCapacity(bytes.count / 400)
        var start = 0
        while start < bytes.count, let base = bytes.baseAddress {
            let feed = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
            let end = feed.map { UnsafeRawPointer($0) - base } ?? bytes.count
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            // A line without a line feed was not written completely, even if its record is
            // complete.
            if end < bytes.count, let line = JournalLine(text) {
                damagedBytes += tornBytes
                tornBytes = 0
                hasRecords = true
                apply(line, start..<end + 1)
            } else {
                isOfLaterVersion = isOfLaterVersion || JournalLine.isOfLaterVersion(text)
                tornBytes += min(end + 1, bytes.count) - start
            }
            start = end + 1
        }
    }

    private mutating func apply(_ line: JournalLine, _ range: Range<Int>) {
        if case .journal(let service, let mark)? = line.kind == .journal ? line.record : nil {
            self.service = service
            guard let mark else { return }
            lastMark = mark
            markCount += 1
            clock = max(clock, mark.clock)
            lastAt = mark.reading.wallMilliseconds
            return
        }
        eventCount += 1
        clock = max(clock, line.clock ?? 0)
        lastAt = line.at
        switch line.kind {
        case .journal: break
        case .intent: put(line, range)
        // Version 1 wrote no summary, so there is nothing to list.
        case .booked(let hasSummary): put(line, range, isSettled: true, isOfVersion1: !hasSummary)
        case .void(hasWish: true): put(line, range, isSettled: true, isRefused: true)
        case .void(hasWish: false), .givenUp: remove(line.key)
        case .withdrawn: withdraw(line, range)
        case .heard(let end): hear(line.key, end, range)
        }
    }

    private mutating func put(
        _ line: JournalLine, _ range: Range<Int>, isSettled: Bool = false, isRefused: Bool = false,
        isOfVersion1: Bool = false
    ) {
        if let before = indices.updateValue(places.count, forKey: line.key) { places[before].isGone = true }
        if line.clock == nil { undated.append(places.count) }
        places.append(
            Place(
                key: line.key, line: range, clock: line.clock ?? 0, isSettled: isSettled, isRefused: isRefused,
                isOld: line.clock == nil, isOfVersion1: isOfVersion1))
    }

    private mutating func remove(_ key: String) {
        if let index = indices.removeValue(forKey: key) { places[index].isGone = true }
    }

    private mutating func withdraw(_ line: JournalLine, _ range: Range<Int>) {
        guard let index = indices[line.key], !places[index].isSettled else { return }
        places[index].mark = range
        if line.clock == nil { places[index].isOld = true }
    }

    private mutating func hear(_ key: String, _ end: Int, _ range: Range<Int>) {
        guard let index = indices[key], places[index].clock == end, places[index].isHearable else { return }
        if places[index].isRefused { remove(key) } else { places[index].mark = range }
    }

    /// Advances the clock from the last record to the moment of opening. Entries of version 1
    /// begin to age at that moment.
    private mutating func goOn(to reading: LedgerClock.Reading) {
        if let mark = lastMark {
            let sinceMark = (clock - mark.clock) / 1_000
            let last = LedgerClock.Reading(
                bootID: mark.reading.bootID, upMilliseconds: mark.reading.upMilliseconds + sinceMark,
                wallMilliseconds: lastAt)
            clock = min(clock + reading.milliseconds(since: last) * 1_000, Self.lastClock)
        }
        for index in undated where places[index].isOld { places[index].clock = clock }
    }

    /// The entries of all keys, in the order in which they were written.
    var entries: [JournalEntry] { entries(mostHeard: .max) }

    /// Returns the same entries, but only the youngest `limit` of the heard bookings.
    func entries(mostHeard limit: Int) -> [JournalEntry] {
        var left = places.count { $0.isHeardBooking && !$0.isGone } - limit
        var entries: [JournalEntry] = []
        entries.reserveCapacity(indices.count)
        bytes.withUnsafeBytes { bytes in
            for place in places where !place.isGone {
                if left > 0, place.isHeardBooking {
                    left -= 1
                } else if let entry = entry(place, bytes) {
                    entries.append(entry)
                }
            }
        }
        return entries
    }

    private func entry(_ place: Place, _ bytes: UnsafeRawBufferPointer) -> JournalEntry? {
        let line = UnsafeRawBufferPointer(rebasing: bytes[place.line.dropLast()])
        guard case .event(let event, _, let stamp) = JournalLine(intact: line)?.record else { return nil }
        switch event {
        case .intent(let wish, let body, let accountID, let recordedAt):
            return JournalEntry(
                key: place.key, wish: wish, recordedAt: recordedAt ?? stamp.at, clock: place.clock,
                state: .unsettled(body: body),
                accountID: accountID, isWithdrawn: place.mark != nil)
        case .booked(let wish, let recordedAt, let reply):
            return JournalEntry(
                key: place.key, wish: wish, recordedAt: recordedAt, clock: place.clock, state: .booked(reply: reply),
                isHeard: place.mark != nil || place.isOfVersion1, isOfVersion1: place.isOfVersion1)
        case .void(let wish?, let recordedAt, let outcome):
            return JournalEntry(
                key: place.key, wish: wish, recordedAt: recordedAt, clock: place.clock, state: .refused(outcome))
        case .void(nil, _, _), .withdrawn, .heard, .givenUp: return nil
        }
    }

    /// True when this is a journal, or the beginning of one.
    var isJournal: Bool {
        hasRecords || JournalRecord.magics.contains { bytes.starts(with: $0) || $0.starts(with: bytes) }
    }

    /// Returns true if `writeCompacted` would leave nothing out and change nothing.
    func isCompact(retentionMilliseconds: Int, now: Int) -> Bool {
        guard tornBytes + damagedBytes == 0, service != nil, lastMark != nil, markCount <= Self.mostMarks else {
            return false
        }
        var count = 0
        for place in places where !place.isGone {
            guard !place.isExpired(now, retentionMilliseconds), !place.isOld else { return false }
            count += place.lineCount
        }
        return count == eventCount
    }

    /// Writes the journal without damaged, replaced or expired records. `write` gets it piece
    /// by piece.
    func writeCompacted(
        _ mark: JournalRecord, retentionMilliseconds: Int, now: Int, to write: (UnsafeRawBufferPointer) -> Void
    ) {
        mark.line.withUnsafeBytes(write)
        bytes.withUnsafeBytes { bytes in
            for place in places where !place.isGone && !place.isExpired(now, retentionMilliseconds) {
                if place.isOld {
                    for record in entry(place, bytes)?.records() ?? [] { record.line.withUnsafeBytes(write) }
                } else {
                    write(UnsafeRawBufferPointer(rebasing: bytes[place.line]))
                    if let mark = place.mark { write(UnsafeRawBufferPointer(rebasing: bytes[mark])) }
                }
            }
        }
    }
}

extension JournalEntry {
    /// Returns the records that make this entry. Their time is `moment`, or by default the
    /// time when the booking was requested.
    func records(at moment: Int? = nil) -> [JournalRecord] {
        let event: JournalRecord.Event =
            switch state {
            case .unsettled(let body):
                .intent(wish, body: body, accountID: accountID, recordedAt: moment == nil ? nil : recordedAt)
            case .booked(let reply): .booked(wish, recordedAt: recordedAt, reply: reply)
            case .refused(let outcome): .void(wish, recordedAt: recordedAt, outcome)
            }
        let stamp = JournalRecord.Stamp(at: moment ?? recordedAt, clock: clock)
        // A booking of version 1 counts as heard without a record.
        let mark: JournalRecord.Event? = isWithdrawn ? .withdrawn : isHeard && !isOfVersion1 ? .heard(end: clock) : nil
        return [.event(event, key: key, stamp)] + (mark.map { [.event($0, key: key, stamp)] } ?? [])
    }
}
