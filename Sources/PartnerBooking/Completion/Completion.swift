/// How a call ended: the service's reply, byte for byte, or why there is none.
public typealias CallResult = Result<[UInt8], PartnerBookingError>

/// Names one call of a client. Never 0, and never given twice by the same client.
public typealias Ticket = UInt64

/// What a submitted call has to tell: once that it is done, and before that perhaps that it is slow.
public struct Completion: Sendable {
    /// What there is to tell.
    public enum Event: Sendable {
        /// The call has ended. Exactly one for each call, and the last.
        case done(CallResult)
        /// `slow_after_ms` have passed and the call goes on. At most one.
        case slow
    }

    /// The call, as `submit` has named it.
    public let ticket: Ticket
    /// The request's own `tag`.
    public let tag: String?
    /// What has happened.
    public let event: Event
    /// Where the time went, up to now.
    public let timing: CallTiming
}

/// Is told of a call on the transfer thread: return soon, and wait for nothing.
public typealias CompletionHandler = @Sendable (Completion) -> Void
