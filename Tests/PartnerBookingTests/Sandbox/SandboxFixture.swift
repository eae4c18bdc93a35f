import Testing

@testable import PartnerBooking

/// A sandbox with the pipeline's endpoint in front of it, under a clock of the test's own.
struct SandboxFixture {
    private var sandbox: Sandbox
    private let endpoint: PartnerAPIEndpoint
    var now: Int

    /// `members` are those of the configuration's `sandbox`; the clock shows Monday, 14 January 2030, 08:00 UTC.
    init(_ members: [String: String] = [:], configuration: [String: String] = [:], now: String = "2030-01-14T08:00:00Z")
        throws
    {
        var text = ConfigurationSample.sandbox
        for (name, value) in members { text = text.setting("sandbox.\(name)", value) }
        for (name, value) in configuration { text = text.setting(name, value) }
        let read = try ConfigurationSample.read(text)
        let clinic = try #require(ConfigurationSample.clinic(read))
        let settings = try ConfigurationSample.settings(read)
        sandbox = Sandbox(clinic, settings)
        endpoint = PartnerAPIEndpoint(settings)
        self.now = try Self.seconds(now)
    }

    static func seconds(_ text: String) throws -> Int { try #require(Timestamp.read(text)?.instantSeconds) }

    mutating func answer(
        _ request: HTTPRequest, at moment: MonotonicTime = .now(), _ manner: Sandbox.Manner = .init()
    ) -> HTTPReply {
        sandbox.answer(request, now: now, at: moment, manner)
    }

    /// Through the pipeline's first stages.
    func request(_ operation: CallOperation, _ text: RequestText) throws -> HTTPRequest {
        try endpoint.message(for: Request(operation, json: text.bytes)).httpRequest()
    }

    mutating func answer(_ operation: CallOperation, _ text: RequestText) throws -> HTTPReply {
        answer(try request(operation, text))
    }

    /// By hand: whatever the body and the headers.
    mutating func answer(
        path: String, headers: [String] = ["Authorization: Bearer sk_ptnr_x", "Idempotency-Key: k"], _ body: String
    ) -> HTTPReply {
        answer(
            HTTPRequest(
                target: HTTPTarget(
                    url: "https://host.test\(path)", headers: [],
                    origin: HTTPOrigin(number: 0, warmUpURL: "https://host.test/", isPublicOnly: false)),
                headers: headers, body: Array(body.utf8)))
    }

    /// Opening hours without a break.
    static let alwaysOpen =
        "{"
        + ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        .map { #""\#($0)":["00:00-24:00"]"# }.joined(separator: ",") + "}"

    // MARK: Searching

    static func searchText(_ start: String, _ end: String, bot: String = "bot_7") -> RequestText {
        RequestText().setting("bot_id", "\"\(bot)\"").setting("query.filter.start_at_range.start_at", "\"\(start)\"")
            .setting("query.filter.start_at_range.end_at", "\"\(end)\"")
    }

    /// The starts of the free slots.
    mutating func slots(_ start: String, _ end: String) throws -> [String] {
        try slotsWithLengths(start, end).map(\.start)
    }

    mutating func slotsWithLengths(_ start: String, _ end: String) throws -> [(start: String, minutes: Int)] {
        let reply = try answer(.searchAvailability, Self.searchText(start, end))
        try #require(reply.status == 200, "\(String(decoding: reply.body, as: UTF8.self))")
        let list = try #require(try JSONDocument(reply.body, profile: .request).root["availabilities"])
        return try list.elements.map {
            (try #require($0["start_at"]?.string), try #require($0["duration_minutes"]?.integer))
        }
    }

    // MARK: Booking

    static func bookingText(
        _ start: String, _ minutes: Int = 30, key: String = "key-1", name: String = "Q", bot: String = "bot_7"
    ) -> RequestText {
        RequestText().setting("bot_id", "\"\(bot)\"").setting("idempotency_key", "\"\(key)\"")
            .setting("booking.start_at", "\"\(start)\"").setting("booking.duration_minutes", "\(minutes)")
            .setting("booking.customer.phone", #""+4930987""#).setting("booking.customer.name", "\"\(name)\"")
    }

    mutating func book(_ start: String, _ minutes: Int = 30, key: String) throws -> HTTPReply {
        try answer(.createBooking, Self.bookingText(start, minutes, key: key))
    }
}

extension HTTPReply {
    /// The booking's member, when one was made.
    func booking(_ name: StaticString) throws -> String? {
        try JSONDocument(body, profile: .request).root["booking"]?[name]?.string
    }

    /// The error's code and message, when the body is the API's error object and nothing else.
    var refusal: (code: String, message: String)? {
        guard let root = try? JSONDocument(body, profile: .request).root, let error = root["error"],
            root.members.map({ $0.key.string }) == ["error"], error.members.map({ $0.key.string }) == ["code", "message"],
            let code = error["code"]?.string, let message = error["message"]?.string
        else { return nil }
        return (code, message)
    }

    func expect(_ status: Int, _ code: String? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self.status == status, "\(String(decoding: body, as: UTF8.self))", sourceLocation: sourceLocation)
        #expect(refusal?.code == code, "\(String(decoding: body, as: UTF8.self))", sourceLocation: sourceLocation)
    }
}
