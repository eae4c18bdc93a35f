/// An event of a submitted call: done, slow or settled.
public struct CallCompletion: Sendable {
    /// The kind of event.
    public enum Event: Sendable {
        /// The call has ended. Exactly one for each call, and the last.
        indirect case done(CallResult)
        /// `slowAfter` has passed and the call goes on. At most one.
        case slow
        /// A booking whose call ended `unknown` is settled: made, or certainly not. Only in the completion queue of the C ABI: no
        /// handler is told.
        indirect case settled(CallResult)
    }

    /// The call's ticket; nil for `settled`.
    public let ticket: CallTicket?
    /// The kind of the call; `createBooking` for `settled`.
    public let kind: CallKind
    /// For bookings: the request's `idempotency_key`.
    public let idempotencyKey: String?
    /// The request's own `tag`.
    public let tag: String?
    /// The event.
    public let event: Event
    /// The time of each step, up to now.
    public let timing: CallTiming
    /// Set when this may be the end of a booking. To be acknowledged when the host has heard it.
    package let receipt: Receipt?
}

extension CallCompletion.Event {
    /// The end of a call whose booking may have been made.
    var isDoubtful: Bool {
        switch self {
        case .done(.failure(let error)), .settled(.failure(let error)): error.outcome == .unknown
        case .done(.success), .settled(.success), .slow: false
        }
    }
}

/// The report of a settled booking whose call ended `unknown`.
struct Settlement: Sendable {
    let idempotencyKey: String
    /// The tag of that call.
    let tag: String?
    let result: CallResult
    let timing: CallTiming
    let receipt: Receipt?
}

/// Is told of a call on the transfer thread: return soon, and wait for nothing.
public typealias CompletionHandler = @Sendable (CallCompletion) -> Void
