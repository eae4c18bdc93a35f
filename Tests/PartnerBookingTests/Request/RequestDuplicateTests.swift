import Testing

@testable import PartnerBooking

/// A member that is read may stand only once.
@Suite struct RequestDuplicateTests {
    @Test(arguments: RequestField.all)
    func aMemberThatStandsTwiceIsRefused(_ field: RequestField) throws {
        let name = String(try #require(field.path.split(separator: ".").last))
        let request = RequestText.of(field.operation)
        let values = [request.value(field.path), "null", "{}"]
        let spellings =
            [name, RequestText.escaped(name) { _ in true }]
            + name.utf8.indices.map { place in
                RequestText.escaped(name) { $0 == name.utf8.distance(from: name.utf8.startIndex, to: place) }
            }
        for spelling in spellings {
            for value in values {
                let bytes = request.adding(field.path, value, spelledAs: spelling).bytes
                let error = try #require(refusal(field.operation, bytes), "\(spelling): \(value)")
                #expect(error.code == .invalidField)
                #expect(error.field == field.path, "\(spelling): \(value)")
                #expect(error.message == "\(field.path) must not appear twice")
            }
        }
    }

    private static func container(_ operation: CallOperation) -> String {
        switch operation {
        case .searchAvailability: "query"
        case .createBooking: "booking"
        case .lookupCustomer: "customer"
        }
    }

    @Test(arguments: CallOperation.allCases)
    func anotherMemberMayStandTwice(_ operation: CallOperation) throws {
        let container = Self.container(operation)
        var request = RequestText.of(operation)
        let own = ["tag", "timeout_ms", "slow_after_ms", "traceparent", "idempotency_key", "detach", "conversation"]
        for own in own { request = request.setting(own, nil) }
        if operation == .createBooking { request = request.setting("idempotency_key", #""k""#) }
        request = request.adding("extra", "1").adding("extra", "2").adding("\(container).extra", "[3]")
            .adding("\(container).extra", "[3]").adding("\(container).tag", "4").adding("\(container).tag", "5")
        let body = String(decoding: try Request(operation, json: request.bytes).body, as: UTF8.self)
        #expect(body.hasSuffix(#""extra":1,"extra":2}"#))
        #expect(body.contains(#""extra":[3],"extra":[3],"tag":4,"tag":5}"#))
    }

    /// Names are compared as texts, not as spellings: a member spelled with escapes is read.
    @Test(arguments: RequestField.all)
    func aMemberSpelledWithEscapesIsRead(_ field: RequestField) throws {
        let name = String(try #require(field.path.split(separator: ".").last))
        let request = RequestText.of(field.operation)
        let respelled = request.respelling(field.path, as: RequestText.escaped(name) { _ in true })
        #expect(refusal(field.operation, respelled.bytes) == nil)
        let wrong = request.setting(field.path, "[]").respelling(field.path, as: RequestText.escaped(name) { $0 == 0 })
        #expect(refusal(field.operation, wrong.bytes)?.field == field.path)
    }

    /// A name that merely looks alike is another member.
    @Test(arguments: ["Bot_id", "bot_id ", "bot_id\\u0001", "bot__id", "", "b\\u03bft_id"])
    func aNameThatLooksAlikeIsAnotherMember(_ name: String) {
        let request = RequestText.search
        #expect(refusal(.searchAvailability, request.adding("bot_id", "5", spelledAs: name).bytes) == nil)
        #expect(refusal(.searchAvailability, request.respelling("bot_id", as: name).bytes)?.field == "bot_id")
    }
}
