/// One line of a journal. Reads only the members that decide whether the line counts, and
/// copies only the key: large journals are read at every opening and every rewrite. `record`
/// reads the rest.
///
/// The bytes must stay in place as long as the value is used.
struct JournalLine {
    enum Kind: Equatable {
        case journal
        case intent
        /// Without a summary, version 1 wrote the line.
        case booked(hasSummary: Bool)
        /// Without a wish, version 1 wrote the line.
        case void(hasWish: Bool)
        case withdrawn
        case heard(end: Int)
        case givenUp
    }

    let kind: Kind
    /// The idempotency key. Empty in a `journal` line.
    let key: String
    /// Milliseconds since 1970.
    let at: Int
    /// The time on the ledger's clock, in microseconds. nil in version 1.
    let clock: Int?
    private let members: JournalMembers

    /// Reads a line without its line feed. Returns nil if it is not an intact line of a journal.
    init?(_ line: UnsafeRawBufferPointer) {
        guard Self.hasMagic(line), Self.isIntact(line) else { return nil }
        self.init(intact: line)
    }

    /// Reads a line whose checksum was just verified.
    init?(intact line: UnsafeRawBufferPointer) {
        guard let members = try? JournalMembers(Self.json(of: line)), let kind = Self.kind(members) else { return nil }
        let (at, clock) = (members.milliseconds(.at), members.clock(.clock))
        if kind != .journal {
            guard let at, let key = members.string(.key), !key.isEmpty else { return nil }
            (self.at, self.key) = (at, key)
        } else {
            (self.at, self.key) = (at ?? 0, "")
        }
        self.kind = kind
        self.clock = clock
        self.members = members
    }

    private static func kind(_ members: JournalMembers) -> Kind? {
        if members.isString(.type, "heard") { return members.clock(.end).map(Kind.heard) }
        if members.isString(.type, "void") { return .void(hasWish: members.hasFingerprint && members.hasSummary) }
        if members.isString(.type, "withdrawn") { return .withdrawn }
        if members.isString(.type, "given_up") { return .givenUp }
        if members.isString(.type, "journal") {
            let isReadable = members.isString(.service) && 1...JournalRecord.version ~= members.integer(.version) ?? 0
            return isReadable ? .journal : nil
        }
        guard members.hasFingerprint else { return nil }
        if members.isString(.type, "intent") { return members.isString(.body) ? .intent : nil }
        guard members.isString(.type, "booked") else { return nil }
        return .booked(hasSummary: members.hasSummary)
    }

    /// The complete record.
    var record: JournalRecord? {
        if kind == .journal {
            return members.string(.service).map { .journal(service: $0, JournalRecord.Mark(members)) }
        }
        return event.map { .event($0, key: key, JournalRecord.Stamp(at: at, clock: clock)) }
    }

    private var event: JournalRecord.Event? {
        let recordedAt = members.milliseconds(.recorded_at) ?? at
        switch kind {
        case .journal: return nil
        case .intent:
            guard let body = members.bytes(.body), var fingerprint = members.fingerprint else { return nil }
            if clock == nil { fingerprint = Fingerprint(body: body) ?? fingerprint }
            let wish = Wish(
                fingerprint: fingerprint, summary: BookingSummary(body: body),
                conversation: members.string(.conversation))
            return .intent(
                wish, body: body, accountID: members.string(.account_id), recordedAt: members.milliseconds(.recorded_at))
        case .booked:
            guard let fingerprint = members.fingerprint else { return nil }
            let wish = Wish(
                fingerprint: fingerprint, summary: members.summary, conversation: members.string(.conversation))
            return .booked(wish, recordedAt: recordedAt, reply: members.bytes(.reply))
        case .void:
            let wish = members.fingerprint.flatMap { fingerprint in
                members.summary.map {
                    Wish(fingerprint: fingerprint, summary: $0, conversation: members.string(.conversation))
                }
            }
            let outcome = members.string(.outcome).flatMap(PartnerBookingError.Outcome.init(rawValue:))
            return .void(wish, recordedAt: wish == nil ? at : recordedAt, outcome ?? .rejected)
        case .withdrawn: return .withdrawn
        case .heard(let end): return .heard(end: end)
        case .givenUp: return .givenUp
        }
    }

    // MARK: The form of a line

    /// The magic bytes, 16 digits of checksum, and a space.
    private static let headCount = 5 + 16 + 1

    private static func json(of line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: line.dropFirst(headCount))
    }

    /// Returns whether the line starts with `pbk1 ` or `pbk2 `.
    private static func hasMagic(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count > headCount, line.loadUnaligned(as: UInt32.self) & 0xFFFFFF == 0x6B6270 else { return false }
        return (line[3] == UInt8(ascii: "1") || line[3] == UInt8(ascii: "2")) && line[4] == UInt8(ascii: " ")
    }

    /// Returns whether the checksum is right: the first eight bytes of the SHA-256.
    private static func isIntact(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count > headCount, line[headCount - 1] == UInt8(ascii: " ") else { return false }
        var hash = SHA256()
        hash.update(json(of: line))
        var checksum = hash.finalizedStart()
        for place in (5..<21).reversed() {
            guard line[place] == UInt8(truncatingIfNeeded: checksum & 15).hexDigit else { return false }
            checksum >>= 4
        }
        return true
    }

    /// Returns whether a later version of this library wrote the `journal` line. The checksum
    /// covers the version, so damage does not look like a later version.
    static func isOfLaterVersion(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.starts(with: "pbk".utf8), isIntact(line), let members = try? JournalMembers(json(of: line)) else {
            return false
        }
        return members.isString(.type, "journal") && members.integer(.version) ?? 0 > JournalRecord.version
    }
}

extension JournalRecord {
    /// Reads a line without its line feed. Returns nil if it is not an intact line of a journal.
    init?(line: ArraySlice<UInt8>) {
        guard let record = line.withUnsafeBytes({ JournalLine($0)?.record }) else { return nil }
        self = record
    }
}

extension JournalRecord.Mark {
    init?(_ members: JournalMembers) {
        guard let at = members.milliseconds(.at), let up = members.milliseconds(.up), let clock = members.clock(.clock)
        else { return nil }
        self.clock = clock
        reading = LedgerClock.Reading(bootID: members.string(.boot), upMilliseconds: up, wallMilliseconds: at)
    }
}

extension JournalMembers {
    fileprivate var hasFingerprint: Bool { withText(.fingerprint) { Fingerprint.isHex($0) } ?? false }

    fileprivate var fingerprint: Fingerprint? { withText(.fingerprint) { Fingerprint(hex: $0) } ?? nil }

    fileprivate var hasSummary: Bool {
        isString(.bot_id) && integer(.duration_minutes) != nil && startSeconds != nil
    }

    fileprivate var summary: BookingSummary? {
        guard let botID = string(.bot_id), let startAt = string(.start_at), let minutes = integer(.duration_minutes),
            let startSeconds
        else { return nil }
        return BookingSummary(
            botID: botID, startAt: startAt, durationMinutes: minutes, startSeconds: startSeconds)
    }

    private var startSeconds: Int? { withText(.start_at) { Timestamp($0)?.instantSeconds } ?? nil }
}
