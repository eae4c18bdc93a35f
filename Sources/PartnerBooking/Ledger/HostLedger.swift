import Glibc

/// The client's side of the host's store. Hands batches of operations to the host, and takes
/// the answers. `LedgerTraffic` decides on their content.
final class HostLedger: Sendable {
    /// Takes a batch with its number. May block.
    typealias Handler = @Sendable (UInt64, [UInt8]) -> Void

    /// The parts of the client that take the outputs.
    struct Receiver: Sendable {
        var report: @Sendable ([Journal.Report]) -> Void
        var find: @Sendable ([LedgerFinding]) -> Void
        /// Returns the records that can wait: the due ones, or at the end all of them.
        var waiting: @Sendable (_ isEnd: Bool) -> [JournalRecord]
        var inherit: @Sendable ([JournalEntry]) -> Void
    }

    enum Taken: Sendable {
        case batch(UInt64, [UInt8])
        case timedOut
        /// No more batches will come.
        case closed
    }

    private struct State {
        var traffic: LedgerTraffic
        var receiver: Receiver?
        /// The bookings that dead engines have left, for the ledger's thread.
        var inherited: [JournalEntry] = []
        /// The time to ask for the records that can wait.
        var askAt: MonotonicTime?
        /// True when there is new work for the thread.
        var isNudged = true
        /// The time when a closing thread stops writing the rest. nil: the client is open.
        var closesAt: MonotonicTime?
        var isOver = false
    }

    private enum Work {
        case batch(UInt64, [UInt8])
        case ask(isEnd: Bool)
        case inherit([JournalEntry])
        case end
    }

    /// The longest time that a close waits for the store.
    private static let closingMilliseconds = 1_400

    let clock = LedgerClock()
    /// The handler of the batches. nil: the host pulls them.
    private let handler: Handler?
    private let state: Monitor<State>
    /// The end of the lease on the boot clock, in microseconds. Sendings must begin before it.
    /// 0: none may begin.
    let leaseEnd = SharedNumber()
    /// The ID of the ledger's thread.
    private let thread = SharedNumber()

    init(_ settings: LedgerTraffic.Settings, _ handler: Handler?) {
        self.handler = handler
        state = Monitor(State(traffic: LedgerTraffic(settings, .now())))
    }

    deinit {
        leaseEnd.free()
        thread.free()
    }

    /// True when the host pulls the batches.
    var isPulled: Bool { handler == nil }

    /// True when the caller is the host in its handler. There, waiting for the ledger's thread
    /// would never end.
    var isHandling: Bool { thread.value == UInt64(pthread_self()) }

    /// Starts the thread that hands out batches and renews the leases.
    func start(_ receiver: Receiver) throws(PartnerBookingError) -> Thread {
        state.withLock { $0.receiver = receiver }
        // As with the transfer thread: the new thread is inside the gate from its first
        // instruction on.
        guard ExitGate.tryToEnter() else { throw .isExiting }
        do throws(SystemError) {
            return try Thread(name: "pbk-ledger") { self.run(receiver) }
        } catch {
            ExitGate.leave()
            state.withLock { $0.receiver = nil }
            throw .resource(error.message)
        }
    }

    // MARK: From any thread: a lock for a moment

    /// Puts a record on its way to the store. With an ID the result is reported. `isOrphan`: a
    /// dead engine has left the booking.
    func append(_ record: JournalRecord, id: TransferID?, isOrphan: Bool = false) {
        change { $0.add(record, id: id, isOrphan: isOrphan) }
    }

    /// Asks for a row. The exchange gets the finding.
    func look(_ key: String, id: TransferID) { change { $0.look(key, id: id) } }

    /// Gives up bookings in doubt. The exchange gets the finding.
    func giveUp(_ selection: GiveUp, id: TransferID) { change { $0.giveUp(selection, id: id) } }

    /// Leaves the row of a key to its lease, because the exchange has ended in doubt.
    func release(_ key: String) { change { $0.release(key) } }

    /// Revokes a claim that no exchange waits for any more. Returns false if the store may have it.
    func revoke(_ id: TransferID) -> Bool {
        var isGone = false
        change { isGone = $0.revoke(id) }
        return isGone
    }

    private func change(_ body: (inout LedgerTraffic) -> Void) {
        state.update { state in
            body(&state.traffic)
            settle(&state)
        }
    }

    private func settle(_ state: inout State) {
        state.isNudged = true
        leaseEnd.value = UInt64(clamping: state.traffic.lease.end ?? 0)
    }

    /// Makes the thread ask for the records that can wait, at that moment or at the end.
    func ask(at moment: MonotonicTime) {
        state.update { state in
            guard state.askAt == nil else { return }
            state.askAt = moment
            state.isNudged = true
        }
    }

    func answer(_ number: UInt64, _ json: [UInt8]) throws(PartnerBookingError) {
        let operations = try state.withLock { state throws(PartnerBookingError) in
            guard !state.isOver else { throw .clientClosed }
            return try state.traffic.operations(of: number)
        }
        // Parsed outside the lock, because the text may be long.
        let answer = try LedgerBatchAnswer(json, to: operations)
        let (outputs, receiver) = try state.withLock { state throws(PartnerBookingError) in
            guard !state.isOver else { throw .clientClosed }
            let outputs = try state.traffic.answer(number, answer, .now())
            settle(&state)
            for case .orphans(let entries) in outputs { state.inherited += entries }
            return (outputs, state.receiver)
        }
        state.update { _ in }
        if let receiver { deliver(outputs, receiver) }
    }

    private func deliver(_ outputs: [LedgerTraffic.Output], _ receiver: Receiver) {
        let reports = outputs.compactMap { if case .report(let report) = $0 { report } else { nil } }
        if !reports.isEmpty { receiver.report(reports) }
        let findings = outputs.compactMap { if case .finding(let finding) = $0 { finding } else { nil } }
        if !findings.isEmpty { receiver.find(findings) }
    }

    /// Waits for the next batch. With nil as the moment it waits without limit.
    func nextBatch(until moment: MonotonicTime?) -> Taken {
        state.wait(until: moment) { state in
            if let (number, json) = state.traffic.takeBatch(.now()) { return .batch(number, json) }
            return state.isOver ? .closed : nil
        } ?? .timedOut
    }

    /// Begins the close: no more records will come. The thread writes the rest, for a limited
    /// time, and ends.
    func beginClose() {
        state.update { state in
            state.closesAt = .now().adding(milliseconds: Self.closingMilliseconds)
            state.traffic.isClosing = true
            state.isNudged = true
        }
    }

    /// Gives the host no more batches, because it does not return from its handler.
    func abandon() {
        state.update { state in
            state.isOver = true
            state.receiver = nil
        }
    }

    /// Returns whether the thread is about to end. False: the host does not return from its
    /// handler.
    func waitForEnd(until moment: MonotonicTime) -> Bool {
        ExitGate.isShut ? false : state.wait(until: moment) { $0.isOver ? true : nil } ?? false
    }

    // MARK: On the ledger's thread

    private func run(_ receiver: Receiver) {
        thread.value = UInt64(pthread_self())
        while true {
            switch nextWork(receiver) {
            case .batch(let number, let json):
                ExitGate.leave()
                handler?(number, json)
                ExitGate.enter()
            case .ask(let isEnd): for record in receiver.waiting(isEnd) { append(record, id: nil) }
            case .inherit(let entries): receiver.inherit(entries)
            case .end:
                state.update { state in
                    state.isOver = true
                    // Breaks a reference cycle: the receiver holds the client's parts, and
                    // they hold this object.
                    state.receiver = nil
                }
                thread.value = 0
                ExitGate.leave()
                return
            }
        }
    }

    private func nextWork(_ receiver: Receiver) -> Work {
        while true {
            let now = LedgerTraffic.Now.now()
            var outputs: [LedgerTraffic.Output] = []
            let (next, due) = state.withLock { state in
                state.isNudged = false
                outputs = state.traffic.tick(now)
                return (work(&state, now), state.traffic.due(after: now.time))
            }
            deliver(outputs, receiver)
            if let next { return next }
            // Hosts that pull the batches must look again, too.
            if isPulled { state.update { _ in } }
            ExitGate.leave()
            let moment = state.withLock { state in [due, state.askAt, state.closesAt].compactMap { $0 }.min() }
            _ = state.wait(until: moment) { $0.isNudged ? () : nil }
            ExitGate.enter()
        }
    }

    private func work(_ state: inout State, _ now: LedgerTraffic.Now) -> Work? {
        if state.isOver || state.closesAt.map({ $0 <= now.time }) ?? false { return .end }
        if !state.inherited.isEmpty, state.closesAt == nil {
            defer { state.inherited = [] }
            return .inherit(state.inherited)
        }
        if let askAt = state.askAt, askAt <= now.time || state.closesAt != nil {
            state.askAt = nil
            return .ask(isEnd: state.closesAt != nil)
        }
        if handler != nil, let (number, json) = state.traffic.takeBatch(now) { return .batch(number, json) }
        return state.closesAt != nil && state.traffic.isIdle ? .end : nil
    }
}
