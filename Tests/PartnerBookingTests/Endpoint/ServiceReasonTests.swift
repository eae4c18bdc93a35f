import Glibc
import Testing

@testable import PartnerBooking

/// The bodies of refusals as services and frameworks write them: docs/errors.md, "The reason of a refusal".
@Suite struct ServiceReasonTests {
    struct Row: Sendable, CustomStringConvertible {
        let origin: String
        let status: Int
        let body: String
        let code: String?
        let message: String?

        init(_ origin: String, _ status: Int, _ body: String, code: String? = nil, _ message: String? = nil) {
            self.origin = origin
            self.status = status
            self.body = body
            self.code = code
            self.message = message
        }

        var description: String { "\(origin) \(status)" }
    }

    private static let withACode: [Row] = [
        Row(
            "Partner API", 409, #"{"error":{"code":"slot_unavailable","message":"Gone"}}"#, code: "slot_unavailable", "Gone"),
        Row("Partner API without a text", 400, #"{"error":{"code":"c"}}"#, code: "c"),
        Row("Partner API, the text beside it", 400, #"{"error":{"code":"c"},"message":" m\n"}"#, code: "c", "m"),
        Row("Partner API, blanks in the code", 409, #"{"error":{"code":"slot taken"}}"#, code: "slot taken"),
        Row("OAuth", 401, #"{"error":"invalid_token","error_description":"Expired"}"#, code: "invalid_token", "Expired"),
        Row("Express, a word", 409, #"{"error":"slot_taken"}"#, code: "slot_taken", "slot_taken"),
        Row("Express, a word and more", 409, #"{"error":"conflict","conflict":true}"#, code: "conflict", "conflict"),
        Row("Express, words", 409, #"{"error":"Slot not available"}"#, code: "Slot not available", "Slot not available"),
        Row("Express, code beside it", 400, #"{"error":"Bad email","code":"BAD_EMAIL"}"#, code: "BAD_EMAIL", "Bad email"),
        Row(
            "NestJS with a code", 409, #"{"statusCode":409,"code":"SLOT_TAKEN","message":"Taken","error":"Conflict"}"#,
            code: "SLOT_TAKEN", "Taken"),
        Row("NestJS, an object as message", 409, #"{"message":{"code":"c","message":"m"}}"#, code: "c", "m"),
        Row(
            "Fastify", 400,
            #"{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"body must have 'email'"}"#,
            code: "FST_ERR_VALIDATION", "body must have 'email'"),
        Row("FastAPI, an object as detail", 409, #"{"detail":{"code":"taken","message":"m"}}"#, code: "taken", "m"),
        Row("Django REST framework", 403, #"{"detail":"No","code":"not_allowed"}"#, code: "not_allowed", "No"),
        Row(
            "Problem details with a code", 409,
            #"{"type":"https://example.org/p/taken","title":"Taken","status":409,"detail":"10:00 is gone","code":"taken"}"#,
            code: "taken", "10:00 is gone"),
        Row(
            "JSON:API", 422,
            #"{"errors":[{"status":"422","code":"PAST","title":"Past","detail":"is past","source":{"pointer":"/start_at"}}]}"#,
            code: "PAST", "/start_at: is past"),
        Row(
            "Square", 400,
            #"{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"BAD_REQUEST","detail":"No start","field":"start_at"}]}"#,
            code: "BAD_REQUEST", "start_at: No start"),
        Row(
            "Acuity", 400, #"{"status_code":400,"message":"Not free","error":"not_available"}"#, code: "not_available",
            "Not free"),
        Row(
            "Cal.com", 400, #"{"status":"error","error":{"code":"BadRequestException","message":"No"}}"#,
            code: "BadRequestException", "No"),
        Row(
            "Stripe", 400, #"{"error":{"type":"invalid_request_error","message":"No","param":"email"}}"#,
            code: "invalid_request_error", "No"),
        Row("Nylas", 400, #"{"request_id":"1","error":{"type":"api.invalid","message":"No"}}"#, code: "api.invalid", "No"),
        Row("Google", 409, #"{"error":{"code":409,"message":"No","status":"ABORTED"}}"#, code: "ABORTED", "No"),
        Row(
            "Google Calendar", 400,
            #"{"error":{"errors":[{"domain":"calendar","reason":"timeRangeEmpty","message":"Empty"}],"code":400,"message":"E"}}"#,
            code: "timeRangeEmpty", "E"),
        Row("Twilio", 400, #"{"code":21211,"message":"No","more_info":"https://e.org","status":400}"#, code: "21211", "No"),
        Row("JSON-RPC", 400, #"{"jsonrpc":"2.0","error":{"code":-32602,"message":"No"},"id":1}"#, code: "-32602", "No"),
        Row("gRPC gateway", 409, #"{"code":6,"message":"Exists","details":[]}"#, code: "6", "Exists"),
        Row(
            "PostgREST", 409, #"{"code":"23505","details":"Key","hint":null,"message":"duplicate"}"#, code: "23505",
            "duplicate"),
        Row("Salesforce", 400, #"[{"message":"No","errorCode":"FIELD_MISSING"}]"#, code: "FIELD_MISSING", "No"),
        Row("Mindbody", 400, #"{"Error":{"Message":"No","Code":"TimeTaken"}}"#, code: "TimeTaken", "No"),
        Row("a .NET service", 409, #"{"ErrorCode":"SlotTaken","ErrorMessage":"No"}"#, code: "SlotTaken", "No"),
        Row("a .NET service, one word", 409, #"{"error":"SlotTaken"}"#, code: "SlotTaken", "SlotTaken"),
        Row(
            "a Node service", 400, #"{"success":false,"error":{"statusCode":400,"errorCode":"E_1","message":"No"}}"#,
            code: "E_1", "No"),
        Row(
            "FHIR", 409,
            #"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"conflict","details":{"text":"Taken"}}]}"#,
            code: "conflict", "Taken"),
        Row(
            "Apigee", 429, #"{"fault":{"faultstring":"Slow","detail":{"errorcode":"policies.QuotaViolation"}}}"#,
            code: "policies.QuotaViolation", "Slow"),
        Row("WSO2", 401, #"{"fault":{"code":900901,"message":"No","description":"Long"}}"#, code: "900901", "No"),
    ]

    private static let withATextOnly: [Row] = [
        Row("Express", 400, #"{"message":"Email is required"}"#, "Email is required"),
        Row("Express, the text as error", 409, #"{"error":"That time was just taken"}"#, "That time was just taken"),
        Row("Hapi", 409, #"{"statusCode":409,"error":"Conflict","message":"Taken"}"#, "Taken"),
        Row("Spring Boot", 404, #"{"timestamp":"2030","status":404,"error":"Not Found","path":"/bookings"}"#, "Not Found"),
        Row(
            "NestJS, a list", 400, #"{"statusCode":400,"message":["email must be an email"],"error":"Bad Request"}"#,
            "email must be an email"),
        Row(
            "FastAPI", 422, #"{"detail":[{"type":"missing","loc":["body","email"],"msg":"Field required","input":{}}]}"#,
            "body.email: Field required"),
        Row("Django, a list", 400, #"{"email":["is required"]}"#, "email: is required"),
        Row("Django, nested", 400, #"{"customer":{"phone":["is wrong"]},"start_at":["x"]}"#, "customer: phone: is wrong"),
        Row("Laravel", 422, #"{"message":"The email is required.","errors":{"email":["m"]}}"#, "The email is required."),
        Row("Rails", 422, #"{"errors":{"email":["can't be blank"]}}"#, "email: can't be blank"),
        Row("Rails, a list", 422, #"{"errors":["Email can't be blank"]}"#, "Email can't be blank"),
        Row("JSON:API without a code", 400, #"{"errors":[{"detail":"No"}]}"#, "No"),
        Row(
            "Problem details", 400, #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"No email"}"#,
            "No email"),
        Row(
            "ASP.NET", 400,
            #"{"type":"https://e.org","title":"One or more errors","status":400,"errors":{"Email":["The Email is required."]}}"#,
            "Email: The Email is required."),
        Row(
            "ASP.NET Web API", 400, #"{"Message":"The request is invalid.","ModelState":{"email":["m"]}}"#,
            "The request is invalid."),
        Row("AWS gateway", 403, #"{"message":"Forbidden"}"#, "Forbidden"),
        Row("AWS Lambda", 502, #"{"errorType":"Error","errorMessage":"Task timed out"}"#, "Task timed out"),
        Row(
            "Zod", 400,
            #"{"success":false,"error":{"issues":[{"path":["customer","email"],"message":"Required"}],"name":"ZodError"}}"#,
            "customer.email: Required"),
        Row("Zod, flat", 400, #"{"error":{"formErrors":[],"fieldErrors":{"email":["Required"]}}}"#, "email: Required"),
        Row(
            "express-validator", 400,
            #"{"errors":[{"type":"field","value":"John","msg":"Invalid value","path":"email","location":"body"}]}"#,
            "email: Invalid value"),
        Row("a list of errors", 400, #"{"errors":[{"error":"is required","field":"email"}]}"#, "email: is required"),
        Row("JSend", 400, #"{"status":"fail","data":{"email":"is required"}}"#, "email: is required"),
        Row("JSend, an error", 500, #"{"status":"error","message":"No database"}"#, "No database"),
        Row("Zendesk", 422, #"{"error":"Unprocessable","description":"No email","details":{}}"#, "No email"),
        Row(
            "n8n", 404, #"{"code":404,"message":"The webhook is not registered.","hint":"h"}"#,
            "The webhook is not registered."),
        Row("n8n, a fault", 500, #"{"code":0,"message":"There was a problem"}"#, "There was a problem"),
        Row("Kong", 404, #"{"message":"no Route matched with those values"}"#, "no Route matched with those values"),
        Row("a flag", 400, #"{"error":true,"message":"No"}"#, "No"),
        Row("a flag as text", 400, #"{"error":"true","message":"No"}"#, "No"),
        Row("a reason", 422, #"{"reason":"closed","codes":[1.50,1e0]}"#, "closed"),
        Row("Partner API without a code", 400, #"{"error":{"message":" two\nlines "}}"#, "two lines"),
        Row("Partner API, the status as code", 400, #"{"error":{"code":"400","message":"No"}}"#, "No"),
        Row("a JSON text", 422, #""closed""#, "closed"),
        Row("a JSON list", 422, #"["closed"]"#, "closed"),
        Row("Go, plain text", 409, "slot taken\n", "slot taken"),
        Row(
            "Envoy, plain text", 503, "upstream connect error or disconnect/reset before headers",
            "upstream connect error or disconnect/reset before headers"),
    ]

    @Test(arguments: withACode + withATextOnly)
    func theReasonIsFound(_ row: Row) {
        let reason = ServiceReason(Array(row.body.utf8), status: row.status)
        #expect(reason?.code == row.code)
        #expect(reason?.message == row.message)
    }

    @Test(arguments: withACode + withATextOnly)
    func theErrorHasTheReason(_ row: Row) throws {
        let attempt = AttemptSamples.judge(AttemptSamples.reply(row.status, row.body, ["Content-Type": "a/b"]))
        let error = try #require(attempt.error)
        #expect(error.isFromService == (row.code != nil))
        #expect(error.code.rawValue == row.code ?? "http_error")
        let none = "HTTP \(row.status) without a text in the body"
        #expect(error.message == row.message.map { row.code == nil ? "HTTP \(row.status): \($0)" : $0 } ?? none)
        #expect(error.received == .init(contentType: "a/b", byteCount: row.body.utf8.count))
        let isJSON = ["{", "[", "\""].contains(row.body.prefix(1))
        #expect(error.reply == (isJSON ? Array(row.body.utf8) : nil))
        #expect(attempt.answer != .made)
    }

    // MARK: Conflicts

    /// Each shape that has a place for a code, with a code for a taken slot in it.
    static let shapes = [
        #"{"error":{"code":"@","message":"m"}}"#, #"{"error":"@"}"#, #"{"code":"@"}"#, #"{"errorCode":"@","message":"m"}"#,
        #"{"statusCode":409,"message":"m","error":"@"}"#, #"{"detail":{"code":"@"}}"#, #"{"message":{"code":"@"}}"#,
        #"{"errors":[{"code":"@","detail":"m"}]}"#, #"[{"errorCode":"@"}]"#, #"{"error":{"type":"@"}}"#,
        #"{"error":{"error":"@"}}"#, #"{"error":[{"code":"@"}]}"#, #"{"issue":[{"code":"@"}]}"#, #"{"Error":{"Code":"@"}}"#,
        #"{"error":{"errors":[{"reason":"@"}]}}"#, "\u{FEFF}" + #"{"error":"@"}"#,
    ]

    @Test(arguments: shapes)
    func aConflictIsOneInEveryShape(_ shape: String) {
        for code in RefusalTests.slotConflicts + ["SLOT_UNAVAILABLE", "slotTaken", "booking-conflict"] {
            let attempt = AttemptSamples.judge(AttemptSamples.reply(409, shape.replacing("@", with: code)))
            #expect(attempt.answer == .bookingRefused, "\(code)")
            #expect(attempt.error?.code.rawValue == code && attempt.error?.isSlotConflict == true, "\(code)")
            #expect(attempt.error?.source == .platform, "\(code)")
        }
        let other = AttemptSamples.judge(AttemptSamples.reply(409, shape.replacing("@", with: "conflict")))
        #expect(other.answer == .conflict && other.error?.code.rawValue == "conflict")
        let busy = AttemptSamples.judge(AttemptSamples.reply(409, shape.replacing("@", with: "request_in_progress")))
        #expect(busy.answer == .inProgress && busy.isRetryable)
    }

    @Test(arguments: shapes)
    func aCodeAboutTheBookingIsOneInEveryShape(_ shape: String) {
        for (code, answer) in [("start_in_past", Answer.bookingRefused), ("bot_unknown", .callerRefused)] {
            let attempt = AttemptSamples.judge(AttemptSamples.reply(422, shape.replacing("@", with: code)))
            #expect(attempt.answer == answer && attempt.error?.isFromService == true)
        }
    }

    /// A text is for people, whatever words it has.
    @Test(arguments: [
        #"{"message":"slot_taken"}"#, #"{"error":{"message":"slot_taken"}}"#, #"{"detail":"slot_taken"}"#, "slot_taken",
        #"{"title":"slot_taken"}"#, #"{"errors":["slot_taken"]}"#, #""slot_taken""#, #"{"reason":"slot_taken"}"#,
        #"{"error":"The slot_taken"}"#, #"{"data":{"code":"slot_taken"}}"#,
    ])
    func aTextIsNoCode(_ body: String) {
        let attempt = AttemptSamples.judge(AttemptSamples.reply(409, body))
        #expect(attempt.answer == .conflict && attempt.error?.code == .httpError)
        #expect(attempt.error?.isSlotConflict == false && attempt.error?.isFromService == false)
    }

    // MARK: Nothing that is known

    @Test(arguments: [
        "", " ", "\n", "null", "[]", "5", "true", "{}", "[[]]", #"{"error":null}"#, #"{"error":[]}"#, #"{"error":{}}"#,
        #"{"error":true}"#, #"{"error":{"code":null}}"#, #"{"error":{"code":400}}"#, #"{"error":{"code":0}}"#,
        #"{"code":1.5}"#,
        #"{"error":{"message":""}}"#, #"{"error":{"message":" \n"}}"#, #"{"error":""}"#, #"{"message":null}"#,
        #"{"ok":false}"#,
        #"{"error":{"code":"c"}"#, #"{"error":{"code":"c"}} x"#, #"{"error":{"code":"c"}}}"#, #"{'error':{'code':'c'}}"#,
        "<html></html>", "<html>Bad gateway</html>", "Bad <b>gateway</b>", "<?xml version='1.0'?><m/>", #"{"a":NaN}"#,
        "\0\u{1}",
        #"{"data":{"error":{"code":"c"}}}"#, "\u{FEFF}", "\u{2028}",
    ])
    func otherBodiesHaveNone(_ body: String) {
        #expect(ServiceReason(Array(body.utf8), status: 400) == nil)
        for status in [300, 400, 409, 502] where status == 400 || !body.contains("400") {
            let error = AttemptSamples.judge(AttemptSamples.reply(status, body)).error
            #expect(error?.code == .httpError && error?.isFromService == false)
            #expect(error?.message == "HTTP \(status) without a reason in the body")
            #expect(error?.received?.byteCount == body.utf8.count)
        }
    }

    @Test func invalidUTF8HasNone() {
        let json = Array(#"{"error":{"code":"c","message":""#.utf8) + [0xFF] + Array(#""}}"#.utf8)
        #expect(ServiceReason(json, status: 400) == nil)
        #expect(ServiceReason([0x61, 0xFF], status: 400) == nil)
    }

    // MARK: Limits

    @Test func aBodyIsReadUpToItsLimit() {
        func padded(to count: Int) -> [UInt8] {
            let text = #"{"error":{"code":"c","message":"m"}"#
            return Array((text + String(repeating: " ", count: count - text.utf8.count - 1) + "}").utf8)
        }
        #expect(ServiceReason(padded(to: ServiceReason.maxBodyBytes), status: 400)?.code == "c")
        #expect(ServiceReason(padded(to: ServiceReason.maxBodyBytes + 1), status: 400) == nil)
        let plain = Array(repeating: UInt8(ascii: "a"), count: ServiceReason.maxMessageBytes + 1)
        #expect(ServiceReason(Array(plain.dropFirst()), status: 400)?.message?.utf8.count == ServiceReason.maxMessageBytes)
        #expect(ServiceReason(plain, status: 400) == nil, "a longer text is a page")
    }

    @Test(arguments: ["a", "é", "€", "😀"])
    func aMessageIsCut(_ scalar: String) throws {
        for length in [1, 100, 499, 500, 501, 2_000] {
            let text = String(repeating: scalar, count: length)
            let message = try #require(ServiceReason(Array(#"{"message":"\#(text)"}"#.utf8), status: 400)?.message)
            let isWhole = text.utf8.count <= ServiceReason.maxMessageBytes
            #expect(isWhole ? message == text : message.hasSuffix("…") && text.hasPrefix(message.dropLast()))
            #expect(message.utf8.count <= ServiceReason.maxMessageBytes + "…".utf8.count)
        }
    }

    @Test func aMessageIsOneLine() throws {
        for value in Array(0...0x20) + Array(0x7F...0xA0) + [0x2028, 0x2029] as [UInt32] {
            let scalar = try #require(Unicode.Scalar(value))
            let text = "a\(Character(scalar))\(Character(scalar))b\(Character(scalar))"
            let body = JSONWriter.object { $0.member("message", text) }
            #expect(ServiceReason(body, status: 400)?.message == "a b", "\(value)")
        }
    }

    @Test func aCodeHasALimit() {
        func code(_ text: String) -> String? {
            ServiceReason(JSONWriter.object { $0.member("code", text) }, status: 400)?.code
        }
        let longest = String(repeating: "c", count: ServiceReason.maxCodeBytes)
        #expect(code(longest) == longest)
        for text in [longest + "c", "", " ", "a\nb", "a\u{0}", "400", "\u{2028}"] { #expect(code(text) == nil, "\(text)") }
        #expect(code("ä😀") == "ä😀")
    }

    /// Bodies that would take long to search.
    @Test func aLargeBodyIsSearchedForAMoment() {
        /// Seconds of this thread's processor time.
        func clock() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        func repeated(_ part: String, _ count: Int) -> String { repeatElement(part, count: count).joined(separator: ",") }
        let leaf = "{\(repeated(#""errors":{}"#, 15))}"
        let branch = "{\(repeated(#""errors":\#(leaf)"#, 15))}"
        for body in [
            "{\(repeated(#""error":{}"#, 5_000))}", "[\(repeated("[]", 20_000))]",
            "{\(repeated(#""errors":\#(branch)"#, 20))}",
            #"{"errors":[\#(repeated("{}", 20_000))]}"#, String(repeating: "[", count: 65_000),
            String(repeating: #"{"error":"#, count: 100) + "1" + String(repeating: "}", count: 100),
        ] {
            #expect(body.utf8.count <= ServiceReason.maxBodyBytes)
            let start = clock()
            #expect(ServiceReason(Array(body.utf8), status: 400) == nil)
            #expect(clock() - start < 0.5)
        }
    }
}
