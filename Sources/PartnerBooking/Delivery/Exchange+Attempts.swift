// The attempts of an exchange: their start, their end, and the next step after it.

/// The retries after a 401. A platform that has just started, or just got a new secret, refuses
/// valid signatures for a moment.
struct Authorization: Sendable {
    static let connectionWaitMilliseconds = 1_000

    private var hasTriedOther = false
    private var hasWaited = false
    private(set) var signingKey: Int?

    /// Returns the time of the retry, or nil to accept the 401. `usual` is the secret accepted
    /// last.
    mutating func retry(_ code: PartnerBookingError.Code?, usual: Int, keys: Int, _ now: MonotonicTime) -> MonotonicTime? {
        if keys > 1, !hasTriedOther {
            hasTriedOther = true
            signingKey = (signingKey ?? usual) == 0 ? 1 : 0
            return now
        }
        guard code?.rawValue == "invalid_signature", !hasWaited else { return nil }
        hasWaited = true
        signingKey = usual
        return now.adding(milliseconds: Self.connectionWaitMilliseconds)
    }
}

extension Exchange {
    /// Starts an attempt, unless the time is over or the breaker is open.
    mutating func attempt(_ now: MonotonicTime, _ health: inout ServiceHealth) -> [Effect] {
        if isElsewhere { return waitForOther(now) }
        if isBooking, record == .durable, !health.mayBook { return pause(until: afterLease(now), now) }
        switch purpose {
        case .reading: return finish(.failure(inDoubtError(now)), now)
        case .answering:
            // The deadline's timer is due. It ends the call.
            guard now < deadline else { return [startPause(until: afterPause(now))] }
        case .settling(let until):
            guard now < until else { return finish(.failure(inDoubtError(now)), now) }
            guard health.asks < policy.maxUnattended, health.settlingBudget.spend(now: now) else {
                return pause(until: afterPause(now), now)
            }
        }
        guard health.breaker.admit(id, now: now) else { return heldUp(now, health) }
        attempts += 1
        attemptedAt = now
        phase = .attempting
        isAsk = purpose != .answering
        if isAsk { health.asks += 1 }
        let attempt = Attempt(
            signingKey: authorization.signingKey ?? health.signingKey(of: request.botID),
            isSentOnce: isBooking && rules.keys == .none,
            needsNewConnection: needsNewConnection)
        guard let limit = attemptMilliseconds else { return attempt == Attempt() ? Self.plainSend : [.send(attempt)] }
        return [.send(attempt), wait(.attemptOverdue, until: now.adding(milliseconds: limit))]
    }

    /// Most attempts have no options. They share one array.
    private static let plainSend: [Effect] = [.send(Attempt())]

    /// Returns the time to try again after the lease has run out.
    private func afterLease(_ now: MonotonicTime) -> MonotonicTime { now.adding(milliseconds: Self.leaseMilliseconds) }
    private static let leaseMilliseconds = 100

    private func afterPause(_ now: MonotonicTime) -> MonotonicTime { now.adding(milliseconds: Self.leastAskMilliseconds) }

    /// Pauses or ends the exchange while the circuit breaker is open.
    private mutating func heldUp(_ now: MonotonicTime, _ health: ServiceHealth) -> [Effect] {
        let wait = health.breaker.retryAfterMilliseconds(now: now)
        if isInDoubt && attempts > 0 || purpose != .answering {
            return pause(until: max(afterPause(now), now.adding(milliseconds: wait)), now)
        }
        return finish(.failure(lastError ?? .circuitOpen(retryAfterMilliseconds: wait)), now)
    }

    /// Time limit of one attempt. nil: none. A platform does not answer after its own limit.
    var attemptMilliseconds: Int? {
        guard isBooking else { return policy.attemptMilliseconds }
        let reading = rules.platformLimitMilliseconds + Self.readingMarginMilliseconds
        return min(policy.attemptMilliseconds ?? reading, reading)
    }

    /// The time limit and the name of its setting, for an error message.
    private var attemptLimitText: String {
        let milliseconds = attemptMilliseconds ?? 0
        let isWebhookTimeout = policy.attemptMilliseconds == milliseconds
        let setting =
            isWebhookTimeout ? "webhook_timeout_ms" : "platform_limit_ms + \(Self.readingMarginMilliseconds) ms"
        return "\(milliseconds) ms (\(setting))"
    }

    /// Handles the result of an attempt. `sendings` is nil when no byte of the request can have
    /// left.
    mutating func attemptEnded(
        _ attempt: AttemptResult, _ sendings: Sendings?, _ timing: AttemptTiming?, _ now: MonotonicTime,
        _ health: inout ServiceHealth
    ) -> [Effect] {
        guard phase == .attempting else { return [] }
        note(attempt, sendings, timing, now, &health)
        return next(attempt, sendings, now, &health)
    }

    private mutating func note(
        _ attempt: AttemptResult, _ sendings: Sendings?, _ timing: AttemptTiming?, _ now: MonotonicTime,
        _ health: inout ServiceHealth
    ) {
        endedAt = now
        if isAsk { health.asks -= 1 }
        isAsk = false
        if let least = attempt.retryAfterMilliseconds { notBefore = now.adding(milliseconds: least) }
        if let timing { lastTiming = timing }
        if case .failure(let error) = attempt.result { lastFailure = Failure(error) }
        health.breaker.attemptEnded(id, subject: subject, isOutage: attempt.isOutage, now: now)
        guard let sendings else { return }
        sendingCount += sendings.count
        needsNewConnection = false
        if isBooking { evidence.add(sendings, attempt.answer, endedAt: now, rules) }
        if !attempt.isUnauthorized, attempt.answer != .none, let key = authorization.signingKey {
            health.accepted(key, of: request.botID)
        }
    }

    private mutating func next(
        _ attempt: AttemptResult, _ sendings: Sendings?, _ now: MonotonicTime, _ health: inout ServiceHealth
    ) -> [Effect] {
        guard case .failure = attempt.result, let moment = nextAttempt(attempt, sendings, now, &health) else {
            let isPlain = attempt.answer == .callerRefused && !evidence.isOfOurs
            return isPlain ? finish(attempt.result, now) : finishAttempts(attempt.result, now)
        }
        return pause(until: moment, now)
    }

    /// Returns the time of the next attempt. nil: none follows.
    private mutating func nextAttempt(
        _ attempt: AttemptResult, _ sendings: Sendings?, _ now: MonotonicTime, _ health: inout ServiceHealth
    ) -> MonotonicTime? {
        // Without a waiting call, send only to settle a doubt.
        guard purpose != .reading, purpose == .answering || isInDoubt, !(isInDoubt && rules.keys == .none) else {
            return nil
        }
        if attempt.isUnauthorized {
            let keys = message?.signingKeys.count ?? 0
            let moment = authorization.retry(lastError?.code, usual: health.signingKey(of: request.botID), keys: keys, now)
            if let moment { return moment }
        }
        if attempt.answer == .otherBooking {
            // The reply may belong to another request on this connection.
            guard !hasMetOtherBooking else { return nil }
            hasMetOtherBooking = true
            needsNewConnection = true
            return now
        }
        let least = attempt.retryAfterMilliseconds
        if purpose == .answering, attempt.isRetryable, attempts < schedule.policy.maxAttempts,
            // A retry of an unsent request costs no budget.
            sendings == nil || health.budget.spend(now: now)
        {
            return schedule.retry(after: now, attempts: attempts, atLeast: least)
        }
        // With shared keys, a refused caller's booking can be in doubt. Another request would
        // be refused, too.
        guard isInDoubt, evidence.isOfOurs || attempt.answer != .callerRefused else { return nil }
        return schedule.ask(after: now, atLeast: least, sendings: sendingCount, settlesAt: evidence.settlesAt(rules))
    }

    /// Pauses before the next attempt. If the pause would end after the deadline, the calls end
    /// now, while the bot can still speak.
    private mutating func pause(until moment: MonotonicTime, _ now: MonotonicTime) -> [Effect] {
        let wait = startPause(until: moment)
        switch purpose {
        case .answering where moment < deadline: return [wait]
        case .answering:
            guard settlesLater(now) else { return finishAttempts(.failure(lastError ?? .timeout), now) }
            return goOn(.failure(inDoubtError(now)), settling(now), now) + [wait]
        case .settling(let until) where moment < until: return [wait]
        case .settling, .reading: return finish(.failure(inDoubtError(now)), now)
        }
    }

    mutating func startPause(until moment: MonotonicTime) -> Effect {
        phase = .pausing
        pauseEndsAt = moment
        return wait(.pauseOver, until: moment)
    }

    mutating func pauseOver(_ now: MonotonicTime, _ health: inout ServiceHealth) -> [Effect] {
        phase == .pausing ? attempt(now, &health) : []
    }

    /// Checks the attempt's time limit, counted from its sending. A wait for a connection says
    /// nothing about the service. After the calls' deadline, the deadline's timer ends the
    /// attempt.
    mutating func attemptOverdue(sentAt: MonotonicTime?, _ now: MonotonicTime) -> [Effect] {
        guard phase == .attempting, let limit = attemptMilliseconds else { return [] }
        guard purpose != .answering || now < deadline else { return [wait(.attemptOverdue, until: afterPause(now))] }
        let due = (sentAt ?? now).adding(milliseconds: limit)
        let isTooLateToSend = if case .settling(let until) = purpose { sentAt == nil && until <= now } else { false }
        guard due <= now || isTooLateToSend else { return [wait(.attemptOverdue, until: due)] }
        phase = .abandoning(.overdue)
        return [.abandon(isOverdue: true)]
    }

    /// Returns whether the attempt has been silent long enough to count as an outage.
    func hasBeenSilent(_ now: MonotonicTime) -> Bool {
        attemptedAt.map { now.milliseconds(since: $0) >= CircuitBreaker.silenceMilliseconds } ?? false
    }

    /// Handles an abandoned attempt. `answer` is set when the whole answer had arrived.
    mutating func abandoned(
        _ answer: AttemptResult?, _ sendings: Sendings?, _ timing: AttemptTiming?, _ now: MonotonicTime,
        _ health: inout ServiceHealth
    ) -> [Effect] {
        guard case .abandoning(let reason) = phase else { return [] }
        if let answer { note(answer, sendings, timing, now, &health) }
        switch (reason, answer) {
        case (.overdue, let answer?): return next(answer, sendings, now, &health)
        case (.leaving(let error), let answer?):
            let isOver = isElsewhere && answer.answer != .made
            return isOver ? finish(.failure(error), now) : finishAttempts(answer.result, now)
        case (.overdue, nil):
            var silent = AttemptResult(silentBeyond: attemptLimitText)
            if sendings == nil { silent.isOutage = nil }  // it waited for a connection of ours
            note(silent, sendings, timing, now, &health)
            return next(silent, sendings, now, &health)
        case (.leaving(let error), nil):
            var given = AttemptResult(error: error)
            // Long silence counts as an outage. A short deadline does not.
            if error.code == .timeout, sendings != nil, hasBeenSilent(now) { given.isOutage = true }
            note(given, sendings, timing, now, &health)
            return finish(.failure(error), now)
        }
    }
}

extension AttemptResult {
    /// Creates a result without an answer.
    init(error: PartnerBookingError) {
        result = .failure(error)
        answer = .none
    }

    /// Creates a result without an answer within a limit, such as
    /// `30000 ms (webhook_timeout_ms)`.
    init(silentBeyond limit: String) {
        self.init(error: PartnerBookingError(.timeout, ErrorMessage.silent(limit), source: .network, isRetryable: true))
        isRetryable = true
        isOutage = true
    }
}
