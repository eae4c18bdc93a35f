import Glibc

@testable import PartnerBooking

/// A transport that does as a script says, attempt by attempt, and notes what it was asked to do.
///
/// It also watches over its user: which thread calls it, and that nobody does after `close`.
final class ScriptedTransport: Transport, Sendable {
    /// The end of one attempt.
    enum Step: Sendable {
        case reply(_ status: Int, _ body: [UInt8], headers: [String: String] = [:], after: Int = 0)
        case failure(
            _ code: PartnerBookingError.Code = .connectionLost, mayHaveBeenSent: Bool, isRetryable: Bool = true,
            after: Int = 0)
        case never(mayHaveBeenSent: Bool)
        /// Comes and does not end: who gives the transfer up finds it.
        case unended(_ status: Int, _ body: [UInt8])
        case cannotStart
    }

    struct Attempt: Sendable, Equatable {
        let id: TransferID
        let url: String
        let headers: [String]
        let body: [UInt8]
    }

    struct Record: Sendable {
        var attempts: [Attempt] = []
        var cancelled: [TransferID] = []
        /// Those of them that had all the time they were given.
        var overdue: [TransferID] = []
        /// Those that go on, and whose connections no other request is to use.
        var distrusted: [TransferID] = []
        /// Those that go on, and whose requests are not to be repeated.
        var sentNoMore: [TransferID] = []
        var mostAtOnce = 0
        var warmUps = 0
        var wakes = 0
        var isClosed = false
        /// Rules of the protocol that its user broke.
        var violations: [String] = []
    }

    fileprivate struct Pending: Sendable {
        let id: TransferID
        let startedAt: MonotonicTime
        let due: MonotonicTime?
        let step: Step
        let timing: AttemptTiming?
    }

    fileprivate struct State: Sendable {
        var record = Record()
        var attempts: [TransferID: Int] = [:]
        var pending: [Pending] = []
        var thread: UInt?
    }

    /// `attempt` counts from 1 for each id.
    typealias Script = @Sendable (_ id: TransferID, _ attempt: Int) -> Step

    private let script: Script
    private let beforeWait: @Sendable () -> Void
    private let timing: @Sendable (_ id: TransferID, _ attempt: Int) -> AttemptTiming?
    private let state = Monitor(State())
    private let isAwake = Monitor(false)

    /// `beforeWait` runs on the transfer thread whenever it has nothing to do; `timing` is what an attempt is said to have taken.
    init(
        beforeWait: @escaping @Sendable () -> Void = {},
        timing: @escaping @Sendable (_ id: TransferID, _ attempt: Int) -> AttemptTiming? = { _, _ in nil },
        _ script: @escaping Script
    ) {
        self.beforeWait = beforeWait
        self.timing = timing
        self.script = script
    }

    /// The same steps for every call, one per attempt, the last one again and again.
    convenience init(_ steps: [Step]) {
        self.init { _, attempt in steps[min(attempt, steps.count) - 1] }
    }

    var record: Record { state.withLock { $0.record } }

    /// Waits until so many attempts were made.
    func sees(attempts count: Int) -> Bool { state.becomes { $0.record.attempts.count >= count } }

    /// Waits until so many connections were asked for.
    func sees(warmUps count: Int) -> Bool { state.becomes { $0.record.warmUps >= count } }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        let number = state.withLock { state in
            state.check("start")
            if state.pending.contains(where: { $0.id == id }) { state.record.violations.append("\(id) is started twice") }
            state.attempts[id, default: 0] += 1
            return state.attempts[id, default: 0]
        }
        let (step, timing) = (script(id, number), timing(id, number))
        let now = MonotonicTime.now()
        state.update { state in
            state.record.attempts.append(
                Attempt(
                    id: id, url: request.target.url, headers: request.target.headers + request.headers, body: request.body))
            guard step.isTransfer else { return }
            let due = step.delay.map { now.adding(milliseconds: $0) }
            state.pending.append(Pending(id: id, startedAt: now, due: due, step: step, timing: timing))
            state.record.mostAtOnce = max(state.record.mostAtOnce, state.pending.count)
        }
        guard !step.isTransfer else { return nil }
        return TransferFailure(code: .resourceUnavailable, message: "Cannot start", isRetryable: true)
    }

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer? {
        state.withLock { state in
            state.check("cancel")
            guard let index = state.pending.firstIndex(where: { $0.id == id }) else { return nil }
            state.record.cancelled.append(id)
            if isOverdue { state.record.overdue.append(id) }
            let pending = state.pending.remove(at: index)
            return AbandonedTransfer(
                sendings: pending.sendings, partialReply: pending.step.partialReply, timing: pending.timing)
        }
    }

    func sendings(_ id: TransferID) -> Sendings? {
        state.withLock { state in
            state.check("sendings")
            return state.pending.first { $0.id == id }?.sendings
        }
    }

    func partialReply(_ id: TransferID) -> HTTPReply? {
        state.withLock { state in
            state.check("partialReply")
            return state.pending.first { $0.id == id }?.step.partialReply
        }
    }

    func distrust(_ id: TransferID) {
        state.withLock { state in
            state.check("distrust")
            state.record.distrusted.append(id)
        }
    }

    func sendNoMore(_ id: TransferID) {
        state.withLock { state in
            state.check("sendNoMore")
            state.record.sentNoMore.append(id)
        }
    }

    func prewarm() {
        state.update { state in
            state.check("prewarm")
            state.record.warmUps += 1
        }
    }

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        let now = MonotonicTime.now()
        let ended = state.withLock { state in
            state.check("perform")
            defer { state.pending.removeAll { $0.isDue(now) } }
            return state.pending.filter { $0.isDue(now) }
        }
        for pending in ended {
            guard let result = pending.step.result else { continue }
            finished.append(
                FinishedTransfer(
                    id: pending.id, result: result, sendings: pending.sendings, endedAt: now, timing: pending.timing))
        }
    }

    func wait(until moment: MonotonicTime?) {
        beforeWait()
        let due = state.withLock { state in
            state.check("wait")
            return state.pending.compactMap(\.due).min()
        }
        ExitGate.leave()
        _ = isAwake.wait(until: [moment, due].compactMap { $0 }.min()) { isAwake in
            defer { isAwake = false }
            return isAwake ? () : nil
        }
        ExitGate.enter()
    }

    func wake() {
        state.update { $0.record.wakes += 1 }
        isAwake.update { $0 = true }
    }

    func close() {
        state.withLock { state in
            state.check("close")
            state.record.isClosed = true
            state.pending = []
        }
    }
}

extension ScriptedTransport.State {
    /// All members but `wake` are called on one thread, and none after `close`.
    fileprivate mutating func check(_ member: String) {
        if record.isClosed { record.violations.append("\(member) after close") }
        if thread == nil { thread = threadNumber() }
        if thread != threadNumber() { record.violations.append("\(member) on another thread") }
    }
}

extension ScriptedTransport.Pending {
    fileprivate var sendings: Sendings? { step.mayHaveBeenSent ? Sendings(at: startedAt) : nil }

    fileprivate func isDue(_ now: MonotonicTime) -> Bool { due.map { $0 <= now } ?? false }
}

extension ScriptedTransport.Step {
    fileprivate var isTransfer: Bool {
        if case .cannotStart = self { false } else { true }
    }

    /// After how long its result comes; nil for never.
    fileprivate var delay: Int? {
        switch self {
        case .reply(_, _, _, let delay), .failure(_, _, _, let delay): delay
        case .never, .unended, .cannotStart: nil
        }
    }

    fileprivate var mayHaveBeenSent: Bool {
        switch self {
        case .reply, .unended: true
        case .failure(_, let mayHaveBeenSent, _, _), .never(let mayHaveBeenSent): mayHaveBeenSent
        case .cannotStart: false
        }
    }

    fileprivate var result: TransferResult? {
        switch self {
        case .reply(let status, let body, let headers, _):
            .reply(HTTPReply(status: status, body: body) { headers[$0] })
        case .failure(let code, _, let isRetryable, _):
            .failure(TransferFailure(code: code, message: "Scripted", isRetryable: isRetryable))
        case .never, .unended, .cannotStart: nil
        }
    }

    fileprivate var partialReply: HTTPReply? {
        if case .unended(let status, let body) = self { HTTPReply(status: status, body: body) } else { nil }
    }
}

private func threadNumber() -> UInt { UInt(pthread_self()) }
