import Testing

@testable import PartnerBooking

/// Addresses, headers and bodies, as a platform's webhook wants them.
@Suite struct PlatformWebhookEndpointTests {
    private let endpoint: PlatformWebhookEndpoint

    init() throws {
        let platforms = """
            {"bot_7":{"account_id":"acct_7","webhook_url":"https://h.test/hook/","webhook_secret":["new","old"]},
             "bot_8":{"account_id":"acct_\\"8\\\\","webhook_url":"https://h.test/hook","webhook_secret":"s"},
             "bot_9":{"account_id":"acct_9","webhook_url":"https://other.test","webhook_secret":"s"},"bot_0":{"account_id":"acct_0"}}
            """
        endpoint = PlatformWebhookEndpoint(try PlatformSample.directory(platforms))
    }

    private func message(_ operation: CallOperation, _ text: RequestText) throws -> Message {
        try endpoint.message(for: Request(operation, json: text.bytes))
    }

    private func body(_ operation: CallOperation, _ text: RequestText) throws -> String {
        String(decoding: try message(operation, text).body, as: UTF8.self)
    }

    @Test(arguments: [
        (CallOperation.searchAvailability, "/availability/search"), (.createBooking, "/bookings"),
        (.lookupCustomer, "/customers/lookup"),
    ])
    func everyOperationHasItsPath(_ operation: CallOperation, _ path: String) throws {
        let sent = try message(operation, RequestText.of(operation))
        #expect(sent.target.url == "https://h.test/hook" + path)
        #expect(
            sent.target.headers == [
                "X-DialStack-Account-Id: acct_7", "Content-Type: application/json", "Accept: application/json",
                "User-Agent: libpartnerbooking/\(partnerBookingVersion)",
            ])
        // Neither a bearer key nor an idempotency key: the signature follows with each attempt.
        #expect(sent.headers == ["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
    }

    @Test func theAccountTakesTheBotsPlace() throws {
        let range = #"{"start_at":"2031-02-03T10:11:12Z","end_at":"2031-02-04T10:11:12Z"}"#
        #expect(
            try body(.searchAvailability, .search)
                == #"{"account_id":"acct_7","query":{"filter":{"start_at_range":\#(range)}}}"#)
        #expect(
            try body(.createBooking, .booking)
                == #"{"account_id":"acct_7","idempotency_key":"key-4711","booking":\#(RequestText.booking.value("booking"))}"#
        )
        #expect(try body(.lookupCustomer, .lookup) == #"{"account_id":"acct_7","customer":{"phone":"+4930987654321"}}"#)
    }

    /// Order, white space, numbers and escapes of what the caller wrote stay as they are; only the names of ours go.
    @Test func allElseTravelsOnUntouched() throws {
        let text = #"""
             { "x" : [ 1.50e+03 , -0 ] ,"bot\u005fid":"bot_7", "customer" :{"phone":"+12","\u00e9":"\ud83d\ude00" }  ,
             "account_id":"acct_evil","\u0061ccount_id":{"deep":1},"y":"a" , "y":"b","timeout_ms":5 }
            """#
        let sent = try endpoint.message(for: Request(.lookupCustomer, json: Array(text.utf8)))
        let customer = #""customer" :{"phone":"+12","\u00e9":"\ud83d\ude00" }"#
        #expect(
            String(decoding: sent.body, as: UTF8.self)
                == #"{"account_id":"acct_7","x" : [ 1.50e+03 , -0 ],\#(customer),"y":"a","y":"b"}"#)
    }

    @Test func whatIsWrittenIntoTheBodyIsEscaped() throws {
        let text = RequestText.booking.setting("bot_id", #""bot_8""#).setting("idempotency_key", #""a\"b\\c""#)
        let start = #"{"account_id":"acct_\"8\\","idempotency_key":"a\"b\\c","booking":"#
        #expect(try body(.createBooking, text).hasPrefix(start))
        #expect(try message(.createBooking, text).target.headers.first == #"X-DialStack-Account-Id: acct_"8\"#)
    }

    /// A bot that is refused before its call is accepted is refused for the same reason when its booking is resumed.
    @Test(arguments: [("bot_1", PartnerBookingError.unknownBot), ("bot_0", .noWebhook), ("", .unknownBot)])
    func aBotWithoutAWebhookIsRefused(_ bot: String, _ error: PartnerBookingError) throws {
        guard let request = try? Request(.createBooking, json: Sample.booking(bot: bot)) else { return #expect(bot.isEmpty) }
        #expect(throws: error) { try endpoint.check(request) }
        #expect(throws: error) { _ = try endpoint.message(for: request) }
        #expect(error.field == "bot_id" && error.source == .caller && !error.isRetryable)
    }

    @Test func aResumedBookingTellsItsBotLater() throws {
        let resume = try Request(.createBooking, json: Array(#"{"idempotency_key":"k","resume":true}"#.utf8))
        #expect(throws: Never.self) { try endpoint.check(resume) }
        #expect(throws: PartnerBookingError.unknownBot) { _ = try endpoint.message(for: resume) }
    }

    /// A signature holds the time: every attempt gets a fresh one, over the very bytes that are sent, under the first secret.
    @Test func everyAttemptIsSignedAnew() throws {
        let sent = try message(.createBooking, .booking)
        for seconds in [1_705_312_800, 1_705_312_801] {
            let request = sent.httpRequest { seconds }
            #expect(request.target === sent.target && request.body == sent.body)
            let expected = WebhookSignature.header(secret: "new", body: sent.body, timestamp: seconds)
            #expect(request.headers == sent.headers + ["X-DialStack-Signature: \(expected)"])
        }
    }

    /// During a rotation an attempt can be signed under the second secret. Where there is no such secret it is the first: another
    /// platform behind the same webhook may have one more.
    @Test func anAttemptIsSignedUnderTheSecretThatItNames() throws {
        let sent = try message(.createBooking, .booking)
        #expect(sent.signingKeys.count == 2)
        for (number, secret) in [(0, "new"), (1, "old"), (2, "new"), (-1, "new")] {
            let request = sent.httpRequest(signingKey: number) { 1_705_312_800 }
            let expected = WebhookSignature.header(secret: secret, body: sent.body, timestamp: 1_705_312_800)
            #expect(request.headers == sent.headers + ["X-DialStack-Signature: \(expected)"])
        }
    }

    /// The Partner API has a key in a header, and no signature.
    @Test func aMessageWithoutSecretsIsNotSigned() throws {
        let endpoint = PartnerAPIEndpoint(try ConfigurationSample.settings(ConfigurationSample.partner))
        let sent = try endpoint.message(for: Request(.createBooking, json: Sample.booking()))
        #expect(sent.signingKeys.isEmpty)
        #expect(sent.httpRequest().headers == ["Idempotency-Key: key-1"])
        #expect(!sent.httpRequest().isSentOnce && !sent.httpRequest().needsNewConnection)
    }

    /// The account in whose name a booking was sent is part of its record.
    @Test func aMessageNamesItsAccountAndItsPlatformsRules() throws {
        let sent = try message(.createBooking, .booking)
        #expect(sent.accountID == "acct_7" && sent.rules == BookingRules())
    }

    @Test func botsOfOneWebhookShareIts() throws {
        let services = try ["bot_7", "bot_8", "bot_9"].map { bot in
            try message(.lookupCustomer, RequestText.lookup.setting("bot_id", "\"\(bot)\"")).service
        }
        #expect(services == [0, 0, 1])
        #expect(endpoint.serviceCount == 2)
        #expect(endpoint.source == .platform)
        #expect(endpoint.attemptMilliseconds == 30_000)
    }
}
