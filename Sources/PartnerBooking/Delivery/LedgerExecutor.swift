/// Executes the ledger effects of exchanges. Answers are events, so that a store on another machine can answer later.
struct LedgerExecutor {
    typealias Event = (inout Exchange) -> [Exchange.Effect]

    /// The result of an effect.
    enum Answer {
        /// No answer.
        case none
        case event(Event)
        /// The answer comes later. The timer fires if it does not.
        case later(Exchange.Timer, MonotonicTime)
        /// The key is in flight: join that exchange.
        case join(TransferID)
    }

    let ledger: BookingLedger
    let endpoint: any Endpoint
    /// Reports the end of a booking whose call ended `unknown`. Returns false when there is no room for it.
    let report: (Settlement) -> Bool

    func execute(_ effect: Exchange.Effect, of exchange: Exchange, _ now: MonotonicTime) -> Answer {
        guard let key = exchange.request.idempotencyKey else { return .none }
        switch effect {
        case .claim: return claim(key, exchange, now)
        case .record(let overdueAt):
            let accountID = exchange.message?.accountID
            guard ledger.record(key, body: exchange.request.body, accountID: accountID, id: exchange.id) else {
                return .event { $0.recordEnded(.notKept, now) }
            }
            return .later(.recordOverdue, overdueAt)
        case .takeBackRecord:
            let isTakenBack = ledger.takeBack(exchange.id)
            return .event { $0.recordTakenBack(isTakenBack, now) }
        case .void(let overdueAt):
            ledger.void(key, id: exchange.id)
            return .later(.voidOverdue, overdueAt)
        case .settle(let ending): ledger.ended(key, ending)
        case .withdraw: ledger.withdraw(key)
        case .renew: ledger.renew(key, accountID: exchange.message?.accountID)
        case .report(let result, let timing, let tag):
            guard exchange.policy.reportsSettled else { return .none }
            let settlement = Settlement(idempotencyKey: key, tag: tag, result: result, timing: timing)
            if !report(settlement) { ledger.remainsUnheard(key, .init(tag: tag), body: exchange.request.body) }
        case .queue, .leavePlace, .send, .giveUp, .wait, .goOn, .sendNoMore, .distrust, .complete, .beginAnew, .end: break
        }
        return .none
    }

    private func claim(_ key: String, _ exchange: Exchange, _ now: MonotonicTime) -> Answer {
        var request = exchange.request
        switch ledger.begin(request, key, id: exchange.id) {
        case .send(let grant):
            request.take(body: grant.body)
            do throws(PartnerBookingError) {
                let message = try endpoint.message(for: request)
                if let account = ledger.accountID(of: key), account != message.accountID { throw .accountChanged }
                return .event { $0.granted(grant, request, message, now) }
            } catch {
                return .event { $0.refused(error, grant.evidence.outcome, grant, now) }
            }
        case .join(let other): return .join(other)
        case .replay(let reply): return .event { $0.replayed(reply, now) }
        case .refuse: return .event { $0.refused(.idempotencyKeyReused, .rejected, nil, now) }
        // An earlier process, or one elsewhere, may have sent it.
        case .absent: return .event { $0.refused(.notRecorded, .unknown, nil, now) }
        }
    }

    /// Returns the event for the exchange that waits for a record, or nil for a record without an event.
    func event(_ report: Journal.Report, _ now: MonotonicTime) -> Event? {
        switch (report.record, report.result) {
        case (.intent(let key, _, _, _, _), .durable):
            ledger.recorded(key)
            return { $0.recordEnded(.durable, now) }
        case (.intent, .failed(let message, let isUndone)):
            return { $0.recordEnded(.failed(message, isUndone: isUndone), now) }
        case (.void(let key, _), .durable):
            ledger.voided(key)
            return { $0.voided(true, now) }
        case (.void, .failed): return { $0.voided(false, now) }
        case (.journal, _), (.booked, _), (.withdrawn, _): return nil
        }
    }
}
