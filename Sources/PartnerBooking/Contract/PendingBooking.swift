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
    let recordedAtMilliseconds: Int
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
}
