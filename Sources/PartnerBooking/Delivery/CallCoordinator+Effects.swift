/// Executes the effects that exchanges return.
extension CallCoordinator {
    /// Delivers an event to an exchange, and executes the effects that it returns.
    func update(
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
            if let request = request(of: id, attempt), let failure = transport.start(id, request) {
                attemptEnded(FinishedTransfer(id: id, result: .failure(failure), endedAt: now))
            }
        case .abandon(let isOverdue): abandon(id, isOverdue: isOverdue, now)
        case .giveUp(let selection): giveUp(selection, id, now)
        case .wait(let timer, let moment, let generation):
            if timer == .pauseOver { watch.paused(id, until: moment, now, table) }
            timers.add(.exchange(id, timer, generation: generation), at: moment)
        case .goOn: unattended.append(id)
        case .sendNoMore: transport.sendNoMore(id)
        case .distrust: transport.distrust(id)
        case .complete(let call, let event, let end):
            table.left(call.ticket)
            guard mayTell(call, event) else { break }
            let receipt = ledger.receipt(call.request, event, end)
            noteEnd(of: call, id, event, now)
            call.tell(event, table.change(id) { $0.timing(call, now) } ?? CallTiming(call, now), receipt)
        case .resubmit(let call): accept(call, now)
        case .end:
            if !waiting.isEmpty, table.reads(id, { $0.isInQueue }) ?? false { endedInQueue += 1 }
            table.remove(id)
        case .claim, .record, .revokeRecord, .void, .settle, .look, .withdraw, .renew, .report:
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

    /// Returns the HTTP request of an attempt. A booking in the host's store is sent only
    /// within its lease.
    @inline(__always)
    private func request(of id: TransferID, _ attempt: Exchange.Attempt) -> HTTPRequest? {
        var request = table.change(id, { $0.httpRequest(attempt) }) ?? nil
        if request?.isBooking ?? false, let host = ledger.ledger.host,
            table.reads(id, { $0.record == .durable }) ?? false
        {
            request?.leaseEnd = host.leaseEnd
        }
        return request
    }

    /// Gives up the selected bookings. Exchanges without a call of the host end first, so that
    /// their bookings are in doubt.
    private func giveUp(_ selection: GiveUp, _ id: TransferID, _ now: MonotonicTime) {
        for other in ledger.inFlight(selection) where table.isWithoutHost(other) {
            update(other, now) { exchange, _ in exchange.stopped(.cancelled, now) }
        }
        update(id, now) { [event = ledger.giveUp(selection, id, now)] exchange, _ in event(&exchange) }
    }

    private func abandon(_ id: TransferID, isOverdue: Bool, _ now: MonotonicTime) {
        watch.abandoned(id, table)
        // An unknown transfer counts as sent.
        let abandoned = transport.cancel(id, isOverdue: isOverdue) ?? AbandonedTransfer(sendings: Sendings(at: now))
        update(id, now) { exchange, health in
            let answer = AttemptResult(partial: abandoned.partialReply, to: exchange.question(endpoint.source))
            return exchange.abandoned(answer, abandoned.sendings, abandoned.timing, now, &health)
        }
    }

    /// Gives up the oldest background exchanges beyond the limits.
    func stopOldest(_ now: MonotonicTime) {
        for id in unattended.beyond(limits, table) { update(id, now) { exchange, _ in exchange.stopped(.timeout, now) } }
    }
}
