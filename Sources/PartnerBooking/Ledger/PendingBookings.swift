/// A booking whose end the host has not heard. Contains no customer data.
public struct PendingBooking: Sendable, Equatable {
    /// Settles it, or gives its end: `PartnerBookingClient.resumeBooking`.
    public let idempotencyKey: String
    /// The bot that asked.
    public let botID: String
    /// RFC 3339, as the request wrote it.
    public let startAt: String
    /// As the request has it.
    public let durationMinutes: Int
    /// When it was asked for, in milliseconds since 1970.
    public let recordedAtMilliseconds: Int
    /// The name of the phone call, if the request had one.
    public let conversation: String?
    /// The state of the booking.
    public let state: State
    /// A request for it is under way.
    public var isInFlight: Bool { state == .inFlight }
    /// Its start has passed.
    public let isExpired: Bool

    /// The state of a booking.
    public enum State: String, Sendable {
        /// A request for it is under way.
        case inFlight = "in_flight"
        /// It may have been made.
        case inDoubt = "in_doubt"
        /// It was made.
        case booked
        /// It was not made. The key is free.
        case refused
    }

    /// `now` is in milliseconds since 1970.
    init(_ pending: Ledger.Pending, now: Int) {
        idempotencyKey = pending.key
        botID = pending.summary.botID
        startAt = pending.summary.startAt
        durationMinutes = pending.summary.durationMinutes
        recordedAtMilliseconds = pending.recordedAt
        conversation = pending.conversation
        state = pending.state
        isExpired = pending.summary.startMilliseconds <= now
    }

    /// Reads what `write` writes.
    init?(_ item: JSONValue) {
        guard let key = item["idempotency_key"]?.string, let botID = item["bot_id"]?.string,
            let startAt = item["start_at"]?.string, let minutes = item["duration_minutes"]?.integer,
            let recordedAt = item["recorded_at"]?.withText({ Timestamp($0)?.instantMilliseconds }) ?? nil,
            let state = item["state"]?.string.flatMap(State.init(rawValue:)), let isExpired = item["expired"]?.boolean
        else { return nil }
        idempotencyKey = key
        self.botID = botID
        self.startAt = startAt
        durationMinutes = minutes
        recordedAtMilliseconds = recordedAt
        conversation = item["conversation"]?.string
        self.state = state
        self.isExpired = isExpired
    }

    func write(_ item: inout JSONWriter) {
        item.member("idempotency_key", idempotencyKey)
        item.member("bot_id", botID)
        item.member("start_at", startAt)
        item.member("duration_minutes", durationMinutes)
        item.member("recorded_at", Timestamp.format(milliseconds: recordedAtMilliseconds))
        item.member("state", state.rawValue)
        item.member("in_flight", isInFlight)
        item.member("expired", isExpired)
        if let conversation { item.member("conversation", conversation) }
    }
}

extension BookingLedger {
    /// The pending bookings, oldest first.
    var pendingBookings: [PendingBooking] {
        let now = WallClock.milliseconds()
        return pending.map { PendingBooking($0, now: now) }
    }

    /// The object of docs/json-contract.md.
    var pendingBookingsJSON: [UInt8] {
        JSONWriter.object { list in
            list.array("pending_bookings", pendingBookings) { $1.write(&$0) }
            guard let journal else { return list.member("journal", nil as String?) }
            list.object("journal") { report in
                report.member("path", journal.path)
                report.member("torn_bytes", journal.opening.tornBytes)
                report.member("damaged_bytes", journal.opening.damagedBytes)
                report.member("damaged_copy", journal.opening.damagedCopy)
            }
        }
    }
}
