import Testing

@testable import PartnerBooking

/// docs/errors.md, "When the service answers": every status, with and without the API's error object.
@Suite struct JudgementStatusTests {
    struct Row: Sendable, CustomStringConvertible {
        let status: Int
        /// The service's code; nil when the body is no error object.
        let code: String?
        let isRetryable: Bool
        let effect: Delivery.Effect
        /// Whether the delivery makes another attempt, in this call.
        let isRetriedAtOnce: Bool

        init(_ status: Int, _ code: String? = nil, retryable: Bool, _ effect: Delivery.Effect, again: Bool) {
            self.status = status
            self.code = code
            isRetryable = retryable
            self.effect = effect
            isRetriedAtOnce = again
        }

        var description: String { "\(status) \(code ?? "without an error object")" }
    }

    private static let no = Delivery.Effect.refused

    /// The same for every body.
    private static let statuses: [Row] = [
        Row(100, retryable: false, .unknown, again: false),
        Row(301, retryable: false, .unknown, again: false),
        Row(303, retryable: false, .unknown, again: false),
        Row(304, retryable: false, .unknown, again: false),
        Row(307, retryable: false, .unknown, again: false),
        Row(400, retryable: false, no, again: false),
        Row(401, retryable: false, no, again: false),
        Row(402, retryable: false, no, again: false),
        Row(403, retryable: false, no, again: false),
        Row(404, retryable: false, no, again: false),
        Row(405, retryable: false, no, again: false),
        Row(408, retryable: true, .unknown, again: true),
        Row(410, retryable: false, no, again: false),
        Row(413, retryable: false, no, again: false),
        Row(422, retryable: false, no, again: false),
        Row(425, retryable: true, no, again: true),
        Row(429, retryable: true, no, again: true),
        Row(499, retryable: false, no, again: false),
        Row(500, retryable: true, .unknown, again: false),
        Row(501, retryable: false, .unknown, again: false),
        Row(502, retryable: true, .unknown, again: true),
        Row(503, retryable: true, .unknown, again: true),
        Row(504, retryable: true, .unknown, again: true),
        Row(505, retryable: false, .unknown, again: false),
        Row(511, retryable: true, .unknown, again: false),
        Row(520, retryable: true, .unknown, again: false),
        Row(599, retryable: true, .unknown, again: false),
        Row(600, retryable: false, .unknown, again: false),
        Row(999, retryable: false, .unknown, again: false),
    ]

    static let rows =
        statuses
        + statuses.map {
            Row($0.status, "a_code", retryable: $0.isRetryable, $0.effect, again: $0.isRetriedAtOnce)
        }
        + [
            Row(409, "slot_unavailable", retryable: false, no, again: false),
            Row(409, "a_code", retryable: true, .unknown, again: true),
            Row(409, "in_progress", retryable: true, .unknown, again: true),
            Row(409, "idempotency_in_progress", retryable: true, .unknown, again: true),
            Row(409, "slot_unavailable_now", retryable: true, .unknown, again: true),
            Row(409, nil, retryable: true, .unknown, again: true),
            // Elsewhere the words change nothing.
            Row(400, "in_progress", retryable: false, no, again: false),
            Row(404, "slot_unavailable", retryable: false, no, again: false),
            Row(500, "in_progress", retryable: true, .unknown, again: false),
            Row(200, nil, retryable: false, .unknown, again: false),
            Row(201, nil, retryable: false, .unknown, again: false),
            Row(202, nil, retryable: false, .unknown, again: false),
            Row(204, nil, retryable: false, .unknown, again: false),
            Row(299, "a_code", retryable: false, .unknown, again: false),
            Row(200, "a_code", retryable: false, .unknown, again: false),
        ]

    @Test(arguments: rows, Operation.allCases)
    func everyStatusHasItsMeaning(_ row: Row, _ operation: Operation) throws {
        let body = row.code.map { JudgementSamples.refusal($0) } ?? "<html>502</html>"
        let headers = ["X-Request-Id": "req_1", "Content-Type": "text/html"]
        let judgement = JudgementSamples.judge(JudgementSamples.reply(row.status, body, headers), operation)
        let error = try #require(judgement.error)
        let isSuccess = 200...299 ~= row.status
        let isOwnWord = row.code != nil && !isSuccess
        #expect(error.code.rawValue == (isSuccess ? "invalid_reply" : row.code ?? "http_error"))
        #expect(error.isFromService == isOwnWord)
        #expect(error.source == (isOwnWord && row.code == "slot_unavailable" ? .platform : .partnerAPI))
        #expect(error.status == row.status)
        #expect(error.requestID == "req_1")
        #expect(error.isRetryable == row.isRetryable)
        #expect(error.retryAfterMilliseconds == nil && error.curlCode == nil && error.field == nil)
        if isOwnWord {
            #expect(error.message == "The service's words")
        } else {
            #expect(error.message.contains("HTTP \(row.status) "))
            #expect(!error.message.contains("html"), "the body is never repeated")
        }
        let info = PartnerBookingError.InvalidReply(contentType: "text/html", byteCount: body.utf8.count)
        #expect(error.invalidReply == (isSuccess ? info : nil))
        #expect(judgement.verdict.basic == Delivery.Verdict(effect: row.effect, isRetryable: row.isRetriedAtOnce))
    }

    /// A refusal of the booking itself can settle a doubt; one of the caller or the moment cannot, nor can a page of somebody
    /// on the way.
    @Test(
        arguments: [
            (400, "invalid_payload", true), (404, "bot_not_found", true), (409, "slot_unavailable", true),
            (410, "gone", true),
            (422, "outside_hours", true),
            (401, "unauthorized", false), (403, "forbidden", false), (409, "conflict", false), (425, "early", false),
            (429, "slow_down", false), (500, "broken", false), (404, nil, false), (422, nil, false), (409, nil, false),
        ] as [(Int, String?, Bool)])
    func refusalsAreAboutTheBookingOrNot(_ status: Int, _ code: String?, _ expected: Bool) {
        let body = code.map { JudgementSamples.refusal($0) } ?? "<html></html>"
        #expect(JudgementSamples.judge(JudgementSamples.reply(status, body)).verdict.isAboutBooking == expected)
    }

    @Test(
        arguments: [
            ("idempotency_key_in_progress", nil, true), ("request_in_progress", nil, true), ("key_in_use", nil, true),
            ("still_processing", nil, true), ("conflict", nil, false), ("idempotency_key_reused", nil, false),
            ("conflict", "1", true), ("slot_unavailable", "1", false), ("slot_unavailable", nil, false),
        ] as [(String, String?, Bool)])
    func aKeyInProgressIsTold(_ code: String, _ retryAfter: String?, _ expected: Bool) {
        let headers = retryAfter.map { ["Retry-After": $0] } ?? [:]
        let body = JudgementSamples.refusal(code)
        #expect(JudgementSamples.judge(JudgementSamples.reply(409, body, headers)).verdict.isInProgress == expected)
        #expect(!JudgementSamples.judge(JudgementSamples.reply(503, body, headers)).verdict.isInProgress)
    }

    @Test(arguments: [
        (200, false), (201, false), (400, false), (401, false), (409, false), (429, false), (500, true), (502, true),
        (503, true), (504, true),
    ])
    func outagesAreToldByStatus(_ status: Int, _ expected: Bool) {
        #expect(JudgementSamples.judge(JudgementSamples.reply(status, "{}")).verdict.isOutage == expected)
    }

    @Test func failuresOfTheNetworkAreOutagesAndTheMachinesOwnSayNothing() {
        for code in [PartnerBookingError.Code.connectFailed, .dnsFailed, .tlsFailed, .connectionLost, .proxyFailed] {
            #expect(JudgementSamples.judge(JudgementSamples.failure(code)).verdict.isOutage == true)
        }
        #expect(JudgementSamples.judge(JudgementSamples.failure(.resourceUnavailable)).verdict.isOutage == nil)
    }

    @Test(
        arguments: [
            ("250", nil, 250), ("250", "9", 250), ("x", "9", 9_000), ("", "9", 9_000), ("-1", nil, nil),
            ("99999999999999999999", nil, 86_400_000), (nil, "2", 2_000), (nil, nil, nil),
        ] as [(String?, String?, Int?)])
    func millisecondsComeFirst(_ milliseconds: String?, _ seconds: String?, _ expected: Int?) {
        let headers = ["Retry-After-Ms": milliseconds, "Retry-After": seconds].compactMapValues { $0 }
        let reply = JudgementSamples.reply(503, "{}", headers)
        #expect(JudgementSamples.judge(reply).verdict.retryAfterMilliseconds == expected)
    }

    @Test(arguments: [
        ("slot_unavailable", PartnerBookingError.Source.platform), ("invalid_signature", .platform),
        ("invalid_payload", .platform),
        ("unauthorized", .partnerAPI), ("Slot_unavailable", .partnerAPI), ("http_error", .partnerAPI),
        ("timeout", .partnerAPI),
    ])
    func thePlatformsWordsAreThePlatforms(_ code: String, _ source: PartnerBookingError.Source) {
        let error = JudgementSamples.judge(JudgementSamples.reply(400, JudgementSamples.refusal(code))).error
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
            let body = JudgementSamples.refusal("a_code")
            let judgement = JudgementSamples.judge(JudgementSamples.reply(status, body, ["Retry-After": header]))
            #expect(judgement.error?.retryAfterMilliseconds == milliseconds, "\(header)")
            #expect(judgement.verdict.retryAfterMilliseconds == milliseconds, "\(header)")
        }
    }

    @Test func aRetryAfterWithASuccessIsNobodysBusiness() {
        let reply = JudgementSamples.reply(200, "", ["Retry-After": "7"])
        #expect(JudgementSamples.judge(reply).error?.retryAfterMilliseconds == nil)
        #expect(JudgementSamples.judge(reply).verdict.retryAfterMilliseconds == nil)
    }

    // MARK: The error object

    @Test(arguments: [
        (#"{"error":{"code":"c","message":"m"}}"#, "m"),
        (#" {"error" : {"message":"m","code":"c","more":[1]},"trace":"t"} "#, "m"),
        (#"{"\u0065rror":{"c\u006fde":"\u0063","mess\u0061ge":"\u006d\n"}}"#, "m\n"),
        (#"{"error":{"code":"c"}}"#, ""),
        (#"{"error":{"code":"c","message":null}}"#, ""),
        (#"{"error":{"code":"c","message":5}}"#, ""),
        (#"{"error":{"code":"c","message":"a\ud83dz"}}"#, "a\u{FFFD}z"),
        (#"{"error":{"code":"c","message":"Kö€😀"}}"#, "Kö€😀"),
    ])
    func theServicesWordsAreUsed(_ body: String, _ message: String) {
        let error = JudgementSamples.judge(JudgementSamples.reply(400, body)).error
        #expect(error?.code.rawValue == "c")
        #expect(error?.message == message)
        #expect(error?.isFromService == true)
    }

    @Test(arguments: [
        "", " ", "null", "[]", "5", #""error""#, "{}", #"{"error":null}"#, #"{"error":"c"}"#, #"{"error":[]}"#,
        #"{"error":{}}"#,
        #"{"error":{"code":5,"message":"m"}}"#, #"{"error":{"code":"","message":"m"}}"#, #"{"error":{"code":null}}"#,
        #"{"error":{"message":"m"}}"#, #"{"errors":{"code":"c"}}"#, #"{"code":"c","message":"m"}"#,
        #"[{"error":{"code":"c"}}]"#,
        #"{"data":{"error":{"code":"c"}}}"#, #"{"error":{"inner":{"code":"c"}}}"#, #"{"error":{"code":"c"}"#,
        #"{"error":{"code":"c"}} x"#, #"{"error":{"code":"c"}}}"#, "\u{FEFF}" + #"{"error":{"code":"c"}}"#, "c",
        "<html></html>",
        #"{'error':{'code':'c'}}"#, #"{"error":[{"code":"c"}]}"#,
    ])
    func anythingElseIsNotTheAPIsErrorObject(_ body: String) {
        let error = JudgementSamples.judge(JudgementSamples.reply(400, body)).error
        #expect(error?.code == .httpError)
        #expect(error?.isFromService == false)
        #expect(error?.message == "HTTP 400 came without the API's error object")
    }

    @Test func invalidUTF8IsNotTheAPIsErrorObject() {
        let body = Array(#"{"error":{"code":"c","message":""#.utf8) + [0xFF] + Array(#""}}"#.utf8)
        let reply = HTTPReply(status: 400, body: body)
        #expect(JudgementSamples.judge(reply).error?.code == .httpError)
    }
}

/// Which bodies of a success are what was promised.
@Suite struct JudgementSuccessTests {
    /// `@` stands for the promised member's name, `*` for a value of its kind.
    @Test(
        arguments: [
            (#"{"@":*}"#, true), (#" { "@" : * } "#, true), (#"{"more":1,"@":*,"last":[]}"#, true),
            (#"{"inner":{"@":1},"@":*}"#, true),
            (#"{"@":*,"text":"@"}"#, true), (#"{"text":"cut \ud83d","@":*}"#, true),
            // Copies: the last one counts.
            (#"{"@":1,"@":*}"#, true), (#"{"@":*,"@":1}"#, false), (#"{"@":*,"@":null}"#, false),
            // Only look-alikes.
            (#"{"inner":{"@":*}}"#, false), (#"{"inner":[{"@":*}]}"#, false), (#"{"text":"@","more":*}"#, false),
            (#"[{"@":*}]"#, false),
            (#"{"@ ":*}"#, false), (#"{"@s":*}"#, false), (#"{"":*}"#, false), (#"{"@\u0000":*}"#, false),
            (#"["@",*]"#, false),
            // The wrong kind.
            (#"{"@":null}"#, false), (#"{"@":"*"}"#, false), (#"{"@":"text"}"#, false), (#"{"@":5}"#, false),
            // Not JSON, or not an object.
            ("", false), (" ", false), ("null", false), ("*", false), ("[]", false), ("{}", false),
            ("\u{FEFF}{\"@\":*}", false),
            (#"{"@":*} x"#, false), (#"{"@":*}}"#, false), (#"{"@":*},"#, false), (#"{"@":*"#, false), (#"{"@":*,}"#, false),
            ("{\"@\":*}\0", false), (#"{"@":*}{"@":*}"#, false), (#"{'@':*}"#, false), (#"{"@":*,"x":NaN}"#, false),
            ("OK", false), ("<html></html>", false), (#"{"error":{"code":"c","message":"m"}}"#, false),
        ], Operation.allCases)
    func aSuccessHasThePromisedShape(_ row: (String, Bool), _ operation: Operation) throws {
        let (name, value) =
            switch operation {
            case .searchAvailability: ("availabilities", "[]")
            case .createBooking: ("booking", "{}")
            case .lookupCustomer: ("found", "true")
            }
        let spellings = [name, RequestText.escaped(name) { _ in true }, RequestText.escaped(name) { $0 == 3 }]
        for spelling in spellings {
            let body = row.0.replacing("@", with: spelling).replacing("\"*\"", with: "\"x\"").replacing("*", with: value)
            for status in [200, 201, 202, 204, 299] {
                let judgement = JudgementSamples.judge(JudgementSamples.reply(status, body), operation)
                #expect((judgement.reply != nil) == row.1, "\(status): \(body)")
                if row.1 {
                    #expect(judgement.reply == Array(body.utf8), "byte for byte")
                    #expect(judgement.verdict.basic == Delivery.Verdict(effect: .done, isRetryable: false))
                } else {
                    #expect(judgement.error?.code == .invalidReply)
                    #expect(judgement.error?.status == status)
                    #expect(judgement.error?.invalidReply == .init(contentType: nil, byteCount: body.utf8.count))
                    #expect(judgement.verdict.basic == Delivery.Verdict(effect: .unknown, isRetryable: false))
                }
            }
        }
    }

    @Test func aReplyToTheOtherOperationIsNone() {
        for operation in Operation.allCases {
            for other in Operation.allCases where other != operation {
                let reply = JudgementSamples.reply(200, JudgementSamples.success(other))
                #expect(JudgementSamples.judge(reply, operation).error?.code == .invalidReply)
            }
        }
        #expect(JudgementSamples.judge(JudgementSamples.reply(201, #"{"booking":[]}"#)).error?.code == .invalidReply)
        let search = JudgementSamples.reply(200, #"{"availabilities":{}}"#)
        #expect(JudgementSamples.judge(search, .searchAvailability).error?.code == .invalidReply)
        for found in ["1", #""true""#, "null", "{}"] {
            let lookup = JudgementSamples.reply(200, "{\"found\":\(found)}")
            #expect(JudgementSamples.judge(lookup, .lookupCustomer).error?.code == .invalidReply)
        }
        for wrong in ["booking", "availabilities"] {
            let reply = JudgementSamples.reply(200, "{\"\(wrong)\":true}")
            #expect(JudgementSamples.judge(reply, wrong == "booking" ? .createBooking : .searchAvailability).error != nil)
        }
    }

    @Test func aSuccessWithAnotherStatusIsARefusal() {
        for operation in Operation.allCases {
            for status in [199, 300, 302, 400, 500] {
                let reply = JudgementSamples.reply(status, JudgementSamples.success(operation))
                #expect(JudgementSamples.judge(reply, operation).error?.code == .httpError)
            }
        }
    }
}
