/// An event of a submitted call: done, slow or settled.
public struct CallCompletion: Sendable {
    /// The kind of event.
    public enum Event: Sendable {
        /// The end of the call. Exactly one for each call, and its last event.
        indirect case done(CallResult)
        /// The call goes on after `slowAfter`. At most one for each call.
        case slow
        /// The end of a booking whose call ended `unknown`: made, or certainly not made. Only
        /// the completion queue of the C ABI has this event. Handlers do not get it.
        indirect case settled(CallResult)
    }

    /// The call's ticket; nil for `settled`.
    public let ticket: CallTicket?
    /// The kind of the call; `createBooking` for `settled`.
    public let kind: CallKind
    /// The request's `idempotency_key`, for bookings only.
    public let idempotencyKey: String?
    /// The `tag` of the request.
    public let tag: String?
    /// The event.
    public let event: Event
    /// The time of each step, up to this event.
    public let timing: CallTiming
    /// The receipt of an event that may be the end of a booking. Acknowledge it when the host
    /// has heard the event.
    package let receipt: Receipt?
}

extension CallCompletion.Event {
    /// True when the call has ended and its booking may have been made.
    var isDoubtful: Bool {
        switch self {
        case .done(.failure(let error)), .settled(.failure(let error)): error.outcome == .unknown
        case .done(.success), .settled(.success), .slow: false
        }
    }
}

/// The report of a booking that is settled after its call ended `unknown`.
struct Settlement: Sendable {
    let idempotencyKey: String
    /// The tag of the call that ended `unknown`.
    let tag: String?
    let result: CallResult
    let timing: CallTiming
    let receipt: Receipt?
}

/// A function that receives a call's events on the transfer thread. It must return soon and
/// must not block.
public typealias CompletionHandler = @Sendable (CallCompletion) -> Void
