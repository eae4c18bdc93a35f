/// A destination of requests. It gives requests their form, and names the source of replies.
protocol Endpoint: AnyObject, Sendable {
    /// The number of services behind the endpoint. Each has its own retry budget and circuit
    /// breaker.
    var serviceCount: Int { get }

    /// The source of the endpoint's answers.
    var source: PartnerBookingError.Source { get }

    /// The time limit of one attempt. nil: the limit of its call applies.
    var attemptMilliseconds: Int? { get }

    /// Returns the service of a bot; nil when the bot has none.
    func service(of botID: String) -> Int?

    /// Refuses a request that could not be sent, before the call is accepted.
    func check(_ request: Request) throws(PartnerBookingError)

    /// Returns the request as its service gets it.
    func message(for request: Request) throws(PartnerBookingError) -> Message
}

/// A request as its service gets it, for all its attempts.
final class Message: Sendable {
    /// The number of the service in the endpoint, from 0.
    let service: Int
    let target: HTTPTarget
    /// Header lines of this request only.
    let headers: [String]
    let body: [UInt8]
    /// Settings of the platform behind the service.
    let rules: BookingRules
    /// The account that the request is made for. nil: not configured.
    let accountID: String?
    /// Keys that sign attempts, the usual key first. Empty: attempts are not signed.
    let signingKeys: [HMACKey]

    init(
        service: Int, target: HTTPTarget, headers: [String], body: [UInt8], rules: BookingRules, accountID: String? = nil,
        signingKeys: [HMACKey] = []
    ) {
        self.service = service
        self.target = target
        self.headers = headers
        self.body = body
        self.rules = rules
        self.accountID = accountID
        self.signingKeys = signingKeys
    }

    /// Returns the HTTP request of one attempt. A signature contains the time, so each attempt
    /// gets its own.
    func httpRequest(signingKey number: Int = 0, seconds: () -> Int = WallClock.seconds) -> HTTPRequest {
        guard let key = signingKeys.indices.contains(number) ? signingKeys[number] : signingKeys.first else {
            return HTTPRequest(target: target, headers: headers, body: body)
        }
        let signature = body.withUnsafeBytes { WebhookSignature.header(key, body: $0, timestamp: seconds()) }
        return HTTPRequest(
            target: target, headers: headers + ["\(WebhookSignature.headerName): \(signature)"], body: body)
    }
}

extension Request {
    /// The header line that passes on the caller's trace context.
    var traceHeader: String? { traceparent.map { "traceparent: \($0)" } }
}

extension HTTPTarget {
    /// The header lines of every request.
    static var commonHeaders: [String] {
        [
            "Content-Type: application/json",
            "Accept: application/json",
            "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
        ]
    }
}
