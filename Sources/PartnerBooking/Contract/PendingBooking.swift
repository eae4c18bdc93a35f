/// A booking whose end the host has not heard. Contains no customer data.
public struct PendingBooking: Sendable, Equatable {
    /// The idempotency key. `PartnerBookingClient.resumeBooking` settles the booking with it,
    /// or returns its end.
    public let idempotencyKey: String
    /// The bot that asked.
    public let botID: String
    /// The start in RFC 3339, as in the request.
    public let startAt: String
    /// The duration in minutes, as in the request.
    public let durationMinutes: Int
    /// The time of the request, in milliseconds since 1970.
    let recordedAtMilliseconds: Int
    /// The host's name of the phone call, if there is one.
    public let conversation: String?
    /// The state of the booking.
    public let state: State
    /// True when a request for the booking is under way.
    public var isInFlight: Bool { state == .inFlight }
    /// True when the start has passed.
    public let isExpired: Bool

    /// The state of a booking.
    public enum State: String, Sendable {
        /// A request is under way.
        case inFlight = "in_flight"
        /// The booking may have been made.
        case inDoubt = "in_doubt"
        /// The booking was made.
        case booked
        /// The booking was not made. The key is free.
        case refused
    }
}
