/// The transfer thread: runs the deliveries of one client's calls over one transport. Other threads only hand in calls, and
/// ask for their end.
///
/// `@unchecked Sendable` is safe because `transport` and `deliveries` are used on the transfer thread alone (but for
/// `transport.wake`, which is made for it), and everything shared is in `shared`.
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
        /// What became of the journal's records.
        var reports: [Journal.Report] = []
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

        /// Nothing has been handed in that the transfer thread has not taken.
        var isIdle: Bool { inbox.isEmpty && reports.isEmpty && cancelled.isEmpty && !wantsConnection }

        /// Whether the transfer thread has to be woken; from then on it counts as awake.
        mutating func takeSleep() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    private let shared = Monitor(Shared())
    private let transport: any Transport
    private let limits: Limits
    private let deliveries: Deliveries

    private init(_ transport: any Transport, _ limits: Limits, _ deliveries: Deliveries) {
        self.transport = transport
        self.limits = limits
        self.deliveries = deliveries
    }

    /// Starts the loop on a thread of its own. It lives until `close`; the caller keeps the thread for it.
    static func start(
        _ transport: any Transport, _ endpoint: any Endpoint, _ limits: Limits, _ policy: Deliveries.Policy,
        _ ledger: BookingLedger
    ) throws(PartnerBookingError) -> (TransferLoop, Thread) {
        let deliveries = Deliveries(
            transport: transport, endpoint: endpoint, maxInFlight: limits.maxInFlight, policy: policy, ledger: ledger,
            seed: .random(in: .min ... .max))
        let loop = TransferLoop(transport, limits, deliveries)
        // First out of the count, then told: who submits the next call on being told finds a free place.
        deliveries.willComplete = { [shared = loop.shared] ticket in
            shared.withLock { shared in
                shared.open.remove(ticket)
                shared.cancelled.remove(ticket)
            }
        }
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

    /// Tells what became of the journal's records.
    func take(_ reports: [Journal.Report]) {
        let isToWake = shared.withLock { shared in
            shared.reports += reports
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
        var ended: Int?
        while true {
            let now = MonotonicTime.now()
            var closesAt = takeWork(now)
            deliveries.step(now)
            if let moment = closesAt {
                if moment <= now && ended == nil { ended = deliveries.endAll(with: .clientClosed, now) }
                // Those that ended unsent or refused still wait for the journal, but not for long.
                if ended != nil { closesAt = moment.adding(milliseconds: Deliveries.settlingMilliseconds) }
                if deliveries.isEmpty || closesAt.map({ $0 <= now }) ?? false { break }
            }
            // What came in meanwhile is taken first. From here on a newcomer wakes the transport.
            let mayWait = shared.withLock { shared in
                shared.isAsleep = shared.isIdle
                return shared.isAsleep
            }
            guard mayWait else { continue }
            transport.wait(until: earliest(deliveries.next, closesAt))
        }
        deliveries.dropAll()
        deliveries.closeJournal()
        transport.close()
        shared.update {
            $0.endedCalls = ended ?? 0
            $0.isOver = true
        }
        ExitGate.leave()
    }

    /// Takes what other threads have handed in, and tells when the loop is to close.
    private func takeWork(_ now: MonotonicTime) -> MonotonicTime? {
        let work = shared.withLock { shared in
            defer {
                shared.inbox.removeAll(keepingCapacity: true)
                shared.reports.removeAll(keepingCapacity: true)
                shared.cancelled.removeAll(keepingCapacity: true)
                shared.wantsConnection = false
                shared.isAsleep = false
            }
            return (
                inbox: shared.inbox, reports: shared.reports, cancelled: shared.cancelled,
                wantsConnection: shared.wantsConnection, closesAt: shared.closesAt
            )
        }
        for call in work.inbox { deliveries.take(call, now) }
        for report in work.reports { deliveries.take(report, now) }
        for ticket in work.cancelled { deliveries.cancel(ticket, now) }
        if work.wantsConnection { transport.prewarm() }
        return work.closesAt
    }
}

private func earliest(_ left: MonotonicTime?, _ right: MonotonicTime?) -> MonotonicTime? {
    guard let left, let right else { return left ?? right }
    return min(left, right)
}
