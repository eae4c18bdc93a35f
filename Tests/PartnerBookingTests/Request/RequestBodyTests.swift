import Testing

@testable import PartnerBooking

/// What is sent, and what the library keeps for itself.
@Suite struct RequestBodyTests {
    private static let query = #""query":{"filter":{"start_at_range":{"start_at":"2031-02-03","end_at":"2031-02-03"}}}"#
    private static let booking =
        #""booking":{"start_at":"2031-02-03T10:00:00Z","duration_minutes":30,"customer":{"phone":"+4930987","name":"Q"}}"#

    private func body(_ operation: CallOperation, _ text: String) throws -> String {
        String(decoding: try Request(operation, json: Array(text.utf8)).body, as: UTF8.self)
    }

    @Test func theLibrarysOwnMembersAreRead() throws {
        let booking = try Request(.createBooking, json: RequestText.booking.bytes)
        #expect(booking.operation == .createBooking)
        #expect(booking.idempotencyKey == "key-4711")
        #expect(booking.tag == "tag-0815")
        #expect(booking.timeoutMilliseconds == 2_345)
        #expect(booking.slowAfterMilliseconds == 1_234)
        #expect(booking.isDetached)
        #expect(booking.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        let search = try Request(.searchAvailability, json: Array("{\"bot_id\":\"b\",\(Self.query)}".utf8))
        #expect(search.operation == .searchAvailability)
        #expect(search.idempotencyKey == nil)
        #expect(search.tag == nil)
        #expect(search.timeoutMilliseconds == nil)
        #expect(search.slowAfterMilliseconds == nil)
        #expect(!search.isDetached)
        #expect(search.traceparent == nil)
    }

    @Test func escapesInTheLibrarysOwnMembersAreResolved() throws {
        let request = RequestText.booking.setting("tag", #""a\u00e4\n\ud83d\ude00""#).setting(
            "idempotency_key", #""a\/\u002d\"""#)
        let read = try Request(.createBooking, json: request.bytes)
        #expect(read.tag == "aä\n😀")
        #expect(read.idempotencyKey == #"a/-""#)
    }

    /// Every way to place two of the library's own members among three others.
    @Test(arguments: CallOperation.allCases)
    func theLibrarysOwnMembersAreTakenOffWhereverTheyStand(_ operation: CallOperation) throws {
        let main =
            switch operation {
            case .searchAvailability: Self.query
            case .createBooking: Self.booking
            case .lookupCustomer: #""customer":{"phone":"+4930987"}"#
            }
        let own = ["\"tag\":\"t\"", operation == .createBooking ? "\"idempotency_key\":\"k\"" : "\"timeout_ms\":7"]
        let sent = ["\"bot_id\":\"b\"", main, "\"extra\":[1.50e+03]"]
        for first in 0...sent.count {
            for second in 0...sent.count + 1 {
                var members = sent
                members.insert(own[0], at: first)
                members.insert(own[1], at: second)
                let text = "{" + members.joined(separator: ",") + "}"
                #expect(try body(operation, text) == "{" + sent.joined(separator: ",") + "}", "\(text)")
            }
        }
    }

    @Test func allOfTheLibrarysOwnMembersAreTakenOffAlsoWhenSpelledWithEscapes() throws {
        let trace = #""00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#
        let text =
            "{\"t\\u0061g\":\"t\",\"bot_id\":\"b\",\"timeout\\u005fms\":5,\(Self.booking),\"\\u0074raceparent\":\(trace),"
            + "\"slow_after\\u005fms\":6,\"d\\u0065tach\":false,\"idempotency_ke\\u0079\":\"k\"}"
        #expect(try body(.createBooking, text) == "{\"bot_id\":\"b\",\(Self.booking)}")
        #expect(try Request(.createBooking, json: Array(text.utf8)).idempotencyKey == "k")
    }

    @Test(arguments: [
        #""extra":1.0"#, #""extra":1e2"#, #""extra":-0"#, #""extra":0.1000"#, #""extra":1E+400"#,
        #""extra":123456789012345678901234567890"#, #""extra":"\u0041\/ä\ud83d\ude00""#,
        #""extra":{"tag":1,"timeout_ms":"x"}"#,
        #""extra":{"b":2,"a":1,"b":3}"#, #""extra":[ 1 , { } ]"#, #""\u0065xtra" : null"#, #""":{"":[]}"#,
        #""booking_":{"tag":null}"#, #""Tag":5"#, #""tags":5"#,
    ])
    func whatWeDoNotKnowTravelsOnAsItIsWritten(_ member: String) throws {
        for own in ["", #","tag":"t""#] {
            let text = "{\(member),\"bot_id\":\"b\"\(own),\(Self.query)}"
            #expect(try body(.searchAvailability, text) == "{\(member),\"bot_id\":\"b\",\(Self.query)}")
        }
    }

    @Test func aRequestWithoutOwnMembersIsSentByteForByte() throws {
        let text = " {\n\"bot_id\" : \"b\" ,\t\(Self.query)\r\n, \"x\" :\n[ ] } \n"
        #expect(try body(.searchAvailability, text) == text)
    }

    @Test func theSpaceWithinAMemberStays() throws {
        let text = "{ \"tag\" : \"t\" , \"bot_id\"\t:\n\"b\" ,\n\(Self.query) , \"x\" : [ 1 , 2 ] }"
        #expect(try body(.searchAvailability, text) == "{\"bot_id\"\t:\n\"b\",\(Self.query),\"x\" : [ 1 , 2 ]}")
    }

    /// A search has no key, and nothing to detach or to give up: the members are such as we do not know.
    @Test(
        arguments: ["idempotency_key", "detach", "resume", "conversation", "give_up", "start_before"],
        [#""k""#, "5", "null", "true", "[ ]"])
    func whatOnlyABookingHasTravelsOnInASearch(_ name: String, _ value: String) throws {
        let text = "{\"bot_id\":\"b\",\"\(name)\":\(value),\"\(name)\":\(value),\(Self.query)}"
        #expect(try body(.searchAvailability, text) == text)
        let request = try Request(.searchAvailability, json: Array(text.utf8))
        #expect(!request.isDetached)
        #expect(request.idempotencyKey == nil)
    }

    @Test(arguments: ["true", "false"])
    func detachIsReadAndTakenOff(_ value: String) throws {
        let text = "{\"bot_id\":\"b\",\"detach\":\(value),\"idempotency_key\":\"k\",\(Self.booking)}"
        #expect(try body(.createBooking, text) == "{\"bot_id\":\"b\",\(Self.booking)}")
        #expect(try Request(.createBooking, json: Array(text.utf8)).isDetached == (value == "true"))
        let without = "{\"bot_id\":\"b\",\"idempotency_key\":\"k\",\(Self.booking)}"
        #expect(try !Request(.createBooking, json: Array(without.utf8)).isDetached)
        let quoted = text.replacing("\"detach\":\(value)", with: "\"detach\":\"\(value)\"")
        #expect(refusal(.createBooking, Array(quoted.utf8))?.field == "detach")
    }

    @Test func membersOfTheSameNameFurtherDownStay() throws {
        let inner =
            #""tag":1,"timeout_ms":2,"traceparent":3,"idempotency_key":4,"slow_after_ms":5,"detach":6,"#
            + #""conversation":7,"give_up":8,"start_before":9,"resume":10"#
        let booking = Self.booking.replacing("{\"start_at\"", with: "{\(inner),\"start_at\"")
        let text = "{\"bot_id\":\"b\",\(booking),\"tag\":\"t\",\"idempotency_key\":\"k\"}"
        #expect(try body(.createBooking, text) == "{\"bot_id\":\"b\",\(booking)}")
    }
}
