/// Delivers events to the exchanges of one client and executes their effects. Used on the transfer thread only.
final class CallCoordinator {
    private let transport: any Transport
    private let endpoint: any Endpoint
    private let limits: TransferLoop.Limits
    private let policy: DeliveryPolicy
    private let ledger: LedgerExecutor
    private let mayTell: (Call, CallCompletion.Event) -> Bool
    /// By the endpoint's numbers. Each service has its own breaker and budgets.
    private var services: [ServiceHealth]
    private var table = ExchangeTable()
    private var timers = CallTimers()
    private var waiting = FIFO<TransferID>()
    private var finished = FIFO<FinishedTransfer>()
    private var unattended = UnattendedExchanges()
    private var sharedSearches = SharedSearches()
    private var inFlight = 0 { didSet { assert(inFlight >= 0) } }

    /// `mayTell`: whether a completion is still to be delivered. `report` takes ends of bookings whose call ended `unknown`.
    init(
        transport: any Transport, endpoint: any Endpoint, limits: TransferLoop.Limits, policy: DeliveryPolicy,
        ledger: LedgerStore, seed: UInt64, mayTell: @escaping (Call, CallCompletion.Event) -> Bool = { _, _ in true },
        report: @escaping (Settlement) -> Void = { _ in }
    ) {
        self.transport = transport
        self.endpoint = endpoint
        self.limits = limits
        self.ledger = LedgerExecutor(
            ledger: ledger, endpoint: endpoint, reportsSettled: policy.reportsSettled, report: report)
        self.mayTell = mayTell
        var policy = policy
        policy.attemptMilliseconds = endpoint.attemptMilliseconds
        policy.maxUnattended = limits.maxUnattended
        self.policy = policy
        var random = SplitMix64(state: seed)
        // At least one, so that requests without a service end too.
        services = (0..<max(1, endpoint.serviceCount)).map { _ in ServiceHealth(policy, seed: random.next()) }
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
    }

    // MARK: Events

    func accept(_ call: Call, _ now: MonotonicTime) {
        timers.add(.deadline(call.ticket), at: call.deadline)
        if let slowAt = call.slowAt { timers.add(.slow(call.ticket), at: slowAt) }
        table.left(call.ticket)
        if call.isShared, let other = sharedSearches.join(call, &table) {
            return update(other, now) { exchange, _ in exchange.joined(call, now) }
        }
        table.insert(Exchange(call, policy))
        update(TransferID(firstCall: call.ticket), now) { exchange, _ in exchange.begin(at: endpoint, now) }
    }

    func cancel(_ ticket: CallTicket, _ now: MonotonicTime) {
        let id = table.id(of: ticket)
        update(id, now) { exchange, _ in exchange.cancelled(ticket, exchange.underWay(transport, endpoint.source), now) }
    }

    /// The client closes. Stops all exchanges. Those that wait for the journal end later.
    func stopAll(_ now: MonotonicTime) {
        for id in table.ids { update(id, now) { exchange, _ in exchange.stopped(.clientClosed, now) } }
    }

    /// Ends the exchanges that still wait for the journal.
    func dropAll(_ now: MonotonicTime) {
        for id in table.ids { update(id, now) { exchange, _ in exchange.dropped(now) } }
    }

    /// The journal reports the result of a record.
    func accept(_ report: Journal.Report, _ now: MonotonicTime) {
        if let event = ledger.event(report, now) { update(report.id, now) { exchange, _ in event(&exchange) } }
    }

    /// Gives free places to the exchanges that have waited longest.
    private func startWaiting(_ now: MonotonicTime) {
        while inFlight < limits.maxInFlight, let id = waiting.popFirst() {
            update(id, now) { exchange, health in
                guard exchange.phase == .queued else { return [] }  // ended while it waited
                inFlight += 1
                return exchange.placeGranted(now, &health)
            }
        }
    }

    private func attemptEnded(_ transfer: FinishedTransfer) {
        let now = transfer.endedAt
        update(transfer.id, now) { exchange, health in
            let attempt = AttemptResult(transfer.result, to: exchange.question(endpoint.source))
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
                call.tell(.slow, exchange.timing(call, now))
            case .exchange(let id, let timer, _):
                update(id, now) { exchange, health in
                    exchange.fired(timer, sentAt: { transport.sendings(id)?.lastAt }, now, &health)
                }
            }
        }
    }

    // MARK: Effects

    /// Delivers an event to an exchange, and executes the effects that it returns.
    private func update(
        _ id: TransferID, _ now: MonotonicTime, _ event: (inout Exchange, inout ServiceHealth) -> [Exchange.Effect]
    ) {
        let effects = table.change(id) { exchange in
            let service = exchange.message?.service ?? 0
            return services.indices.contains(service) ? event(&exchange, &services[service]) : []
        }
        for effect in effects ?? [] { execute(effect, of: id, now) }
    }

    private func execute(_ effect: Exchange.Effect, of id: TransferID, _ now: MonotonicTime) {
        switch effect {
        case .queue: waiting.append(id)
        case .leavePlace: inFlight -= 1
        case .send(let attempt):
            if let request = table.change(id, { $0.httpRequest(attempt) }) ?? nil, let failure = transport.start(id, request)
            {
                attemptEnded(FinishedTransfer(id: id, result: .failure(failure), endedAt: now))
            }
        case .abandon(let isOverdue): abandon(id, isOverdue: isOverdue, now)
        case .giveUp(let selection): giveUp(selection, id, now)
        case .wait(let timer, let moment, let generation):
            timers.add(.exchange(id, timer, generation: generation), at: moment)
        case .goOn: unattended.append(id)
        case .sendNoMore: transport.sendNoMore(id)
        case .distrust: transport.distrust(id)
        case .complete(let call, let event, let end):
            table.left(call.ticket)
            guard mayTell(call, event) else { break }
            let receipt = ledger.receipt(call.request, event, end)
            call.tell(event, table.change(id) { $0.timing(call, now) } ?? CallTiming(call, now), receipt)
        case .resubmit(let call): accept(call, now)
        case .end: table.remove(id)
        case .claim, .record, .revokeRecord, .void, .settle, .withdraw, .renew, .report:
            let answer = table.change(id) { (ledger.execute(effect, of: $0, now), $0.generation) }
            guard let (answer, generation) = answer else { return }
            switch answer {
            case .none: break
            case .event(let event): update(id, now) { exchange, _ in event(&exchange) }
            case .later(let timer, let moment): timers.add(.exchange(id, timer, generation: generation), at: moment)
            case .join(let other):
                if let call = table.join(id, to: other) { update(other, now) { exchange, _ in exchange.joined(call, now) } }
            }
        }
    }

    /// Exchanges of the selected bookings that nobody waits for end first, so that their bookings are in doubt.
    private func giveUp(_ selection: GiveUp, _ id: TransferID, _ now: MonotonicTime) {
        for other in ledger.inFlight(selection) where table.isWithoutHost(other) {
            update(other, now) { exchange, _ in exchange.stopped(.cancelled, now) }
        }
        update(id, now) { [event = ledger.giveUp(selection, id, now)] exchange, _ in event(&exchange) }
    }

    private func abandon(_ id: TransferID, isOverdue: Bool, _ now: MonotonicTime) {
        // An unknown transfer counts as sent.
        let abandoned = transport.cancel(id, isOverdue: isOverdue) ?? AbandonedTransfer(sendings: Sendings(at: now))
        update(id, now) { exchange, health in
            let answer = AttemptResult(partial: abandoned.partialReply, to: exchange.question(endpoint.source))
            return exchange.abandoned(answer, abandoned.sendings, abandoned.timing, now, &health)
        }
    }

    /// Gives up the oldest background exchanges beyond the limits.
    private func stopOldest(_ now: MonotonicTime) {
        for id in unattended.beyond(limits, table) { update(id, now) { exchange, _ in exchange.stopped(.timeout, now) } }
    }
}
