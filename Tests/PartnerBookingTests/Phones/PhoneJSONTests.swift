import Testing

@testable import PartnerBooking

/// The JSON contract of phone numbers.
@Suite struct PhoneJSONTests {
    private func reply(_ request: String) throws -> String {
        String(decoding: try PhoneNumber.reply(json: Array(request.utf8)), as: UTF8.self)
    }

    private func refusal(_ request: String) -> PartnerBookingError? {
        #expect(throws: PartnerBookingError.self) { try reply(request) }
    }

    @Test func repliesMemberByMember() throws {
        #expect(
            try reply(#"{"text":"five five five, one two three, four five six seven","region":"US"}"#)
                == #"{"phone":"+15551234567","region":"US","groups":["555","123","4567"],"#
                + #""say":"five five five, one two three, four five six seven"}"#)
        let french = #""text":"z\u00e9ro six douze trente-quatre cinquante-six z\u00e9ro un poste douze""#
        #expect(
            try reply(#"{"locale":"fr","region":"FR",\#(french)}"#)
                == #"{"phone":"+33612345601","region":"FR","groups":["06","12","34","56","01"],"extension":"12","#
                + #""say":"zéro six, un deux, trois quatre, cinq six, zéro un, poste un deux"}"#)
        #expect(
            try reply(#"{"text":"+800 1234 5678"}"#)
                == #"{"phone":"+80012345678","region":null,"groups":["+800","1234","5678"],"#
                + #""say":"plus eight zero zero, one two three four, five six seven eight"}"#)
    }

    @Test(arguments: VoiceLocale.all)
    func takesEachLocale(_ locale: VoiceLocale) throws {
        let json = try reply(#"{"text":"+15551234567","locale":"\#(locale.name)"}"#)
        #expect(json.hasPrefix(#"{"phone":"+15551234567","region":"US","groups":["+1","555","123","4567"],"say":""#))
    }

    @Test func anErrorHasAReason() throws {
        let short = try #require(refusal(#"{"text":"555 1234","region":"US"}"#))
        #expect(
            String(decoding: short.json, as: UTF8.self)
                == #"{"error":{"code":"phone_unclear","message":"The phone number has 7 digits and needs 10","status":null,"#
                + #""source":"caller","retryable":false,"attempts":0,"field":"text","request_id":null,"#
                + #""reason":"too_short","digits_heard":7,"digits_wanted":10}}"#)
        let none = try #require(refusal(#"{"text":"no idea","region":"US"}"#))
        #expect(String(decoding: none.json, as: UTF8.self).hasSuffix(#","request_id":null,"reason":"no_digits"}}"#))
    }

    @Test(arguments: [
        (#"{}"#, "text"), (#"{"text":5551234567}"#, "text"), (#"{"text":null,"region":"US"}"#, "text"),
        (#"{"text":"1","text":"2"}"#, "text"), (#"{"text":"1","region":"us"}"#, "region"),
        (#"{"text":"1","region":null}"#, "region"),
        (#"{"text":"1","region":"XK","region":"XK"}"#, "region"), (#"{"text":"1","region":["US"]}"#, "region"),
        (#"{"text":"1","locale":"en"}"#, "locale"), (#"{"text":"1","locale":"de"}"#, "locale"),
        (#"{"text":"1","locale":7}"#, "locale"), (#"{"text":"\#(String(repeating: "5", count: 1_025))"}"#, "text"),
    ])
    func refusesAMember(_ request: String, _ field: String) throws {
        let error = try #require(refusal(request))
        #expect(error.code == .invalidField)
        #expect(error.field == field)
    }

    @Test func refusesWhatIsNoJSON() {
        #expect(refusal("{")?.code == .invalidJSON)
        #expect(refusal("[]")?.code == .invalidField)
    }

    @Test func theTypedNumberHasTheSameJSON() throws {
        let phone = try PhoneNumber("(555) 123-4567 x9", region: "US")
        #expect(String(decoding: phone.json, as: UTF8.self) == (try reply(#"{"text":"(555) 123-4567 x9","region":"US"}"#)))
    }
}
