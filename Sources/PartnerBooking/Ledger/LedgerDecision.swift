// The values that go into a ledger and come out of it.

extension BookingLedger {
    /// A key that is in flight from now on.
    struct Grant: Equatable, Sendable {
        /// The request to send. For a booking in doubt, the recorded one.
        var body: [UInt8]
        /// The evidence of earlier sendings under the key.
        var evidence = Evidence()
        /// The journal holds the booking.
        var isRecorded = false
        /// The account in which an earlier process sent it.
        var accountID: String?
        /// It is taken over without a call of the host.
        var isOrphan = false
        var owedReport: OwedReport?
    }

    /// The report that a host is owed: its call ended `unknown`.
    struct OwedReport: Equatable, Sendable {
        /// The call's.
        var tag: String?
    }

    /// The decision about a new call for a booking. `end` names an end; see `heard`.
    enum Decision: Equatable {
        /// Send it: the key is in flight from now on, under the ID that was named.
        case send(Grant)
        /// The same booking is under way: share its end.
        case join(TransferID)
        /// It was made before: here is the reply to it.
        case replay([UInt8], end: TransferID)
        /// It was made before, and nobody has kept the reply: to ask the service for it takes the whole request.
        case replyNotKept
        /// The key belongs to another booking.
        case refuse(PartnerBookingError.Existing)
        /// Too many bookings of its service are in doubt or in flight.
        case full(limit: Int)
        /// There is nothing to resume under this key.
        case absent
        /// The booking to resume was not made. The key is free.
        case notMade(PartnerBookingError.Outcome, end: TransferID)
    }

    /// The end of a delivery.
    enum Ending: Equatable {
        case booked(reply: [UInt8])
        /// It certainly booked nothing: the outcome is `not_sent` or `rejected`.
        case notBooked(PartnerBookingError.Outcome)
        case inDoubt(Evidence, OwedReport?)
    }

    /// The end of a booking whose exchange has ended in doubt.
    struct LateEnd: Equatable {
        let outcome: PartnerBookingError.Outcome
        let end: TransferID
        let owedReport: OwedReport?
    }

    /// A booking whose end nobody has heard.
    struct Pending: Comparable {
        let key: String
        let summary: BookingSummary
        let recordedAt: Int
        let conversation: String?
        let state: PendingBooking.State

        /// The older one comes first.
        static func < (left: Pending, right: Pending) -> Bool {
            (left.recordedAt, left.key) < (right.recordedAt, right.key)
        }
    }

    struct Settings: Sendable {
        var retentionMilliseconds: Int
        /// Settled keys. Each service may have half as many bookings in doubt or in flight.
        var capacity: Int
    }

    /// The bookings that were given up, and those that were not because they are not in doubt.
    struct GivenUp: Equatable {
        var givenUp: [Pending] = []
        var kept: [Pending] = []
    }
}
