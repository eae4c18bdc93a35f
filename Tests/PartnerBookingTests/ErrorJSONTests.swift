import Testing

@testable import PartnerBooking

/// docs/json-contract.md, "Failure": the members of an error.
@Suite struct ErrorJSONTests {
    private static let common = ["code", "message", "status", "source", "retryable", "attempts", "field", "request_id"]

    private func error(_ error: PartnerBookingError) throws -> JSONValue {
        let root = try JSONDocument(error.json, profile: .request).root
        #expect(root.members.map { $0.key.string } == ["error"])
        return try #require(root["error"])
    }

    private func names(_ error: PartnerBookingError) throws -> [String] {
        try self.error(error).members.map { $0.key.string ?? "" }
    }

    // MARK: By kind

    @Test func everyKindOfErrorHasItsMembers() throws {
        let syntax = JSONSyntaxError(offset: 7, reason: "a colon is expected")
        #expect(try names(.argument("too long")) == Self.common)
        #expect(try names(.invalidClient) == Self.common)
        #expect(try names(.clientClosed) == Self.common)
        #expect(try names(.config("retry", "is wrong")) == Self.common)
        #expect(try names(.field("bot_id", "is wrong", .missing)) == Self.common + ["kind"])
        #expect(try names(.json("request", syntax)) == Self.common + ["offset"])
        #expect(try names(.queueFull(512)) == Self.common)
        #expect(try names(.resource("No thread")) == Self.common)
        #expect(try names(.timeout) == Self.common)
        #expect(try names(.ledgerFull(5_000)) == Self.common)
        #expect(try names(.notMade) == Self.common)
    }

    @Test(arguments: CallOperation.allCases)
    func aBookingsErrorsHaveAnOutcomeAndTheKey(_ operation: CallOperation) throws {
        let own = operation == .createBooking ? ["outcome", "idempotency_key"] : []
        #expect(try names(PartnerBookingError.clientClosed.beforeSending(operation)) == Self.common + own)
        let context = ErrorContext(operation: operation, tag: "t", idempotencyKey: operation == .createBooking ? "k" : nil)
        #expect(try names(context.annotating(.timeout)) == Self.common + own + ["tag"])
        let syntax = JSONSyntaxError(offset: 0, reason: "a value is expected")
        #expect(
            try names(ErrorContext(operation: operation).annotating(.json("request", syntax))) == Self.common + own + [
                "offset"
            ])
    }

    @Test func aKeyThatIsNotKnownIsNull() throws {
        let error = try error(PartnerBookingError.invalidClient.beforeSending(.createBooking))
        #expect(error["outcome"]?.string == "not_sent")
        #expect(error["idempotency_key"]?.kind == .null)
        let closed = try self.error(PartnerBookingError.clientClosed.beforeSending(.createBooking))
        #expect(closed["outcome"]?.string == "unknown" && closed["idempotency_key"]?.kind == .null)
    }

    @Test func whatTheServiceAnsweredHasItsMembers() throws {
        let refusal = AttemptSamples.reply(
            429, AttemptSamples.refusal("slow_down"), ["Retry-After": "2", "X-Request-Id": "req_1"])
        let judged = try #require(AttemptSamples.judge(refusal).error)
        #expect(
            try names(judged) == Self.common + ["retry_after_ms", "from_service", "content_type", "reply_bytes", "reply"])
        #expect(try error(judged)["from_service"]?.boolean == true)
        #expect(try error(judged)["retry_after_ms"]?.integer == 2_000)
        #expect(try error(judged)["request_id"]?.string == "req_1")
        let silent = try #require(AttemptSamples.judge(AttemptSamples.reply(502, "<html>")).error)
        #expect(try names(silent) == Self.common + ["content_type", "reply_bytes"])
        let invalid = try #require(AttemptSamples.judge(AttemptSamples.reply(200, "?")).error)
        #expect(try names(invalid) == Self.common + ["content_type", "reply_bytes"])
        #expect(try error(invalid)["content_type"]?.kind == .null)
        #expect(try error(invalid)["reply_bytes"]?.integer == 1)
        let lost = try #require(AttemptSamples.judge(AttemptSamples.failure()).error)
        #expect(try names(lost) == Self.common + ["curl_code"])
        let large = try #require(AttemptSamples.judge(AttemptSamples.failure(.replyTooLarge)).error)
        #expect(try names(large) == Self.common + ["curl_code"])
    }

    /// The reply looks like a success and is none: it is handed over byte for byte.
    @Test(arguments: [
        (#"{"booking":{"id":1.50,"status":"Declined"} }"#, "not_confirmed"),
        (#"{"booking":{"id":1.50,"start_at":"2030-01-14T11:00:00Z"} }"#, "other_booking"),
    ])
    func aReplyThatIsNoSuccessIsPartOfTheError(_ body: String, _ code: String) throws {
        let question = AttemptResult.Question(operation: .createBooking, startSeconds: 1_894_615_200)
        let reply = AttemptSamples.reply(201, body, ["X-Request-Id": "req_1"])
        let judged = try #require(AttemptResult(.reply(reply), to: question).error)
        #expect(try names(judged) == Self.common + ["reply"])
        #expect(String(decoding: judged.json, as: UTF8.self).contains("\"reply\":\(body)}}"))
        let read = try error(judged)
        #expect(read["code"]?.string == code && read["source"]?.string == "partner_api")
        #expect(read["status"]?.integer == 201 && read["request_id"]?.string == "req_1")
        #expect(read["retryable"]?.boolean == false)
    }

    // MARK: Doubt

    /// What is open, and what the last answer was: a status only where there was one.
    @Test(
        arguments: [
            (409, "slot_unavailable", #"{"sent_ms_ago":4100,"answer":{"status":409,"code":"slot_unavailable"}}"#),
            (nil, "connection_lost", #"{"sent_ms_ago":4100,"answer":{"status":null,"code":"connection_lost"}}"#),
            (nil, nil, #"{"sent_ms_ago":4100,"answer":null}"#),
        ] as [(Int?, String?, String)])
    func aDoubtSaysWhatIsOpen(_ status: Int?, _ code: String?, _ expected: String) throws {
        let answer = code.map { PartnerBookingError.Code(rawValue: $0) }
        let doubt = PartnerBookingError.Doubt(sentMillisecondsAgo: 4_100, status: status, code: answer)
        let context = ErrorContext(operation: .createBooking, idempotencyKey: "k")
        let error = context.annotating(.inDoubt(doubt, source: .partnerAPI), outcome: .unknown, attempts: 2)
        #expect(try names(error) == Self.common + ["outcome", "idempotency_key", "doubt"])
        let text = String(decoding: error.json, as: UTF8.self)
        #expect(text.contains(#""code":"in_doubt","#) && text.contains(#""retryable":true,"attempts":2,"#))
        #expect(text.contains(#""outcome":"unknown","idempotency_key":"k","doubt":\#(expected)}}"#), "\(text)")
    }

    // MARK: The booking that a key belongs to

    /// The message begins with what to do. `booking_id` is there when the platform named it.
    @Test(
        arguments: [
            (.booked, "bkg_1", "is made: resume it", #"{"state":"booked","start_at":"S","booking_id":"bkg_1"}"#),
            (.booked, nil, "is made: resume it", #"{"state":"booked","start_at":"S"}"#),
            (.inFlight, nil, "is in flight: resume it", #"{"state":"in_flight","start_at":"S"}"#),
            (.inDoubt, nil, "is in doubt: resume it", #"{"state":"in_doubt","start_at":"S"}"#),
        ] as [(PendingBooking.State, String?, String, String)])
    func aKeyThatIsReusedSaysWhoseItIs(
        _ state: PendingBooking.State, _ bookingID: String?, _ advice: String, _ expected: String
    ) throws {
        let reused = PartnerBookingError.idempotencyKeyReused(.init(state: state, startAt: "S", bookingID: bookingID))
        let error = ErrorContext(operation: .createBooking, idempotencyKey: "k").annotating(reused, outcome: .unknown)
        #expect(error.message.hasPrefix("The idempotency_key has another booking, which \(advice)"))
        #expect(error.field == "idempotency_key" && error.source == .caller && !error.isRetryable)
        #expect(try names(error) == Self.common + ["outcome", "idempotency_key", "existing"])
        let text = String(decoding: error.json, as: UTF8.self)
        #expect(text.hasSuffix(#""outcome":"unknown","idempotency_key":"k","existing":\#(expected)}}"#), "\(text)")
    }

    /// Version 1 of the journal did not record the start.
    @Test func aStartThatIsNotKnownIsNull() throws {
        let reused = PartnerBookingError.idempotencyKeyReused(.init(state: .booked))
        #expect(try error(reused)["existing"]?["start_at"]?.kind == .null)
    }

    // MARK: Values

    @Test func theExampleInTheDocumentationIsWhatIsWritten() throws {
        let message = "The requested time slot is no longer available"
        let refusal = AttemptSamples.refusal("slot_unavailable", message)
        let reply = AttemptSamples.reply(409, refusal, ["Content-Type": "application/json"])
        let context = ErrorContext(operation: .createBooking, idempotencyKey: "call-7-booking-1")
        let judged = try #require(AttemptSamples.judge(reply).error)
        let error = context.annotating(judged, outcome: .rejected, attempts: 1)
        let expected =
            #"{"error":{"code":"slot_unavailable","message":"The requested time slot is no longer available","status":409,"#
            + #""source":"platform","retryable":false,"attempts":1,"field":null,"request_id":null,"outcome":"rejected","#
            + #""idempotency_key":"call-7-booking-1","from_service":true,"content_type":"application/json","reply_bytes":"#
            + #"\#(refusal.utf8.count),"reply":\#(refusal)}}"#
        #expect(String(decoding: error.json, as: UTF8.self) == expected)
    }

    @Test func everyMemberIsWrittenWithItsValue() throws {
        let text = "\"\\/\u{0}\u{1F}\u{7F}\r\n\tä€😀\u{2028}"
        var full = PartnerBookingError(.init(rawValue: text), text, source: .partnerAPI, isRetryable: true)
        full.status = 599
        full.attempts = 3
        full.field = text
        full.requestID = text
        full.outcome = .unknown
        full.idempotencyKey = text
        full.tag = text
        full.offset = 11
        full.retryAfterMilliseconds = 12
        full.curlCode = 13
        full.isFromService = true
        full.received = .init(contentType: text, byteCount: 14)
        let read = try error(full)
        for name in ["code", "message", "field", "request_id", "idempotency_key", "tag", "content_type"] as [StaticString] {
            #expect(read[name]?.string == text, "\(name)")
        }
        #expect(read["status"]?.integer == 599 && read["attempts"]?.integer == 3 && read["offset"]?.integer == 11)
        #expect(
            read["retry_after_ms"]?.integer == 12 && read["curl_code"]?.integer == 13 && read["reply_bytes"]?.integer == 14)
        #expect(read["outcome"]?.string == "unknown" && read["source"]?.string == "partner_api")
        #expect(
            try names(full)
                == Self.common + [
                    "outcome", "idempotency_key", "tag", "offset", "retry_after_ms", "curl_code", "from_service",
                    "content_type", "reply_bytes",
                ])
        #expect(full.description.hasSuffix(": \(text)"))
    }

    @Test(arguments: [true, false])
    func aYesIsTrueAndANoIsFalse(_ isRetryable: Bool) throws {
        let error = PartnerBookingError(.timeout, "m", source: .network, isRetryable: isRetryable)
        #expect(String(decoding: error.json, as: UTF8.self).contains("\"retryable\":\(isRetryable),"))
    }

    @Test(arguments: [
        (PartnerBookingError.Source.caller, "caller"), (.library, "library"), (.network, "network"),
        (.partnerAPI, "partner_api"),
        (.platform, "platform"),
    ])
    func everySourceHasItsName(_ source: PartnerBookingError.Source, _ name: String) throws {
        #expect(try error(PartnerBookingError(.timeout, "m", source: source))["source"]?.string == name)
    }

    @Test(arguments: [(PartnerBookingError.Outcome.notSent, "not_sent"), (.rejected, "rejected"), (.unknown, "unknown")])
    func everyOutcomeHasItsName(_ outcome: PartnerBookingError.Outcome, _ name: String) throws {
        let error = ErrorContext(operation: .createBooking).annotating(.timeout, outcome: outcome)
        #expect(try self.error(error)["outcome"]?.string == name)
    }

    /// docs/errors.md: code, source and whether the same call may succeed later.
    @Test func theLibrarysErrorsAreThoseOfTheDocumentation() {
        let syntax = JSONSyntaxError(offset: 7, reason: "a colon is expected")
        let rows: [(PartnerBookingError, String, PartnerBookingError.Source, Bool)] = [
            (.argument("m"), "invalid_argument", .caller, false), (.invalidClient, "invalid_client", .caller, false),
            (.clientClosed, "client_closed", .caller, false), (.config("a", "b"), "invalid_config", .caller, false),
            (.json("request", syntax), "invalid_json", .caller, false),
            (.field("a", "b", .empty), "invalid_field", .caller, false),
            (.queueFull(1), "queue_full", .library, true), (.resource("m"), "resource_unavailable", .library, true),
            (.timeout, "timeout", .network, true), (.ledgerFull(1), "ledger_full", .library, true),
            (.notRecorded, "not_recorded", .caller, false), (.notMade, "not_recorded", .caller, false),
            (.inDoubt(.init(sentMillisecondsAgo: 0), source: .platform), "in_doubt", .platform, true),
        ]
        for (error, code, source, isRetryable) in rows {
            #expect(error.code.rawValue == code)
            #expect(error.source == source, "\(code)")
            #expect(error.isRetryable == isRetryable, "\(code)")
            #expect(!error.message.isEmpty && error.status == nil && error.attempts == 0 && error.outcome == nil)
        }
        #expect(PartnerBookingError.json("request", syntax).offset == 7)
        #expect(PartnerBookingError.config("a.b", "is wrong").field == "a.b")
        #expect(PartnerBookingError.config("a.b", "is wrong").message == "a.b is wrong")
    }
}
