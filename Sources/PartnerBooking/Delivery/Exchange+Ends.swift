// The end of calls, and the end of the exchange.
//
// When the calls of a sent booking end, the exchange can continue.

extension Exchange {
    // MARK: Calls come and go

    /// Adds a call that asks for the same booking or search.
    mutating func joined(_ call: Call, _ now: MonotonicTime) -> [Effect] {
        if case .voiding = phase {
            lateCalls.append(call)
            return []
        }
        calls.append(call)
        deadline = max(deadline, call.deadline)
        guard purpose != .answering else { return [] }
        purpose = .answering
        schedule.resetAsks()
        sendingCount = 0
        var effects: [Effect] = []
        if isWithdrawn {
            isWithdrawn = false
            effects.append(.renew)
        }
        guard phase == .pausing else { return effects }
        let earliest = endedAt?.adding(milliseconds: Self.leastAskMilliseconds) ?? now
        return effects + [startPause(until: max(now, earliest, notBefore))]
    }

    mutating func cancelled(_ ticket: CallTicket, _ underWay: UnderWay, _ now: MonotonicTime) -> [Effect] {
        if let place = lateCalls.firstIndex(where: { $0.ticket == ticket && !$0.isDetached }) {
            return [completeLate(lateCalls.remove(at: place), .cancelled, now)]
        }
        guard let call = calls.first(where: { $0.ticket == ticket }), !call.isDetached else { return [] }
        return leave(call, .cancelled, underWay, now)
    }

    mutating func deadlinePassed(
        _ ticket: CallTicket, _ underWay: UnderWay, _ now: MonotonicTime, _ health: inout ServiceHealth
    ) -> [Effect] {
        guard let call = calls.first(where: { $0.ticket == ticket }) else { return [] }
        if isBooking, calls.count == 1, phase == .attempting, underWay.sentAt != nil, hasBeenSilent(now) {
            health.breaker.attemptEnded(id, subject: subject, isOutage: true, now: now)
        }
        return leave(call, isInDoubt ? inDoubtError(now) : .timeout, underWay, now)
    }

    private mutating func leave(
        _ call: Call, _ error: PartnerBookingError, _ underWay: UnderWay, _ now: MonotonicTime
    ) -> [Effect] {
        let isCancelled = error.code == .cancelled
        let settlesLater = !isCancelled && settlesLater(now)
        switch phase {
        case .givingUp: return giveUpRecorded(false, now)
        case .voiding, .ended, .abandoning: return []  // the call gets the end that is coming
        case .attempting where underWay.hasAnswer:
            phase = .abandoning(.leaving(error))
            return [.abandon(isOverdue: false)]
        case _ where calls.count > 1:
            // The other calls continue, and the booking may still be made.
            calls.removeAll { $0.ticket == call.ticket }
            oweReport(call)
            return [complete(call, .failure(error), .unknown, now)]
        case .attempting where isBooking && (underWay.sentAt != nil || settlesLater):
            let noted = withdraw(isCancelled) + (isCancelled || underWay.sentAt == nil ? [] : [.distrust])
            let due = (underWay.sentAt ?? now).adding(milliseconds: attemptMilliseconds ?? 0)
            let effects = goOn(.failure(error), isCancelled ? .reading : settling(now), now)
            return noted + (purpose == .reading ? [.sendNoMore] : []) + [wait(.attemptOverdue, until: due)] + effects
        case .attempting:
            phase = .abandoning(.leaving(error))
            return withdraw(isCancelled && isInDoubt) + [.abandon(isOverdue: error.code == .timeout)]
        case .pausing where settlesLater: return goOn(.failure(error), settling(now), now)
        case .queued where settlesLater:
            let wait = startPause(until: now)
            return [wait] + goOn(.failure(error), settling(now), now)
        case .pausing where !isInDoubt && !isCancelled:
            // The thread was too late for another attempt. The last error explains more than
            // `timeout`.
            return finish(.failure(lastError ?? error), now)
        case .claiming:
            calls = []  // the exchange waits for the ledger, and gives the key back
            return [complete(call, .failure(error), evidence.outcome, now)]
        case .awaiting where settlesLater: return goOn(.failure(error), settling(now), now)
        case .recording, .awaiting, .queued, .pausing:
            return withdraw(isCancelled && isInDoubt) + finish(.failure(error), now)
        }
    }

    /// Returns whether the exchange continues after the deadline to settle the doubt. It does
    /// not if the current pause outlasts `settle_for_ms`.
    func settlesLater(_ now: MonotonicTime) -> Bool {
        guard isInDoubt, case .settling(let until) = settling(now) else { return false }
        return phase != .pausing || pauseEndsAt < until
    }

    func settling(_ now: MonotonicTime) -> Purpose {
        let milliseconds = policy.settleForMilliseconds
        return milliseconds > 0 ? .settling(until: now.adding(milliseconds: milliseconds)) : .reading
    }

    private mutating func withdraw(_ isCancelled: Bool) -> [Effect] {
        guard isCancelled else { return [] }
        isWithdrawn = true
        return [.withdraw]
    }

    /// Ends the calls. The exchange continues in the background and gives up its place.
    mutating func goOn(_ result: CallResult, _ purpose: Purpose, _ now: MonotonicTime) -> [Effect] {
        self.purpose = purpose
        calls.forEach { oweReport($0) }
        let told = calls.map { complete($0, result, .unknown, now) }
        calls = []
        return leavePlace() + told + [.goOn]  // last, because it may end this exchange, too
    }

    /// Stops the exchange, at once if possible. The client closes, or has too many background
    /// exchanges. The calls get `error`.
    mutating func stopped(_ error: PartnerBookingError, _ now: MonotonicTime) -> [Effect] {
        switch phase {
        case .voiding:
            defer { lateCalls = [] }
            return lateCalls.map { completeLate($0, error, now) }
        case .abandoning, .givingUp, .ended: return []
        case .attempting:
            phase = .abandoning(.leaving(error))
            return [.abandon(isOverdue: false)]
        case .claiming, .recording, .awaiting, .queued, .pausing: return finish(.failure(error), now)
        }
    }

    /// Completes a call as `unknown`, before the store has recorded that nothing was booked.
    private mutating func completeLate(_ call: Call, _ error: PartnerBookingError, _ now: MonotonicTime) -> Effect {
        oweReport(call)
        return complete(call, .failure(error), .unknown, now)
    }

    // MARK: The end

    /// Ends with the last attempt's result. A booking in doubt ends as `in_doubt` instead.
    mutating func finishAttempts(_ result: CallResult, _ now: MonotonicTime) -> [Effect] {
        guard isInDoubt, case .failure(let error) = result, error.code != .otherBooking || error.isFromService else {
            return finish(result, now)
        }
        return finish(.failure(inDoubtError(now)), now)
    }

    /// Ends the exchange. Records that nothing was booked before the calls get that result.
    /// Otherwise a crash could bring the booking back.
    mutating func finish(_ result: CallResult, _ now: MonotonicTime) -> [Effect] {
        if isElsewhere, case .failure = result { return waitForOther(after: result, now) }
        guard isBooking, case .failure = result, !isInDoubt, record != .none else { return conclude(result, now) }
        phase = .voiding(result)
        return leavePlace() + (record == .pending ? [.revokeRecord] : [void(now)])
    }

    func void(_ now: MonotonicTime) -> Effect { .void(overdueAt: now.adding(milliseconds: Self.voidingMilliseconds)) }

    /// Ends the exchange. `isDone`: the store has recorded that nothing was booked.
    mutating func voided(_ isDone: Bool, _ now: MonotonicTime) -> [Effect] {
        guard case .voiding(let result) = phase else { return [] }
        return isDone ? conclude(result, now) : concludeInDoubt(result, now)
    }

    /// Ends in doubt. A later process may resume the booking, so a refusal no longer settles
    /// it.
    mutating func concludeInDoubt(_ result: CallResult, _ now: MonotonicTime) -> [Effect] {
        evidence.fallIntoDoubt(now)
        guard case .failure(let error) = result, error.isFromService || error.code == .notConfirmed else {
            return conclude(result, now)
        }
        return conclude(.failure(inDoubtError(now)), now)
    }

    /// Ends the exchange of a closed client. The store has not answered, so its content is
    /// unknown.
    mutating func dropped(_ now: MonotonicTime) -> [Effect] {
        calls += lateCalls
        lateCalls = []
        switch phase {
        case .ended: return []
        case .voiding(let result): return concludeInDoubt(result, now)
        case .givingUp: return giveUpRecorded(false, now)
        case .attempting, .abandoning: return concludeInDoubt(.failure(.clientClosed), now)
        case .claiming, .recording, .awaiting, .queued, .pausing:
            return record == .none
                ? conclude(.failure(.clientClosed), now) : concludeInDoubt(.failure(.clientClosed), now)
        }
    }

    /// Ends the exchange. `isSettled`: the ledger has that end already.
    mutating func conclude(_ result: CallResult, _ now: MonotonicTime, isSettled: Bool = false) -> [Effect] {
        phase = .ended
        var effects: [Effect] = []
        effects.reserveCapacity(calls.count + lateCalls.count + 4)
        if hasPlace { effects.append(.leavePlace) }
        hasPlace = false
        let owed = owedReport
        let isClaimed = isBooking && message != nil
        if isClaimed, !isSettled { effects.append(.settle(ending(result))) }
        for call in calls { effects.append(complete(call, result, evidence.outcome, now)) }
        if isClaimed, let owed, !isInDoubt || result.isSuccess { effects.append(report(result, owed, now)) }
        for call in lateCalls { effects.append(.resubmit(call)) }
        effects.append(.end)
        return effects
    }

    private mutating func ending(_ result: CallResult) -> BookingLedger.Ending {
        switch result {
        case .success(let reply): return .booked(reply: reply)
        case .failure where isInDoubt:
            calls.forEach { oweReport($0) }
            return .inDoubt(evidence, owedReport)
        case .failure: return .notBooked(evidence.outcome)
        }
    }

    mutating func oweReport(_ call: Call) {
        owedReport = owedReport ?? BookingLedger.OwedReport(tag: call.request.tag)
    }

    mutating func leavePlace() -> [Effect] {
        guard hasPlace else { return [] }
        hasPlace = false
        return [.leavePlace]
    }

    func complete(
        _ call: Call, _ result: CallResult, _ outcome: PartnerBookingError.Outcome, _ now: MonotonicTime
    ) -> Effect {
        let told = result.mapError {
            call.context.annotating($0, outcome: outcome, attempts: attempts, timing: timing(call, now))
        }
        return .complete(call, .done(told), end: end)
    }

    private func report(_ result: CallResult, _ owed: BookingLedger.OwedReport, _ now: MonotonicTime) -> Effect {
        let context = ErrorContext(operation: .createBooking, tag: owed.tag, idempotencyKey: request.idempotencyKey)
        let timing = CallTiming(
            totalMicroseconds: now.microseconds(since: startedAt ?? now), queueMicroseconds: 0, attempts: attempts,
            lastAttempt: lastTiming, isUnprotected: isUnprotected)
        let told = result.mapError {
            context.annotating($0, outcome: evidence.outcome, attempts: attempts, timing: timing)
        }
        return .report(told, timing, tag: owed.tag)
    }

    func wait(_ timer: Timer, until moment: MonotonicTime) -> Effect { .wait(timer, until: moment, generation: generation) }

    /// Returns the error of a booking in doubt, with its last answer.
    func inDoubtError(_ now: MonotonicTime) -> PartnerBookingError {
        let doubt = PartnerBookingError.Doubt(
            sentMillisecondsAgo: evidence.inDoubtSince.map { now.milliseconds(since: $0) } ?? 0,
            status: lastError?.status, code: lastError?.code)
        var error = PartnerBookingError.inDoubt(doubt, source: lastError?.source ?? .network)
        error.reply = lastError?.reply
        return error
    }
}

extension Result {
    fileprivate var isSuccess: Bool {
        if case .success = self { true } else { false }
    }
}
