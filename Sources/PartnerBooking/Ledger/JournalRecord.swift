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
        /// A booking is about to be sent, in that account if the library names it.
        case intent(Wish, body: [UInt8], accountID: String?)
        /// It was made. Says all there is to remember, so that the intent can go. `recordedAt` is when it was asked for.
        case booked(Wish, recordedAt: Int, reply: [UInt8])
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

    /// Reads a line without its line feed; nil when it is not one of ours from first byte to last.
    init?(line: ArraySlice<UInt8>) {
        guard Self.magics.contains(where: line.starts), let root = Self.root(of: line), let type = root["type"]?.string
        else { return nil }
        if type == "journal" {
            guard let service = root["service"]?.string, (1...Self.version).contains(root["version"]?.integer ?? 0)
            else { return nil }
            self = .journal(service: service, Mark(root))
            return
        }
        guard let key = root["key"]?.string, !key.isEmpty, let stamp = Stamp(root), let event = Event(type, root, stamp)
        else { return nil }
        self = .event(event, key: key, stamp)
    }

    /// Returns whether a later version of this library wrote the line that begins a journal. The version is under the checksum, so
    /// that damage is not taken for one.
    static func isOfLaterVersion(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.starts(with: "pbk".utf8), let root = root(of: line), root["type"]?.string == "journal" else {
            return false
        }
        return (root["version"]?.integer ?? 0) > version
    }

    /// Returns the JSON object of a line; nil when the checksum does not fit.
    private static func root(of line: ArraySlice<UInt8>) -> JSONValue? {
        let (magicCount, digits) = (magic.utf8CodeUnitCount, 16)
        guard line.count > magicCount + digits + 1 else { return nil }
        let json = Array(line.dropFirst(magicCount + digits + 1))
        let checksum = line.dropFirst(magicCount).prefix(digits)
        guard checksum.elementsEqual(Self.checksum(json)), line[checksum.endIndex] == UInt8(ascii: " ") else { return nil }
        return (try? JSONDocument(json, profile: .request))?.root
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
    fileprivate init?(_ root: JSONValue) {
        guard let at = root.milliseconds("at"), let up = root.milliseconds("up"), let clock = root.clock("clock") else {
            return nil
        }
        self.clock = clock
        reading = LedgerClock.Reading(bootID: root["boot"]?.string, upMilliseconds: up, wallMilliseconds: at)
    }

    fileprivate func write(_ record: inout JSONWriter) {
        record.member("at", reading.wallMilliseconds)
        record.member("clock", clock)
        record.member("boot", reading.bootID)
        record.member("up", reading.upMilliseconds)
    }
}

extension JournalRecord.Stamp {
    fileprivate init?(_ root: JSONValue) {
        guard let at = root.milliseconds("at") else { return nil }
        self.at = at
        clock = root.clock("clock")
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

    fileprivate init?(_ type: String, _ root: JSONValue, _ stamp: JournalRecord.Stamp) {
        let fingerprint = root["fingerprint"]?.string.flatMap(Fingerprint.init(hex:))
        let conversation = root["conversation"]?.string
        let recordedAt = root.milliseconds("recorded_at") ?? stamp.at
        switch type {
        case "intent":
            guard let text = root["body"]?.string, var fingerprint else { return nil }
            let body = Array(text.utf8)
            if stamp.clock == nil { fingerprint = Fingerprint(body: body) ?? fingerprint }
            let wish = Wish(
                fingerprint: fingerprint, summary: BookingSummary(body: body), conversation: conversation)
            self = .intent(wish, body: body, accountID: root["account_id"]?.string)
        case "booked":
            guard let reply = root["reply"]?.string, let fingerprint else { return nil }
            let summary = BookingSummary(botID: root["bot_id"], root)
            let wish = Wish(fingerprint: fingerprint, summary: summary, conversation: conversation)
            self = .booked(wish, recordedAt: recordedAt, reply: Array(reply.utf8))
        case "void":
            let wish = fingerprint.flatMap { fingerprint in
                BookingSummary(botID: root["bot_id"], root).map {
                    Wish(fingerprint: fingerprint, summary: $0, conversation: conversation)
                }
            }
            let outcome = root["outcome"]?.string.flatMap(PartnerBookingError.Outcome.init(rawValue:))
            self = .void(wish, recordedAt: wish == nil ? stamp.at : recordedAt, outcome ?? .rejected)
        case "withdrawn": self = .withdrawn
        case "heard":
            guard let end = root.clock("end") else { return nil }
            self = .heard(end: end)
        case "given_up": self = .givenUp
        default: return nil
        }
    }

    fileprivate func write(_ record: inout JSONWriter) {
        switch self {
        case .intent(let wish, let body, let accountID):
            record.member("fingerprint", wish.fingerprint.hex)
            if let accountID { record.member("account_id", accountID) }
            if let conversation = wish.conversation { record.member("conversation", conversation) }
            record.member("body", String(decoding: body, as: UTF8.self))
        case .booked(let wish, let recordedAt, let reply):
            write(wish, recordedAt, &record)
            record.member("reply", String(decoding: reply, as: UTF8.self))
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

extension JSONValue {
    /// A time that can be added to without overflow: less than thousands of years.
    fileprivate func milliseconds(_ name: StaticString) -> Int? {
        self[name]?.integer.flatMap { (0...1 << 50).contains($0) ? $0 : nil }
    }

    fileprivate func clock(_ name: StaticString) -> Int? {
        self[name]?.integer.flatMap { (0...JournalContents.lastClock).contains($0) ? $0 : nil }
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
