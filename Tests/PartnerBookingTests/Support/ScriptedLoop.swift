import Testing

@testable import PartnerBooking

/// A loop over a scripted transport, and what a client does with it.
struct ScriptedLoop: Sendable {
    let transport: ScriptedTransport
    let loop: TransferLoop
    private let thread: PartnerBooking.Thread
    private let lastTicket = Counter()

    init(
        _ transport: ScriptedTransport, maxInFlight: Int = 512, maxQueued: Int = 0,
        policy: DeliveryPolicy = .init(), attempts: Int = 3, baseDelay: Int = 1, ledger: LedgerStore = Self.ledger(),
        configuration: String? = nil, report: @escaping (Settlement) -> Void = { _ in }
    ) throws {
        self.transport = transport
        var policy = policy
        policy.retry = RetryPolicy(
            maxAttempts: attempts, baseDelayMilliseconds: baseDelay, maxDelayMilliseconds: max(baseDelay, 1))
        let configuration = try Configuration(json: Array((configuration ?? #"{"api_key":"sk_ptnr_scripted"}"#).utf8))
        (loop, thread) = try TransferLoop.start(
            transport, configuration.service.endpoint, .init(maxInFlight: maxInFlight, maxQueued: maxQueued), policy, ledger,
            report: report)
    }

    init(
        _ steps: ScriptedTransport.Step..., maxInFlight: Int = 512, maxQueued: Int = 0, policy: DeliveryPolicy = .init(),
        attempts: Int = 3, baseDelay: Int = 1
    ) throws {
        try self.init(
            ScriptedTransport(steps), maxInFlight: maxInFlight, maxQueued: maxQueued, policy: policy, attempts: attempts,
            baseDelay: baseDelay)
    }

    /// `inDoubt`: requests of earlier processes that may have been sent, and the accounts they were sent in.
    static func ledger(
        capacity: Int = 10_000, _ journal: Journal? = nil, inDoubt requests: [(json: [UInt8], accountID: String?)] = []
    ) throws -> LedgerStore {
        let entries = try requests.map { json, accountID in
            let request = try Request(.createBooking, json: json)
            return JournalEntry(
                key: try #require(request.idempotencyKey), wish: try #require(request.wish),
                recordedAt: WallClock.milliseconds(), clock: 0, state: .unsettled(body: request.body),
                accountID: accountID)
        }
        return LedgerStore(Self.plainLedger(capacity), journal, restoring: entries)
    }

    static func ledger() -> LedgerStore { LedgerStore(plainLedger(10_000)) }

    private static func plainLedger(_ capacity: Int) -> BookingLedger {
        BookingLedger(.init(retentionMilliseconds: 86_400_000, capacity: capacity))
    }

    /// Hands in a call and gives its ticket. Unless it is given a request, a booking has a key of its own.
    @discardableResult
    func submit(
        _ operation: PartnerBooking.CallOperation = .createBooking, json: [UInt8]? = nil, deadline: Int = 60_000,
        isDetached: Bool = false, slowAfter: Int? = nil,
        submittedAt: MonotonicTime = .now(), complete: @escaping CompletionHandler
    ) throws -> CallTicket {
        let ticket = CallTicket(lastTicket.increment())
        let json = json ?? Sample.request(operation, key: "key-\(ticket)")
        return try submit(
            Request(operation, json: isDetached ? Sample.detached(json) : json), ticket: ticket, deadline: deadline,
            slowAfter: slowAfter, submittedAt: submittedAt, complete: complete)
    }

    @discardableResult
    func submit(
        _ request: Request, ticket: CallTicket? = nil, deadline: Int = 60_000,
        slowAfter: Int? = nil, submittedAt: MonotonicTime = .now(), complete: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> CallTicket {
        let ticket = ticket ?? CallTicket(lastTicket.increment())
        try loop.submit(
            Call(
                ticket: ticket, request: request, deadline: .now().adding(milliseconds: deadline), seed: ticket.rawValue,
                submittedAt: submittedAt, slowAt: slowAfter.map { submittedAt.adding(milliseconds: $0) },
                complete: complete))
        return ticket
    }

    @discardableResult
    func close(within milliseconds: Int = 0) -> Int? { loop.end(transport, thread, within: milliseconds) }
}

extension TransferLoop {
    /// Closes the loop and waits for its thread. Returns how many calls had to be ended.
    func end(_ transport: ScriptedTransport, _ thread: PartnerBooking.Thread, within milliseconds: Int) -> Int? {
        let moment = MonotonicTime.now().adding(milliseconds: milliseconds)
        beginClose(at: moment)
        let ended = waitForEnd(until: moment.adding(milliseconds: 2_000))
        thread.join()
        #expect(transport.record.isClosed)
        #expect(transport.record.violations.isEmpty)
        return ended
    }
}

extension DeliveryPolicy {
    /// For tests in which much goes wrong on purpose: neither budget nor breaker.
    static var calm: Self { Self(retryTokens: 0, circuitBreaker: .init(failures: 0, openMilliseconds: 1_000)) }

    /// A booking whose calls have ended at their deadline is not asked for again.
    static var unsettling: Self { Self(settleForMilliseconds: 0) }
}
