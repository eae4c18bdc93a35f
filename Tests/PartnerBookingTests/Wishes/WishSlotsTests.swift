import Testing

@testable import PartnerBooking

/// A reading of a wish as options for slots.
@Suite struct WishSlotsTests {
    private let zone = "America/New_York"
    private let now = 1_894_626_000  // 08:00 on Monday 14 January 2030 in New York
    private let common = #""time_zone":"America/New_York","now":"2030-01-14T13:00:00Z","offers":3"#

    /// Free time around the clock, as one item.
    private let search = Array(#"{"availabilities":[{"start_at":"2030-01-14T05:00:00Z","duration_minutes":64800}]}"#.utf8)

    private func starts(_ options: String) throws -> [String] {
        let reply = try SlotList.reply(search: search, options: Array(options.utf8))
        let offers = try #require(try JSONDocument(reply, profile: .reply).root["offers"])
        return offers.elements.map { $0["local"]?.string ?? "" }
    }

    @Test(arguments: [
        ("tomorrow at ten thirty", "2030-01-15T10:30"), ("tomorrow after three", "2030-01-15T15:00"),
        ("Tuesday or Thursday, before noon", "2030-01-15T00:00"), ("tomorrow morning or evening", "2030-01-15T06:00"),
        ("the first slot on the 22nd", "2030-01-22T00:00"),
    ])
    func aReadingFiltersAsItsMembersDo(_ words: String, _ first: String) throws {
        let reading = try TimeWish(when: words, timeZone: zone, now: now).readings[0]
        let request = #"{"when":"\#(words)","time_zone":"\#(zone)","now":"2030-01-14T13:00:00Z"}"#
        let wish = try JSONDocument(try TimeWish.reply(json: Array(request.utf8)), profile: .reply).root
        let json = try #require(wish["readings"].flatMap { Array($0.elements).first }).text
        let offered = try starts(#"{\#(common),"reading":\#(json)}"#)
        #expect(offered.first == first)

        var options = SlotOptions(timeZone: zone, reading: reading)
        options.now = now
        options.offers = 3
        #expect(try SlotList(reply: search, options: options).offers.map(\.local) == offered)
    }

    @Test func memberBesideTheReadingCounts() throws {
        let reading = #""reading":{"from":"2030-01-15","to":"2030-01-15","not_before":"15:00"}"#
        #expect(try starts(#"{\#(common),\#(reading),"not_before":"16:00"}"#).first == "2030-01-15T16:00")
        #expect(try starts(#"{\#(common),\#(reading)}"#).first == "2030-01-15T15:00")
    }
}
