extension PendingBooking {
    /// The time when the booking was requested, in RFC 3339, UTC.
    public var recordedAt: String { Timestamp.format(milliseconds: recordedAtMilliseconds) }

    /// Makes an item of the list. `now` is in milliseconds since 1970.
    init(_ pending: BookingLedger.Pending, now: Int) {
        self.init(
            idempotencyKey: pending.key, botID: pending.summary.botID, startAt: pending.summary.startAt,
            durationMinutes: pending.summary.durationMinutes, recordedAtMilliseconds: pending.recordedAt,
            conversation: pending.conversation, state: pending.state,
            isExpired: pending.summary.startMilliseconds <= now)
    }

    /// Reads the JSON that `write` writes.
    init?(_ item: JSONValue) {
        guard let key = item["idempotency_key"]?.string, let botID = item["bot_id"]?.string,
            let startAt = item["start_at"]?.string, let minutes = item["duration_minutes"]?.integer,
            let recordedAt = item["recorded_at"]?.withText({ Timestamp($0)?.instantMilliseconds }) ?? nil,
            let state = item["state"]?.string.flatMap(State.init(rawValue:)), let isExpired = item["expired"]?.boolean
        else { return nil }
        self.init(
            idempotencyKey: key, botID: botID, startAt: startAt, durationMinutes: minutes,
            recordedAtMilliseconds: recordedAt, conversation: item["conversation"]?.string, state: state,
            isExpired: isExpired)
    }

    func write(_ item: inout JSONWriter) {
        item.member("idempotency_key", idempotencyKey)
        item.member("bot_id", botID)
        item.member("start_at", startAt)
        item.member("duration_minutes", durationMinutes)
        item.member("recorded_at", recordedAt)
        item.member("state", state.rawValue)
        item.member("in_flight", isInFlight)
        item.member("expired", isExpired)
        if let conversation { item.member("conversation", conversation) }
    }
}

extension BookingLedger.GivenUp {
    /// Returns the reply to a give-up, as in docs/json-contract.md.
    func json(isJournaled: Bool = true) -> [UInt8] {
        let now = WallClock.milliseconds()
        return JSONWriter.object { reply in
            reply.array("given_up", givenUp) { PendingBooking($1, now: now).write(&$0) }
            reply.array("kept", kept) { PendingBooking($1, now: now).write(&$0) }
            if !isJournaled { reply.member("journaled", false) }
        }
    }
}

extension LedgerStore {
    /// The pending bookings, oldest first.
    var pendingBookings: [PendingBooking] {
        let now = WallClock.milliseconds()
        return pending.map { PendingBooking($0, now: now) }
    }

    /// The pending bookings and the state of the journal, as in docs/json-contract.md.
    var pendingBookingsJSON: [UInt8] {
        JSONWriter.object { list in
            list.array("pending_bookings", pendingBookings) { $1.write(&$0) }
            guard let (path, found) = opening else { return list.member("journal", nil as String?) }
            list.object("journal") { report in
                report.member("path", path)
                report.member("torn_bytes", found.tornBytes)
                report.member("damaged_bytes", found.damagedBytes)
                report.member("damaged_copy", found.damagedCopy)
                guard let others = found.others else { return }
                report.member("adopted", others.adoptedCount)
                report.array("left", others.left) { item, file in
                    item.member("path", file.path)
                    item.member("reason", file.reason)
                }
            }
        }
    }
}
