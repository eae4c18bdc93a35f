import Testing

@testable import PartnerBooking

/// `give_up`, `start_before` and `conversation` of a request to book.
@Suite struct RequestGiveUpTests {
    private static let key = RequestText().setting("give_up", "true").setting("idempotency_key", #""key-4711""#)
    private static let several = RequestText().setting("give_up", "true").setting("bot_id", #""bot_7""#)
        .setting("start_before", #""2031-02-03T10:00:00Z""#)

    private static let start = Timestamp.instant(seconds: 1_927_879_200, nanoseconds: 0)

    private static func request(_ text: RequestText) throws -> Request { try Request(.createBooking, json: text.bytes) }

    private static func expectRefusal(_ text: RequestText, _ field: String, _ message: String) throws {
        let error = try #require(refusal(.createBooking, text.bytes), "\(text.text)")
        #expect(error.code == .invalidField && error.source == .caller && !error.isRetryable, "\(text.text)")
        #expect(error.field == field, "\(text.text)")
        #expect(error.message.hasPrefix("\(field) ") && error.message.contains(message), "\(error.message)")
        #expect(error.outcome == .notSent)
    }

    // MARK: By key

    @Test func aBookingIsGivenUpByItsKey() throws {
        let request = try Self.request(Self.key.setting("tag", #""t""#).setting("timeout_ms", "5"))
        #expect(request.givesUp == .booking(key: "key-4711") && request.idempotencyKey == "key-4711")
        #expect(request.tag == "t" && request.timeoutMilliseconds == 5)
        #expect(request.body.isEmpty && request.wish == nil && !request.isResuming)
        #expect(request.botID == nil && request.startSeconds == nil)
    }

    @Test(arguments: ["bot_id", "start_before"])
    func theOtherSelectionDoesNotFit(_ name: String) throws {
        let text = Self.key.setting(name, Self.several.value(name))
        try Self.expectRefusal(text, name, "must be left out with \"give_up\":true and an idempotency_key")
        #expect(refusal(.createBooking, text.bytes)?.idempotencyKey == "key-4711")
    }

    @Test(arguments: [#""""#, #""two words""#, "5", "null", "[]"])
    func theKeyIsCheckedAsEver(_ value: String) throws {
        try Self.expectRefusal(Self.key.setting("idempotency_key", value), "idempotency_key", "must be")
    }

    // MARK: By bot and start

    @Test func bookingsAreGivenUpByBotAndStart() throws {
        let request = try Self.request(Self.several.setting("traceparent", nil).setting("detach", "true"))
        #expect(request.givesUp == .bookings(botID: "bot_7", startBefore: Self.start))
        #expect(request.idempotencyKey == nil && request.isDetached)
        #expect(request.body.isEmpty && request.wish == nil && request.botID == nil)
    }

    /// One moment, in several spellings.
    @Test(arguments: [
        #""2031-02-03T05:00:00-05:00""#, #""2031-02-03t10:00:00z""#, #""2031-02-03T10:00:00.000Z""#,
        #""2031-02-03T10:00:00\u005a""#, #""2031-02-03 10:00:00Z""#,
    ])
    func theStartIsAnInstant(_ start: String) throws {
        let request = try Self.request(Self.several.setting("start_before", start))
        #expect(request.givesUp == .bookings(botID: "bot_7", startBefore: Self.start))
    }

    @Test(arguments: [
        "null", "true", "5", "[]", "{}", #""""#, #""2031-02-03""#, #""2031-02-03T10:00:00""#, #""tomorrow""#,
        "\"2031-02-03T10:00:00." + String(repeating: "0", count: 50) + "Z\"",
    ])
    func anotherStartIsRefused(_ start: String) throws {
        try Self.expectRefusal(
            Self.several.setting("start_before", start), "start_before", Form.timestampExample)
    }

    @Test(arguments: ["null", "5", "[]", "{}", #""""#, RequestText.string(257)])
    func anotherBotIsRefused(_ bot: String) throws {
        try Self.expectRefusal(Self.several.setting("bot_id", bot), "bot_id", "must be a string of 1 to 256 bytes")
    }

    @Test func theLongestBotIsAccepted() throws {
        #expect(refusal(.createBooking, Self.several.setting("bot_id", RequestText.string(256)).bytes) == nil)
    }

    @Test(arguments: ["bot_id", "start_before"])
    func bothAreRequired(_ name: String) throws {
        try Self.expectRefusal(Self.several.setting(name, nil), name, "is required")
    }

    // MARK: What does not fit

    @Test(arguments: ["booking", "resume", "conversation"], ["true", "false", "{}", #""x""#])
    func aMemberThatDoesNotFitIsRefused(_ name: String, _ value: String) throws {
        // `resume` itself must be true or false.
        let isRead = name != "resume" || ["true", "false"].contains(value)
        let message = isRead ? "must be left out with \"give_up\":true" : "must be true or false"
        for text in [Self.key, Self.several] { try Self.expectRefusal(text.setting(name, value), name, message) }
    }

    /// `null` is nothing.
    @Test func aMemberWithoutAValueIsAbsent() throws {
        let text = ["booking", "resume", "conversation"].reduce(Self.key) { $0.setting($1, "null") }
        #expect(try Self.request(text).givesUp == .booking(key: "key-4711"))
        let key = ["bot_id", "start_before"].reduce(text) { $0.setting($1, "null") }
        #expect(try Self.request(key).givesUp == .booking(key: "key-4711"))
        try Self.expectRefusal(Self.key.setting("give_up", "null"), "bot_id", "is required")
    }

    @Test(arguments: ["1", #""true""#, "[]", "{}"])
    func giveUpIsTrueOrFalse(_ value: String) throws {
        try Self.expectRefusal(Self.key.setting("give_up", value), "give_up", "must be true or false")
    }

    @Test(arguments: ["give_up", "start_before", "bot_id"])
    func aMemberThatStandsTwiceIsRefused(_ name: String) throws {
        try Self.expectRefusal(Self.several.adding(name, Self.several.value(name)), name, "must not appear twice")
    }

    /// Neither with a whole request, nor with one that resumes.
    @Test func startBeforeNeedsGiveUp() throws {
        let start = Self.several.value("start_before")
        try Self.expectRefusal(
            RequestText.booking.setting("start_before", start), "start_before", "needs \"give_up\":true")
        try Self.expectRefusal(
            RequestText.booking.setting("start_before", start).setting("give_up", "false"), "start_before",
            "needs \"give_up\":true")
        let resume = RequestText().setting("idempotency_key", #""k""#).setting("resume", "true")
        try Self.expectRefusal(resume.setting("start_before", start), "start_before", "must be left out")
        try Self.expectRefusal(
            Self.several.setting("give_up", "false"), "idempotency_key", "is required")
    }

    @Test func withoutGiveUpAKeyIsRequired() throws {
        try Self.expectRefusal(RequestText.booking.setting("idempotency_key", nil), "idempotency_key", "is required")
        let text = RequestText.booking.setting("idempotency_key", nil).setting("give_up", "false")
        try Self.expectRefusal(text, "idempotency_key", "is required")
    }

    /// It changes nothing, and is not sent.
    @Test func giveUpMayBeFalse() throws {
        let request = try Self.request(RequestText.booking.setting("give_up", "false"))
        #expect(request.givesUp == nil && request.wish != nil)
        #expect(request.body == RequestText.booking.sent.bytes)
    }

    // MARK: Conversation

    @Test(
        arguments: [
            (#""c""#, "c"), (#""call\u002d7""#, "call-7"), (#"" ""#, " "), (RequestText.string(128, of: "ä"), nil),
            (RequestText.string(256), nil),
        ] as [(String, String?)])
    func aConversationIsReadAndTakenOff(_ value: String, _ text: String?) throws {
        let request = try Self.request(RequestText.booking.setting("conversation", value))
        #expect(request.wish?.conversation == text ?? String(value.dropFirst().dropLast()))
        #expect(request.body == RequestText.booking.sent.bytes)
        #expect(try Self.request(RequestText.booking.setting("conversation", nil)).wish?.conversation == nil)
    }

    @Test(arguments: [
        "true", "5", "[]", "{}", RequestText.string(257), RequestText.string(129, of: "ä"),
    ])
    func anotherConversationIsRefused(_ value: String) throws {
        try Self.expectRefusal(
            RequestText.booking.setting("conversation", value), "conversation", "must be a string of 1 to 256 bytes")
    }

    @Test func aConversationNeedsAWholeRequest() throws {
        let resume = RequestText().setting("idempotency_key", #""k""#).setting("resume", "true")
        try Self.expectRefusal(resume.setting("conversation", #""c""#), "conversation", "must be left out")
        #expect(refusal(.createBooking, resume.bytes) == nil)
    }

    // MARK: Other operations

    /// They do not know these members. What they do not know travels on.
    @Test(arguments: ["conversation", "give_up", "start_before"], ["null", "5", "true", #""x""#])
    func otherOperationsSendThem(_ name: String, _ value: String) throws {
        for operation in [CallOperation.searchAvailability, .lookupCustomer] {
            let text = RequestText.of(operation).setting(name, value)
            let request = try Request(operation, json: text.bytes)
            #expect(request.givesUp == nil && request.wish == nil)
            #expect(String(decoding: request.body, as: UTF8.self).hasSuffix(",\"\(name)\":\(value)}"))
        }
    }
}
