// The inputs and outputs of a ledger.

extension BookingLedger {
    /// The permission to send a booking. Its key is in flight from now on.
    struct Grant: Equatable, Sendable {
        /// The request to send. For a booking in doubt, the recorded request.
        var body: [UInt8]
        /// The evidence of earlier sendings under the key.
        var evidence = Evidence()
        /// True when the journal contains the booking.
        var isRecorded = false
        /// The account in which an earlier process sent the booking.
        var accountID: String?
        /// True when the booking is taken over without a call of the host.
        var isOrphan = false
        var owedReport: OwedReport?
    }

    /// The report that the host must get, because its call ended `unknown`.
    struct OwedReport: Equatable, Sendable {
        /// The tag of that call.
        var tag: String?
    }

    /// The decision about a new call for a booking. `end` identifies an end, see `heard`.
    enum Decision: Equatable {
        /// Send the booking. The key is in flight from now on, under the ID passed to `begin`.
        case send(Grant)
        /// The same booking is under way: share its end.
        case join(TransferID)
        /// The booking was made before, with this reply.
        case replay([UInt8], end: TransferID)
        /// The booking was made before, but its reply was not kept. Only a whole request can
        /// ask the service for it.
        case replyNotKept
        /// The key belongs to another booking.
        case refuse(PartnerBookingError.Existing)
        /// Too many bookings of the service are in doubt or in flight.
        case full(limit: Int)
        /// There is nothing to resume under this key.
        case absent
        /// The booking to resume was not made. The key is free.
        case notMade(PartnerBookingError.Outcome, end: TransferID)
    }

    /// The end of a delivery.
    enum Ending: Equatable {
        case booked(reply: [UInt8])
        /// The delivery certainly booked nothing. The outcome is `not_sent` or `rejected`.
        case notBooked(PartnerBookingError.Outcome)
        case inDoubt(Evidence, OwedReport?)
    }

    /// The end of a booking whose exchange has already ended in doubt.
    struct LateEnd: Equatable {
        let outcome: PartnerBookingError.Outcome
        let end: TransferID
        let owedReport: OwedReport?
    }

    /// A booking whose end the host has not heard.
    struct Pending: Comparable {
        let key: String
        let summary: BookingSummary
        let recordedAt: Int
        let conversation: String?
        let state: PendingBooking.State

        /// Returns true if `left` is older.
        static func < (left: Pending, right: Pending) -> Bool {
            (left.recordedAt, left.key) < (right.recordedAt, right.key)
        }
    }

    struct Settings: Sendable {
        var retentionMilliseconds: Int
        /// Number of settled keys. Each service may have half as many bookings in doubt or in
        /// flight.
        var capacity: Int
    }

    /// The bookings that were given up, and the bookings that were kept because they are not
    /// in doubt.
    struct GivenUp: Equatable {
        var givenUp: [Pending] = []
        var kept: [Pending] = []
    }
}
