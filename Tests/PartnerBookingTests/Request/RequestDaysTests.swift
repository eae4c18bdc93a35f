import Testing

@testable import PartnerBooking

/// Plain dates of a search as days of the clinic.
@Suite struct RequestDaysTests {
    private func body(_ start: String, _ end: String, _ zone: String, more: String = "") throws -> String {
        let range = #"{"start_at":"\#(start)","end_at":"\#(end)"}"#
        let json = #"{"bot_id":"b","query":{"filter":{"start_at_range":\#(range)}}\#(more)}"#
        let request = try Request(.searchAvailability, json: Array(json.utf8)).withDays(of: try Zone.named(zone))
        let root = try JSONDocument(request.body, profile: .request).root
        let sent = root["query"]?["filter"]?["start_at_range"]
        #expect(root["tag"] == nil && root["bot_id"]?.string == "b")
        return "\(sent?["start_at"]?.string ?? "") \(sent?["end_at"]?.string ?? "")"
    }

    @Test func aDateIsADayOfTheZone() throws {
        #expect(
            try body("2030-01-14", "2030-01-14", "America/New_York", more: #","tag":"t""#)
                == "2030-01-14T00:00:00-05:00 2030-01-15T00:00:00-05:00")
    }

    @Test func daysFollowTheClock() throws {
        #expect(
            try body("2030-03-10", "2030-03-10", "America/New_York") == "2030-03-10T00:00:00-05:00 2030-03-11T00:00:00-04:00"
        )
        #expect(try body("2030-03-31", "2030-03-31", "Asia/Beirut") == "2030-03-31T01:00:00+03:00 2030-04-01T00:00:00+03:00")
    }

    @Test func anInstantStays() throws {
        let start = "2030-01-14T09:00:00Z"
        #expect(try body(start, "2030-01-14", "America/New_York") == "\(start) 2030-01-15T00:00:00-05:00")
        #expect(try body(start, "2030-01-14T10:00:00Z", "America/New_York") == "\(start) 2030-01-14T10:00:00Z")
    }

    @Test func aRangeThatIsOverBeforeItsDayBeginsIsRefused() throws {
        let error = try #require(
            #expect(throws: PartnerBookingError.self) { try body("2030-01-15", "2030-01-14T20:00:00Z", "America/New_York") })
        #expect(error.field == "query.filter.start_at_range.end_at")
    }

    /// The clinic of the sandbox would read dates in UTC, as some platforms do.
    @Test func aClientSendsTheDaysOfItsBots() throws {
        let client = try PartnerBookingClient(
            json: Array(
                #"""
                {"endpoint":"sandbox","voice":{"time_zone":"Asia/Tokyo","bots":{"bot_2":{"time_zone":"America/Los_Angeles"}}},
                "sandbox":{"now":"2030-01-13T00:00:00Z","dates":"utc","time_zone":"Asia/Tokyo"}}
                """#.utf8))
        func count(_ bot: String) throws -> Int {
            let range = #"{"start_at":"2030-01-18","end_at":"2030-01-18"}"#
            let json = #"{"bot_id":"\#(bot)","query":{"filter":{"start_at_range":\#(range)}}}"#
            let reply = try client.call(.searchAvailability, request: Array(json.utf8)).get()
            return try JSONDocument(reply, profile: .reply).root["availabilities"].map { Array($0.elements).count } ?? -1
        }
        #expect(try count("bot_1") == 16)
        // That day's opening hours are over in Tokyo.
        #expect(try count("bot_2") == 0)
    }
}
