import Testing

@testable import PartnerBooking

/// Addresses, headers and bodies, as the Partner API wants them.
@Suite struct PartnerAPIEndpointTests {
    private func request(_ configuration: RequestText, _ operation: Operation, _ text: RequestText) throws -> HTTPRequest {
        let endpoint = PartnerAPIEndpoint(try Configuration(json: configuration.bytes))
        return endpoint.httpRequest(for: try Request(operation, json: text.bytes))
    }

    private static let common = [
        "Authorization: Bearer sk_ptnr_x7Q", "Content-Type: application/json", "Accept: application/json",
        "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
    ]

    @Test func aSearchIsSentToItsPathWithItsHeaders() throws {
        let text = RequestText.search.setting("traceparent", nil)
        let sent = try request(ConfigurationTests.partner, .searchAvailability, text)
        #expect(sent.target.url == "https://appointments.dialstack.ai/v1/availability/search")
        #expect(sent.target.headers == Self.common)
        #expect(sent.headers == [])
        #expect(sent.body == text.sent.bytes)
    }

    @Test func aBookingIsSentWithItsKey() throws {
        let text = RequestText.booking.setting("traceparent", nil)
        let sent = try request(ConfigurationTests.partner, .createBooking, text)
        #expect(sent.target.url == "https://appointments.dialstack.ai/v1/bookings")
        #expect(sent.target.headers == Self.common)
        #expect(sent.headers == ["Idempotency-Key: key-4711"])
        #expect(sent.body == text.sent.bytes)
    }

    @Test(arguments: Operation.allCases)
    func aTraceContextIsPassedOn(_ operation: Operation) throws {
        let sent = try request(ConfigurationTests.partner, operation, RequestText.of(operation))
        #expect(sent.headers.last == "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        #expect(sent.headers.count == (operation == .createBooking ? 2 : 1))
    }

    @Test(arguments: [
        ("https://host.test", "/s", "https://host.test/s"), ("https://host.test/", "/s", "https://host.test/s"),
        ("https://host.test/api/v2/", "/s/t", "https://host.test/api/v2/s/t"),
        ("http://[::1]:8080", "/", "http://[::1]:8080/"),
        ("https://host.test:8443/api", "/s/", "https://host.test:8443/api/s/"),
    ])
    func theURLIsTheBaseAndThePath(_ base: String, _ path: String, _ url: String) throws {
        for (operation, name) in [(Operation.searchAvailability, "search_availability"), (.createBooking, "create_booking")]
        {
            let configuration = ConfigurationTests.partner.setting("base_url", "\"\(base)\"").setting(
                "paths.\(name)", "\"\(path)\"")
            #expect(try request(configuration, operation, RequestText.of(operation)).target.url == url)
        }
    }

    /// A transport knows targets by their identity: all requests of one kind share one, and the two kinds do not.
    @Test func requestsOfAKindShareTheirTarget() throws {
        let endpoint = PartnerAPIEndpoint(try Configuration(json: ConfigurationTests.partner.bytes))
        let targets = try Operation.allCases.map { operation in
            let request = try Request(operation, json: RequestText.of(operation).bytes)
            #expect(endpoint.httpRequest(for: request).target === endpoint.httpRequest(for: request).target)
            return endpoint.httpRequest(for: request).target
        }
        #expect(targets[0] !== targets[1])
    }

    /// Whatever a caller may write, a header stays one line of visible ASCII.
    @Test func noAcceptedValueBreaksAHeader() throws {
        for field in RequestField.all {
            for value in field.accepted {
                let text = RequestText.of(field.operation).setting(field.path, value)
                let sent = try request(ConfigurationTests.partner, field.operation, text)
                for header in sent.headers + sent.target.headers {
                    #expect(header.utf8.allSatisfy { (0x20...0x7E).contains($0) })
                }
            }
        }
    }
}
