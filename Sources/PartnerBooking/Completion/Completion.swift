/// How a call ended: the service's reply, byte for byte, or why there is none.
public typealias Completion = Result<[UInt8], PartnerBookingError>

/// What is told of the end of a call, once and on the transfer thread: return soon, and block on nothing.
typealias CompletionHandler = @Sendable (Completion) -> Void
