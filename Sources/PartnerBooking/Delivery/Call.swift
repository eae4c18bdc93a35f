/// A call that was accepted: what to send, by when, and the handler of its completions.
package final class Call: Sendable {
    package let ticket: CallTicket
    let request: Request
    /// Its completions wait in the client's queue.
    let isQueued: Bool
    /// The library's own: nobody waits for its end.
    let isOwn: Bool
    let submittedAt: MonotonicTime
    /// When to tell that it is slow, if ever.
    let slowAt: MonotonicTime?
    let deadline: MonotonicTime
    let seed: UInt64
    let complete: CompletionHandler

    init(
        ticket: CallTicket, request: Request, deadline: MonotonicTime, seed: UInt64,
        isQueued: Bool = false, isOwn: Bool = false, submittedAt: MonotonicTime = .now(),
        slowAt: MonotonicTime? = nil, complete: @escaping CompletionHandler
    ) {
        self.ticket = ticket
        self.request = request
        self.deadline = deadline
        self.seed = seed
        self.isQueued = isQueued
        self.isOwn = isOwn
        self.submittedAt = submittedAt
        self.slowAt = slowAt
        self.complete = complete
    }

    /// What its errors carry.
    var context: ErrorContext { ErrorContext(request) }

    /// A cancel does not end it.
    var isDetached: Bool { request.isDetached }

    func tell(_ event: CallCompletion.Event, _ timing: CallTiming, _ receipt: Receipt? = nil) {
        complete(
            CallCompletion(
                ticket: ticket, idempotencyKey: request.idempotencyKey, tag: request.tag, event: event, timing: timing,
                receipt: receipt))
    }
}
