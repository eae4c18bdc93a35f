/// An accepted call: its request, its deadline, and the receiver of its completions.
package final class Call: Sendable {
    package let ticket: CallTicket
    let request: Request
    let receiver: CompletionReceiver
    let submittedAt: MonotonicTime
    /// Time to report the call as slow. nil: never.
    let slowAt: MonotonicTime?
    let deadline: MonotonicTime
    let seed: UInt64
    /// True for a search that may share the reply of an equal search.
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

    /// The members that the call's errors contain.
    var context: ErrorContext { ErrorContext(request) }

    /// True when a cancel does not end the call.
    var isDetached: Bool { request.isDetached }

    /// True when the completions wait in the client's queue.
    var isQueued: Bool { if case .queue = receiver { true } else { false } }

    /// True when another thread may end the call if the transfer thread is stuck.
    var isWatched: Bool {
        switch receiver {
        case .queue, .relay: true
        case .handler, .waiter, .none: false
        }
    }

    /// True for the library's own call. Nobody waits for its end.
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
    /// Creates the timing of a call that has made no attempt.
    init(_ call: Call, _ now: MonotonicTime) {
        let waited = now.microseconds(since: call.submittedAt)
        self.init(totalMicroseconds: waited, queueMicroseconds: waited, attempts: 0)
    }
}
