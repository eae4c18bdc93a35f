/// The list of bookings that are not settled, as JSON.
struct PendingBookings {
    private let pending: [Ledger.Pending]
    private let journal: Journal?
    private let now: Int

    init(_ pending: [Ledger.Pending], _ journal: Journal?, now: Int) {
        self.pending = pending
        self.journal = journal
        self.now = now
    }

    /// The object of docs/json-contract.md.
    var json: [UInt8] {
        JSONWriter.object { list in
            list.array("pending_bookings", pending) { item, booking in
                let summary = BookingSummary(body: booking.body)
                item.member("idempotency_key", booking.key)
                item.member("bot_id", summary?.botID)
                item.member("start_at", summary?.startAt)
                item.member("duration_minutes", summary?.durationMinutes)
                item.member("recorded_at", Timestamp.format(milliseconds: booking.recordedAt))
                item.member("in_flight", booking.isInFlight)
                item.member("expired", summary.map { $0.startMilliseconds <= now } ?? false)
            }
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
