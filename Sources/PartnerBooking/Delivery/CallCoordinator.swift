/// The coordinator of one client's exchanges: it delivers events and executes effects. Used on
/// the transfer thread only.
final class CallCoordinator {
    let transport: any Transport
    let endpoint: any Endpoint
    let limits: TransferLoop.Limits
    let policy: DeliveryPolicy
    let ledger: LedgerExecutor
    let watch: CallWatch
    /// The statistics of `watch`.
    let statistics: CallStatistics?
    let logLevel: SharedNumber
    let mayTell: (Call, CallCompletion.Event) -> Bool
    /// By the endpoint's service number. Each service has its own breaker and budgets.
    var services: [ServiceHealth]
    var table = ExchangeTable()
    var timers = CallTimers()
    var waiting = FIFO<TransferID>()
    /// Number of ended exchanges in `waiting`.
    var endedInQueue = 0
    var finished = FIFO<FinishedTransfer>()
    var unattended = UnattendedExchanges()
    var sharedSearches = SharedSearches()
    var inFlight = 0 { didSet { assert(inFlight >= 0) } }

    /// Creates a coordinator. `mayTell` decides whether to deliver a completion. `report`
    /// receives ends of bookings whose call ended `unknown`.
    init(
        transport: any Transport, endpoint: any Endpoint, limits: TransferLoop.Limits, policy: DeliveryPolicy,
        ledger: LedgerStore, seed: UInt64, observer: Observer = Observer(nil),
        mayTell: @escaping (Call, CallCompletion.Event) -> Bool = { _, _ in true },
        report: @escaping (Settlement) -> Void = { _ in }
    ) {
        self.transport = transport
        self.endpoint = endpoint
        self.limits = limits
        self.ledger = LedgerExecutor(
            ledger: ledger, endpoint: endpoint, reportsSettled: policy.reportsSettled, observer: observer, report: report)
        watch = CallWatch(observer)
        statistics = observer.statistics
        logLevel = observer.log.level
        self.mayTell = mayTell
        var policy = policy
        policy.attemptMilliseconds = endpoint.attemptMilliseconds
        policy.maxUnattended = limits.maxUnattended
        self.policy = policy
        var random = SplitMix64(state: seed)
        // At least one, so that requests without a service end too.
        let leaseEnd = ledger.host?.leaseEnd
        services = (0..<max(1, endpoint.serviceCount)).map { _ in
            ServiceHealth(policy, seed: random.next(), leaseEnd: leaseEnd)
        }
    }

    var isEmpty: Bool { table.isEmpty }

    /// The latest time for the next `step`.
    var next: MonotonicTime? { timers.next }

    /// Performs all pending work.
    func step(_ now: MonotonicTime) {
        startWaiting(now)
        // Answers before deadlines, so that a late thread does not drop an answer.
        transport.perform(&finished)
        while let transfer = finished.popFirst() { attemptEnded(transfer) }
        if timers.areDue(now) { fireTimers(now) }
        if timers.areMostObsolete(callCount: table.callCount) { timers.removeObsolete(table) }
        startWaiting(now)
        // Last, so that finished transfers keep their results.
        if unattended.areMany { stopOldest(now) }
        if watch.mayHaveBreakers { watch.look(at: services) }
        if let statistics {
            statistics.set(.inFlight, to: inFlight)
            statistics.set(.queued, to: waiting.count - endedInQueue)
        }
    }

    // MARK: Events

    func accept(_ call: Call, _ now: MonotonicTime) {
        timers.add(.deadline(call.ticket), at: call.deadline)
        if let slowAt = call.slowAt { timers.add(.slow(call.ticket), at: slowAt) }
        table.left(call.ticket)
        if call.isShared, let other = sharedSearches.join(call, &table) {
            statistics?.count(.searchesJoined)
            return update(other, now) { exchange, _ in exchange.joined(call, now) }
        }
        table.insert(Exchange(call, policy))
        update(TransferID(firstCall: call.ticket), now) { exchange, _ in exchange.begin(at: endpoint, now) }
    }

    func cancel(_ ticket: CallTicket, _ now: MonotonicTime) {
        let id = table.id(of: ticket)
        update(id, now) { exchange, _ in exchange.cancelled(ticket, exchange.underWay(transport, endpoint.source), now) }
    }

    /// Stops all exchanges, because the client closes. Exchanges that wait for a record end
    /// later.
    func stopAll(_ now: MonotonicTime) {
        for id in table.ids { update(id, now) { exchange, _ in exchange.stopped(.clientClosed, now) } }
    }

    /// Ends the exchanges that still wait for a record.
    func dropAll(_ now: MonotonicTime) {
        for id in table.ids { update(id, now) { exchange, _ in exchange.dropped(now) } }
    }

    /// Passes a report of the journal to its exchange.
    func accept(_ report: Journal.Report, _ now: MonotonicTime) {
        if let event = ledger.event(report, now) { update(report.id, now) { exchange, _ in event(&exchange) } }
    }

    /// Passes a finding of the host's store to its exchange.
    func accept(_ finding: LedgerFinding, _ now: MonotonicTime) {
        let phase = { id in self.table.reads(id) { $0.phase } }
        guard let (id, event) = ledger.event(finding, now, phase: phase) else { return }
        update(id, now) { exchange, _ in event(&exchange) }
    }

    /// Gives free places to the exchanges that have waited longest.
    private func startWaiting(_ now: MonotonicTime) {
        while inFlight < limits.maxInFlight, let id = waiting.popFirst() {
            if endedInQueue > 0, table.reads(id, { _ in true }) == nil { endedInQueue -= 1 }
            update(id, now) { exchange, health in
                guard exchange.phase == .queued else { return [] }  // ended while it waited
                inFlight += 1
                return exchange.placeGranted(now, &health)
            }
        }
    }

    func attemptEnded(_ transfer: FinishedTransfer) {
        let now = transfer.endedAt
        update(transfer.id, now) { exchange, health in
            let attempt = AttemptResult(transfer.result, to: exchange.question(endpoint.source))
            noteEnd(of: transfer, isSuccess: attempt.isSuccess, exchange)
            return exchange.attemptEnded(attempt, transfer.sendings, transfer.timing, now, &health)
        }
    }

    private func fireTimers(_ now: MonotonicTime) {
        while let timer = timers.popDue(now: now) {
            switch timer {
            case _ where timer.isObsolete(table): break
            case .deadline(let ticket):
                let id = table.id(of: ticket)
                update(id, now) { exchange, health in
                    exchange.deadlinePassed(ticket, exchange.underWay(transport, endpoint.source), now, &health)
                }
            case .slow(let ticket):
                guard let (call, exchange) = table.call(ticket), mayTell(call, .slow) else { break }
                watch.slow(call)
                call.tell(.slow, exchange.timing(call, now))
            case .exchange(let id, let timer, _):
                update(id, now) { exchange, health in
                    exchange.fired(timer, sentAt: { transport.sendings(id)?.lastAt }, now, &health)
                }
            }
        }
    }
}
