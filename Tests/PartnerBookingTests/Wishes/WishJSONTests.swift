import Testing

@testable import PartnerBooking

/// The JSON contract of wishes.
@Suite struct WishJSONTests {
    private func reply(_ request: String) throws -> String {
        String(decoding: try TimeWish.reply(json: Array(request.utf8)), as: UTF8.self)
    }

    private func refusal(_ request: String) -> PartnerBookingError? {
        #expect(throws: PartnerBookingError.self) { try reply(request) }
    }

    private let common = #""time_zone":"America/New_York","now":"2030-01-16T14:00:00Z""#

    @Test func repliesMemberByMember() throws {
        #expect(
            try reply(#"{"when":"tomorrow","time":"after three",\#(common)}"#)
                == #"{"clear":true,"readings":[{"from":"2030-01-17","to":"2030-01-17","not_before":"15:00","#
                + #""start_at":"2030-01-17T00:00:00-05:00","end_at":"2030-01-18T00:00:00-05:00"}],"#
                + #""corrected":[],"assumed":["afternoon"]}"#)
        #expect(
            try reply(#"{"when":"Tuesday or Thursday, 2-4pm",\#(common)}"#)
                == #"{"clear":true,"readings":[{"from":"2030-01-17","to":"2030-01-22","weekdays":["tue","thu"],"#
                + #""not_before":"14:00","before":"16:00","#
                + #""start_at":"2030-01-17T00:00:00-05:00","end_at":"2030-01-23T00:00:00-05:00"}],"#
                + #""corrected":[],"assumed":[]}"#)
        #expect(
            try reply(#"{"when":"2029-01-22","time":"first thing, around 9 am",\#(common)}"#)
                == #"{"clear":true,"readings":[{"from":"2030-01-22","to":"2030-01-22","around":"09:00","earliest":true,"#
                + #""start_at":"2030-01-22T00:00:00-05:00","end_at":"2030-01-23T00:00:00-05:00"}],"#
                + #""corrected":["year"],"assumed":[]}"#)
    }

    @Test func twoReadingsAreNotClear() throws {
        let json = try reply(#"{"when":"next Friday",\#(common)}"#)
        #expect(json.hasPrefix(#"{"clear":false,"readings":[{"from":"2030-01-18","#))
        #expect(json.contains(#"},{"from":"2030-01-25","#))
    }

    @Test func daysBeginWhenTheZoneSaysSo() throws {
        // Clocks change in New York on 10 March, and in Beirut at midnight of 31 March.
        let spring = #""time_zone":"America/New_York","now":"2030-03-09T12:00:00Z""#
        #expect(
            try reply(#"{"when":"tomorrow",\#(spring)}"#)
                .contains(#""start_at":"2030-03-10T00:00:00-05:00","end_at":"2030-03-11T00:00:00-04:00""#))
        let beirut = #""time_zone":"Asia/Beirut","now":"2030-03-30T12:00:00Z""#
        #expect(
            try reply(#"{"when":"tomorrow",\#(beirut)}"#)
                .contains(#""start_at":"2030-03-31T01:00:00+03:00","end_at":"2030-04-01T00:00:00+03:00""#))
        let london = #""time_zone":"Europe/London","now":"2030-01-16T12:00:00Z""#
        #expect(try reply(#"{"when":"today",\#(london)}"#).contains(#""start_at":"2030-01-16T00:00:00Z""#))
    }

    @Test func todayIsTheDayOfTheZone() throws {
        let late = #""now":"2030-01-16T23:30:00Z""#
        #expect(try reply(#"{"when":"today","time_zone":"Pacific/Auckland",\#(late)}"#).contains(#""from":"2030-01-17""#))
        #expect(try reply(#"{"when":"today","time_zone":"America/New_York",\#(late)}"#).contains(#""from":"2030-01-16""#))
    }

    @Test(arguments: [#""when":null,"time":"","#, #""when":"","#, "", #""time":null,"when":"any day","#])
    func withoutWordsAllDaysCount(_ members: String) throws {
        let json = try reply("{\(members)\(common),\"max_days_ahead\":14}")
        #expect(json.hasPrefix(#"{"clear":true,"readings":[{"from":"2030-01-16","to":"2030-01-30","start_at""#))
    }

    @Test func theOpeningHasTheFormOfTheSandbox() throws {
        for name in ["thu", "thursday"] {
            let json = try reply(#"{"when":"tomorrow at eight","opening":{"\#(name)":["13:00-21:00"]},\#(common)}"#)
            #expect(json.contains(#""around":"20:00""#) && json.hasSuffix(#""assumed":[]}"#))
        }
    }

    @Test func anErrorHasAReason() throws {
        let error = try #require(refusal(#"{"when":"tomorrow","time":"not at three",\#(common)}"#))
        #expect(
            String(decoding: error.json, as: UTF8.self)
                == #"{"error":{"code":"time_unclear","message":"A part of time is not understood: "#
                + #"ask for a day or a time alone","status":null,"source":"caller","retryable":false,"attempts":0,"#
                + #""field":"time","request_id":null,"reason":"not_understood"}}"#)
        let zone = try #require(refusal(#"{"when":"today","time_zone":"Mars/Olympus"}"#))
        #expect(zone.code == .unknownTimeZone && zone.field == "time_zone")
    }

    @Test(arguments: [
        (#"{"when":"today"}"#, "time_zone"), (#"{"when":7,"time_zone":"UTC"}"#, "when"),
        (#"{"time":[],"time_zone":"UTC"}"#, "time"), (#"{"locale":"de","time_zone":"UTC"}"#, "locale"),
        (#"{"now":"2030-01-16","time_zone":"UTC"}"#, "now"), (#"{"max_days_ahead":0,"time_zone":"UTC"}"#, "max_days_ahead"),
        (#"{"opening":[],"time_zone":"UTC"}"#, "opening"), (#"{"opening":{"day":[]},"time_zone":"UTC"}"#, "opening.day"),
        (#"{"opening":{"mon":["9-17"]},"time_zone":"UTC"}"#, "opening.mon"),
        (#"{"when":"\#(String(repeating: "a", count: 513))","time_zone":"UTC"}"#, "when"),
    ])
    func refusesAMember(_ request: String, _ field: String) throws {
        let error = try #require(refusal(request))
        #expect(error.code == .invalidField)
        #expect(error.field == field)
    }
}
