// One key of a ledger.

extension BookingLedger {
    enum State: Sendable {
        case inFlight(TransferID)
        indirect case inDoubt(Evidence)
        /// Without a reply when an earlier process has recorded it so.
        case booked(reply: [UInt8]?)
        case refused(PartnerBookingError.Outcome)
    }

    struct Entry: Sendable {
        let wish: Wish
        /// The request's; empty once it is settled.
        var body: [UInt8]
        /// When it was asked for, in milliseconds since 1970.
        let recordedAt: Int
        let service: Int?
        var state: State
        /// The account in which an earlier process sent it.
        var accountID: String?
        /// Its fingerprint follows the rules of version 1 of the journal.
        var isOfVersion1 = false
        /// The journal holds the booking.
        var isRecorded = false
        /// It came from another client, and no call of this host has asked for it.
        var isInherited = false
        /// It is about to be taken over from an engine that has died, or from this one, without a
        /// call of the host.
        var isOrphan = false
        /// Its call was cancelled: nothing is sent until the host repeats it.
        var isWithdrawn = false
        var owedReport: OwedReport?
        /// Names its end: the exchange that ended it, or `none` for an earlier process.
        var end = TransferID.none
        /// The last intent or record of an end that went to the journal.
        var lastRecord: Int?
        /// The record of its end in the journal.
        var recordedEnd: Int?
        /// When the host has heard its end. nil: not yet.
        var heardAt: Int?
        /// It was made, and is sent again for its reply. Whatever comes of that, it was made.
        var wasMade = false
        /// When the entry is forgotten. nil: never.
        var expiresAt: Int?

        var isSettled: Bool {
            switch state {
            case .booked, .refused: true
            case .inFlight, .inDoubt: false
            }
        }

        /// The service's, of a booking that was made.
        var reply: [UInt8]? { if case .booked(let reply) = state { reply } else { nil } }

        var pendingState: PendingBooking.State {
            switch state {
            case .inFlight: .inFlight
            case .inDoubt: .inDoubt
            case .booked: .booked
            case .refused: .refused
            }
        }

        mutating func settle(_ state: State, expiresAt: Int) {
            self.state = state
            body = []
            owedReport = nil
            self.expiresAt = expiresAt
        }

        /// A booking that was made is sent again, for its reply.
        mutating func ask(with body: [UInt8], in id: TransferID) {
            self.body = body
            state = .inFlight(id)
            wasMade = true
            heardAt = nil
            expiresAt = nil
        }

        /// Ends it, unless it is settled. Returns whether it is settled now, and its service.
        mutating func end(_ ending: Ending, as end: TransferID, expiresAt: Int) -> (isSettled: Bool, service: Int?)? {
            guard !isSettled else { return nil }
            self.end = end
            switch ending {
            case .inDoubt where wasMade, .notBooked where wasMade: settle(.booked(reply: nil), expiresAt: expiresAt)
            case .inDoubt(let evidence, let owedReport):
                state = .inDoubt(evidence)
                self.owedReport = owedReport
            case .booked(let reply): settle(.booked(reply: reply), expiresAt: expiresAt)
            case .notBooked(let outcome): settle(.refused(outcome), expiresAt: expiresAt)
            }
            return (isSettled, service)
        }

        /// The host has heard that end, or will have at `moment`. Returns when that is, and at the first time the journal's record
        /// of the end, if there is one; nil when it changes nothing.
        mutating func hear(_ end: TransferID, at moment: Int) -> (heardAt: Int, record: Int?)? {
            guard isSettled, self.end == end else { return nil }
            let before = heardAt
            let heardAt = min(moment, before ?? moment)
            guard heardAt != before else { return nil }
            self.heardAt = heardAt
            // Nothing of it needs to be remembered.
            if case .refused = state { expiresAt = min(heardAt, expiresAt ?? heardAt) }
            return (heardAt, before == nil ? recordedEnd : nil)
        }

        /// Nobody has heard its end.
        var isListed: Bool { heardAt == nil }

        func isHeard(_ now: Int) -> Bool { heardAt.map { $0 <= now } ?? false }
        func isExpired(_ now: Int) -> Bool { expiresAt.map { $0 <= now } ?? false }
    }
}
