/// A call that was accepted: what to send, the policy it is sent under, and whom to tell.
///
/// `@unchecked Sendable` is safe because a call is handed to the transfer thread once and touched there only.
package final class Call: @unchecked Sendable {
    package let ticket: Ticket
    let request: HTTPRequest
    let context: ErrorContext
    /// A cancel does not end it.
    let isDetached: Bool
    /// Its completions wait in the client's queue.
    let isQueued: Bool
    let submittedAt: MonotonicTime
    /// When to tell that it is slow, if ever.
    let slowAt: MonotonicTime?
    let complete: CompletionHandler

    var delivery: Delivery
    /// When it got its place among the calls in flight.
    var startedAt: MonotonicTime?
    /// How the last attempt ended, while the call waits for the next one.
    var lastResult: CallResult?
    var lastTiming: AttemptTiming?

    init(
        ticket: Ticket, request: HTTPRequest, context: ErrorContext, delivery: Delivery, isDetached: Bool = false,
        isQueued: Bool = false, submittedAt: MonotonicTime = .now(), slowAt: MonotonicTime? = nil,
        complete: @escaping CompletionHandler
    ) {
        self.ticket = ticket
        self.request = request
        self.context = context
        self.delivery = delivery
        self.isDetached = isDetached
        self.isQueued = isQueued
        self.submittedAt = submittedAt
        self.slowAt = slowAt
        self.complete = complete
    }

    func tell(_ event: Completion.Event, _ timing: CallTiming) {
        complete(Completion(ticket: ticket, tag: context.tag, event: event, timing: timing))
    }

    func timing(_ now: MonotonicTime) -> CallTiming {
        CallTiming(
            totalMicroseconds: now.microseconds(since: submittedAt),
            queueMicroseconds: (startedAt ?? now).microseconds(since: submittedAt),
            attempts: delivery.attempts, lastAttempt: lastTiming)
    }
}
