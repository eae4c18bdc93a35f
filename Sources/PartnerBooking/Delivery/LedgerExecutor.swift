/// The executor of ledger effects. Answers are events, so that a store on another machine can
/// answer later.
struct LedgerExecutor {
    typealias Event = (inout Exchange) -> [Exchange.Effect]

    /// The answer to an effect.
    enum Answer {
        case none
        case event(Event)
        /// The answer comes later. If it does not come, the timer fires.
        case later(Exchange.Timer, MonotonicTime)
        /// The key is in flight. The call joins that exchange.
        case join(TransferID)
    }

    let ledger: LedgerStore
    let endpoint: any Endpoint
    let reportsSettled: Bool
    let observer: Observer
    /// The receiver of settled bookings whose call ended `unknown`.
    let report: (Settlement) -> Void

    func execute(_ effect: Exchange.Effect, of exchange: Exchange, _ now: MonotonicTime) -> Answer {
        guard let key = exchange.request.idempotencyKey else { return .none }
        switch effect {
        case .claim: return claim(key, exchange, now)
        case .record(let overdueAt):
            let accountID = exchange.message?.accountID
            let isRecording = ledger.record(
                key, body: exchange.request.body, accountID: accountID, id: exchange.id, isOrphan: exchange.isOrphan)
            guard isRecording else {
                return .event { $0.recordEnded(.notKept, now) }
            }
            return .later(.recordOverdue, overdueAt)
        case .revokeRecord:
            let isRevoked = ledger.revoke(key, exchange.id)
            return .event { $0.recordRevoked(isRevoked, now) }
        case .void(let overdueAt):
            ledger.void(key, exchange.evidence.outcome, id: exchange.id)
            return .later(.voidOverdue, overdueAt)
        case .settle(let ending): ledger.ended(key, ending, end: exchange.end)
        case .look: ledger.host?.look(key, id: exchange.id)
        case .withdraw: ledger.withdraw(key)
        case .renew: ledger.renew(key, accountID: exchange.message?.accountID)
        case .report(let result, let timing, let tag):
            observer.settled(result, tag: tag)
            guard reportsSettled else { return .none }
            // Without room for the report, the end stays pending.
            let receipt = receipt(exchange.request, .settled(result), exchange.end)
            report(Settlement(idempotencyKey: key, tag: tag, result: result, timing: timing, receipt: receipt))
        case .giveUp, .queue, .leavePlace, .send, .abandon, .wait, .goOn, .sendNoMore, .distrust, .complete, .resubmit,
            .end:
            break
        }
        return .none
    }

    /// Reports a refusal that the store recorded late. The exchange has already ended in doubt.
    private func reportLate(_ key: String, _ late: BookingLedger.LateEnd) {
        guard let owed = late.owedReport else { return }
        let context = ErrorContext(operation: .createBooking, tag: owed.tag, idempotencyKey: key)
        let result = CallResult.failure(context.annotating(.notMade, outcome: late.outcome))
        observer.settled(result, tag: owed.tag)
        guard reportsSettled else { return }
        report(
            Settlement(
                idempotencyKey: key, tag: owed.tag, result: result,
                timing: CallTiming(totalMicroseconds: 0, queueMicroseconds: 0, attempts: 0),
                receipt: Receipt(ledger, key: key, end: late.end)))
    }

    /// Returns the receipt of a booking's end. nil: the event is not the end of a booking.
    func receipt(_ request: Request, _ event: CallCompletion.Event, _ end: TransferID) -> Receipt? {
        guard request.givesUp == nil, let key = request.idempotencyKey else { return nil }
        if event.isDoubtful { return nil }
        return Receipt(ledger, key: key, end: end)
    }

    func inFlight(_ selection: GiveUp) -> [TransferID] { ledger.inFlight(selection) }

    func giveUp(_ selection: GiveUp, _ id: TransferID, _ now: MonotonicTime) -> Event {
        if let host = ledger.host {
            host.giveUp(selection, id: id)
            return { $0.giveUpAsked(now) }
        }
        let result = ledger.giveUp(selection, id: id)
        let isAwaited = ledger.isJournaled && !(result?.givenUp.isEmpty ?? true)
        return { $0.gaveUp(result, isAwaited: isAwaited, now) }
    }

    private func claim(_ key: String, _ exchange: Exchange, _ now: MonotonicTime) -> Answer {
        let request = exchange.request
        let service = request.botID.flatMap(endpoint.service)
        switch ledger.begin(request, key, service: service, id: exchange.id) {
        case .send(let grant):
            let request = request.sending(grant.body)
            do throws(PartnerBookingError) {
                let message = try endpoint.message(for: request)
                if let account = grant.accountID, account != message.accountID { throw .accountChanged }
                return .event { $0.granted(grant, request, message, now) }
            } catch {
                return .event { $0.refused(error, grant.evidence.outcome, grant, now) }
            }
        case .join(let other): return .join(other)
        case .replay(let reply, let end): return .event { $0.replayed(reply, end: end, now) }
        case .replyNotKept: return .event { $0.refused(.replyNotKept, .unknown, nil, now) }
        case .refuse(let existing): return .event { $0.refused(.idempotencyKeyReused(existing), .unknown, nil, now) }
        case .full(let limit): return .event { $0.refused(.ledgerFull(limit), .notSent, nil, now) }
        case .absent where ledger.host != nil && !exchange.hasLooked:
            ledger.host?.look(key, id: exchange.id)
            return .event { $0.lookAsked(now) }
        // An earlier process, or a process elsewhere, may have sent the booking.
        case .absent: return .event { $0.refused(.notRecorded, .unknown, nil, now) }
        case .notMade(let outcome, let end): return .event { $0.notMade(outcome, end: end, now) }
        }
    }

    /// Returns the event for the exchange that waits for a record. nil: the record causes no
    /// event.
    func event(_ report: Journal.Report, _ now: MonotonicTime) -> Event? {
        guard case .event(let event, let key, let stamp) = report.record else { return nil }
        if case .failed(let message, _) = report.result { observer.journalFailed(message) }
        switch (event, report.result) {
        case (.intent, .durable):
            ledger.recorded(key, clock: stamp.clock)
            return { $0.recordEnded(.durable, now) }
        case (.intent, .failed(let message, let isUndone)):
            if isUndone { ledger.recordUndone(key) }
            return { $0.recordEnded(.failed(message, isUndone: isUndone), now) }
        case (.void, .durable):
            if let end = ledger.voided(key, clock: stamp.clock) { reportLate(key, end) }
            return { $0.voided(true, now) }
        case (.void, .failed): return { $0.voided(false, now) }
        case (.givenUp, .durable): return { $0.giveUpRecorded(true, now) }
        case (.givenUp, .failed): return { $0.giveUpRecorded(false, now) }
        case (.booked, _), (.withdrawn, _), (.heard, _): return nil
        }
    }
}
