/// All calls of one client on their way: joins those that ask for the same booking, has the journal take down what is about to be
/// sent, hands requests to the transport, and tells each call its end. The transfer thread's alone.
final class Deliveries {
    struct Policy: Sendable {
        /// A booking that the journal does not take is not sent.
        var isJournalRequired = true
        /// How long a booking waits for the journal.
        var journalTimeoutMilliseconds = 2_000
        /// Retries at once; 0: no limit.
        var retryTokens = 20
        var circuitBreaker = CircuitBreaker.Settings(failures: 10, openMilliseconds: 5_000)
    }

    /// How long a call that booked nothing waits for the journal to take that down, also beyond its deadline.
    static let settlingMilliseconds = 500

    private enum Timer {
        case deadline(Ticket)
        case slow(Ticket)
        case pauseOver(TransferID)
        case attemptOverdue(TransferID, attempt: Int)
        case recordingOverdue(TransferID)
        case settlingOverdue(TransferID)
    }

    /// What is kept of one service, over all calls to it.
    private struct Service {
        var budget: RetryBudget
        var breaker: CircuitBreaker
    }

    /// Told of each call just before its end is told.
    var willComplete: (Ticket) -> Void = { _ in }

    private let transport: any Transport
    private let endpoint: any Endpoint
    private let maxInFlight: Int
    private let policy: Policy
    private let ledger: BookingLedger
    /// By the endpoint's numbers: a service in trouble is no reason to spare another one.
    private var services: [Service]
    private var calls: [Ticket: Call] = [:]
    private var exchanges: [TransferID: Exchange] = [:]
    /// The exchange whose end a call waits for.
    private var exchangeOfCall: [Ticket: TransferID] = [:]
    private var waiting = FIFO<TransferID>()
    private var inFlight = 0
    private var timers = TimerQueue<Timer>()

    init(
        transport: any Transport, endpoint: any Endpoint, maxInFlight: Int, policy: Policy, ledger: BookingLedger,
        seed: UInt64
    ) {
        self.transport = transport
        self.endpoint = endpoint
        self.maxInFlight = maxInFlight
        self.policy = policy
        self.ledger = ledger
        var random = SplitMix64(state: seed)
        services = (0..<endpoint.serviceCount).map { _ in
            Service(
                budget: RetryBudget(tokens: policy.retryTokens),
                breaker: CircuitBreaker(policy.circuitBreaker, seed: random.next()))
        }
    }

    var isEmpty: Bool { calls.isEmpty }

    /// When `step` is to be called again at the latest.
    var next: MonotonicTime? { timers.next }

    /// Moves everything on as far as it goes now.
    func step(_ now: MonotonicTime) {
        startWaiting(now)
        // Answers before deadlines: one that has come is not thrown away because this thread was late.
        for transfer in transport.finished() { attemptEnded(transfer, now) }
        fireTimers(now)
        startWaiting(now)
    }

    // MARK: Calls come and go

    /// A call comes in: it gets an exchange of its own, shares one that is under way, or is answered from the ledger.
    func take(_ call: Call, _ now: MonotonicTime) {
        calls[call.ticket] = call
        guard let key = call.request.idempotencyKey else {
            return start(call, body: call.request.body, now)
        }
        switch ledger.begin(call.request, key, id: call.ticket) {
        case .send(let body, let isInDoubt, let isRecorded):
            start(call, body: body, isInDoubt: isInDoubt, isRecorded: isRecorded, now)
        case .join(let id):
            if let exchange = exchanges[id] { join(call, exchange) }
        case .replay(let reply): complete(call, .success(reply), of: nil, isReplayed: true)
        case .refuse: complete(call, .failure(.idempotencyKeyReused), of: nil, outcome: .rejected)
        // An earlier process, or one elsewhere, may have sent it.
        case .absent: complete(call, .failure(.notRecorded), of: nil, outcome: .unknown)
        }
    }

    func cancel(_ ticket: Ticket, _ now: MonotonicTime) {
        if calls[ticket]?.isDetached == false { leave(ticket, with: .cancelled, now) }
    }

    /// Ends all calls as far as that goes without the journal; tells how many it took their end away from.
    func endAll(with error: PartnerBookingError, _ now: MonotonicTime) -> Int {
        calls.keys.sorted().count { leave($0, with: error, now) }
    }

    /// Ends those that still wait for the journal. Nobody will know what it has taken down.
    func dropAll() {
        for exchange in exchanges.values { concludeInDoubt(exchange) }
    }

    /// Lets the journal finish. Nothing more will come.
    func closeJournal() { ledger.journal?.beginClose() }

    /// Gives a call an exchange of its own. `body` is what is sent: of a booking in doubt what was sent before.
    private func start(
        _ call: Call, body: [UInt8], isInDoubt: Bool = false, isRecorded: Bool = false, _ now: MonotonicTime
    ) {
        var request = call.request
        request.body = body
        let message: Message
        do throws(PartnerBookingError) {
            message = try endpoint.message(for: request)
            if let key = request.idempotencyKey, let account = ledger.accountID(of: key), account != message.accountID {
                throw .accountChanged
            }
        } catch {
            if let key = request.idempotencyKey { ledger.ended(key, isInDoubt ? .inDoubt : .notBooked) }
            return complete(call, .failure(error), of: nil, outcome: isInDoubt ? .unknown : .notSent)
        }
        let exchange = Exchange(call, request, message, isInDoubt: isInDoubt)
        exchanges[exchange.id] = exchange
        join(call, exchange)
        if isRecorded {
            exchange.recording = .done
        } else if let key = request.idempotencyKey {
            exchange.recording = ledger.record(key, body: body, accountID: message.accountID, id: exchange.id)
        }
        if exchange.recording == .underWay {
            timers.add(.recordingOverdue(exchange.id), at: now.adding(milliseconds: policy.journalTimeoutMilliseconds))
        } else {
            waiting.append(exchange.id)
        }
    }

    private func join(_ call: Call, _ exchange: Exchange) {
        exchange.calls.insert(call.ticket)
        exchange.delivery.extend(to: call.deadline)
        exchangeOfCall[call.ticket] = exchange.id
        timers.add(.deadline(call.ticket), at: call.deadline)
        if let slowAt = call.slowAt { timers.add(.slow(call.ticket), at: slowAt) }
    }

    /// A call is to end before its exchange does. With the last of its calls the exchange is given up. False when the call gets
    /// the end of the exchange after all.
    @discardableResult
    private func leave(_ ticket: Ticket, with error: PartnerBookingError, _ now: MonotonicTime) -> Bool {
        guard let call = calls[ticket], let exchange = exchange(of: call), exchange.settling == nil else { return false }
        guard exchange.calls.count > 1 else { return abandon(exchange, with: error, now) }
        exchange.calls.remove(ticket)
        // The others go on: it may still be booked.
        complete(call, .failure(error), of: exchange, outcome: .unknown)
        return true
    }

    // MARK: Time

    /// Gives free places to the exchanges that have waited longest.
    private func startWaiting(_ now: MonotonicTime) {
        while inFlight < maxInFlight, let id = waiting.popFirst() {
            guard let exchange = exchanges[id], exchange.settling == nil else { continue }  // ended while it waited
            inFlight += 1
            exchange.startedAt = now
            attempt(exchange, now)
        }
    }

    private func fireTimers(_ now: MonotonicTime) {
        while let timer = timers.popDue(now: now) {
            switch timer {
            case .deadline(let ticket): leave(ticket, with: .timeout, now)
            case .slow(let ticket):
                if let call = calls[ticket] { call.tell(.slow, timing(call, exchange(of: call))) }
            case .pauseOver(let id):
                if let exchange = exchanges[id], exchange.settling == nil { attempt(exchange, now) }
            case .attemptOverdue(let id, let attempt):
                if let exchange = exchanges[id], exchange.delivery.attempts == attempt { attemptOverdue(exchange, now) }
            case .recordingOverdue(let id):
                if let exchange = exchanges[id] { recordingOverdue(exchange, now) }
            case .settlingOverdue(let id):
                if let exchange = exchanges[id] { concludeInDoubt(exchange) }
            }
        }
        // Most calls end long before their deadline: keep their timers from piling up.
        if timers.count > 4 * calls.count + 64 {
            timers.removeAll { timer in
                switch timer {
                case .deadline(let ticket), .slow(let ticket): calls[ticket] == nil
                case .pauseOver(let id), .recordingOverdue(let id), .settlingOverdue(let id): exchanges[id] == nil
                case .attemptOverdue(let id, let attempt): exchanges[id]?.delivery.attempts != attempt
                }
            }
        }
    }

    // MARK: Attempts

    private func attempt(_ exchange: Exchange, _ now: MonotonicTime) {
        let service = exchange.message.service
        guard services[service].breaker.admits(exchange.id, now: now) else {
            let wait = services[service].breaker.retryAfterMilliseconds(now: now)
            return finish(exchange, exchange.lastResult ?? .failure(.circuitOpen(retryAfterMilliseconds: wait)), now)
        }
        switch exchange.delivery.begin(now: now) {
        case .send:
            exchange.attemptedAt = now
            if let failure = transport.start(exchange.id, exchange.message.httpRequest()) {
                return attemptEnded(FinishedTransfer(id: exchange.id, result: .failure(failure)), now)
            }
            if let limit = endpoint.attemptMilliseconds { watch(exchange, until: now.adding(milliseconds: limit)) }
        case .pause, .finish:
            services[service].breaker.attemptEnded(exchange.id, isOutage: nil, now: now)
            // The thread came too late for another attempt. What is known is more than that the time is up.
            if let lastResult = exchange.lastResult {
                finish(exchange, lastResult, now)
            } else {
                abandon(exchange, with: .timeout, now)
            }
        }
    }

    private func attemptEnded(_ transfer: FinishedTransfer, _ now: MonotonicTime) {
        guard let exchange = exchanges[transfer.id] else { return }
        exchange.lastTiming = transfer.timing
        let judgement = Judgement(transfer.result, of: exchange.request.operation, from: endpoint.source)
        switch attemptEnded(exchange, judgement.verdict, now) {
        case .pause(let moment):
            exchange.lastResult = judgement.result
            timers.add(.pauseOver(exchange.id), at: moment)
        case .finish, .send: finish(exchange, judgement.result, now)
        }
    }

    @discardableResult
    private func attemptEnded(_ exchange: Exchange, _ verdict: Delivery.Verdict, _ now: MonotonicTime) -> Delivery.Action {
        exchange.attemptedAt = nil
        let service = exchange.message.service
        services[service].breaker.attemptEnded(exchange.id, isOutage: verdict.isOutage, now: now)
        return exchange.delivery.attemptEnded(verdict, now: now, budget: &services[service].budget)
    }

    private func watch(_ exchange: Exchange, until moment: MonotonicTime) {
        timers.add(.attemptOverdue(exchange.id, attempt: exchange.delivery.attempts), at: moment)
    }

    /// The time that one attempt is given may be over. It counts from when the request was sent: what waits for a connection of ours
    /// tells nothing of the service. With the call's own deadline behind it the attempt ends as the call does.
    private func attemptOverdue(_ exchange: Exchange, _ now: MonotonicTime) {
        guard let limit = endpoint.attemptMilliseconds, exchange.attemptedAt != nil, exchange.settling == nil,
            now < exchange.delivery.deadline
        else { return }
        let due = (transport.sentAt(exchange.id) ?? now).adding(milliseconds: limit)
        guard due <= now else { return watch(exchange, until: due) }
        let abandoned = transport.cancel(exchange.id, isOverdue: true)
        let failure = TransferFailure(
            code: .timeout, message: "The platform did not answer within webhook_timeout_ms", isRetryable: true,
            mayHaveBeenSent: abandoned.mayHaveBeenSent, partialReply: abandoned.partialReply)
        let end = FinishedTransfer(id: exchange.id, result: .failure(failure), timing: abandoned.timing)
        attemptEnded(end, now)
    }

    /// Ends an exchange that has no result yet, unless its transfer turns out to hold one: then false.
    @discardableResult
    private func abandon(_ exchange: Exchange, with error: PartnerBookingError, _ now: MonotonicTime) -> Bool {
        let isOverdue = error.code == .timeout
        let abandoned = transport.cancel(exchange.id, isOverdue: isOverdue)
        if let timing = abandoned.timing { exchange.lastTiming = timing }
        let operation = exchange.request.operation
        if let answer = Judgement(partial: abandoned.partialReply, of: operation, from: endpoint.source) {
            attemptEnded(exchange, answer.verdict, now)
            finish(exchange, answer.result, now)
            return false
        }
        var verdict = Delivery.Verdict(effect: abandoned.mayHaveBeenSent ? .unknown : .notSent, isRetryable: false)
        if let begun = exchange.attemptedAt, isOverdue,
            now.milliseconds(since: begun) >= CircuitBreaker.silenceMilliseconds
        {
            verdict.isOutage = true
        }
        attemptEnded(exchange, verdict, now)
        finish(exchange, .failure(error), now)
        return true
    }

    // MARK: The journal

    /// The journal tells what became of a record.
    func take(_ report: Journal.Report, _ now: MonotonicTime) {
        switch (report.record, report.result) {
        case (.intent(let key, _, _, _, _), .durable):
            ledger.recorded(key)
            guard let exchange = exchanges[report.id], exchange.recording == .underWay else { return }
            exchange.recording = .done
            if exchange.startedAt == nil && exchange.settling == nil && !exchange.isUnprotected {
                waiting.append(exchange.id)
            }
        case (.intent, .failed(let message, let isUndone)):
            guard let exchange = exchanges[report.id], exchange.recording == .underWay else { return }
            if isUndone { exchange.recording = .none }
            if let settling = exchange.settling {
                if isUndone { conclude(exchange, settling) }
            } else if !exchange.isUnprotected {
                notRecorded(exchange, message, mayStand: !isUndone, now)
            }
        case (.void, .durable):
            if let exchange = exchanges[report.id], let settling = exchange.settling { conclude(exchange, settling) }
        case (.void, .failed):
            if let exchange = exchanges[report.id] { concludeInDoubt(exchange) }
        case (.journal, _), (.booked, _): break
        }
    }

    private func recordingOverdue(_ exchange: Exchange, _ now: MonotonicTime) {
        guard exchange.recording == .underWay, exchange.settling == nil else { return }
        let isWithdrawn = ledger.withdraw(exchange.id)
        if isWithdrawn { exchange.recording = .none }
        let message = "the disk did not take it within journal_timeout_ms"
        notRecorded(exchange, message, mayStand: !isWithdrawn, now)
    }

    /// `mayStand`: it may be in the journal all the same, and be resumed some day.
    private func notRecorded(_ exchange: Exchange, _ message: String, mayStand: Bool, _ now: MonotonicTime) {
        guard policy.isJournalRequired else {
            exchange.isUnprotected = true
            return waiting.append(exchange.id)
        }
        if mayStand { exchange.delivery.fallIntoDoubt() }
        finish(exchange, .failure(.journalUnavailable(message)), now)
    }

    // MARK: Ends

    /// An exchange has ended. Before anybody is told that nothing was booked, the journal takes that down: else the booking could
    /// be resumed after a crash.
    private func finish(_ exchange: Exchange, _ result: CallResult, _ now: MonotonicTime) {
        if exchange.startedAt != nil { inFlight -= 1 }
        guard let key = exchange.request.idempotencyKey, case .failure = result, exchange.delivery.outcome != .unknown,
            exchange.recording != .none, !(exchange.recording == .underWay && ledger.withdraw(exchange.id))
        else { return conclude(exchange, result) }
        exchange.settling = result
        ledger.void(key, id: exchange.id)
        timers.add(.settlingOverdue(exchange.id), at: now.adding(milliseconds: Self.settlingMilliseconds))
    }

    /// The journal did not take down that nothing was booked, or took too long.
    private func concludeInDoubt(_ exchange: Exchange) {
        exchange.delivery.fallIntoDoubt()
        conclude(exchange, exchange.settling ?? .failure(.clientClosed))
    }

    /// The calls that waited for the exchange are told.
    private func conclude(_ exchange: Exchange, _ result: CallResult) {
        exchanges[exchange.id] = nil
        if let key = exchange.request.idempotencyKey {
            switch result {
            case .success(let reply): ledger.ended(key, .booked(reply: reply))
            case .failure: ledger.ended(key, exchange.delivery.outcome == .unknown ? .inDoubt : .notBooked)
            }
        }
        for ticket in exchange.calls.sorted() {
            if let call = calls[ticket] { complete(call, result, of: exchange) }
        }
    }

    /// A call has ended. Without an `outcome` it is its exchange's.
    private func complete(
        _ call: Call, _ result: CallResult, of exchange: Exchange?, outcome: PartnerBookingError.Outcome? = nil,
        isReplayed: Bool = false
    ) {
        calls[call.ticket] = nil
        exchangeOfCall[call.ticket] = nil
        willComplete(call.ticket)
        var timing = timing(call, exchange)
        timing.isReplayed = isReplayed
        let result = result.mapError { error in
            call.context.completing(
                error, outcome: outcome ?? exchange?.delivery.outcome ?? .notSent, attempts: timing.attempts,
                timing: timing)
        }
        call.tell(.done(result), timing)
    }

    private func exchange(of call: Call) -> Exchange? { exchangeOfCall[call.ticket].flatMap { exchanges[$0] } }

    private func timing(_ call: Call, _ exchange: Exchange?) -> CallTiming {
        let now = MonotonicTime.now()
        let startedAt = exchange.map { $0.startedAt ?? now } ?? call.submittedAt
        return CallTiming(
            totalMicroseconds: now.microseconds(since: call.submittedAt),
            queueMicroseconds: startedAt.microseconds(since: call.submittedAt),
            attempts: exchange?.delivery.attempts ?? 0, lastAttempt: exchange?.lastTiming,
            isUnprotected: exchange?.isUnprotected ?? false)
    }
}
