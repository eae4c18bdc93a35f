import Testing

@testable import PartnerBooking

/// Which success is a booking: docs/errors.md, "A success is a booking".
@Suite struct BookingReplyTests {
    /// 2030-01-14T10:00:00Z
    private static let start = 1_894_615_200

    private static func judge(
        _ booking: String, startSeconds: Int? = start, source: PartnerBookingError.Source = .partnerAPI
    ) -> AttemptResult {
        let reply = AttemptSamples.reply(201, #"{"more":1.50,"booking":\#(booking)}"#, ["Content-Type": "application/json"])
        return AttemptResult(
            .reply(reply), to: .init(operation: .createBooking, source: source, startSeconds: startSeconds))
    }

    // MARK: What is one at all

    @Test(arguments: [
        #"{"id":"b"}"#, #"{"id":7}"#, #"{"id":false}"#, #"{"start_at":"2030-01-14T10:00:00Z"}"#, #"{"start_at":"later"}"#,
        #"{"id":"b","start_at":null}"#, #"{"id":null,"start_at":"2030-01-14T10:00:00Z"}"#, #"{"id":"b","error":null}"#,
        #"{"id":"b","errors":[1]}"#, #"{"\u0069d":"b"}"#, #"{"id":"b","status":null}"#, #"{"id":"b","status":7}"#,
        #"{"id":"b","notes":"cut \ud83d"}"#,
    ])
    func aBookingHasAnIDOrAStart(_ booking: String) {
        let attempt = Self.judge(booking)
        #expect(attempt.answer == .made && !attempt.isRetryable && attempt.isOutage == false)
        #expect(attempt.reply == Array(#"{"more":1.50,"booking":\#(booking)}"#.utf8), "byte for byte")
    }

    @Test(arguments: [
        "{}", #"{"id":null}"#, #"{"start_at":null}"#, #"{"id":null,"start_at":null}"#, #"{"status":"confirmed"}"#,
        #"{"ID":"b"}"#, #"{"booking":{"id":"b"}}"#, #"{"error":"full"}"#, #"{"id":"b","error":{"code":"c"}}"#,
        #"{"id":"b","error":false}"#, #"{"start_at":"2030-01-14T10:00:00Z","error":""}"#, "[]", "null", "true", #""b""#,
    ])
    func anythingElseIsAnInvalidReply(_ booking: String) throws {
        let attempt = Self.judge(booking)
        let error = try #require(attempt.error)
        #expect(error.code == .invalidReply && error.status == 201 && error.received?.contentType == "application/json")
        #expect(attempt.answer == .none && !attempt.isRetryable && error.reply == nil)
        #expect(error.message.contains("booking") && error.message.contains("start_at"))
    }

    // MARK: Status

    @Test(arguments: ["declined", "cancelled", "canceled", "rejected", "no_show", "failed", "expired"])
    func aStatusThatSaysNoIsNotConfirmed(_ status: String) throws {
        for spelling in [status, status.uppercased(), status.prefix(1).uppercased() + status.dropFirst()] {
            let booking = #"{"id":"b","start_at":"2030-01-14T10:00:00Z","status":"\#(spelling)"}"#
            let attempt = Self.judge(booking, source: .platform)
            let error = try #require(attempt.error)
            #expect(attempt.answer == .notConfirmed && !attempt.isRetryable)
            #expect(error.code == .notConfirmed && error.source == .platform && !error.isFromService && !error.isRetryable)
            #expect(error.status == 201 && error.message.contains(status))
            #expect(error.reply == Array(#"{"more":1.50,"booking":\#(booking)}"#.utf8), "as it came")
        }
    }

    @Test(arguments: [
        "confirmed", "pending", "accepted", "CONFIRMED", "booked", "unknown", "", "declined ", "not_declined", "no-show",
        "不",
    ])
    func anyOtherStatusIsASuccess(_ status: String) {
        #expect(Self.judge(#"{"id":"b","status":"\#(status)"}"#).answer == .made)
    }

    // MARK: The start

    @Test(arguments: [
        "2030-01-14T10:00:00Z", "2030-01-14T10:00:00.000Z", "2030-01-14T05:00:00-05:00", "2030-01-14T15:30:00+05:30",
        "2030-01-15T00:00:00+14:00",
    ])
    func theSameInstantIsTheSameStartInAnyZone(_ text: String) {
        #expect(Self.judge(#"{"id":"b","start_at":"\#(text)"}"#).answer == .made)
    }

    @Test(arguments: [
        "2030-01-14T10:00:01Z", "2030-01-14T10:00:00+01:00", "2030-01-14T11:00:00Z", "2031-01-14T10:00:00Z",
    ])
    func anotherInstantIsAnotherBooking(_ text: String) throws {
        let booking = #"{"id":"b","start_at":"\#(text)","status":"declined"}"#
        let attempt = Self.judge(booking)
        let error = try #require(attempt.error)
        #expect(attempt.answer == .otherBooking, "the start comes first: of another booking the status says nothing")
        #expect(error.code == .otherBooking && error.status == 201 && !error.isRetryable && !error.isFromService)
        #expect(error.reply == Array(#"{"more":1.50,"booking":\#(booking)}"#.utf8), "as it came")
        #expect(Self.judge(booking, startSeconds: nil).answer == .notConfirmed, "check_start_at is off")
    }

    /// What is missing, or no instant, proves nothing.
    @Test(arguments: [
        #""2030-01-14T11:00:00""#, #""2030-01-14""#, #""11:00""#, #""""#, "null", "7", "{}", #""2030-02-30T10:00:00Z""#,
    ])
    func aStartThatIsNoInstantProvesNothing(_ text: String) {
        #expect(Self.judge(#"{"id":"b","start_at":\#(text)}"#).answer == .made)
    }

    /// Another body than a small JSON object cannot become part of an error's text.
    @Test func aBodyThatNoReaderCouldReadIsNotPassedOn() throws {
        let cut = #"{"id":"b","status":"declined","notes":"cut \ud83d"}"#
        #expect(try #require(Self.judge(cut).error).reply == nil)
        let long = #"{"id":"b","status":"declined","notes":"\#(String(repeating: "x", count: 70_000))"}"#
        let error = try #require(Self.judge(long).error)
        #expect(error.code == .notConfirmed && error.reply == nil)
        #expect(throws: Never.self) { try JSON.validate(error.json, profile: .request) }
    }

    // MARK: A transfer that broke

    @Test(arguments: [
        (#"{"id":"b","status":"declined"}"#, Answer.notConfirmed),
        (#"{"id":"b","start_at":"2031-01-14T10:00:00Z"}"#, .otherBooking), (#"{"id":"b"}"#, .made),
    ])
    func aWholeReplyCountsThoughItsTransferBroke(_ booking: String, _ answer: Answer) {
        let partial = AttemptSamples.reply(201, #"{"booking":\#(booking)}"#)
        let question = AttemptResult.Question(operation: .createBooking, startSeconds: Self.start)
        #expect(AttemptResult(.failure(AttemptSamples.failure(partial: partial)), to: question).answer == answer)
        #expect(AttemptResult(partial: partial, to: question)?.answer == answer)
        let cut = AttemptSamples.reply(201, String(#"{"booking":\#(booking)}"#.dropLast()))
        #expect(AttemptResult(partial: cut, to: question) == nil)
    }
}
