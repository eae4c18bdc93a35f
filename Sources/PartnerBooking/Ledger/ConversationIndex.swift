/// The keys of each named phone call.
struct ConversationIndex: Sendable {
    private var keys: [String: Set<String>] = [:]

    /// Updates the index for a stored or removed entry.
    mutating func replace(_ old: Wish?, by new: Wish?, key: String) {
        guard old?.conversation != new?.conversation else { return }
        if let name = old?.conversation {
            keys[name]?.remove(key)
            if keys[name]?.isEmpty ?? false { keys[name] = nil }
        }
        if let name = new?.conversation { keys[name, default: []].insert(key) }
    }

    subscript(name: String) -> Set<String> { keys[name] ?? [] }
}

extension BookingLedger {
    /// A booking of a phone call.
    struct Known: Sendable {
        let key: String
        let summary: BookingSummary
        let state: PendingBooking.State
        let recordedAt: Int
        let end: TransferID
        /// The service's reply for a booking that was made. nil: only the service has it.
        let reply: [UInt8]?
        /// True when the host has heard the end, or is about to.
        let isHeard: Bool
    }

    /// Returns the bookings of a phone call, oldest first.
    func bookings(of conversation: String, botID: String, now: Int) -> [Known] {
        conversations[conversation].compactMap { key in
            guard let entry = entries[key], let summary = entry.wish.summary, summary.botID == botID, !entry.isExpired(now)
            else { return nil }
            return Known(
                key: key, summary: summary, state: entry.wasMade ? .booked : entry.pendingState,
                recordedAt: entry.recordedAt, end: entry.end, reply: entry.reply, isHeard: entry.heardAt != nil)
        }.sorted { ($0.recordedAt, $0.key) < ($1.recordedAt, $1.key) }
    }
}

extension LedgerStore {
    /// Returns the bookings of a phone call, oldest first. Each booking that has ended comes
    /// with the receipt of its end.
    func bookings(of conversation: String, botID: String) -> [(booking: BookingLedger.Known, receipt: Receipt?)] {
        knownBookings(of: conversation, botID: botID).map { booking in
            let hasEnded = booking.state == .booked || booking.state == .refused
            return (booking, hasEnded ? Receipt(self, key: booking.key, end: booking.end) : nil)
        }
    }
}
