/// A call that was accepted: what to send, by when, and the handler of its completions.
package final class Call: Sendable {
    package let ticket: CallTicket
    let request: Request
    let receiver: CompletionReceiver
    let submittedAt: MonotonicTime
    /// When to tell that it is slow, if ever.
    let slowAt: MonotonicTime?
    let deadline: MonotonicTime
    let seed: UInt64
    /// A search that may have the reply of an equal one that is under way.
    let isShared: Bool

    init(
        ticket: CallTicket, request: Request, deadline: MonotonicTime, seed: UInt64,
        submittedAt: MonotonicTime = .now(), slowAt: MonotonicTime? = nil, isShared: Bool = false,
        receiver: CompletionReceiver
    ) {
        self.ticket = ticket
        self.request = request
        self.deadline = deadline
        self.seed = seed
        self.submittedAt = submittedAt
        self.slowAt = slowAt
        self.isShared = isShared
        self.receiver = receiver
    }

    convenience init(
        ticket: CallTicket, request: Request, deadline: MonotonicTime, seed: UInt64,
        submittedAt: MonotonicTime = .now(), slowAt: MonotonicTime? = nil, complete: @escaping CompletionHandler
    ) {
        self.init(
            ticket: ticket, request: request, deadline: deadline, seed: seed, submittedAt: submittedAt,
            slowAt: slowAt, receiver: .handler(complete))
    }

    /// The members that its errors carry.
    var context: ErrorContext { ErrorContext(request) }

    /// A cancel does not end it.
    var isDetached: Bool { request.isDetached }

    /// Its completions wait in the client's queue.
    var isQueued: Bool { if case .queue = receiver { true } else { false } }

    /// Another thread may end it, if the transfer thread is stuck.
    var isWatched: Bool {
        switch receiver {
        case .queue, .relay: true
        case .handler, .waiter, .none: false
        }
    }

    /// The library's own: nobody waits for its end.
    @inline(__always)
    var isOwn: Bool { if case .none = receiver { true } else { false } }

    @inline(__always)
    func tell(_ event: CallCompletion.Event, _ timing: @autoclosure () -> CallTiming, _ receipt: Receipt? = nil) {
        receiver.receive(event, receipt) {
            CallCompletion(
                ticket: ticket, kind: CallKind(request.operation), idempotencyKey: request.idempotencyKey, tag: request.tag,
                event: event, timing: timing(), receipt: receipt)
        }
    }
}

extension CallTiming {
    /// A call that has made no attempt.
    init(_ call: Call, _ now: MonotonicTime) {
        let waited = now.microseconds(since: call.submittedAt)
        self.init(totalMicroseconds: waited, queueMicroseconds: waited, attempts: 0)
    }
}
