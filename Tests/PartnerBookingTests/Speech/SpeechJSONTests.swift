import Testing

@testable import PartnerBooking

/// The JSON contract of `pbk_say`.
@Suite struct SpeechJSONTests {
    private func refusal(_ request: String) -> PartnerBookingError? {
        #expect(throws: PartnerBookingError.self) { try SpeechSample.reply(request) }
    }

    private static let wednesday = #"{"say":"Wednesday, January sixteenth at nine thirty in the morning"}"#

    @Test(arguments: [
        #""start_at":"2030-01-16T14:30:00Z""#, #""start_at":"2030-01-16T09:30""#, #""start_at":1894804200"#,
        #""slot":{"start_at":"2030-01-16T14:30:00Z","slot":"wed16-0930k"}"#, #""slot":"2030-01-16T15:30:00+01:00""#,
        #""slot":{"start_at":null,"start":"2030-01-16T09:30:59-05:00"}"#, #""slots":[{"start_at":"2030-01-16T14:30:00Z"}]"#,
        #""slots":["2030-01-16T14:30:00.5Z"]"#, #""slots":{"start_time":"2030-01-16 09:30"}"#,
    ])
    func takesAStartInEachForm(_ member: String) throws {
        #expect(try SpeechSample.reply("{\(member),\(SpeechSample.common)}") == Self.wednesday)
    }

    @Test func theSystemsClockIsTheDefaultOfNow() throws {
        let now = WallClock.seconds()
        let start = Timestamp.format(seconds: now - now % 60, offsetMinutes: 0)
        let words = try SpeechSample.reply(#"{"start_at":"\#(start)","time_zone":"Etc/UTC"}"#)
        // A test may run over midnight.
        #expect(words.hasPrefix(#"{"say":"today at "#) || WallClock.seconds() / 86_400 != now / 86_400)
    }

    @Test func saysAPhoneNumberAndALength() throws {
        #expect(
            try SpeechSample.reply(#"{"phone":"+15555551234","region":"US"}"#)
                == #"{"say":"five five five, five five five, one two three four"}"#)
        #expect(
            try SpeechSample.reply(#"{"phone":"+15555551234","locale":"fr"}"#)
                == #"{"say":"plus un, cinq cinq cinq, cinq cinq cinq, un deux trois quatre"}"#)
        #expect(try SpeechSample.reply(#"{"duration_minutes":90}"#) == #"{"say":"an hour and a half"}"#)
    }

    @Test(arguments: [
        ("{}", "slots"), (#"{"time_zone":"Etc/UTC"}"#, "slots"), (#"{"start_at":"2030-01-16T14:30:00Z"}"#, "time_zone"),
        (#"{"start_at":1,"phone":"1"}"#, "phone"), (#"{"slot":{},"slot":{}}"#, "slot"),
        (#"{"start_at":"noon","time_zone":"Etc/UTC"}"#, "start_at"),
        (#"{"start_at":null,"time_zone":"Etc/UTC"}"#, "start_at"),
        (#"{"slot":{},"time_zone":"Etc/UTC"}"#, "slot"), (#"{"slots":[],"time_zone":"Etc/UTC"}"#, "slots"),
        (#"{"slots":["2030-01-16T14:30:00Z",{}],"time_zone":"Etc/UTC"}"#, "slots"),
        (#"{"start_at":"2030-03-10T02:30","time_zone":"America/New_York"}"#, "start_at"),
        (#"{"start_at":1894804200,"time_zone":"Etc/UTC","now":"2030-01-16"}"#, "now"),
        (#"{"start_at":1894804200,"time_zone":"Etc/UTC","style":"long"}"#, "style"),
        (#"{"start_at":1894804200,"time_zone":"Etc/UTC","joiner":"nor"}"#, "joiner"),
        (#"{"start_at":1894804200,"time_zone":"Etc/UTC","locale":"de"}"#, "locale"),
        (#"{"start_at":1894804200,"time_zone":"Etc/UTC","stlye":"day"}"#, "stlye"),
        (#"{"duration_minutes":0}"#, "duration_minutes"), (#"{"duration_minutes":1441}"#, "duration_minutes"),
        (#"{"duration_minutes":"30"}"#, "duration_minutes"), (#"{"phone":5551234567}"#, "phone"),
        (#"{"phone":"+15551234567","region":"us"}"#, "region"),
    ])
    func refusesAMember(_ request: String, _ field: String) throws {
        let error = try #require(refusal(request))
        #expect(error.code == .invalidField)
        #expect(error.field == field)
    }

    @Test func refusesMoreThanAnybodyRemembers() throws {
        let slots = [String](repeating: #""2030-01-16T14:30:00Z""#, count: Speech.maxCount)
        func request(_ slots: [String]) -> String { "{\"slots\":[\(slots.joined(separator: ","))],\(SpeechSample.common)}" }
        #expect(SpeechSample.isWellMade(SpeechSample.words(try SpeechSample.reply(request(slots))).utf8))
        #expect(refusal(request(slots + slots))?.field == "slots")
    }

    @Test func errorsHaveTheirCodes() throws {
        let zone = try #require(refusal(#"{"start_at":1894804200,"time_zone":"Mars/Olympus"}"#))
        #expect((zone.code, zone.field) == (.unknownTimeZone, "time_zone"))
        let phone = try #require(refusal(#"{"phone":"555 1234","region":"US"}"#))
        #expect((phone.code, phone.field) == (.phoneUnclear, "phone"))
        #expect(phone.phoneProblem?.reason == .tooShort)
        #expect(refusal("{")?.code == .invalidJSON)
        #expect(refusal("[]")?.code == .invalidField)
    }

    @Test func theTypedSpeechSaysTheSame() throws {
        let speech = try Speech(timeZone: "America/New_York", locale: .britishEnglish)
        let now = 1_894_626_000
        #expect(
            try speech.words(for: "2030-01-16T14:30:00Z", now: now)
                == "Wednesday the sixteenth at half past nine in the morning")
        #expect(
            try speech.words(for: ["2030-01-16T09:30", "2030-01-16T10:00"], joiner: .and, style: .time, now: now)
                == "half past nine and ten in the morning")
        #expect(throws: PartnerBookingError.self) { try speech.words(for: "soon") }
        #expect(throws: PartnerBookingError.self) { try speech.words(for: []) }
        #expect(throws: PartnerBookingError.self) { try Speech(timeZone: "Mars/Olympus") }
    }
}
