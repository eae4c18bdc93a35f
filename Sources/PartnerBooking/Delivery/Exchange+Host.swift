// Keys of the host's store that other clients may have, too.

extension Exchange {
    static let firstLookMilliseconds = 50
    static let lastLookMilliseconds = 500

    // MARK: The claim

    /// The key of a booking to resume is not known here. The store was asked for it.
    mutating func lookAsked(_ now: MonotonicTime) -> [Effect] {
        hasLooked = true
        return phase == .claiming ? [overdue(now)] : []
    }

    /// The store was asked to give bookings up.
    mutating func giveUpAsked(_ now: MonotonicTime) -> [Effect] { lookAsked(now) }

    private func overdue(_ now: MonotonicTime) -> Effect {
        wait(.recordOverdue, until: now.adding(milliseconds: policy.journalTimeoutMilliseconds))
    }

    /// The ledger knows the key by now.
    mutating func claimAgain(_ now: MonotonicTime) -> [Effect] { phase == .claiming ? [.claim] : [] }

    /// The key is ours. A dead engine may have sent its booking, or this client has: then it knows
    /// its sendings.
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

    /// A platform without keys would book once more what is in doubt.
    mutating func enqueueOnce(_ now: MonotonicTime) -> [Effect] {
        isInDoubt && rules.keys == .none ? finish(.failure(inDoubtError(now)), now) : enqueue()
    }

    /// The key is ours, and its booking cannot be sent.
    mutating func takeoverFailed(_ error: PartnerBookingError, _ now: MonotonicTime) -> [Effect] {
        guard phase == .recording else { return [] }
        record = .durable
        evidence.inherit(now)
        return finish(.failure(error), now)
    }

    /// The key belongs to another request, of another client.
    mutating func otherElsewhere(_ existing: PartnerBookingError.Existing, _ now: MonotonicTime) -> [Effect] {
        guard phase == .recording || phase == .awaiting else { return [] }
        phase = .ended
        return calls.map { complete($0, .failure(.idempotencyKeyReused(existing)), .unknown, now) } + [.end]
    }

    // MARK: Waiting for another client

    /// An engine that may be alive has the key. Its end is this exchange's.
    mutating func heldElsewhere(_ now: MonotonicTime) -> [Effect] {
        guard phase == .recording else { return [] }
        record = .none
        return waitForOther(now)
    }

    /// Another engine has taken the key over. What it finds out is the end, but for an answer that
    /// is under way here.
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

    /// No call of the host waits for it: it is only to be settled, and that others may do as well.
    var isOrphan: Bool { isTakeover && lateCalls.isEmpty && calls.allSatisfy(\.isOwn) }

    /// Waits for the end that the other client finds out.
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

    /// Another client has the key of a booking that is about to end. A call that has left gets its
    /// end now.
    mutating func waitForOther(after result: CallResult, _ now: MonotonicTime) -> [Effect] {
        guard case .failure(let error) = result, [.cancelled, .timeout, .clientClosed].contains(error.code) else {
            return waitForOther(now)
        }
        isElsewhere = false
        evidence.fallToOthers(now)
        return conclude(result, now)
    }

    /// From now on no other timer counts.
    private mutating func nextLook(afterMilliseconds pause: Int, _ now: MonotonicTime) -> Effect {
        phase = .awaiting
        return wait(.lookDue, until: now.adding(milliseconds: pause))
    }

    /// It is time to look again.
    mutating func lookDue(_ now: MonotonicTime) -> [Effect] {
        guard phase == .awaiting else { return [] }
        if case .settling(let until) = purpose, until <= now { return conclude(.failure(inDoubtError(now)), now) }
        if purpose == .reading { return conclude(.failure(inDoubtError(now)), now) }
        let late = calls.filter { $0.deadline <= now }
        guard late.isEmpty || late.count < calls.count || settlesLater(now) else {
            return finish(.failure(inDoubtError(now)), now)
        }
        // The store may not answer.
        let patience = max(policy.journalTimeoutMilliseconds, Self.lastLookMilliseconds)
        return [.look, nextLook(afterMilliseconds: patience, now)] + leave(late, now)
    }

    /// The deadline of these calls has passed while another end was about to come.
    private mutating func leave(_ late: [Call], _ now: MonotonicTime) -> [Effect] {
        guard let latest = late.map(\.deadline).max() else { return [] }
        let result = CallResult.failure(inDoubtError(now))
        guard late.count < calls.count else { return goOn(result, settling(now), now) }
        calls.removeAll { $0.deadline <= latest }
        late.forEach { oweReport($0) }
        return late.map { complete($0, result, .unknown, now) }
    }

    /// The other client has not ended it. `isLive`: it is still at work.
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

    /// A person has given the booking up.
    mutating func givenUpElsewhere(_ now: MonotonicTime) -> [Effect] {
        phase == .awaiting ? conclude(.failure(inDoubtError(now)), now) : []
    }

    /// Another client has made the booking. The ledger knows.
    mutating func bookedElsewhere(_ reply: [UInt8], _ now: MonotonicTime) -> [Effect] {
        guard phase == .awaiting || phase == .recording else { return [] }
        isReplayed = attempts == 0
        record = .none
        return conclude(.success(reply), now, isSettled: true)
    }
}
