@testable import PartnerBooking

/// An exchange to which anything happens that can happen, in any order, at random moments: whatever its coordinator, the
/// ledger's store, the transport, the platform and its hosts may do.
struct RandomExchange {
    private(set) var harness: ExchangeHarness
    private var random: SplitMix64
    private let hasStore: Bool
    /// Other clients use the store, too.
    private let hasOthers: Bool
    private var isStopped = false
    private var isDropped = false
    private var hasAnswer = false
    /// Deadlines that have fired: each does once.
    private var passed: Set<CallTicket> = []
    /// What is wrong beyond the checker's rules.
    private(set) var violations: [String] = []
    private(set) var steps = 0

    init(seed: UInt64) {
        var random = SplitMix64(state: seed)
        hasStore = Int.random(in: 0..<4, using: &random) > 0
        hasOthers = hasStore && Int.random(in: 0..<3, using: &random) == 0
        harness = ExchangeHarness(Self.settings(&random, seed))
        self.random = random
        harness.begin()
    }

    private static func settings(_ random: inout SplitMix64, _ seed: UInt64) -> ExchangeHarness.Settings {
        func any<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        let rules = BookingRules(
            keys: any([.kept, .first, .none]), platformLimitMilliseconds: any([1_000, 30_000]),
            areKeysShared: any([false, false, true]))
        let policy = DeliveryPolicy(
            isJournalRequired: any([true, true, false]), journalTimeoutMilliseconds: any([1, 2_000]),
            retryTokens: any([0, 1, 20]),
            circuitBreaker: .init(failures: any([0, 0, 2]), openMilliseconds: 3_000),
            settleForMilliseconds: any([0, 5_000, 120_000]), attemptMilliseconds: any([nil, nil, 8_000]))
        let isSearch = any([false, false, false, false, false, false, false, true])
        let givesUp = !isSearch && any([false, false, false, false, false, false, false, true])
        return ExchangeHarness.Settings(
            operation: isSearch ? .searchAvailability : .createBooking, rules: rules, policy: policy,
            deadline: any([1, 900, 5_000, 20_000, 70_000]), maxAttempts: any([1, 2, 3, 9]), signingKeys: any([1, 2]),
            isDetached: any([false, false, false, true]), givesUp: givesUp, seed: seed)
    }

    var isOver: Bool { harness.isOver }
    /// Everything that was found wrong, with the whole story.
    var report: String? {
        let all = harness.checker.violations + violations
        return all.isEmpty ? nil : "\(all)\n\(harness.settings)\n" + harness.history.suffix(40).joined(separator: "\n")
    }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    // MARK: Steps

    /// Something happens.
    mutating func step() {
        steps += 1
        if !answerAtOnce() { happen() }
        checkFuture()
    }

    /// What the coordinator answers before it does anything else. Returns whether there was something.
    private mutating func answerAtOnce() -> Bool {
        if harness.claims > 0 {
            claim()
        } else if harness.takeBacks > 0 {
            harness.revoke(!hasStore || harness.records == 0 || number(0..<2) == 0)
        } else if harness.giveUps > 0 {
            let isKnown = number(0..<4) > 0
            harness.giveUp(isKnown: isKnown, isAwaited: isKnown && hasStore && number(0..<4) > 0)
        } else if harness.abandons > 0 {
            let isSent = harness.attempt?.sendings != nil
            let some: [PlatformAnswer?] = isSent ? [nil, nil, nil, .made, .taken, .forbidden, .conflict] : [nil]
            let answers = hasAnswer ? [.made] : some
            hasAnswer = false
            harness.abandon(answers[number(0..<answers.count)], isSent: isSent)
        } else if harness.records > 0, !hasStore {
            harness.endRecord(.notKept)
        } else {
            return false
        }
        return true
    }

    private mutating func claim() {
        switch number(0..<40) {
        case 0: harness.take(.replayed)
        case 1: harness.take(.refused)
        case 2: harness.take(.refusedInDoubt)
        case 3: harness.take(.notMade)
        case 4: harness.take(.full)
        case 5..<10: harness.grant(inDoubt: true, isRecorded: true)
        case 10..<14: harness.grant(inDoubt: true)
        default: harness.grant()
        }
    }

    private mutating func happen() {
        switch number(0..<20) {
        case 0 where harness.checker.isClaimed && !harness.checker.isStopped && harness.lastTicket < 5: harness.join()
        case 1: leave()
        case 2: disturbService()
        case 3 where number(0..<10) == 0 || isStopped: stop()
        case 3 where hasOthers: harness.take(HostEvent.lost)
        case 4..<9: pass()
        default: answer()
        }
    }

    /// A host cancels its call, or one that has no part in it. The answer may be there, though its transfer has not ended.
    private mutating func leave() {
        let sentAt = harness.attempt?.sendings?.lastAt
        hasAnswer = sentAt != nil && !harness.exchange.isInDoubt && number(0..<4) == 0
        harness.cancel(CallTicket(number(1..<6)), sentAt: sentAt, hasAnswer: hasAnswer)
        if harness.abandons == 0 { hasAnswer = false }
    }

    /// Other exchanges with the same service have their own luck.
    private mutating func disturbService() {
        let subject = UInt64(number(100..<104))
        harness.health.breaker.attemptEnded(
            TransferID(subject), subject: subject, isOutage: number(0..<3) > 0, now: harness.now)
        if number(0..<4) == 0 { _ = harness.health.budget.spend(now: harness.now) }
    }

    /// The client closes. Nothing is dropped before that.
    private mutating func stop() {
        isDropped = isStopped
        if isStopped { harness.drop() } else { harness.stop(number(0..<2) == 0 ? .clientClosed : .timeout) }
        isStopped = true
    }

    /// Something that was asked for comes.
    private mutating func answer() {
        if harness.exchange.phase == .queued, harness.places > 0 {
            harness.place()
        } else if harness.looks > 0 {
            harness.take(HostEvent.answersToLook[number(0..<HostEvent.answersToLook.count)])
        } else if harness.records > 0, hasOthers, number(0..<2) == 0 {
            harness.take(HostEvent.answersToClaim[number(0..<HostEvent.answersToClaim.count)])
        } else if harness.records > 0 {
            harness.endRecord([.durable, .durable, .durable, .failed, .undone][number(0..<5)])
        } else if harness.voids > 0, hasOthers, number(0..<3) == 0 {
            harness.voids = 0
            harness.take(HostEvent.lost)
        } else if harness.voids > 0 {
            harness.endVoid(number(0..<4) > 0)
        } else if harness.giveUpRecords > 0 {
            harness.endGiveUp(number(0..<4) > 0)
        } else if let attempt = harness.attempt {
            if attempt.sendings == nil, number(0..<4) > 0 { return harness.send() }
            let isSent = attempt.sendings != nil
            let answers = PlatformAnswer.allCases.filter { $0.isSent == isSent }
            let isRepeated = isSent && !attempt.attempt.isSentOnce && number(0..<8) == 0
            let retryAfter = number(0..<6) == 0 ? number(0..<40) : nil
            harness.answer(
                answers[number(0..<answers.count)], repetitions: isRepeated ? number(1..<3) : 0, retryAfter: retryAfter)
        } else {
            pass()
        }
    }

    // MARK: Time

    /// Time passes, mostly to just when something is due, and timers fire. The thread may be late.
    private mutating func pass() {
        let due = (harness.timers.map(\.moment) + deadlines.map(\.moment)).min()
        switch number(0..<4) {
        case 0: harness.pass([0, 1, 100, 1_000, 9_000][number(0..<5)])
        default: if let due { harness.now = max(harness.now, due) }
        }
        if number(0..<4) == 0 { harness.pass(number(0..<3_000)) }
        fireDue()
    }

    private var deadlines: [(moment: MonotonicTime, ticket: CallTicket)] {
        harness.open.filter { !passed.contains($0.ticket) }.map { ($0.deadline, $0.ticket) }
    }

    /// Everything that is due, in its order, at the same late moment; what comes of it at once is executed in between.
    private mutating func fireDue() {
        while !isOver {
            while answerAtOnce() {}
            harness.timers.removeAll { $0.generation != harness.exchange.generation }
            let timer = harness.timers.enumerated().min { $0.element.moment < $1.element.moment }
            let deadline = deadlines.min { $0.moment < $1.moment }
            let now = harness.now
            if let timer, timer.element.moment <= now, timer.element.moment <= deadline?.moment ?? now {
                harness.timers.remove(at: timer.offset)
                harness.fire(timer.element.timer)
            } else if let deadline, deadline.moment <= now {
                passed.insert(deadline.ticket)
                harness.passDeadline(deadline.ticket, sentAt: harness.attempt?.sendings?.lastAt)
            } else {
                return
            }
        }
    }

    // MARK: Whether it goes on

    /// An exchange that has not ended waits for something that comes for sure.
    private mutating func checkFuture() {
        guard violations.isEmpty else { return }
        let asks = harness.health.asks
        if asks < 0 || asks > 1 || isOver && !isDropped && asks > 0 { violations.append("\(asks) questions are under way") }
        guard !isOver else { return }
        let timers = harness.timers.filter { $0.generation == harness.exchange.generation }.map(\.timer)
        let goesOn =
            switch harness.exchange.phase {
            case .claiming: harness.claims > 0 || harness.giveUps > 0
            case .recording: harness.records > 0 && (timers.contains(.recordOverdue) || !hasStore) || harness.takeBacks > 0
            case .awaiting: timers.contains(.lookDue)
            case .queued: harness.places > 0
            case .attempting:
                harness.attempt != nil && (timers.contains(.attemptOverdue) || !harness.open.isEmpty && !deadlines.isEmpty)
            case .abandoning: harness.abandons > 0
            case .pausing: timers.contains(.pauseOver)
            case .voiding: timers.contains(.voidOverdue) || harness.takeBacks > 0
            case .givingUp: timers.contains(.giveUpOverdue)
            case .ended: true
            }
        if !goesOn { violations.append("it waits for nothing: \(harness.state), \(timers)") }
    }

    /// Nothing more comes from anybody but the clock and the coordinator: it ends all the same.
    mutating func drain() {
        var count = 0
        while !isOver, count < 500 {
            count += 1
            while answerAtOnce() {}
            if harness.exchange.phase == .queued { harness.place() }
            guard let due = (harness.timers.map(\.moment) + deadlines.map(\.moment)).min() else { break }
            harness.now = max(harness.now, due)
            fireDue()
        }
        if !isOver { violations.append("it does not end: \(harness.state)") }
    }
}
