import Testing

@testable import PartnerBooking

/// Requests for the past. A language model that does not know the date asks for last year.
@Suite struct RequestPastTests {
    /// Monday, 14 January 2030, 14:00 UTC.
    private static let now = 1_894_629_600

    private static func refusal(
        _ operation: CallOperation, _ text: RequestText, now: Int = now
    ) throws -> PartnerBookingError? {
        let request = try Request(operation, json: text.bytes)
        do throws(PartnerBookingError) {
            try request.checkNotPast(now: now)
            return nil
        } catch {
            return error
        }
    }

    private static func booking(_ start: String) -> RequestText {
        RequestText.booking.setting("booking.start_at", "\"\(start)\"")
    }

    private static func search(_ start: String, _ end: String) -> RequestText {
        RequestText.search.setting("query.filter.start_at_range.start_at", "\"\(start)\"")
            .setting("query.filter.start_at_range.end_at", "\"\(end)\"")
    }

    // MARK: Bookings

    @Test(arguments: [
        "2024-01-15T10:00:00Z", "2024-01-15T10:00:00-05:00", "2029-12-31T23:59:59Z", "2030-01-14T13:54:59Z",
        "2030-01-14T08:54:59-05:00", "2030-01-14T23:54:59.9+10:00", "0001-01-01T00:00:00Z",
    ])
    func aBookingWhoseStartHasPassedIsRefused(_ start: String) throws {
        let error = try #require(try Self.refusal(.createBooking, Self.booking(start)))
        #expect(error.code == .invalidField && error.field == "booking.start_at" && !error.isRetryable)
        #expect(
            error.message == "booking.start_at is \(start), which is in the past: today is Monday, 2030-01-14, and the "
                + "time is 14:00 in UTC. Ask for a future time")
    }

    /// A start five minutes ago may be a clock that is ahead, or a caller who has come already: the platform decides.
    @Test(arguments: [
        "2030-01-14T14:00:00Z", "2030-01-14T13:55:00Z", "2030-01-14T08:55:00-05:00", "2030-01-14T13:55:00.5Z",
        "2030-01-14T14:00:01Z", "2031-01-14T10:00:00Z", "9999-12-31T23:59:59Z",
    ])
    func aBookingThatIsToComeIsNot(_ start: String) throws {
        #expect(try Self.refusal(.createBooking, Self.booking(start)) == nil)
    }

    // MARK: Searches

    @Test(
        arguments: [
            ("2024-01-15T09:00:00Z", "2024-01-19T17:00:00Z", true), ("2030-01-14T09:00:00Z", "2030-01-14T13:54:59Z", true),
            ("2024-01-15", "2024-01-19", true), ("2024-01-15T09:00:00-05:00", "2024-01-19", true),
            // A part of it is to come, or only a moment ago.
            ("2030-01-14T09:00:00Z", "2030-01-14T13:55:00Z", false), ("2024-01-15T09:00:00Z", "2030-01-15T09:00:00Z", false),
            ("2030-01-14", "2030-01-14", false), ("2024-01-15", "2030-01-14", false),
            // In UTC-12 it is the 14th until 12:00 UTC of the 15th.
            ("2030-01-13", "2030-01-13", true),
        ] as [(String, String, Bool)])
    func aSearchIsRefusedWhenItsWholeRangeHasPassed(_ start: String, _ end: String, _ isPast: Bool) throws {
        let error = try Self.refusal(.searchAvailability, Self.search(start, end))
        #expect((error != nil) == isPast)
        guard let error else { return }
        #expect(error.code == .invalidField && error.field == "query.filter.start_at_range.end_at")
        let beginning = "query.filter.start_at_range.end_at is \(end), which is in the past: today is Monday, "
        #expect(error.message.hasPrefix(beginning))
    }

    /// A date is over when it is over in every time zone. The clinic's is not known.
    @Test func aDateEndsLastInTheWest() throws {
        let search = Self.search("2030-01-13", "2030-01-13")
        let end = try #require(Timestamp("2030-01-14T12:00:00Z")?.instantSeconds) + Request.pastToleranceSeconds
        #expect(try Self.refusal(.searchAvailability, search, now: end) == nil)
        #expect(try Self.refusal(.searchAvailability, search, now: end + 1) != nil)
    }

    // MARK: The rest

    @Test func aLookUpHasNoTime() throws { #expect(try Self.refusal(.lookupCustomer, .lookup, now: .max) == nil) }

    /// It is settled, whenever it starts.
    @Test(arguments: [
        #"{"idempotency_key":"k","resume":true}"#, #"{"idempotency_key":"k","give_up":true}"#,
        #"{"give_up":true,"bot_id":"b","start_before":"2024-01-15T00:00:00Z"}"#,
    ])
    func whatIsRecordedIsNotChecked(_ text: String) throws {
        try Request(.createBooking, json: Array(text.utf8)).checkNotPast(now: Self.now)
        let resume = try Request(.createBooking, json: Array(#"{"idempotency_key":"k","resume":true}"#.utf8))
        let recorded = try Request(.createBooking, json: Self.booking("2024-01-15T10:00:00Z").bytes).body
        try resume.sending(recorded).checkNotPast(now: Self.now)
    }

    @Test(arguments: [
        (0, "Thursday, 1970-01-01, and the time is 00:00 in UTC"),
        (-1, "Wednesday, 1969-12-31, and the time is 23:59 in UTC"),
        (1_893_456_000, "Tuesday, 2030-01-01, and the time is 00:00 in UTC"),
        (951_825_599, "Tuesday, 2000-02-29, and the time is 11:59 in UTC"),
    ])
    func aDayIsNamed(_ seconds: Int, _ text: String) { #expect(Timestamp.day(ofSeconds: seconds) == text) }

    // MARK: Clients

    private static func sandbox(_ now: String, _ more: String = "") throws -> PartnerBookingClient {
        try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox","sandbox":{"now":"\#(now)"}\#(more)}"#.utf8))
    }

    /// Nothing is sent. The sandbox's clock is what counts at the sandbox, and the system's elsewhere.
    @Test func aClientRefusesThePastByItsClock() throws {
        let late = try Self.sandbox("2030-01-15T08:00:00Z")
        let error = late.call(.createBooking, request: Sample.booking()).failure
        #expect(error?.code == .invalidField && error?.outcome == .notSent && error?.attempts == 0)
        #expect(error?.message.contains("today is Tuesday, 2030-01-15, and the time is 08:00 in UTC") == true)
        #expect(late.call(.searchAvailability, request: Sample.search()).failure?.code == .invalidField)
        let early = try Self.sandbox("2001-01-01T08:00:00Z", #","timeout_ms":5000"#)
        let request = Self.booking("2001-01-01T10:00:00Z").setting("booking.duration_minutes", "30")
        #expect(early.call(.createBooking, request: request.bytes).failure == nil)
        let elsewhere = try PartnerBookingClient("http://127.0.0.1:9")
        #expect(elsewhere.call(.createBooking, request: request.bytes).failure?.field == "booking.start_at")
    }

    /// The key says what became of it. A repeat must get that, also when the appointment is over.
    @Test func aKeyThatIsKnownKeepsItsBooking() throws {
        let file = try TemporaryPath()
        let journal = #","journal_path":"\#(file.path)""#
        let first = try Self.sandbox("2030-01-14T08:00:00Z", journal)
        let reply = try first.call(.createBooking, request: Sample.booking()).get()
        _ = try first.close(timeout: .seconds(1))
        let second = try Self.sandbox("2030-01-15T08:00:00Z", journal)
        #expect(try second.call(.createBooking, request: Sample.booking()).get() == reply)
        let other = second.call(.createBooking, request: Sample.booking(key: "key-2")).failure
        #expect(other?.field == "booking.start_at" && other?.outcome == .notSent)
    }
}
