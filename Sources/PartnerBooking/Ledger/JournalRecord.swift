/// One line of the journal. docs/journal.md describes the format. This is all of it that is written and read.
enum JournalRecord: Equatable, Sendable {
    /// The journal was opened or written again: whose bookings these are, and the time on all clocks.
    case journal(service: String, Mark?)
    /// An event of a booking.
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
        /// On the ledger's clock, in microseconds. It identifies the record. nil in version 1.
        var clock: Int?
    }

    enum Event: Equatable, Sendable {
        /// A booking is about to be sent, in that account if the library names it. `recordedAt` is when it was asked for; nil: at
        /// the time of the record.
        case intent(Wish, body: [UInt8], accountID: String?, recordedAt: Int? = nil)
        /// It was made. Says all there is to remember, so that the intent can go. `recordedAt` is when it was asked for. Without
        /// a reply the service has to be asked for it.
        case booked(Wish, recordedAt: Int, reply: [UInt8]?)
        /// It certainly was not made: the key is free again. No wish in version 1.
        case void(Wish?, recordedAt: Int, PartnerBookingError.Outcome)
        /// Its call was cancelled. It is sent again only after a later intent.
        case withdrawn
        /// The host has heard its end. `end` is the clock of that record.
        case heard(end: Int)
        /// A person has given it up: the key is free again.
        case givenUp

        /// The intent before it is not needed any more, or not for `resume_on_open`.
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

    /// `pbk2 `, sixteen digits of checksum, a space, a JSON object, a line feed. JSON writes line feeds as `\n`, so that
    /// a line ends where it seems to, whatever is in it.
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

    /// The first eight bytes of the SHA-256.
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
    /// It ends the doubt of a booking.
    var isSettlement: Bool {
        if case .event(let event, _, _) = self { event.isSettlement } else { false }
    }

    /// It need not be on the disk: without it, an end is listed once more.
    var isHeard: Bool {
        if case .event(.heard, _, _) = self { true } else { false }
    }
}
