import Testing

@testable import PartnerBooking

/// Addresses, headers and bodies, as the Partner API wants them.
@Suite struct PartnerAPIEndpointTests {
    private func request(_ configuration: RequestText, _ operation: CallOperation, _ text: RequestText) throws -> HTTPRequest
    {
        let endpoint = PartnerAPIEndpoint(try ConfigurationSample.settings(configuration))
        return try endpoint.message(for: Request(operation, json: text.bytes)).httpRequest()
    }

    private static let common = [
        "Authorization: Bearer sk_ptnr_x7Q", "Content-Type: application/json", "Accept: application/json",
        "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
    ]

    @Test func aSearchIsSentToItsPathWithItsHeaders() throws {
        let text = RequestText.search.setting("traceparent", nil)
        let sent = try request(ConfigurationSample.partner, .searchAvailability, text)
        #expect(sent.target.url == "https://appointments.dialstack.ai/v1/availability/search")
        #expect(sent.target.headers == Self.common)
        #expect(sent.headers == [])
        #expect(sent.body == text.sent.bytes)
    }

    @Test func aBookingIsSentWithItsKey() throws {
        let text = RequestText.booking.setting("traceparent", nil)
        let sent = try request(ConfigurationSample.partner, .createBooking, text)
        #expect(sent.target.url == "https://appointments.dialstack.ai/v1/bookings")
        #expect(sent.target.headers == Self.common)
        #expect(sent.headers == ["Idempotency-Key: key-4711"])
        #expect(sent.body == text.sent.bytes)
    }

    @Test(arguments: partnerAPIOperations)
    func aTraceContextIsPassedOn(_ operation: CallOperation) throws {
        let sent = try request(ConfigurationSample.partner, operation, RequestText.of(operation))
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
        for (operation, name) in [
            (CallOperation.searchAvailability, "search_availability"), (.createBooking, "create_booking"),
        ] {
            let configuration = ConfigurationSample.partner.setting("base_url", "\"\(base)\"").setting(
                "paths.\(name)", "\"\(path)\"")
            #expect(try request(configuration, operation, RequestText.of(operation)).target.url == url)
        }
    }

    /// A transport knows targets by their identity: all requests of one kind share one, and the two kinds do not.
    @Test func requestsOfAKindShareTheirTarget() throws {
        let endpoint = PartnerAPIEndpoint(try ConfigurationSample.settings(ConfigurationSample.partner))
        let targets = try partnerAPIOperations.map { operation in
            let request = try Request(operation, json: RequestText.of(operation).bytes)
            #expect(try endpoint.message(for: request).target === endpoint.message(for: request).target)
            return try endpoint.message(for: request).target
        }
        #expect(targets[0] !== targets[1])
    }

    /// The Partner API looks up no customers; the sandbox that plays it does.
    @Test func aLookupIsUnsupportedButInTheSandbox() throws {
        let request = try Request(.lookupCustomer, json: RequestText.lookup.bytes)
        let endpoint = PartnerAPIEndpoint(try ConfigurationSample.settings(ConfigurationSample.partner))
        #expect(throws: PartnerBookingError.unsupportedOperation) { try endpoint.check(request) }
        #expect(throws: PartnerBookingError.unsupportedOperation) { _ = try endpoint.message(for: request) }
        let sent = try self.request(ConfigurationSample.sandbox, .lookupCustomer, RequestText.lookup)
        #expect(sent.target.url == "https://appointments.dialstack.ai/v1/customers/lookup")
        #expect(sent.headers.count == 1)
        #expect(sent.body == RequestText.lookup.sent.bytes)
    }

    /// Whatever a caller may write, a header stays one line of visible ASCII.
    @Test func noAcceptedValueBreaksAHeader() throws {
        for field in RequestField.all where field.operation != .lookupCustomer {
            for value in field.accepted {
                let text = RequestText.of(field.operation).setting(field.path, value)
                let sent = try request(ConfigurationSample.partner, field.operation, text)
                for header in sent.headers + sent.target.headers {
                    #expect(header.utf8.allSatisfy { (0x20...0x7E).contains($0) })
                }
            }
        }
    }
}
