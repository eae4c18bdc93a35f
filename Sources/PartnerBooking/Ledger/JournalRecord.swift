/// One line of the journal, with all members that are written and read. docs/journal.md
/// describes the format.
enum JournalRecord: Equatable, Sendable {
    /// The journal was opened or rewritten: the service of these bookings, and the time on all
    /// clocks.
    case journal(service: String, Mark?)
    case event(Event, key: String, Stamp)

    /// The time on the clocks when a journal was opened.
    struct Mark: Equatable, Sendable {
        /// The ledger's clock, in microseconds.
        var clock: Int
        var reading: LedgerClock.Reading
    }

    /// The time of a record.
    struct Stamp: Equatable, Sendable {
        /// Milliseconds since 1970.
        var at: Int
        /// The time on the ledger's clock, in microseconds. Identifies the record. nil in
        /// version 1.
        var clock: Int?
    }

    enum Event: Equatable, Sendable {
        /// A booking is about to be sent, in `accountID` if the library names the account.
        /// `recordedAt` is the time when it was requested. nil: the time of the record.
        case intent(Wish, body: [UInt8], accountID: String?, recordedAt: Int? = nil)
        /// The booking was made. This record contains all there is to remember, so that the
        /// intent can go. `recordedAt` is the time when it was requested. Without a reply the
        /// service must be asked for it.
        case booked(Wish, recordedAt: Int, reply: [UInt8]?)
        /// The booking was certainly not made, and the key is free again. In version 1 it has
        /// no wish.
        case void(Wish?, recordedAt: Int, PartnerBookingError.Outcome)
        /// The call was cancelled. The booking is sent again only after a later intent.
        case withdrawn
        /// The host has heard the end. `end` is the clock of that end's record.
        case heard(end: Int)
        /// A person has given the booking up, and the key is free again.
        case givenUp

        /// True when the intent before it is no longer needed, or not for `resume_on_open`.
        var isSettlement: Bool {
            switch self {
            case .booked, .void, .withdrawn, .givenUp: true
            case .intent, .heard: false
            }
        }
    }

    static let version = 2
    static let magic: StaticString = "pbk2 "
    /// Magic bytes of all readable versions.
    static let magics = ["pbk1 ", "pbk2 "].map { Array($0.utf8) }

    /// The bytes of the line: `pbk2 `, 16 digits of checksum, a space, a JSON object, a line
    /// feed. JSON writes line feeds as `\n`, so the only line feed is the last byte.
    var line: [UInt8] {
        let json = self.json
        return Self.magic.bytes + Self.checksum(json) + [UInt8(ascii: " ")] + json + [UInt8(ascii: "\n")]
    }

    private var json: [UInt8] {
        JSONWriter.object { record in
            switch self {
            case .journal(let service, let mark):
                record.member("type", "journal")
                record.member("version", Self.version)
                record.member("service", service)
                mark?.write(&record)
            case .event(let event, let key, let stamp):
                record.member("type", event.type)
                record.member("key", key)
                record.member("at", stamp.at)
                if let clock = stamp.clock { record.member("clock", clock) }
                event.write(&record)
            }
        }
    }

    /// Returns the first eight bytes of the SHA-256 as hexadecimal digits.
    private static func checksum(_ json: [UInt8]) -> [UInt8] { Array(SHA256.digest(of: json).prefix(8)).hexDigits }
}

// MARK: - Members

extension JournalRecord.Mark {
    fileprivate func write(_ record: inout JSONWriter) {
        record.member("at", reading.wallMilliseconds)
        record.member("clock", clock)
        record.member("boot", reading.bootID)
        record.member("up", reading.upMilliseconds)
    }
}

extension JournalRecord.Event {
    fileprivate var type: String {
        switch self {
        case .intent: "intent"
        case .booked: "booked"
        case .void: "void"
        case .withdrawn: "withdrawn"
        case .heard: "heard"
        case .givenUp: "given_up"
        }
    }

    fileprivate func write(_ record: inout JSONWriter) {
        switch self {
        case .intent(let wish, let body, let accountID, let recordedAt):
            record.member("fingerprint", wish.fingerprint.hex)
            if let accountID { record.member("account_id", accountID) }
            if let recordedAt { record.member("recorded_at", recordedAt) }
            if let conversation = wish.conversation { record.member("conversation", conversation) }
            record.member("body", String(decoding: body, as: UTF8.self))
        case .booked(let wish, let recordedAt, let reply):
            write(wish, recordedAt, &record)
            record.member("reply", ifAny: reply.map { String(decoding: $0, as: UTF8.self) })
        case .void(let wish, let recordedAt, let outcome):
            record.member("outcome", outcome.rawValue)
            if let wish { write(wish, recordedAt, &record) }
        case .heard(let end): record.member("end", end)
        case .withdrawn, .givenUp: break
        }
    }

    private func write(_ wish: Wish, _ recordedAt: Int, _ record: inout JSONWriter) {
        record.member("fingerprint", wish.fingerprint.hex)
        if let summary = wish.summary {
            record.member("bot_id", summary.botID)
            record.member("start_at", summary.startAt)
            record.member("duration_minutes", summary.durationMinutes)
        }
        record.member("recorded_at", recordedAt)
        if let conversation = wish.conversation { record.member("conversation", conversation) }
    }
}

extension StaticString {
    var bytes: [UInt8] { withUTF8Buffer { Array($0) } }
}

extension JournalRecord {
    /// True when the event is a settlement. A withdrawal counts, too.
    var isSettlement: Bool {
        if case .event(let event, _, _) = self { event.isSettlement } else { false }
    }

    /// True for a `heard` record. It need not be on the disk: without it, an end is listed
    /// once more.
    var isHeard: Bool {
        if case .event(.heard, _, _) = self { true } else { false }
    }
}
