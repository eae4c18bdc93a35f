/// The transfer thread: runs the deliveries of one client's calls over one transport. Other threads only hand in calls, and
/// ask for their end.
///
/// `@unchecked Sendable` is safe because `transport`, `calls`, `waiting`, `inFlight` and `timers` are used on the transfer thread
/// alone (but for `transport.wake`, which is made for it), and everything shared is in `shared`.
final class TransferLoop: @unchecked Sendable {
    struct Limits: Sendable {
        /// Calls that are being delivered at once.
        var maxInFlight: Int
        /// Calls beyond them that wait for their turn.
        var maxQueued: Int

        var total: Int { maxInFlight + maxQueued }
    }

    private struct Shared {
        var inbox: [Call] = []
        /// Calls accepted and not yet completed.
        var open: Set<Ticket> = []
        /// Those of them that are to be ended.
        var cancelled: Set<Ticket> = []
        var wantsConnection = false
        /// The transfer thread is about to sleep, or sleeps, and has to be woken.
        var isAsleep = false
        /// Set once: no more calls are accepted, and those left at that moment are ended.
        var closesAt: MonotonicTime?
        var endedCalls = 0
        var isOver = false

        /// Whether the transfer thread has to be woken; from then on it counts as awake.
        mutating func takeSleep() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    private enum Timer {
        case deadline(Ticket)
        case slow(Ticket)
        case pauseOver(Ticket)

        var ticket: Ticket {
            switch self {
            case .deadline(let ticket), .slow(let ticket), .pauseOver(let ticket): ticket
            }
        }
    }

    private let shared = Monitor(Shared())
    private let transport: any Transport
    private let limits: Limits
    private var calls: [Ticket: Call] = [:]
    private var waiting = FIFO<Ticket>()
    private var inFlight = 0
    private var timers = TimerQueue<Timer>()

    private init(_ transport: any Transport, _ limits: Limits) {
        self.transport = transport
        self.limits = limits
    }

    /// Starts the loop on a thread of its own. It lives until `close`; the caller keeps the thread for it.
    static func start(_ transport: any Transport, _ limits: Limits) throws(PartnerBookingError) -> (TransferLoop, Thread) {
        let loop = TransferLoop(transport, limits)
        // The thread is inside the gate from its first instruction on: what Swift does for the first time takes locks, and in
        // the child of a fork a lazy global that two threads want at once makes both spin for ever (Swift 6.3: its lock knows
        // the forking thread by its old number). So the gate's own state is made here, before there is a second thread.
        guard ExitGate.tryToEnter() else { throw .resource("A thread in a process that exits") }
        do throws(PartnerBookingError) {
            return (loop, try Thread(name: "pbk-transfer") { loop.run() })
        } catch {
            ExitGate.leave()
            throw error
        }
    }

    // MARK: From any thread: a lock for a moment, and at most one wake-up

    /// Hands in a call.
    func submit(_ call: Call) throws(PartnerBookingError) {
        let isToWake = try shared.withLock { shared throws(PartnerBookingError) in
            guard shared.closesAt == nil else { throw .clientClosed }
            guard shared.open.count < limits.total else { throw .queueFull(limits.total) }
            shared.open.insert(call.ticket)
            shared.inbox.append(call)
            return shared.takeSleep()
        }
        if isToWake { transport.wake() }
    }

    /// Asks for a call to be ended. One that is over is left alone.
    func cancel(_ ticket: Ticket) {
        let isToWake = shared.withLock { shared in
            guard shared.open.contains(ticket), shared.cancelled.insert(ticket).inserted else { return false }
            return shared.takeSleep()
        }
        if isToWake { transport.wake() }
    }

    /// Asks for a connection to be made ready.
    func prewarm() {
        let isToWake = shared.withLock { shared in
            shared.wantsConnection = true
            return shared.takeSleep()
        }
        if isToWake { transport.wake() }
    }

    /// Once: refuses new calls from now on, and ends those that are left at the moment.
    func beginClose(at moment: MonotonicTime) {
        shared.update { $0.closesAt = moment }
        transport.wake()
    }

    /// Waits for the end of a close that was begun: tells how many calls had to be ended, or nil when the thread did not come
    /// back in time.
    func waitForEnd(until moment: MonotonicTime) -> Int? {
        if ExitGate.isShut { return nil }
        return shared.wait(until: moment) { $0.isOver ? $0.endedCalls : nil }
    }

    // MARK: On the transfer thread

    private func run() {
        Thread.setCurrentRunsHandlers()
        while true {
            let now = MonotonicTime.now()
            let closesAt = takeWork(now)
            startWaiting(now)
            // Answers before deadlines: one that has come is not thrown away because this thread was late.
            for transfer in transport.finished() { attemptEnded(transfer, now) }
            fireTimers(now)
            startWaiting(now)
            if let closesAt, calls.isEmpty || closesAt <= now { break }
            // What came in meanwhile is taken first. From here on a newcomer wakes the transport.
            let mayWait = shared.withLock { shared in
                shared.isAsleep = shared.inbox.isEmpty && shared.cancelled.isEmpty && !shared.wantsConnection
                return shared.isAsleep
            }
            guard mayWait else { continue }
            transport.wait(until: earliest(timers.next, closesAt))
        }
        let ended = Array(calls.keys).count { end($0, with: .clientClosed, .now()) }
        transport.close()
        shared.update {
            $0.endedCalls = ended
            $0.isOver = true
        }
        ExitGate.leave()
    }

    /// Takes what other threads have handed in, and tells when the loop is to close.
    private func takeWork(_ now: MonotonicTime) -> MonotonicTime? {
        let (inbox, cancelled, wantsConnection, closesAt) = shared.withLock { shared in
            defer {
                shared.inbox.removeAll(keepingCapacity: true)
                shared.cancelled.removeAll(keepingCapacity: true)
                shared.wantsConnection = false
                shared.isAsleep = false
            }
            return (shared.inbox, shared.cancelled, shared.wantsConnection, shared.closesAt)
        }
        for call in inbox {
            calls[call.ticket] = call
            waiting.append(call.ticket)
            timers.add(.deadline(call.ticket), at: call.delivery.deadline)
            if let slowAt = call.slowAt { timers.add(.slow(call.ticket), at: slowAt) }
        }
        for ticket in cancelled where calls[ticket]?.isDetached == false { end(ticket, with: .cancelled, now) }
        if wantsConnection { transport.prewarm() }
        return closesAt
    }

    /// Gives free places to the calls that have waited longest.
    private func startWaiting(_ now: MonotonicTime) {
        while inFlight < limits.maxInFlight, let ticket = waiting.popFirst() {
            guard let call = calls[ticket] else { continue }  // ended while it waited
            inFlight += 1
            call.startedAt = now
            attempt(call, now)
        }
    }

    private func fireTimers(_ now: MonotonicTime) {
        while let timer = timers.popDue(now: now) {
            switch timer {
            case .deadline(let ticket): end(ticket, with: .timeout, now)
            case .slow(let ticket):
                if let call = calls[ticket] { call.tell(.slow, call.timing(now)) }
            case .pauseOver(let ticket):
                if let call = calls[ticket] { attempt(call, now) }
            }
        }
        // Most calls end long before their deadline: keep their timers from piling up.
        if timers.count > 4 * calls.count + 64 { timers.removeAll { calls[$0.ticket] == nil } }
    }

    private func attempt(_ call: Call, _ now: MonotonicTime) {
        switch call.delivery.begin(now: now) {
        case .send:
            if let failure = transport.start(call.ticket, call.request) {
                attemptEnded(FinishedTransfer(id: call.ticket, result: .failure(failure)), now)
            }
        case .pause, .finish:
            // The thread came too late for another attempt. What is known is more than that the time is up.
            if let lastResult = call.lastResult {
                complete(call, lastResult)
            } else {
                end(call.ticket, with: .timeout, now)
            }
        }
    }

    private func attemptEnded(_ transfer: FinishedTransfer, _ now: MonotonicTime) {
        guard let call = calls[transfer.id] else { return }
        let judgement = Judgement(transfer.result, of: call.context.operation)
        call.lastTiming = transfer.timing
        switch call.delivery.attemptEnded(judgement.verdict, now: now) {
        case .pause(let moment):
            call.lastResult = judgement.result
            timers.add(.pauseOver(call.ticket), at: moment)
        case .finish, .send: complete(call, judgement.result)
        }
    }

    /// Ends a call that has no result yet, unless its transfer turns out to hold one: then false.
    @discardableResult
    private func end(_ ticket: Ticket, with error: PartnerBookingError, _ now: MonotonicTime) -> Bool {
        guard let call = calls[ticket] else { return false }
        let abandoned = transport.cancel(ticket, isOverdue: error.code == .timeout)
        if let timing = abandoned.timing { call.lastTiming = timing }
        if let answer = Judgement(partial: abandoned.partialReply, of: call.context.operation) {
            _ = call.delivery.attemptEnded(answer.verdict, now: now)
            complete(call, answer.result)
            return false
        } else {
            let effect: Delivery.Effect = abandoned.mayHaveBeenSent ? .unknown : .notSent
            _ = call.delivery.attemptEnded(.init(effect: effect, isRetryable: false), now: now)
            complete(call, .failure(error))
            return true
        }
    }

    private func complete(_ call: Call, _ result: CallResult) {
        calls[call.ticket] = nil
        if call.startedAt != nil { inFlight -= 1 }
        // First out of the count, then told: who submits the next call on being told finds a free place.
        shared.withLock { shared in
            shared.open.remove(call.ticket)
            shared.cancelled.remove(call.ticket)
        }
        let delivery = call.delivery
        let timing = call.timing(.now())
        let result = result.mapError {
            call.context.completing($0, outcome: delivery.outcome, attempts: delivery.attempts, timing: timing)
        }
        call.tell(.done(result), timing)
    }
}

private func earliest(_ left: MonotonicTime?, _ right: MonotonicTime?) -> MonotonicTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}
