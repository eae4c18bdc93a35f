/// The endpoint of the Partner API, and of the sandbox that plays it. It sends bodies as the
/// caller wrote them, a bearer key, and the idempotency key in a header.
final class PartnerAPIEndpoint: Endpoint {
    let serviceCount = 1
    let source = PartnerBookingError.Source.partnerAPI
    let attemptMilliseconds: Int? = nil
    private let search: HTTPTarget
    private let booking: HTTPTarget
    /// The target of look-ups. nil with the Partner API; only the sandbox has them.
    private let customer: HTTPTarget?
    private let rules: BookingRules
    private let rulesByBot: [String: BookingRules]

    init(_ settings: PartnerAPISettings) {
        rules = settings.rules
        rulesByBot = settings.rulesByBot
        let headers = ["Authorization: Bearer \(settings.apiKey)"] + HTTPTarget.commonHeaders
        func target(_ path: String) -> HTTPTarget {
            HTTPTarget(url: settings.baseURL + path, headers: headers, origin: settings.origin)
        }
        search = target(settings.searchPath)
        booking = target(settings.bookingPath)
        customer = settings.customerPath.map(target)
    }

    func service(of botID: String) -> Int? { 0 }

    func check(_ request: Request) throws(PartnerBookingError) { _ = try target(of: request.operation) }

    func message(for request: Request) throws(PartnerBookingError) -> Message {
        var headers: [String] = []
        if let key = request.idempotencyKey { headers.append("Idempotency-Key: \(key)") }
        if let header = request.traceHeader { headers.append(header) }
        return Message(
            service: 0, target: try target(of: request.operation), headers: headers, body: request.body,
            rules: rules(of: request))
    }

    private func rules(of request: Request) -> BookingRules {
        rulesByBot.isEmpty ? rules : request.botID.flatMap { rulesByBot[$0] } ?? rules
    }

    private func target(of operation: CallOperation) throws(PartnerBookingError) -> HTTPTarget {
        switch operation {
        case .searchAvailability: return search
        case .createBooking: return booking
        case .lookupCustomer:
            guard let customer else { throw .unsupportedOperation }
            return customer
        }
    }
}
