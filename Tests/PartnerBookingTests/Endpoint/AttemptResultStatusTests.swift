import Testing

@testable import PartnerBooking

/// docs/errors.md, "When the service answers": every status, with and without a reason.
@Suite struct AttemptResultStatusTests {
    struct Row: Sendable, CustomStringConvertible {
        let status: Int
        /// The service's code; nil when the body has none.
        let code: String?
        let answer: Answer
        /// It is worth another attempt in this call, and another call.
        let isRetryable: Bool

        init(_ status: Int, _ code: String?, _ answer: Answer, retryable: Bool = false) {
            self.status = status
            self.code = code
            self.answer = answer
            isRetryable = retryable
        }

        var description: String { "\(status) \(code ?? "without a code")" }
    }

    /// The same for every body that is not about the booking.
    private static let statuses: [Row] = [
        Row(100, nil, .none),
        Row(301, nil, .none),
        Row(303, nil, .none),
        Row(304, nil, .none),
        Row(307, nil, .none),
        Row(400, nil, .callerRefused),
        Row(401, nil, .callerRefused),
        Row(402, nil, .callerRefused),
        Row(403, nil, .callerRefused),
        Row(404, nil, .callerRefused),
        Row(405, nil, .callerRefused),
        Row(408, nil, .none, retryable: true),
        Row(410, nil, .callerRefused),
        Row(413, nil, .callerRefused),
        Row(422, nil, .callerRefused),
        Row(425, nil, .callerRefused, retryable: true),
        Row(429, nil, .callerRefused, retryable: true),
        Row(499, nil, .callerRefused),
        Row(500, nil, .none, retryable: true),
        Row(501, nil, .none),
        Row(502, nil, .none, retryable: true),
        Row(503, nil, .none, retryable: true),
        Row(504, nil, .none, retryable: true),
        Row(505, nil, .none),
        Row(511, nil, .none, retryable: true),
        Row(520, nil, .none, retryable: true),
        Row(599, nil, .none, retryable: true),
        Row(600, nil, .none),
        Row(999, nil, .none),
    ]

    static let rows =
        statuses
        + statuses.map { Row($0.status, "a_code", $0.answer, retryable: $0.isRetryable) }
        + [
            Row(409, "slot_unavailable", .bookingRefused),
            Row(409, "a_code", .conflict),
            Row(409, "slot_unavailable_now", .conflict),
            Row(409, nil, .conflict),
            Row(409, "in_progress", .inProgress, retryable: true),
            Row(409, "idempotency_in_progress", .inProgress, retryable: true),
            Row(404, "slot_unavailable", .bookingRefused),
            Row(404, "BOOKING_NOT_FOUND", .bookingRefused),
            Row(404, "no_such_appointment", .bookingRefused),
            Row(404, "bot_not_found", .callerRefused),
            Row(400, "validation_failed", .bookingRefused),
            Row(410, "booking_gone", .bookingRefused),
            Row(422, "outside_opening_hours", .bookingRefused),
            Row(422, "bot_has_no_booking_calendar", .callerRefused),
            Row(400, "in_progress", .callerRefused),
            // Elsewhere the words change nothing.
            Row(401, "slot_unavailable", .callerRefused),
            Row(403, "booking_not_allowed", .callerRefused),
            Row(429, "slot_unavailable", .callerRefused, retryable: true),
            Row(500, "in_progress", .none, retryable: true),
            Row(500, "slot_unavailable", .none, retryable: true),
            Row(200, nil, .none),
            Row(201, nil, .none),
            Row(202, nil, .none),
            Row(204, nil, .none),
            Row(299, "a_code", .none),
            Row(200, "a_code", .none),
        ]

    @Test(arguments: rows, CallOperation.allCases)
    func everyStatusHasItsMeaning(_ row: Row, _ operation: CallOperation) throws {
        let body = row.code.map { AttemptSamples.refusal($0) } ?? "<html>502</html>"
        let headers = ["X-Request-Id": "req_1", "Content-Type": "text/html"]
        let attempt = AttemptSamples.judge(AttemptSamples.reply(row.status, body, headers), operation)
        let error = try #require(attempt.error)
        let isSuccess = 200...299 ~= row.status
        let isOwnWord = row.code != nil && !isSuccess
        #expect(error.code.rawValue == (isSuccess ? "invalid_reply" : row.code ?? "http_error"))
        #expect(error.isFromService == isOwnWord)
        #expect(error.source == (isOwnWord && row.code == "slot_unavailable" ? .platform : .partnerAPI))
        // Only bookings have a key that can be in progress.
        let isRetryable = row.isRetryable && (row.answer != .inProgress || operation == .createBooking)
        #expect(error.status == row.status)
        #expect(error.requestID == "req_1")
        #expect(error.isRetryable == isRetryable && attempt.isRetryable == isRetryable)
        #expect(error.retryAfterMilliseconds == nil && error.curlCode == nil && error.field == nil)
        if isOwnWord {
            #expect(error.message == "The service's words")
        } else {
            #expect(error.message.contains("HTTP \(row.status) "))
            #expect(!error.message.contains("html"), "the body is never repeated")
        }
        #expect(error.received == .init(contentType: "text/html", byteCount: body.utf8.count))
        let isPassedOn = row.code != nil && !isSuccess
        #expect(error.reply == (isPassedOn ? Array(body.utf8) : nil), "markup is no JSON")
        #expect(attempt.answer == row.answer)
        #expect(attempt.isUnauthorized == (row.status == 401))
    }

    @Test(
        arguments: [
            ("idempotency_key_in_progress", nil, .inProgress), ("request_in_progress", nil, .inProgress),
            ("key_in_use", nil, .inProgress), ("still_processing", nil, .inProgress), ("IN_PROGRESS", nil, .inProgress),
            ("conflict", nil, .conflict), ("idempotency_key_reused", nil, .conflict), ("conflict", "1", .inProgress),
            ("slot_unavailable", "1", .bookingRefused), ("slot_unavailable", nil, .bookingRefused),
        ] as [(String, String?, Answer)])
    func aKeyInProgressIsTold(_ code: String, _ retryAfter: String?, _ expected: Answer) {
        let headers = retryAfter.map { ["Retry-After": $0] } ?? [:]
        let body = AttemptSamples.refusal(code)
        #expect(AttemptSamples.judge(AttemptSamples.reply(409, body, headers)).answer == expected)
        #expect(AttemptSamples.judge(AttemptSamples.reply(503, body, headers)).answer == .none)
    }

    @Test(arguments: [
        (200, false), (201, false), (400, false), (401, false), (409, false), (429, false), (500, true), (502, true),
        (503, true), (504, true),
    ])
    func outagesAreToldByStatus(_ status: Int, _ expected: Bool) {
        #expect(AttemptSamples.judge(AttemptSamples.reply(status, "{}")).isOutage == expected)
    }

    @Test func failuresOfTheNetworkAreOutagesAndTheMachinesOwnSayNothing() {
        for code in [PartnerBookingError.Code.connectFailed, .dnsFailed, .tlsFailed, .connectionLost, .proxyFailed] {
            #expect(AttemptSamples.judge(AttemptSamples.failure(code)).isOutage == true)
        }
        #expect(AttemptSamples.judge(AttemptSamples.failure(.resourceUnavailable)).isOutage == nil)
    }

    @Test(
        arguments: [
            ("250", nil, 250), ("250", "9", 250), ("x", "9", 9_000), ("", "9", 9_000), ("-1", nil, nil),
            ("99999999999999999999", nil, 86_400_000), (nil, "2", 2_000), (nil, nil, nil),
        ] as [(String?, String?, Int?)])
    func millisecondsComeFirst(_ milliseconds: String?, _ seconds: String?, _ expected: Int?) {
        let headers = ["Retry-After-Ms": milliseconds, "Retry-After": seconds].compactMapValues { $0 }
        let reply = AttemptSamples.reply(503, "{}", headers)
        #expect(AttemptSamples.judge(reply).retryAfterMilliseconds == expected)
    }

    @Test(arguments: [
        ("slot_unavailable", PartnerBookingError.Source.platform), ("invalid_signature", .platform),
        ("invalid_payload", .platform), ("Slot_unavailable", .platform), ("slot-taken", .platform),
        ("booking_conflict", .platform), ("Invalid_payload", .partnerAPI), ("conflict", .partnerAPI),
        ("unauthorized", .partnerAPI), ("http_error", .partnerAPI),
        ("timeout", .partnerAPI),
    ])
    func thePlatformsWordsAreThePlatforms(_ code: String, _ source: PartnerBookingError.Source) {
        let error = AttemptSamples.judge(AttemptSamples.reply(400, AttemptSamples.refusal(code))).error
        #expect(error?.code.rawValue == code)
        #expect(error?.source == source)
        #expect(error?.isFromService == true)
    }

    @Test(arguments: [429, 503, 500, 409, 301])
    func retryAfterIsPassedOnWithAnyRefusal(_ status: Int) {
        for (header, milliseconds) in [
            ("7", 7_000), ("0", 0), ("Mon, 14 Jan 2030 09:00:09 GMT", 9_000), ("Mon, 14 Jan 2030 08:00:00 GMT", 0),
            ("soon", nil),
        ] as [(String, Int?)] {
            let body = AttemptSamples.refusal("a_code")
            let attempt = AttemptSamples.judge(AttemptSamples.reply(status, body, ["Retry-After": header]))
            #expect(attempt.error?.retryAfterMilliseconds == milliseconds, "\(header)")
            #expect(attempt.retryAfterMilliseconds == milliseconds, "\(header)")
        }
    }

    @Test func aRetryAfterWithASuccessIsNobodysBusiness() {
        let reply = AttemptSamples.reply(200, "", ["Retry-After": "7"])
        #expect(AttemptSamples.judge(reply).error?.retryAfterMilliseconds == nil)
        #expect(AttemptSamples.judge(reply).retryAfterMilliseconds == nil)
    }

    // MARK: The error object

    @Test(arguments: [
        (#"{"error":{"code":"c","message":"m"}}"#, "m"),
        (#" {"error" : {"message":"m","code":"c","more":[1]},"trace":"t"} "#, "m"),
        (#"{"\u0065rror":{"c\u006fde":"\u0063","mess\u0061ge":"\u006d\n"}}"#, "m\n"),
        (#"{"error":{"code":"c"}}"#, "HTTP 400 without a text in the body"),
        (#"{"error":{"code":"c","message":null}}"#, "HTTP 400 without a text in the body"),
        (#"{"error":{"code":"c","message":5}}"#, "HTTP 400 without a text in the body"),
        (#"{"error":{"code":"c","message":"a\ud83dz"}}"#, "a\u{FFFD}z"),
        (#"{"error":{"code":"c","message":"Kö€😀"}}"#, "Kö€😀"),
    ])
    func theServicesWordsAreUsed(_ body: String, _ message: String) {
        let error = AttemptSamples.judge(AttemptSamples.reply(400, body)).error
        #expect(error?.code.rawValue == "c")
        #expect(error?.message == message)
        #expect(error?.isFromService == true)
    }
}
