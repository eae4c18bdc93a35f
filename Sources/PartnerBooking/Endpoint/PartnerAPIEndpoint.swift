/// Turns requests into HTTP requests of the Partner API: addresses and headers.
struct PartnerAPIEndpoint: Sendable {
    private let searchURL: String
    private let bookingURL: String
    private let commonHeaders: [String]

    init(_ configuration: Configuration) {
        searchURL = configuration.baseURL + configuration.searchPath
        bookingURL = configuration.baseURL + configuration.bookingPath
        commonHeaders = [
            "Authorization: Bearer \(configuration.apiKey)",
            "Content-Type: application/json",
            "Accept: application/json",
            "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
        ]
    }

    func httpRequest(for request: Request) -> HTTPRequest {
        var headers = commonHeaders
        if let key = request.idempotencyKey { headers.append("Idempotency-Key: \(key)") }
        if let traceparent = request.traceparent { headers.append("traceparent: \(traceparent)") }
        let url =
            switch request.operation {
            case .searchAvailability: searchURL
            case .createBooking: bookingURL
            }
        return HTTPRequest(url: url, headers: headers, body: request.body)
    }
}
