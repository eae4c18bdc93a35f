import Testing

@testable import PartnerBooking

/// The typed requests write what docs/json-contract.md describes, and what they write is accepted.
@Suite struct TypedRequestTests {
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static var search: SearchAvailabilityRequest {
        SearchAvailabilityRequest(
            botID: "bot_01h2xcejqtf2nbrexx3vqjhp41", startAt: "2030-01-14T09:00:00Z", endAt: "2030-01-14T17:00:00Z")
    }

    private static var booking: CreateBookingRequest {
        CreateBookingRequest(
            botID: "bot_01h2xcejqtf2nbrexx3vqjhp41", idempotencyKey: "call-7-booking-1", startAt: "2030-01-14T10:00:00Z",
            durationMinutes: 30, customer: .init(phone: "+15551234567", name: "John Doe", email: "john@example.com"),
            notes: "Initial consultation")
    }

    private static let everyOption = CallOptions(
        timeout: .seconds(3), slowAfter: .milliseconds(700), tag: "call-7",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    private static let optionsText =
        #""timeout_ms":3000,"slow_after_ms":700,"tag":"call-7","#
        + #""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#

    // MARK: The texts of the documentation

    @Test func searchIsThatOfTheDocumentation() {
        let text =
            #"{"bot_id":"bot_01h2xcejqtf2nbrexx3vqjhp41","query":{"filter":{"start_at_range":"#
            + #"{"start_at":"2030-01-14T09:00:00Z","end_at":"2030-01-14T17:00:00Z"}}}}"#
        #expect(Self.text(Self.search.json) == text)
        var search = Self.search
        search.options = Self.everyOption
        #expect(Self.text(search.json) == text.dropLast() + "," + Self.optionsText)
        #expect(refusal(.searchAvailability, search.json) == nil)
    }

    @Test func bookingIsThatOfTheDocumentation() {
        let text =
            #"{"bot_id":"bot_01h2xcejqtf2nbrexx3vqjhp41","idempotency_key":"call-7-booking-1","booking":"#
            + #"{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"customer":"#
            + #"{"phone":"+15551234567","name":"John Doe","email":"john@example.com"},"notes":"Initial consultation"}}"#
        #expect(Self.text(Self.booking.json) == text)
        var booking = Self.booking
        booking.conversation = "call-7"
        booking.isDetached = true
        booking.options = Self.everyOption
        #expect(
            Self.text(booking.json) == text.dropLast() + #","conversation":"call-7","detach":true,"# + Self.optionsText)
        #expect(refusal(.createBooking, booking.json) == nil)
    }

    /// nil is left out: the contract refuses `null`.
    @Test func whatIsNotSetIsLeftOut() {
        let booking = CreateBookingRequest(
            botID: "b", idempotencyKey: "k", startAt: "2030-01-14T10:00:00Z", durationMinutes: 30,
            customer: .init(phone: "+15551234567", name: "J"))
        let text =
            #"{"bot_id":"b","idempotency_key":"k","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"#
            + #""customer":{"phone":"+15551234567","name":"J"}}}"#
        #expect(Self.text(booking.json) == text)
        #expect(!booking.isDetached && booking.conversation == nil)
        #expect(refusal(.createBooking, booking.json) == nil)
    }

    @Test func aGiveUpIsThatOfTheDocumentation() throws {
        let one = GiveUpRequest(.booking(key: "call-7"), CallOptions())
        #expect(Self.text(one.json) == #"{"give_up":true,"idempotency_key":"call-7"}"#)
        #expect(try Request(.createBooking, json: one.json).givesUp == .booking(key: "call-7"))
        let several = GiveUpRequest(.bookings(botID: "b", startBefore: "2030-01-14T09:00:00-05:00"), Self.everyOption)
        let text = #"{"give_up":true,"bot_id":"b","start_before":"2030-01-14T09:00:00-05:00","#
        #expect(Self.text(several.json) == text + Self.optionsText)
        let request = try Request(.createBooking, json: several.json)
        let instant = Timestamp.instant(seconds: 1_894_629_600, nanoseconds: 0)
        #expect(request.givesUp == .bookings(botID: "b", startBefore: instant) && request.idempotencyKey == nil)
    }

    // MARK: What a text may hold

    static let texts = [
        "J", "Jürgen Groß", "李小龍", "👩‍👩‍👧‍👦 😀", "e\u{301}", #"Robert "Bob" O'Neil"#, #"back\slash"#, #"\u0041 \n"#, "a/b",
        "line\nbreak\r\n\ttab", "\u{0}\u{1}\u{8}\u{c}\u{1f}\u{7f}", "\u{2028}\u{2029}\u{feff}", "</script>", "{}[],:",
    ]

    @Test(arguments: texts)
    func anyTextArrivesAsItIs(_ text: String) throws {
        var booking = Self.booking
        booking.customer.name = text
        booking.notes = text
        booking.options.tag = text
        booking.conversation = text
        let document = try JSONDocument(booking.json, profile: .request)
        let written = try #require(document.root["booking"])
        #expect(written["customer"]?["name"]?.string == text)
        #expect(written["notes"]?.string == text)
        #expect(written["customer"]?["phone"]?.string == "+15551234567")
        // Compared byte by byte: Swift takes é and e with an accent for the same.
        #expect(Array(try #require(written["notes"]?.string).utf8) == Array(text.utf8))
        // Sent without control characters only.
        let isBlank = InputText.isBlank(text)
        if isBlank || text.utf8.contains(where: { $0 < 0x20 }) {
            #expect(refusal(.createBooking, booking.json)?.kind == (isBlank ? .empty : .controlCharacter))
            booking.customer.name = "J"
            booking.notes = nil
        }
        let request = try Request(.createBooking, json: booking.json)
        #expect(request.tag.map { Array($0.utf8) } == Array(text.utf8))
        #expect(request.wish?.conversation.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test func textsAreWrittenWithTheFewestEscapes() {
        var search = Self.search
        search.botID = "é😀\u{2028}/'\" \\ \n\r\t \u{0}\u{8}\u{1f}\u{7f}"
        let expected = "{\"bot_id\":\"é😀\u{2028}/'\\\" \\\\ \\n\\r\\t \\u0000\\u0008\\u001f\u{7f}\",\"query\":"
        #expect(Self.text(search.json).hasPrefix(expected))
    }

    /// A value that the contract refuses is refused by name, as in JSON.
    @Test func wrongValuesAreRefusedByTheirPath() {
        func field(_ change: (inout CreateBookingRequest) -> Void) -> String? {
            var booking = Self.booking
            change(&booking)
            return refusal(.createBooking, booking.json)?.field
        }
        #expect(field { $0.botID = "" } == "bot_id")
        #expect(field { $0.idempotencyKey = "two words" } == "idempotency_key")
        #expect(field { $0.startAt = "2030-01-14" } == "booking.start_at")
        #expect(field { $0.durationMinutes = 0 } == "booking.duration_minutes")
        #expect(field { $0.customer.phone = "5551234567" } == "booking.customer.phone")
        #expect(field { $0.customer.name = " " } == "booking.customer.name")
        #expect(field { $0.customer.email = "nobody" } == "booking.customer.email")
        #expect(field { $0.conversation = "" } == nil, "absent")
        #expect(field { $0.conversation = String(repeating: "x", count: 257) } == "conversation")
        #expect(field { $0.options.timeout = .zero } == "timeout_ms")
        #expect(field { $0.options.timeout = .nanoseconds(-1) } == "timeout_ms")
        #expect(field { $0.options.timeout = .seconds(Int64.max) } == "timeout_ms")
        #expect(field { $0.options.slowAfter = .milliseconds(600_001) } == "slow_after_ms")
        #expect(field { $0.options.tag = String(repeating: "x", count: 257) } == "tag")
        #expect(field { $0.options.traceparent = "" } == nil, "absent")
        #expect(field { $0.options.traceparent = "00" } == "traceparent")
        #expect(field { _ in } == nil)
    }
}
