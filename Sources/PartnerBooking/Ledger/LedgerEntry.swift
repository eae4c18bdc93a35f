// The entry of one key in a ledger.

extension BookingLedger {
    enum State: Sendable {
        case inFlight(TransferID)
        indirect case inDoubt(Evidence)
        /// The reply is nil if an earlier process has recorded none.
        case booked(reply: [UInt8]?)
        case refused(PartnerBookingError.Outcome)
    }

    struct Entry: Sendable {
        let wish: Wish
        /// The body of the request. Empty when the entry is settled.
        var body: [UInt8]
        /// The time when the booking was requested, in milliseconds since 1970.
        let recordedAt: Int
        let service: Int?
        var state: State
        /// The account in which an earlier process sent the booking.
        var accountID: String?
        /// True when its fingerprint follows the rules of version 1 of the journal.
        var isOfVersion1 = false
        /// True when the journal contains the booking.
        var isRecorded = false
        /// True when it came from another client and no call of this host has asked for it.
        var isInherited = false
        /// True when the booking is about to be taken over without a call of the host. A dead
        /// engine, or this one, has left it.
        var isOrphan = false
        /// True when its call was cancelled. Nothing is sent until the host repeats it.
        var isWithdrawn = false
        var owedReport: OwedReport?
        /// The exchange that ended it, or `none` for an earlier process. Identifies its end.
        var end = TransferID.none
        /// The clock of the last intent, or record of an end, that went to the journal.
        var lastRecord: Int?
        /// The clock of the record of its end in the journal.
        var recordedEnd: Int?
        /// The time when the host has heard its end, or will have heard it. nil: it has not.
        var heardAt: Int?
        /// True when the booking was made and is sent again for its reply. Whatever the
        /// result, it was made.
        var wasMade = false
        /// The time when the entry is forgotten. nil: never.
        var expiresAt: Int?

        var isSettled: Bool {
            switch state {
            case .booked, .refused: true
            case .inFlight, .inDoubt: false
            }
        }

        /// The service's reply for a booking that was made.
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

        /// Puts a booking that was made in flight again, to get its reply.
        mutating func ask(with body: [UInt8], in id: TransferID) {
            self.body = body
            state = .inFlight(id)
            wasMade = true
            heardAt = nil
            expiresAt = nil
        }

        /// Ends the booking, unless it is settled. Returns whether it is settled now, and its
        /// service.
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

        /// Notes that the host has heard that end, or will have heard it at `moment`. Returns
        /// the time of the hearing. The first time it also returns the clock of the end's
        /// record in the journal. nil: nothing changes.
        mutating func hear(_ end: TransferID, at moment: Int) -> (heardAt: Int, record: Int?)? {
            guard isSettled, self.end == end else { return nil }
            let before = heardAt
            let heardAt = min(moment, before ?? moment)
            guard heardAt != before else { return nil }
            self.heardAt = heardAt
            // A heard refusal need not be remembered.
            if case .refused = state { expiresAt = min(heardAt, expiresAt ?? heardAt) }
            return (heardAt, before == nil ? recordedEnd : nil)
        }

        /// True when the host has not heard its end.
        var isListed: Bool { heardAt == nil }

        func isHeard(_ now: Int) -> Bool { heardAt.map { $0 <= now } ?? false }
        func isExpired(_ now: Int) -> Bool { expiresAt.map { $0 <= now } ?? false }
    }
}
