import Testing

@testable import PartnerBooking

/// docs/json-contract.md, "Requests", rule by rule.
@Suite struct RequestFieldTests {
    @Test(arguments: CallOperation.allCases)
    func aRightRequestIsAccepted(_ operation: CallOperation) {
        #expect(refusal(operation, RequestText.of(operation).bytes) == nil)
    }

    @Test(arguments: RequestField.all)
    func everythingWithinTheRulesIsAccepted(_ field: RequestField) {
        let request = RequestText.of(field.operation)
        for value in field.accepted {
            #expect(refusal(field.operation, request.setting(field.path, value).bytes) == nil, "\(value.prefix(48))")
        }
        if !field.isRequired { #expect(refusal(field.operation, request.setting(field.path, nil).bytes) == nil) }
    }

    @Test(arguments: WrongValue.all)
    func everythingElseIsRefusedByItsPath(_ wrong: WrongValue) throws {
        let error = try #require(refusal(wrong.field.operation, wrong.request.bytes))
        #expect(error.code == .invalidField)
        #expect(error.field == wrong.field.path)
        #expect(error.message.hasPrefix("\(wrong.field.path) "))
        #expect(error.source == .caller)
        #expect(!error.isRetryable)
        #expect(error.attempts == 0)
        #expect(error.status == nil)
        #expect(error.message.contains("required") == (wrong.value == nil), "a member that is there is not called missing")
    }

    /// Two members are wrong: the one that is read first is named.
    @Test(arguments: [RequestField.ofSearches, RequestField.ofBookings])
    func theFirstWrongMemberIsNamed(_ fields: [RequestField]) {
        for (index, first) in fields.enumerated() {
            for second in fields[(index + 1)...] where !second.path.hasPrefix(first.path) {
                let request = RequestText.of(first.operation).setting(second.path, "[]").setting(first.path, "[]")
                #expect(refusal(first.operation, request.bytes)?.field == first.path, "\(first.path) and \(second.path)")
            }
        }
    }

    /// Where the members stand in the text does not matter for that.
    @Test func theOrderOfTheTextDoesNotMatter() {
        let text = #"{"booking":5,"bot_id":5,"traceparent":5,"timeout_ms":5.5,"idempotency_key":5,"tag":5}"#
        #expect(refusal(.createBooking, Array(text.utf8))?.field == "idempotency_key")
        #expect(refusal(.searchAvailability, Array(text.utf8))?.field == "tag")
    }

    @Test(arguments: CallOperation.allCases, ["[]", "null", "5", #""bot_7""#, "true", #"[{"bot_id":"bot_7"}]"#])
    func aRequestIsAnObject(_ operation: CallOperation, _ text: String) throws {
        let error = try #require(refusal(operation, Array(text.utf8)))
        #expect(error.code == .invalidField)
        #expect(error.message.hasPrefix("The request must be a JSON object; it is "))
        // The contract: "the member that is wrong, as a path". There is no member.
        #expect(error.field == nil)
    }
}
