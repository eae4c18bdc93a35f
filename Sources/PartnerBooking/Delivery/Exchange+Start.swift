// From the claim to the first attempt.

extension Exchange {
    /// Starts the exchange. A booking asks the ledger for its key.
    mutating func begin(at endpoint: any Endpoint, _ now: MonotonicTime) -> [Effect] {
        if let selection = request.givesUp { return [.giveUp(selection)] }
        if isBooking { return [.claim] }
        do throws(PartnerBookingError) { message = try endpoint.message(for: request) } catch {
            return refused(error, .notSent, nil, now)
        }
        return enqueue()
    }

    /// Accepts the key that the ledger has granted.
    mutating func granted(
        _ grant: BookingLedger.Grant, _ request: Request, _ message: Message, _ now: MonotonicTime
    ) -> [Effect] {
        guard phase == .claiming else { return [] }
        // The call has left in the meantime.
        guard !calls.isEmpty else { return refused(.cancelled, grant.evidence.outcome, grant, now) }
        self.request = request
        self.message = message
        evidence = grant.evidence
        owedReport = grant.owedReport
        isTakeover = grant.isOrphan
        // A platform without idempotency keys would book twice.
        if isInDoubt && rules.keys == .none { return finish(.failure(inDoubtError(now)), now) }
        guard !grant.isRecorded else {
            record = .durable
            evidence.forgetRecord()
            return enqueue()
        }
        record = .pending
        phase = .recording
        return [.record(overdueAt: now.adding(milliseconds: policy.journalTimeoutMilliseconds))]
    }

    /// Ends with the ledger's reply. `end` names the end that the reply belongs to.
    mutating func replayed(_ reply: [UInt8], end: TransferID, _ now: MonotonicTime) -> [Effect] {
        guard phase == .claiming else { return [] }
        phase = .ended
        self.end = end
        isReplayed = true
        return calls.map { complete($0, .success(reply), evidence.outcome, now) } + [.end]
    }

    /// Ends the exchange. The booking to resume was not made, and `end` names that end.
    mutating func notMade(_ outcome: PartnerBookingError.Outcome, end: TransferID, _ now: MonotonicTime) -> [Effect] {
        self.end = end
        return refused(.notMade, outcome, nil, now)
    }

    /// Ends the exchange before anything is sent. `grant` is set if the ledger had granted the
    /// key.
    mutating func refused(
        _ error: PartnerBookingError, _ outcome: PartnerBookingError.Outcome, _ grant: BookingLedger.Grant? = nil,
        _ now: MonotonicTime
    ) -> [Effect] {
        guard phase == .claiming else { return [] }
        phase = .ended
        let settle: [Effect] =
            grant.map { grant in
                let owed = grant.owedReport ?? BookingLedger.OwedReport(tag: request.tag)
                return [.settle(grant.evidence.isInDoubt ? .inDoubt(grant.evidence, owed) : .notBooked(outcome))]
            } ?? []
        return settle + calls.map { complete($0, .failure(error), outcome, now) } + [.end]
    }

    /// The result of recording the booking in the store.
    enum RecordEnd: Sendable, Equatable {
        /// The memory is the only store.
        case notKept
        case durable
        /// `isUndone`: nothing of the record is left in the store.
        case failed(String, isUndone: Bool)
    }

    mutating func recordEnded(_ end: RecordEnd, _ now: MonotonicTime) -> [Effect] {
        guard record == .pending else { return [] }
        switch (end, phase) {
        case (.notKept, .recording):
            record = .none
            return enqueue()
        case (.durable, _):
            record = .durable
            guard phase == .recording else { return [] }
            evidence.forgetRecord()
            if !rules.areKeysShared { evidence.forgetOthers() }
            return enqueueOnce(now)
        case (.failed(let message, let isUndone), _):
            if isUndone { record = .none }
            if phase == .recording { return recordFailed(message, mayStand: !isUndone, now) }
            if case .voiding(let result) = phase, isUndone { return conclude(result, now) }
            return []
        case (.notKept, _): return []
        }
    }

    mutating func recordOverdue(_ now: MonotonicTime) -> [Effect] {
        switch phase {
        case .recording: [.revokeRecord]
        case .claiming where hasLooked:
            refused(.journalUnavailable(Reason.hostSilent), .unknown, nil, now)
        default: []
        }
    }

    mutating func recordRevoked(_ isRevoked: Bool, _ now: MonotonicTime) -> [Effect] {
        if isRevoked { record = .none }
        switch phase {
        case .recording:
            return recordFailed(Reason.recordSilent, mayStand: !isRevoked, now)
        case .voiding(let result): return isRevoked ? conclude(result, now) : [void(now)]
        default: return []
        }
    }

    /// Handles a failed record. `mayStand`: it may be in the store, and a later process may
    /// resume it.
    private mutating func recordFailed(_ why: String, mayStand: Bool, _ now: MonotonicTime) -> [Effect] {
        // Another client may have sent the booking. Send nothing without a claim.
        if lookMilliseconds > 0 {
            // A late claim is taken back automatically.
            record = .none
            return waitForOther(now)
        }
        guard policy.isJournalRequired else {
            isUnprotected = true
            return enqueue()
        }
        if mayStand { evidence.fallIntoDoubt(now) }
        return finish(.failure(.journalUnavailable(why)), now)
    }

    /// Handles a timer that has fired. `sentAt` returns the time of the attempt's last sending.
    mutating func fired(
        _ timer: Timer, sentAt: () -> MonotonicTime?, _ now: MonotonicTime, _ health: inout ServiceHealth
    ) -> [Effect] {
        switch timer {
        case .recordOverdue: recordOverdue(now)
        case .pauseOver: pauseOver(now, &health)
        case .attemptOverdue: attemptOverdue(sentAt: sentAt(), now)
        case .voidOverdue: voided(false, now)
        case .giveUpOverdue: giveUpRecorded(false, now)
        case .lookDue: lookDue(now)
        }
    }

    mutating func enqueue() -> [Effect] {
        phase = .queued
        isInQueue = true
        return [.queue]
    }

    /// Takes a place among the exchanges in flight.
    mutating func placeGranted(_ now: MonotonicTime, _ health: inout ServiceHealth) -> [Effect] {
        isInQueue = false
        guard phase == .queued else { return [.leavePlace] }
        hasPlace = true
        startedAt = now
        return attempt(now, &health)
    }
}
