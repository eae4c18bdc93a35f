@testable import PartnerBooking

/// Holds an exchange, hands it events at moments of the test's own, and writes down what it wants done. It has no thread,
/// clock, network or disk.
struct ExchangeHarness {
    /// An attempt that the exchange has handed to the transport.
    struct OpenAttempt {
        var attempt: Exchange.Attempt
        /// nil: it waits for a connection, and no byte has left.
        var sendings: Sendings?
    }

    struct Pending {
        var timer: Exchange.Timer
        var moment: MonotonicTime
        var generation: Int
    }

    struct Settings {
        var key = "key-1"
        var operation = PartnerBooking.CallOperation.createBooking
        var rules = BookingRules()
        var policy = DeliveryPolicy.calm
        var deadline = 20_000
        var maxAttempts = 3
        var signingKeys = 1
        var isDetached = false
        /// The request gives the booking up.
        var givesUp = false
        var seed: UInt64 = 1
    }

    static let start = MonotonicTime(nanoseconds: 7_000_000_123)
    /// Names the end of an earlier exchange.
    static let earlierEnd: TransferID = 77

    let settings: Settings
    var exchange: Exchange
    var health: ServiceHealth
    var now = ExchangeHarness.start
    /// Looks at everything that happens.
    var checker: ExchangeChecker

    // What the exchange has asked for and has no answer to.
    var claims = 0
    var records = 0
    var takeBacks = 0
    var voids = 0
    var places = 0
    /// Looks at the key of another client that are not answered.
    var looks = 0
    var giveUps = 0
    var giveUpRecords = 0
    var abandons = 0
    var attempt: OpenAttempt?
    var timers: [Pending] = []
    /// The calls that were not told their end, and when their time is up.
    var open: [(ticket: CallTicket, deadline: MonotonicTime)] = []
    var lastTicket: CallTicket = 1
    /// The ends that calls were told, in order.
    var told: [(ticket: CallTicket, result: CallResult, timing: CallTiming)] = []
    /// Every effect with its moment in milliseconds.
    var log: [(milliseconds: Int, text: String)] = []
    /// Everything so far: for the messages of tests.
    var history: [String] = []

    init(_ settings: Settings = Settings()) {
        self.settings = settings
        let call = Self.call(1, settings, at: Self.start)
        var policy = settings.policy
        // Without jitter in the retries a trace has the same numbers for every seed.
        policy.retry = RetryPolicy(maxAttempts: settings.maxAttempts, baseDelayMilliseconds: 0, maxDelayMilliseconds: 0)
        exchange = Exchange(call, policy)
        health = ServiceHealth(settings.policy, seed: settings.seed)
        checker = ExchangeChecker(settings)
        open = [(1, call.deadline)]
        checker.accepted(1)
    }

    private static func call(_ ticket: CallTicket, _ settings: Settings, at moment: MonotonicTime) -> Call {
        let tag = #","tag":"tag-\#(ticket)""#
        let plain =
            settings.givesUp
            ? Sample.giveUp(key: settings.key, tag) : Sample.request(settings.operation, key: settings.key, tag)
        guard let request = try? Request(settings.operation, json: settings.isDetached ? Sample.detached(plain) : plain)
        else {
            fatalError("The sample is no request")
        }
        return Call(
            ticket: ticket, request: request, deadline: moment.adding(milliseconds: settings.deadline),
            seed: settings.seed, submittedAt: moment, complete: { _ in })
    }

    var message: Message {
        let origin = HTTPOrigin(number: 0, warmUpURL: "", isPublicOnly: false)
        let target = HTTPTarget(url: "https://platform.example/bookings", headers: [], origin: origin)
        let keys = (0..<settings.signingKeys).map { number in
            Array("secret-\(number)".utf8).withUnsafeBytes { HMACKey($0) }
        }
        return Message(service: 0, target: target, headers: [], body: [], rules: settings.rules, signingKeys: keys)
    }

    var isOver: Bool { exchange.phase == .ended }
    var milliseconds: Int { now.milliseconds(since: Self.start) }

    mutating func pass(_ milliseconds: Int) { now = now.adding(milliseconds: milliseconds) }

    // MARK: Events

    /// Hands it an event, and returns what it wants done.
    @discardableResult
    mutating func feed(_ name: String, _ event: (inout Exchange, inout ServiceHealth) -> [Exchange.Effect]) -> String {
        checker.comes(name)
        let effects = event(&exchange, &health)
        for effect in effects { execute(effect) }
        let texts = effects.map(describe)
        log += texts.map { (milliseconds, $0) }
        let text = texts.joined(separator: "; ")
        history.append("\(milliseconds): \(name) => \(text) [\(state)]")
        return text
    }

    @discardableResult
    mutating func begin() -> String {
        let endpoint = OneTarget(message: message)
        return feed("begin") { [now] exchange, _ in exchange.begin(at: endpoint, now) }
    }

    /// `inDoubt`: an earlier process may have sent it.
    @discardableResult
    mutating func grant(inDoubt: Bool = false, isRecorded: Bool = false) -> String {
        let grant = claimed(inDoubt: inDoubt, isRecorded: isRecorded)
        return feed("granted") { [now, message] exchange, _ in exchange.granted(grant, exchange.request, message, now) }
    }

    /// The key is the exchange's own.
    mutating func claimed(inDoubt: Bool, isRecorded: Bool) -> BookingLedger.Grant {
        claims = 0
        if inDoubt { checker.evidence.fallIntoDoubt(now) }
        checker.isClaimed = true
        let evidence = inDoubt ? Evidence(inheritedAt: now) : Evidence()
        return BookingLedger.Grant(body: exchange.request.body, evidence: evidence, isRecorded: isRecorded)
    }

    /// The attempt under way ends. `repetitions` of libcurl come before the sending that is answered.
    @discardableResult
    mutating func answer(_ answer: PlatformAnswer, repetitions: Int = 0, retryAfter: Int? = nil) -> String {
        let sendings = answer.isSent ? sent(repetitions: repetitions) : nil
        attempt = nil
        checker.attemptEnded(sendings, answer.meaning(retryAfter: retryAfter), now)
        let result = answer.attempt(settings.operation, retryAfter: retryAfter)
        return feed("answered \(answer)") { [now] exchange, health in
            exchange.attemptEnded(result, sendings, nil, now, &health)
        }
    }

    /// The attempt is abandoned, as was asked for. `answer` is what had come by then; nil and `isSent`: nothing.
    @discardableResult
    mutating func abandon(_ answer: PlatformAnswer?, isSent: Bool = true) -> String {
        let sendings = isSent ? sent(repetitions: 0) : nil
        attempt = nil
        abandons = 0
        checker.attemptEnded(sendings, answer?.meaning() ?? .none, now)
        let result = answer?.attempt(settings.operation)
        return feed("abandoned \(answer?.rawValue ?? (isSent ? "in silence" : "unsent"))") { [now] exchange, health in
            exchange.abandoned(result, sendings, nil, now, &health)
        }
    }

    private func sent(repetitions: Int) -> Sendings {
        let sendings = attempt?.sendings ?? Sendings(at: now)
        guard repetitions > 0 else { return sendings }
        return Sendings(count: sendings.count + repetitions, firstAt: sendings.firstAt, lastAt: sendings.lastAt)
    }

    @discardableResult
    mutating func join(deadline: Int? = nil) -> String {
        lastTicket = lastTicket.next
        var settings = settings
        settings.deadline = deadline ?? settings.deadline
        let call = Self.call(lastTicket, settings, at: now)
        open.append((lastTicket, call.deadline))
        checker.accepted(lastTicket)
        return feed("joined by \(lastTicket)") { [now] exchange, _ in exchange.joined(call, now) }
    }

    @discardableResult
    mutating func cancel(_ ticket: CallTicket = 1, sentAt: MonotonicTime?, hasAnswer: Bool = false) -> String {
        if !settings.isDetached {
            checker.isNotWanted(ticket)
            stopsWaiting(ticket)
        }
        let underWay = Exchange.UnderWay(sentAt: sentAt, hasAnswer: hasAnswer)
        return feed("\(ticket) is cancelled") { [now] exchange, _ in exchange.cancelled(ticket, underWay, now) }
    }

    @discardableResult
    mutating func passDeadline(_ ticket: CallTicket = 1, sentAt: MonotonicTime?, hasAnswer: Bool = false) -> String {
        stopsWaiting(ticket)
        let underWay = Exchange.UnderWay(sentAt: sentAt, hasAnswer: hasAnswer)
        return feed("deadline of \(ticket)") { [now] exchange, health in
            exchange.deadlinePassed(ticket, underWay, now, &health)
        }
    }

    /// A give-up does not wait for the store any more.
    private mutating func stopsWaiting(_ ticket: CallTicket) {
        if open.contains(where: { $0.ticket == ticket }) { checker.giveUpEnds(isJournaled: false) }
    }

    @discardableResult
    mutating func fire(_ timer: Exchange.Timer) -> String {
        let sentAt = attempt?.sendings?.lastAt
        if timer == .voidOverdue { checker.mayStand = true }
        if timer == .giveUpOverdue { checker.giveUpEnds(isJournaled: false) }
        return feed("\(timer)") { [now] exchange, health in
            exchange.fired(timer, sentAt: { sentAt }, now, &health)
        }
    }

    // MARK: Effects

    private mutating func execute(_ effect: Exchange.Effect) {
        switch effect {
        case .claim: claims += 1
        case .record(let overdueAt):
            records += 1
            timers.append(Pending(timer: .recordOverdue, moment: overdueAt, generation: exchange.generation))
        case .revokeRecord: takeBacks += 1
        case .void(let overdueAt):
            voids += 1
            timers.append(Pending(timer: .voidOverdue, moment: overdueAt, generation: exchange.generation))
        case .queue: places += 1
        case .send(let attempt): self.attempt = OpenAttempt(attempt: attempt, sendings: nil)
        case .giveUp: giveUps += 1
        case .abandon: abandons += 1
        case .wait(let timer, let until, let generation):
            timers.append(Pending(timer: timer, moment: until, generation: generation))
        case .complete(let call, .done(let result), _):
            open.removeAll { $0.ticket == call.ticket }
            told.append((call.ticket, result, exchange.timing(call, now)))
        case .sendNoMore: attempt?.attempt.isSentOnce = true
        case .resubmit(let call): open.removeAll { $0.ticket == call.ticket }
        case .look: looks += 1
        case .leavePlace, .goOn, .settle, .withdraw, .renew, .report, .distrust, .end, .complete: break
        }
        if case .voiding = exchange.phase { checker.isVoiding = true } else { checker.isVoiding = false }
        switch effect {
        case .complete(_, _, let end): checker.namesEnd(end)
        // The ledger takes it from the exchange.
        case .settle, .report: checker.namesEnd(exchange.end)
        default: break
        }
        checker.wants(effect)
    }
}

/// An endpoint that has one message for all requests.
private final class OneTarget: Endpoint {
    let message: Message
    let serviceCount = 1
    let source = PartnerBookingError.Source.partnerAPI
    let attemptMilliseconds: Int? = nil

    init(message: Message) { self.message = message }

    func service(of botID: String) -> Int? { message.service }

    func check(_ request: Request) throws(PartnerBookingError) {}

    func message(for request: Request) throws(PartnerBookingError) -> Message { message }
}
