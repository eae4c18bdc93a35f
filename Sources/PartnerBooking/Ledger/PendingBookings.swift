/// A booking that is in flight, in doubt, or settled and not reported. Contains no customer data.
public struct PendingBooking: Sendable, Equatable {
    /// Settles it: `PartnerBookingClient.resumeBooking`.
    public let idempotencyKey: String
    /// The bot that asked.
    public let botID: String
    /// RFC 3339, as the request wrote it.
    public let startAt: String
    /// As the request has it.
    public let durationMinutes: Int
    /// When it was asked for, in milliseconds since 1970.
    public let recordedAtMilliseconds: Int
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
        /// It was made. The report found no room (`report_settled`).
        case booked
        /// It was not made. The report found no room. The key is free.
        case refused
    }

    /// nil for a body that is no booking's, which no reader lets through.
    init?(_ pending: Ledger.Pending, now: Int) {
        guard let summary = BookingSummary(body: pending.body) else { return nil }
        idempotencyKey = pending.key
        botID = summary.botID
        startAt = summary.startAt
        durationMinutes = summary.durationMinutes
        recordedAtMilliseconds = pending.recordedAt
        state = State(rawValue: pending.state.rawValue) ?? .inDoubt
        isExpired = summary.startMilliseconds <= now
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
    }
}

extension BookingLedger {
    /// The pending bookings, oldest first.
    var pendingBookings: [PendingBooking] {
        let now = WallClock.milliseconds()
        return pending.compactMap { PendingBooking($0, now: now) }
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
