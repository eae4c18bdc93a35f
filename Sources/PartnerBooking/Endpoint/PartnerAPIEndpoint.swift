/// Turns requests into HTTP requests of the Partner API: addresses and headers.
struct PartnerAPIEndpoint: Sendable {
    private let search: HTTPTarget
    private let booking: HTTPTarget

    init(_ configuration: Configuration) {
        let headers = [
            "Authorization: Bearer \(configuration.apiKey)",
            "Content-Type: application/json",
            "Accept: application/json",
            "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
        ]
        search = HTTPTarget(url: configuration.baseURL + configuration.searchPath, headers: headers)
        booking = HTTPTarget(url: configuration.baseURL + configuration.bookingPath, headers: headers)
    }

    func httpRequest(for request: Request) -> HTTPRequest {
        var headers: [String] = []
        if let key = request.idempotencyKey { headers.append("Idempotency-Key: \(key)") }
        if let traceparent = request.traceparent { headers.append("traceparent: \(traceparent)") }
        let target =
            switch request.operation {
            case .searchAvailability: search
            case .createBooking: booking
            }
        return HTTPRequest(target: target, headers: headers, body: request.body)
    }
}
