import Testing

@testable import PartnerBooking

/// The JSON contract of slots.
@Suite struct SlotJSONTests {
    private let window = #"{"availabilities":[{"start_at":"2030-01-15T14:00:00Z","duration_minutes":60},{"start_at":"no"}]}"#

    private func reply(_ options: String, _ search: String? = nil) throws -> String {
        let reply = try SlotList.reply(search: Array((search ?? window).utf8), options: Array(options.utf8))
        return String(decoding: reply, as: UTF8.self)
    }

    private func refusal(_ options: String, _ search: String? = nil) -> PartnerBookingError? {
        #expect(throws: PartnerBookingError.self) { try reply(options, search) }
    }

    @Test func repliesMemberByMember() throws {
        let options =
            #"{"time_zone":"America/New_York","now":"2030-01-01T00:00:00Z","limit":1,"offers":1,"pick":"the last one"}"#
        let slot =
            #"{"slot":"tue15-0900x","start_at":"2030-01-15T09:00:00-05:00","end_at":"2030-01-15T09:30:00-05:00","#
            + #""duration_minutes":30,"local":"2030-01-15T09:00","utc_offset":"-05:00","part":"morning","item":0}"#
        #expect(
            try reply(options)
                == #"{"time_zone":"America/New_York","slots":[\#(slot)],"more":true,"offers":[\#(slot)],"picked":\#(slot),"#
                + #""items":2,"skipped_count":1,"skipped":[{"item":1,"reason":"unreadable_start"}]}"#)
    }

    @Test func saysNullWhenNothingIsPicked() throws {
        let options = #"{"time_zone":"UTC","now":"2030-01-01T00:00:00Z","pick":"fri15-0900b"}"#
        #expect(try reply(options).contains(#""picked":null"#))
    }

    @Test(arguments: [
        (#"{}"#, "time_zone"), (#"{"time_zone":7}"#, "time_zone"),
        (#"{"time_zone":"UTC","duration_minutes":0}"#, "duration_minutes"),
        (#"{"time_zone":"UTC","step_minutes":1441}"#, "step_minutes"), (#"{"time_zone":"UTC","items":"all"}"#, "items"),
        (#"{"time_zone":"UTC","now":"2030-01-01"}"#, "now"), (#"{"time_zone":"UTC","from":"monday"}"#, "from"),
        (#"{"time_zone":"UTC","weekdays":["tuesday"]}"#, "weekdays"), (#"{"time_zone":"UTC","parts":["noon"]}"#, "parts"),
        (#"{"time_zone":"UTC","not_before":"9:00"}"#, "not_before"), (#"{"time_zone":"UTC","limit":0}"#, "limit"),
        (#"{"time_zone":"UTC","offers":11}"#, "offers"), (#"{"time_zone":"UTC","offers":1,"around":"three"}"#, "around"),
        (#"{"time_zone":"UTC","locale":"de"}"#, "locale"), (#"{"time_zone":"UTC","zone":"UTC"}"#, "zone"),
        (#"{"time_zone":"UTC","reading":[]}"#, "reading"), (#"{"time_zone":"UTC","start_at":"2030-01-15"}"#, "start_at"),
        (#"{"time_zone":"UTC","reading":{"before":"x"}}"#, "reading.before"),
        (#"{"time_zone":"UTC","reading":{"offers":3}}"#, "reading.offers"),
    ])
    func refusesAnOption(_ options: String, _ field: String) throws {
        let error = try #require(refusal(options))
        #expect(error.code == .invalidField)
        #expect(error.field == field)
    }

    @Test(arguments: ["Mars/Olympus", "../etc/passwd", "", "America/New_York\\u0000"])
    func refusesAZone(_ name: String) throws {
        let error = try #require(refusal(#"{"time_zone":"\#(name)"}"#))
        #expect(error.code == .unknownTimeZone)
        #expect(error.field == "time_zone")
    }

    @Test(arguments: [#"{"error":{"code":"timeout"}}"#, "[]", #"{"availabilities":{}}"#])
    func refusesOtherReplies(_ search: String) throws {
        let error = try #require(refusal(#"{"time_zone":"UTC"}"#, search))
        #expect(error.code == .invalidField)
        #expect(error.field == "availabilities")
    }
}
