import Testing

@testable import PartnerBooking

/// What the error of a refused request carries, and what it never does.
@Suite struct RequestErrorTests {
    private static let notJSON = [
        "", " ", "{", #"{"bot_id":"bot_7""#, #"{"bot_id":"Zaphod Qwxyz"#, #"{"bot_id":"bot_7"} x"#, #"{'bot_id':"bot_7"}"#,
        #"{"bot_id":Zaphod Qwxyz}"#, #"{"tag":"\ud800"}"#, "{\"tag\":\"tag-0815\n\"}", #"{"tag":"tag-0815","tag":NaN}"#,
        #"{"tag":"tag-0815",}"#, "\u{FEFF}{}", #"{"name":"Zaphod \q"}"#, String(repeating: "[", count: 129),
    ]

    @Test(arguments: CallOperation.allCases, notJSON)
    func whatIsNotJSONIsRefusedWithItsOffset(_ operation: CallOperation, _ text: String) throws {
        let bytes = Array(text.utf8)
        let error = try #require(refusal(operation, bytes))
        #expect(error.code == .invalidJSON)
        #expect(error.source == .caller)
        #expect(!error.isRetryable)
        #expect(error.field == nil)
        let offset = try #require(error.offset)
        #expect((0...bytes.count).contains(offset))
        #expect(error.message.contains(" at byte \(offset): "))
        #expect(error.outcome == (operation == .createBooking ? .notSent : nil))
        #expect(error.tag == nil && error.idempotencyKey == nil)
    }

    @Test func theOffsetIsThatOfTheDocumentationsRules() {
        #expect(refusal(.createBooking, Array(#"{"tag":"\ud800"}"#.utf8))?.offset == 8)
        #expect(refusal(.createBooking, Array(#"{"tag":1} x"#.utf8))?.offset == 10)
        #expect(refusal(.createBooking, [0x7B, 0x22, 0xFF])?.offset == 2)
        #expect(refusal(.createBooking, Array("\u{FEFF}{}".utf8))?.offset == 0)
        #expect(refusal(.createBooking, Array(String(repeating: "[", count: 200).utf8))?.offset == 128)
    }

    @Test(arguments: CallOperation.allCases)
    func aRequestIsAtMost262144BytesLong(_ operation: CallOperation) throws {
        let request = RequestText.of(operation).bytes
        let padded = request + [UInt8](repeating: 0x20, count: 262_144 - request.count)
        #expect(refusal(operation, padded) == nil)
        let error = try #require(refusal(operation, padded + [0x20]))
        #expect(error.code == .invalidArgument)
        #expect(error.source == .caller)
        #expect(!error.isRetryable)
        #expect(error.field == nil && error.offset == nil)
        #expect(error.outcome == (operation == .createBooking ? .notSent : nil))
    }

    // MARK: Context

    /// The key and the tag are known as soon as they are read, which is before all other members.
    @Test(arguments: WrongValue.all)
    func theErrorCarriesTagKeyAndOutcome(_ wrong: WrongValue) throws {
        let error = try #require(refusal(wrong.field.operation, wrong.request.bytes))
        let isKeyUnreadable = wrong.field.path == "idempotency_key" && wrong.value != nil
        #expect(error.tag == (wrong.field.path == "tag" || isKeyUnreadable ? nil : "tag-0815"))
        switch wrong.field.operation {
        case .createBooking:
            #expect(error.outcome == .notSent)
            #expect(error.idempotencyKey == (wrong.field.path == "idempotency_key" ? nil : "key-4711"))
        case .searchAvailability, .lookupCustomer:
            #expect(error.outcome == nil)
            #expect(error.idempotencyKey == nil)
        }
    }

    @Test func theErrorsOfACallThatWasNeverReadCarryAnOutcomeToo() {
        #expect(PartnerBookingError.invalidClient.beforeSending(.createBooking).outcome == .notSent)
        #expect(PartnerBookingError.wouldDeadlock.beforeSending(.createBooking).outcome == .notSent)
        let closed = PartnerBookingError.clientClosed.beforeSending(.createBooking)
        #expect(closed.outcome == .unknown, "the client that is gone may have sent it")
        #expect(PartnerBookingError.clientClosed.beforeSending(.searchAvailability).outcome == nil)
        #expect(PartnerBookingError.invalidClient.beforeSending(.createBooking).idempotencyKey == nil)
    }

    @Test func completingAnErrorKeepsWhatItSays() {
        let context = ErrorContext(operation: .createBooking, tag: "t", idempotencyKey: "k")
        var error = PartnerBookingError.field("bot_id", "is required", .missing)
        let completed = context.annotating(error, outcome: .unknown, attempts: 3)
        error.tag = "t"
        error.idempotencyKey = "k"
        error.outcome = .unknown
        error.attempts = 3
        #expect(completed == error)
        var search = context.annotating(.clientClosed)
        search = ErrorContext(operation: .searchAvailability, tag: "t").annotating(search, outcome: .unknown, attempts: 2)
        #expect(search.attempts == 2)
    }

    // MARK: Privacy

    /// The texts that the caller wrote. A date is no secret.
    private func secrets(of request: RequestText) throws -> [String] {
        var secrets: [String] = []
        func collect(_ value: JSONValue) {
            if let text = value.string, text.utf8.count > 3, text.wholeMatch(of: /\d{4}-\d\d-\d\d[T0-9:]*Z?/) == nil {
                secrets.append(text)
            }
            for member in value.members { collect(member.value) }
            for element in value.elements { collect(element) }
        }
        collect(try JSONDocument(request.bytes, profile: .request).root)
        return secrets
    }

    private func expectNothing(of secrets: [String], in error: PartnerBookingError) {
        for secret in secrets {
            #expect(!error.message.contains(secret), "\(secret.prefix(48))")
            #expect(!(error.field ?? "").contains(secret), "\(secret.prefix(48))")
        }
        #expect(!error.message.contains("Zaphod") && !error.message.contains("Qwxyz") && !error.message.contains("qwxyz"))
        #expect(!error.message.contains("+4930") && !error.message.contains("grumbles"))
    }

    @Test(arguments: WrongValue.all)
    func noMessageHoldsWhatTheCallerSaid(_ wrong: WrongValue) throws {
        let error = try #require(refusal(wrong.field.operation, wrong.request.bytes))
        let secrets = try secrets(of: wrong.request)
        #expect(secrets.count >= (wrong.field.operation == .createBooking ? 3 : 1))
        expectNothing(of: secrets, in: error)
        if let value = wrong.value, value.utf8.count > 4, value.first?.isNumber == true || value.first == "-" {
            #expect(!error.message.contains(value))
        }
        #expect(!error.message.contains("\n") && !error.message.contains("\r"))
    }

    @Test(arguments: RequestField.all)
    func norDoesTheMessageOfADuplicate(_ field: RequestField) throws {
        let request = RequestText.of(field.operation)
        let twice = request.adding(field.path, request.value(field.path))
        expectNothing(of: try secrets(of: request), in: try #require(refusal(field.operation, twice.bytes)))
    }

    @Test(arguments: CallOperation.allCases)
    func norTheMessageOfATextThatIsCutOrBroken(_ operation: CallOperation) throws {
        let request = RequestText.of(operation)
        let secrets = try secrets(of: request)
        for length in 0..<request.bytes.count {
            for tail in [[], [0x01], [0xFF], Array("\\x".utf8)] as [[UInt8]] {
                let error = try #require(refusal(operation, request.bytes.prefix(length) + tail))
                #expect(error.code == .invalidJSON)
                let message = error.message
                if let secret = secrets.first(where: { message.contains($0) }) { Issue.record("\(secret) at \(length)") }
            }
        }
    }
}
