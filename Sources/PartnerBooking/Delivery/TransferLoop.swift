/// A call that was accepted: what to send, the policy it is sent under, and whom to tell.
///
/// `@unchecked Sendable` is safe because a call is handed to the transfer thread once and touched there only.
final class Call: @unchecked Sendable {
    let id: TransferID
    let request: HTTPRequest
    let context: ErrorContext
    var delivery: Delivery
    /// How the last attempt ended, while the call waits for the next one.
    var lastResult: Completion?
    let complete: CompletionHandler

    init(
        id: TransferID, request: HTTPRequest, context: ErrorContext, delivery: Delivery,
        complete: @escaping CompletionHandler
    ) {
        self.id = id
        self.request = request
        self.context = context
        self.delivery = delivery
        self.complete = complete
    }
}

/// The transfer thread: runs the deliveries of one client's calls over one transport. Other threads only hand in calls.
///
/// `@unchecked Sendable` is safe because `transport`, `calls` and `timers` are used on the transfer thread alone (but for
/// `transport.wake`, which is made for it), and everything shared is in `shared`.
final class TransferLoop: @unchecked Sendable {
    private struct Shared {
        var inbox: [Call] = []
        /// Calls accepted and not yet completed.
        var inFlight = 0
        /// Set once: no more calls are accepted, and those left at that moment are ended.
        var closesAt: MonotonicTime?
        var endedCalls = 0
        var isOver = false
    }

    private enum Timer {
        case deadline(TransferID)
        case pauseOver(TransferID)

        var id: TransferID {
            switch self {
            case .deadline(let id), .pauseOver(let id): id
            }
        }
    }

    private let shared = Monitor(Shared())
    private let transport: any Transport
    private let maxInFlight: Int
    private var calls: [TransferID: Call] = [:]
    private var timers = TimerQueue<Timer>()

    private init(_ transport: any Transport, maxInFlight: Int) {
        self.transport = transport
        self.maxInFlight = maxInFlight
    }

    /// Starts the loop on a thread of its own. It lives until `close`; the caller keeps the thread for it.
    static func start(_ transport: any Transport, maxInFlight: Int) throws(PartnerBookingError) -> (TransferLoop, Thread) {
        let loop = TransferLoop(transport, maxInFlight: maxInFlight)
        return (loop, try Thread(name: "pbk-transfer") { loop.run() })
    }

    /// From any thread: hands in a call. Takes a lock for a moment and writes one wake-up; touches no network.
    func submit(_ call: Call) throws(PartnerBookingError) {
        let isFirst = try shared.withLock { shared throws(PartnerBookingError) in
            guard shared.closesAt == nil else { throw .clientClosed }
            guard shared.inFlight < maxInFlight else { throw .queueFull(maxInFlight) }
            shared.inFlight += 1
            shared.inbox.append(call)
            return shared.inbox.count == 1
        }
        if isFirst { transport.wake() }
    }

    /// From any thread, once: refuses new calls, lets those under way finish until the moment, then ends them. Returns when
    /// every call is completed, and tells how many had to be ended; nil when the thread did not come back in time.
    func close(until moment: MonotonicTime) -> Int? {
        shared.update { $0.closesAt = moment }
        transport.wake()
        if ExitGate.isShut { return nil }
        return shared.wait(until: moment.adding(milliseconds: 2_000)) { $0.isOver ? $0.endedCalls : nil }
    }

    // MARK: On the transfer thread

    private func run() {
        ExitGate.enter()
        while true {
            let now = MonotonicTime.now()
            let closesAt = takeCalls(now)
            // Answers before deadlines: one that has come is not thrown away because this thread was late.
            for (id, result) in transport.finished() { attemptEnded(id, result, now) }
            fireTimers(now)
            if let closesAt, calls.isEmpty || closesAt <= now { break }
            ExitGate.leave()
            transport.wait(until: earliest(timers.next, closesAt))
            ExitGate.enter()
        }
        let rest = Array(calls.keys)
        for id in rest { end(id, with: .clientClosed, .now()) }
        transport.close()
        ExitGate.leave()
        shared.update {
            $0.endedCalls = rest.count
            $0.isOver = true
        }
    }

    /// Starts the calls that came in, and tells when the loop is to close.
    private func takeCalls(_ now: MonotonicTime) -> MonotonicTime? {
        let (inbox, closesAt) = shared.withLock { shared in
            defer { shared.inbox.removeAll(keepingCapacity: true) }
            return (shared.inbox, shared.closesAt)
        }
        for call in inbox {
            calls[call.id] = call
            timers.add(.deadline(call.id), at: call.delivery.deadline)
            attempt(call, now)
        }
        return closesAt
    }

    private func fireTimers(_ now: MonotonicTime) {
        while let timer = timers.popDue(now: now) {
            switch timer {
            case .deadline(let id): end(id, with: .timeout, now)
            case .pauseOver(let id):
                if let call = calls[id] { attempt(call, now) }
            }
        }
        // Most calls end long before their deadline: keep their timers from piling up.
        if timers.count > 4 * calls.count + 64 { timers.removeAll { calls[$0.id] == nil } }
    }

    private func attempt(_ call: Call, _ now: MonotonicTime) {
        switch call.delivery.begin(now: now) {
        case .send:
            if let failure = transport.start(call.id, call.request) { attemptEnded(call.id, .failure(failure), now) }
        case .pause, .finish:
            // The thread came too late for another attempt. What is known is more than that the time is up.
            if let lastResult = call.lastResult { complete(call, lastResult) } else { end(call.id, with: .timeout, now) }
        }
    }

    private func attemptEnded(_ id: TransferID, _ result: TransferResult, _ now: MonotonicTime) {
        guard let call = calls[id] else { return }
        let judgement = Judgement(result, of: call.context.operation)
        switch call.delivery.attemptEnded(judgement.verdict, now: now) {
        case .pause(let moment):
            call.lastResult = judgement.result
            timers.add(.pauseOver(id), at: moment)
        case .finish, .send: complete(call, judgement.result)
        }
    }

    /// Ends a call that has no result yet, unless its transfer turns out to hold one.
    private func end(_ id: TransferID, with error: PartnerBookingError, _ now: MonotonicTime) {
        guard let call = calls[id] else { return }
        let abandoned = transport.cancel(id)
        if let answer = Judgement(partial: abandoned.partialReply, of: call.context.operation) {
            _ = call.delivery.attemptEnded(answer.verdict, now: now)
            complete(call, answer.result)
        } else {
            let effect: Delivery.Effect = abandoned.mayHaveBeenSent ? .unknown : .notSent
            _ = call.delivery.attemptEnded(.init(effect: effect, isRetryable: false), now: now)
            complete(call, .failure(error))
        }
    }

    private func complete(_ call: Call, _ completion: Completion) {
        calls[call.id] = nil
        // First out of the count, then told: who submits the next call on being told finds a free place.
        shared.withLock { $0.inFlight -= 1 }
        let delivery = call.delivery
        call.complete(
            completion.mapError {
                call.context.completing($0, outcome: delivery.outcome, attempts: delivery.attempts)
            })
    }
}

private func earliest(_ left: MonotonicTime?, _ right: MonotonicTime?) -> MonotonicTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}

extension PartnerBookingError {
    static func queueFull(_ limit: Int) -> PartnerBookingError {
        let message = "\(limit) calls are under way, as many as max_in_flight allows"
        return PartnerBookingError(.queueFull, message, source: .library, isRetryable: true)
    }

    static var timeout: PartnerBookingError {
        let message = "No definite answer came within timeout_ms"
        return PartnerBookingError(.timeout, message, source: .network, isRetryable: true)
    }
}
