// Keys in the host's store, which other clients may have too.

extension Exchange {
    static let firstLookMilliseconds = 50
    static let lastLookMilliseconds = 500

    // MARK: The claim

    /// Waits for the store's answer about a booking to resume, whose key is unknown here.
    mutating func lookAsked(_ now: MonotonicTime) -> [Effect] {
        hasLooked = true
        return phase == .claiming ? [overdue(now)] : []
    }

    /// Waits for the store's answer about bookings to give up.
    mutating func giveUpAsked(_ now: MonotonicTime) -> [Effect] { lookAsked(now) }

    private func overdue(_ now: MonotonicTime) -> Effect {
        wait(.recordOverdue, until: now.adding(milliseconds: policy.journalTimeoutMilliseconds))
    }

    /// Claims the key again, because the ledger knows it now.
    mutating func claimAgain(_ now: MonotonicTime) -> [Effect] { phase == .claiming ? [.claim] : [] }

    /// Takes over the key. A dead engine may have sent the booking. If this client had the key
    /// before (`isOwn`), it knows its sendings.
    mutating func tookOver(_ request: Request, _ message: Message, isOwn: Bool, _ now: MonotonicTime) -> [Effect] {
        guard phase == .recording || record == .pending else { return [] }
        record = .durable
        if isOwn && evidence.isInDoubt {
            evidence.forgetRecord()
            if !rules.areKeysShared { evidence.forgetOthers() }
        } else {
            evidence.inherit(now)
        }
        guard phase == .recording else { return [] }
        self.request = request
        self.message = message
        return enqueueOnce(now)
    }

    /// Queues the booking, unless a platform without keys could book it twice.
    mutating func enqueueOnce(_ now: MonotonicTime) -> [Effect] {
        isInDoubt && rules.keys == .none ? finish(.failure(inDoubtError(now)), now) : enqueue()
    }

    /// Ends the exchange. The key is ours, but the booking cannot be sent.
    mutating func takeoverFailed(_ error: PartnerBookingError, _ now: MonotonicTime) -> [Effect] {
        guard phase == .recording else { return [] }
        record = .durable
        evidence.inherit(now)
        return finish(.failure(error), now)
    }

    /// Ends the exchange. The key belongs to a different request of another client.
    mutating func otherElsewhere(_ existing: PartnerBookingError.Existing, _ now: MonotonicTime) -> [Effect] {
        guard phase == .recording || phase == .awaiting else { return [] }
        phase = .ended
        return calls.map { complete($0, .failure(.idempotencyKeyReused(existing)), .unknown, now) } + [.end]
    }

    // MARK: Waiting for another client

    /// Waits for the end of another engine, which has the key and may be alive.
    mutating func heldElsewhere(_ now: MonotonicTime) -> [Effect] {
        guard phase == .recording else { return [] }
        record = .none
        return waitForOther(now)
    }

    /// Gives up the key to another engine. That engine finds the end, unless an answer is under
    /// way here.
    mutating func lost(_ now: MonotonicTime) -> [Effect] {
        guard record != .none else { return [] }
        record = .none
        switch phase {
        case .voiding(let result): return waitForOther(after: result, now)
        case .recording, .queued, .pausing: return waitForOther(now)
        case .attempting, .abandoning:
            isElsewhere = true
            evidence.fallToOthers(now)
            return [.sendNoMore]
        case .claiming, .awaiting, .givingUp, .ended: return []
        }
    }

    /// True when no call of the host waits. The exchange only settles a doubt, as other clients
    /// can.
    var isOrphan: Bool { isTakeover && lateCalls.isEmpty && calls.allSatisfy(\.isOwn) }

    /// Waits for the end that the other client finds.
    mutating func waitForOther(_ now: MonotonicTime) -> [Effect] {
        isElsewhere = false
        evidence.fallToOthers(now)
        let left = leavePlace()
        lookMilliseconds = Self.firstLookMilliseconds
        if isOrphan {
            return left + conclude(.failure(inDoubtError(now)), now)
        }
        let look = nextLook(afterMilliseconds: lookMilliseconds, now)
        let late = lateCalls
        lateCalls = []
        return left + [look] + late.flatMap { joined($0, now) }
    }

    /// Ends the exchange after a cancel, a timeout or the close. Otherwise waits for the other
    /// client, which has the key.
    mutating func waitForOther(after result: CallResult, _ now: MonotonicTime) -> [Effect] {
        guard case .failure(let error) = result, [.cancelled, .timeout, .clientClosed].contains(error.code) else {
            return waitForOther(now)
        }
        isElsewhere = false
        evidence.fallToOthers(now)
        return conclude(result, now)
    }

    /// Schedules the next look. Earlier timers become obsolete.
    private mutating func nextLook(afterMilliseconds pause: Int, _ now: MonotonicTime) -> Effect {
        phase = .awaiting
        return wait(.lookDue, until: now.adding(milliseconds: pause))
    }

    /// Looks at the key again.
    mutating func lookDue(_ now: MonotonicTime) -> [Effect] {
        guard phase == .awaiting else { return [] }
        if case .settling(let until) = purpose, until <= now { return conclude(.failure(inDoubtError(now)), now) }
        if purpose == .reading { return conclude(.failure(inDoubtError(now)), now) }
        let late = calls.filter { $0.deadline <= now }
        guard late.isEmpty || late.count < calls.count || settlesLater(now) else {
            return finish(.failure(inDoubtError(now)), now)
        }
        // The timer also covers a store that does not answer.
        let patience = max(policy.journalTimeoutMilliseconds, Self.lastLookMilliseconds)
        return [.look, nextLook(afterMilliseconds: patience, now)] + leave(late, now)
    }

    /// Ends the calls whose deadline passed while another client was about to end the booking.
    private mutating func leave(_ late: [Call], _ now: MonotonicTime) -> [Effect] {
        guard let latest = late.map(\.deadline).max() else { return [] }
        let result = CallResult.failure(inDoubtError(now))
        guard late.count < calls.count else { return goOn(result, settling(now), now) }
        calls.removeAll { $0.deadline <= latest }
        late.forEach { oweReport($0) }
        return late.map { complete($0, result, .unknown, now) }
    }

    /// Handles a look without an end. If the other client is no longer at work (`isLive` is
    /// false), claims the key for waiting calls.
    mutating func looked(isLive: Bool, _ now: MonotonicTime) -> [Effect] {
        switch phase {
        case .awaiting where isLive || calls.isEmpty:
            lookMilliseconds = min(2 * lookMilliseconds, Self.lastLookMilliseconds)
            return [nextLook(afterMilliseconds: lookMilliseconds, now)]
        case .awaiting:
            phase = .recording
            record = .pending
            return [.record(overdueAt: now.adding(milliseconds: policy.journalTimeoutMilliseconds))]
        default: return []
        }
    }

    /// Ends the exchange, because a person has given up the booking.
    mutating func givenUpElsewhere(_ now: MonotonicTime) -> [Effect] {
        phase == .awaiting ? conclude(.failure(inDoubtError(now)), now) : []
    }

    /// Ends with the booking of another client. The ledger has recorded it.
    mutating func bookedElsewhere(_ reply: [UInt8], _ now: MonotonicTime) -> [Effect] {
        guard phase == .awaiting || phase == .recording else { return [] }
        isReplayed = attempts == 0
        record = .none
        return conclude(.success(reply), now, isSettled: true)
    }
}
