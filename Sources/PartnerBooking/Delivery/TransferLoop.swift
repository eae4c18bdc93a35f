/// The transfer thread, which runs the exchanges of one client over one transport. Other
/// threads only hand in calls, and ask for their end.
///
/// `@unchecked Sendable` is safe because only the transfer thread uses `transport`,
/// `coordinator` and `taken`. The exceptions, `transport.wake` and `transport.openConnections`,
/// are made for any thread. Everything shared is in `shared`.
final class TransferLoop: @unchecked Sendable {
    struct Limits: Sendable {
        /// Maximum number of calls in flight at once.
        var maxInFlight: Int
        /// Maximum number of further calls that wait for a place.
        var maxQueued: Int
        /// Maximum number of concurrent background attempts. The other connections are for
        /// calls.
        var maxUnattended = 256

        var total: Int { maxInFlight + maxQueued }
    }

    /// Work that other threads hand in.
    enum Event {
        case call(Call)
        case reports([Journal.Report])
        case findings([LedgerFinding])
        /// A completion that needs no network, for a handler.
        case work(@Sendable () -> Void)
    }

    struct Shared {
        /// Room from the start: the first allocation costs a calling thread more stack than the
        /// rest of a call.
        var events = FIFO<Event>(reserving: 16)
        /// Calls to cancel.
        var cancelled: Set<CallTicket> = []
        /// Number of calls accepted and not yet completed.
        var openCount = 0
        /// The open calls that another thread may end.
        var queued = CounterTable<TransferID, Call>()
        /// Time at which the transfer thread last took the inbox.
        var drainedAt = MonotonicTime(nanoseconds: 0)
        var wantsConnection = false
        /// True when the transfer thread sleeps or is about to sleep, and must be woken.
        var isAsleep = false
        /// Time at which the close ends the remaining calls. Once it is set, no more calls are
        /// accepted.
        var closesAt: MonotonicTime?
        /// Number of calls that the close has ended.
        var cutShort = 0
        var isOver = false

        /// True when the transfer thread has taken everything that was handed in.
        var isIdle: Bool { events.isEmpty && cancelled.isEmpty && !wantsConnection }

        /// Removes and returns the calls to cancel. nil: none, the usual case.
        mutating func takeCancelled() -> Set<CallTicket>? {
            guard !cancelled.isEmpty else { return nil }
            defer { cancelled = [] }
            return cancelled
        }

        /// Returns whether the transfer thread must be woken. From then on it counts as awake.
        mutating func wakeUp() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    let shared: Monitor<Shared>
    private let transport: any Transport
    private let limits: Limits
    private let coordinator: CallCoordinator
    let observer: Observer
    private let ledger: LedgerStore
    /// The events under way, on the transfer thread. The next events reuse their memory.
    private var taken = FIFO<Event>(reserving: 16)

    private init(
        _ shared: Monitor<Shared>, _ transport: any Transport, _ limits: Limits, _ coordinator: CallCoordinator,
        _ ledger: LedgerStore, _ observer: Observer
    ) {
        self.observer = observer
        self.ledger = ledger
        self.shared = shared
        self.transport = transport
        self.limits = limits
        self.coordinator = coordinator
    }

    /// Starts the loop on a thread of its own. It runs until the close, and the caller keeps
    /// the thread. Calls `report` on that thread for each settled booking whose call ended
    /// `unknown`.
    static func start(
        _ transport: any Transport, _ endpoint: any Endpoint, _ limits: Limits, _ policy: DeliveryPolicy,
        _ ledger: LedgerStore, _ observer: Observer = Observer(nil), report: @escaping (Settlement) -> Void = { _ in }
    ) throws(PartnerBookingError) -> (TransferLoop, Thread) {
        let shared = Monitor(Shared())
        // Lower the count before the completion. A callback that submits the next call then
        // finds a free place.
        let mayTell: (Call, CallCompletion.Event) -> Bool = { call, event in
            shared.withLock { shared in
                if case .slow = event { return !call.isWatched || shared.queued[TransferID(firstCall: call.ticket)] != nil }
                // Otherwise the watchdog or the close has completed the call.
                guard !call.isWatched || shared.queued.removeValue(under: TransferID(firstCall: call.ticket)) != nil else {
                    return false
                }
                shared.openCount -= 1
                assert(shared.openCount >= 0, "a call is completed once")
                if case .done(.failure(let error)) = event, error.code == .clientClosed { shared.cutShort += 1 }
                return true
            }
        }
        transport.watch { now in Self.endOverdue(shared, observer, now) }
        let coordinator = CallCoordinator(
            transport: transport, endpoint: endpoint, limits: limits, policy: policy, ledger: ledger,
            seed: .random(in: .min ... .max), observer: observer, mayTell: mayTell, report: report)
        let loop = TransferLoop(shared, transport, limits, coordinator, ledger, observer)
        // Enter the gate before there is a second thread, so that the gate's own lazy global
        // exists. In the child of a fork, two threads that need a lazy global at the same time
        // both spin. Swift 6.3's lock compares the forking thread's old ID
        // (include/swift/Threading/Impl/Linux/ulock.h in https://github.com/swiftlang/swift).
        // Remove this when that lock survives a fork.
        guard ExitGate.tryToEnter() else { throw .isExiting }
        do throws(SystemError) {
            return (loop, try Thread(name: "pbk-transfer") { loop.run() })
        } catch {
            ExitGate.leave()
            throw .resource(error.message)
        }
    }

    // MARK: From any thread: a lock for a moment, and at most one wake-up

    func submit(_ call: Call) throws(PartnerBookingError) {
        let isToWake = try shared.withLock { shared throws(PartnerBookingError) in
            guard shared.closesAt == nil else { throw .clientClosed }
            guard shared.openCount < limits.total else { throw .queueFull(limits.total) }
            shared.openCount += 1
            if call.isWatched { shared.queued.insert(call, under: TransferID(firstCall: call.ticket)) }
            shared.events.append(.call(call))
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Asks for a call to be ended. Does nothing if the call is over.
    func cancel(_ ticket: CallTicket) {
        let isToWake = shared.withLock { shared in
            guard shared.openCount > 0, shared.cancelled.insert(ticket).inserted else { return false }
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Hands in the results of the journal's records.
    func receive(_ reports: [Journal.Report]) {
        let isToWake = shared.withLock { shared in
            shared.events.append(.reports(reports))
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Hands in the findings of the host's store about keys.
    func receive(_ findings: [LedgerFinding]) {
        let isToWake = shared.withLock { shared in
            shared.events.append(.findings(findings))
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    var openCalls: Int { shared.withLock { $0.openCount } }

    var openConnections: Int { transport.openConnections }

    /// Hands in work for the transfer thread.
    func perform(_ work: @escaping @Sendable () -> Void) throws(PartnerBookingError) {
        let isToWake = try shared.withLock { shared throws(PartnerBookingError) in
            guard shared.closesAt == nil else { throw .clientClosed }
            shared.events.append(.work(work))
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Makes the thread run one more turn, also when the loop closes.
    private func comeRound() {
        let isToWake = shared.withLock { shared in
            shared.events.append(.work({}))
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Asks for a connection to be made ready.
    func prewarm() {
        let isToWake = shared.withLock { shared in
            shared.wantsConnection = true
            return shared.wakeUp()
        }
        if isToWake { transport.wake() }
    }

    /// Refuses new calls from now on, and ends the remaining calls at `moment`. Call it once.
    func beginClose(at moment: MonotonicTime) {
        shared.update { $0.closesAt = moment }
        transport.wake()
    }

    /// Waits for the end of a close that has begun. Returns the number of calls that the close
    /// ended. nil: the thread did not return in time, or the process exits.
    func waitForEnd(until moment: MonotonicTime) -> Int? {
        if ExitGate.isShut { return nil }
        return shared.wait(until: moment) { $0.isOver ? $0.cutShort : nil }
    }

    // MARK: On the transfer thread

    private func run() {
        Thread.markAsCallbackThread()
        observer.log.begin { [weak self] in
            self?.comeRound()
        }
        var isStopped = false
        while true {
            let now = MonotonicTime.now()
            var closesAt = drainInbox(now)
            coordinator.step(now)
            if observer.log.isOn { observer.log.deliver() }
            if let moment = closesAt {
                if moment <= now && !isStopped {
                    coordinator.stopAll(now)
                    isStopped = true
                }
                // Unsent and refused bookings still wait for the journal, but not for long.
                if isStopped { closesAt = moment.adding(milliseconds: Exchange.voidingMilliseconds) }
                if coordinator.isEmpty || closesAt.map({ $0 <= now }) ?? false { break }
            }
            // Take new work first. From here on, new work wakes the transport.
            let mayWait = shared.withLock { shared in
                shared.isAsleep = shared.isIdle
                return shared.isAsleep
            }
            guard mayWait else { continue }
            transport.wait(until: earliest(coordinator.next, closesAt))
        }
        coordinator.dropAll(.now())
        ledger.beginClose()
        transport.close()
        observer.log.end()
        shared.update { $0.isOver = true }
        ExitGate.leave()
    }

    /// Takes the work that other threads have handed in. Returns the time of the close, if it
    /// has begun.
    private func drainInbox(_ now: MonotonicTime) -> MonotonicTime? {
        let (cancelled, wantsConnection, closesAt) = shared.withLock { shared in
            defer {
                shared.wantsConnection = false
                shared.isAsleep = false
                shared.drainedAt = now
            }
            swap(&shared.events, &taken)
            return (shared.takeCancelled(), shared.wantsConnection, shared.closesAt)
        }
        while let event = taken.popFirst() {
            switch consume event {
            case .call(let call): coordinator.accept(call, now)
            case .work(let work): work()
            case .findings(let findings): for finding in findings { coordinator.accept(finding, now) }
            case .reports(let reports): for report in reports { coordinator.accept(report, now) }
            }
        }
        if let cancelled { for ticket in cancelled { coordinator.cancel(ticket, now) } }
        if wantsConnection { transport.prewarm() }
        return closesAt
    }
}

private func earliest(_ left: MonotonicTime?, _ right: MonotonicTime?) -> MonotonicTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}
