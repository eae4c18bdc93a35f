import Testing

@testable import PartnerBooking

/// A loop over a scripted transport, and what a client does with it.
struct ScriptedLoop: Sendable {
    let transport: ScriptedTransport
    let loop: TransferLoop
    private let thread: PartnerBooking.Thread
    private let lastID = Counter()

    init(_ transport: ScriptedTransport, maxInFlight: Int = 512, maxQueued: Int = 0) throws {
        self.transport = transport
        (loop, thread) = try TransferLoop.start(transport, .init(maxInFlight: maxInFlight, maxQueued: maxQueued))
    }

    init(_ steps: ScriptedTransport.Step..., maxInFlight: Int = 512, maxQueued: Int = 0) throws {
        try self.init(ScriptedTransport(steps), maxInFlight: maxInFlight, maxQueued: maxQueued)
    }

    /// What the endpoint makes of a caller's request.
    static func httpRequest(_ operation: PartnerBooking.Operation, _ json: [UInt8]) throws -> (HTTPRequest, ErrorContext) {
        let configuration = try Configuration(json: Array(#"{"api_key":"sk_ptnr_scripted"}"#.utf8))
        let request = try Request(operation, json: json)
        return (PartnerAPIEndpoint(configuration).httpRequest(for: request), ErrorContext(request))
    }

    /// Hands in a call and gives its ID.
    @discardableResult
    func submit(
        _ operation: PartnerBooking.Operation = .createBooking, json: [UInt8]? = nil, deadline: Int = 60_000,
        attempts: Int = 3, baseDelay: Int = 1, isDetached: Bool = false, slowAfter: Int? = nil,
        submittedAt: MonotonicTime = .now(), complete: @escaping CompletionHandler
    ) throws -> TransferID {
        let (request, context) = try Self.httpRequest(operation, json ?? Sample.request(operation))
        return try submit(
            request, context, deadline: deadline, attempts: attempts, baseDelay: baseDelay, isDetached: isDetached,
            slowAfter: slowAfter, submittedAt: submittedAt, complete: complete)
    }

    @discardableResult
    func submit(
        _ request: HTTPRequest, _ context: ErrorContext, deadline: Int = 60_000, attempts: Int = 3, baseDelay: Int = 1,
        isDetached: Bool = false, slowAfter: Int? = nil, submittedAt: MonotonicTime = .now(),
        complete: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> TransferID {
        let id = TransferID(lastID.increment())
        let policy = Delivery.Policy(
            maxAttempts: attempts, baseDelayMilliseconds: baseDelay, maxDelayMilliseconds: max(baseDelay, 1))
        let delivery = Delivery(policy: policy, deadline: .now().adding(milliseconds: deadline), seed: id)
        try loop.submit(
            Call(
                ticket: id, request: request, context: context, delivery: delivery, isDetached: isDetached,
                submittedAt: submittedAt, slowAt: slowAfter.map { submittedAt.adding(milliseconds: $0) }, complete: complete)
        )
        return id
    }

    /// Closes the loop and waits for its thread. How many calls had to be ended.
    @discardableResult
    func close(within milliseconds: Int = 0) -> Int? {
        let moment = MonotonicTime.now().adding(milliseconds: milliseconds)
        loop.beginClose(at: moment)
        let ended = loop.waitForEnd(until: moment.adding(milliseconds: 2_000))
        thread.join()
        #expect(transport.record.isClosed)
        #expect(transport.record.violations.isEmpty)
        return ended
    }
}
