import Testing

@testable import PartnerBooking

/// A loop over a scripted transport that keeps what is reported.
struct DoubtLoop: Sendable {
    let transport: ScriptedTransport
    let ledger = ScriptedLoop.ledger()
    let loop: TransferLoop
    private let thread: PartnerBooking.Thread
    private let reported = Monitor<[Settlement]>([])
    private let lastTicket = Counter()

    init(maxInFlight: Int = 16, attempts: Int = 3, _ script: @escaping ScriptedTransport.Script) throws {
        transport = ScriptedTransport(script)
        let endpoint = try Configuration(json: Array(#"{"api_key":"sk_ptnr_scripted"}"#.utf8)).service.endpoint
        var policy = DeliveryPolicy.calm
        policy.reportsSettled = true
        policy.retry = RetryPolicy(maxAttempts: attempts, baseDelayMilliseconds: 1, maxDelayMilliseconds: 1)
        (loop, thread) = try TransferLoop.start(
            transport, endpoint, .init(maxInFlight: maxInFlight, maxQueued: 16, maxUnattended: maxInFlight), policy,
            ledger,
            report: { [reported] settlement in reported.update { $0.append(settlement) } })
    }

    @discardableResult
    func submit(
        key: String = "key-1", tag: String = "tag", deadline: Int = 60_000, _ ending: Ending
    ) throws -> CallTicket {
        try submit(json: Sample.booking(key: key, #","tag":"\#(tag)""#), deadline: deadline, ending)
    }

    @discardableResult
    func submit(json: [UInt8], deadline: Int = 60_000, _ ending: Ending) throws -> CallTicket {
        let ticket = CallTicket(lastTicket.increment())
        let request = try Request(.createBooking, json: json)
        try loop.submit(
            Call(
                ticket: ticket, request: request, deadline: .now().adding(milliseconds: deadline), seed: ticket.rawValue,
                complete: ending.handler))
        return ticket
    }

    var settlements: [Settlement] { reported.withLock { $0 } }

    /// The first one, waited for.
    func settlement() throws -> Settlement {
        try #require(reported.becomes { !$0.isEmpty }, "nothing was reported")
        return try #require(settlements.first)
    }

    @discardableResult
    func close(within milliseconds: Int = 0) -> Int? { loop.end(transport, thread, within: milliseconds) }
}
