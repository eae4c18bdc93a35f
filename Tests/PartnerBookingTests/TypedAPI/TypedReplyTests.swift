import Testing

@testable import PartnerBooking

/// Platforms differ. What is not there, or is something else, is nil; the bytes are kept whatever they hold.
@Suite struct TypedReplyTests {
    private static let timing = CallTiming(totalMicroseconds: 3, queueMicroseconds: 2, attempts: 1, lastAttempt: nil)

    struct Booking: Sendable, CustomTestStringConvertible {
        var json: String
        var members: [String?]
        var testDescription: String { json }

        /// `members` are id, status, start and end.
        init(_ json: String, _ members: String?...) { (self.json, self.members) = (json, members) }
    }

    @Test(arguments: [
        Booking(
            #"{"booking":{"id":"bkg_1","status":"confirmed","start_at":"2030-01-14T10:00:00Z","end_at":"2030-01-14T10:30:00Z"}}"#,
            "bkg_1", "confirmed", "2030-01-14T10:00:00Z", "2030-01-14T10:30:00Z"),
        Booking(#"{"booking":{}}"#, nil, nil, nil, nil),
        Booking(#"{"booking":{"id":5,"status":null,"start_at":["2030"],"end_at":{"time":"10:30"}}}"#, nil, nil, nil, nil),
        Booking(#"{"booking":{"ID":"x","Status":"y","startAt":"z","end":"w"}}"#, nil, nil, nil, nil),
        Booking(#"{"booking":{"id":"","status":"b\u00e9\n\"","start_at":" "}}"#, "", "bé\n\"", " ", nil),
        Booking(
            #"{ "x" : { "booking":{"id":"wrong"} } , "booking" : { "\u0069d" : "right" } , "id":"wrong" }"#, "right", nil,
            nil, nil),
        Booking(#"{"booking":{"customer":{"id":"wrong"},"id":"right"}}"#, "right", nil, nil, nil),
        Booking(#"{"booking":{"id":true,"status":1e3,"end_at":"e"}}"#, nil, nil, nil, "e"),
        Booking(#"{"booking":null}"#, nil, nil, nil, nil),
        Booking(#"{"booking":"bkg_1"}"#, nil, nil, nil, nil),
        Booking(#"{}"#, nil, nil, nil, nil),
        Booking("", nil, nil, nil, nil),
    ])
    func bookingHoldsWhatThereIs(_ booking: Booking) {
        let reply = CreateBookingReply(Array(booking.json.utf8), Self.timing)
        #expect([reply.id, reply.status, reply.startAt, reply.endAt] == booking.members)
        #expect(reply.json == Array(booking.json.utf8))
        #expect(reply.timing == Self.timing)
    }

    struct Search: Sendable, CustomTestStringConvertible {
        var json: String
        var availabilities: [SearchAvailabilityReply.Availability]
        var testDescription: String { json }

        init(_ json: String, _ availabilities: (String, Int?)...) {
            self.json = json
            self.availabilities = availabilities.map { .init(startAt: $0.0, durationMinutes: $0.1) }
        }
    }

    @Test(arguments: [
        Search(#"{"availabilities":[]}"#),
        Search(
            #"{"availabilities":[{"start_at":"a","duration_minutes":30},{"start_at":"b","duration_minutes":20}]}"#,
            ("a", 30),
            ("b", 20)),
        // Whole windows instead of slots.
        Search(#"{"availabilities":[{"start_at":"a","end_at":"b"}]}"#, ("a", nil)),
        Search(
            #"{"availabilities":[{"start_at":"a","duration_minutes":30.5},{"start_at":"b","duration_minutes":"30"},{"start_at":"c","duration_minutes":null},{"start_at":"d","duration_minutes":99999999999999999999},{"start_at":"e","duration_minutes":-1}]}"#,
            ("a", nil), ("b", nil), ("c", nil), ("d", nil), ("e", -1)),
        // What has no start is left out, and the order stays.
        Search(
            #"{"availabilities":[1,null,"x",[],{},{"start_at":5},{"start_at":"b"},{"startAt":"x"},{"start_at":"a"},true]}"#,
            ("b", nil), ("a", nil)),
        Search(
            #"{"x":{"availabilities":[{"start_at":"wrong"}]},"availabilities":[{"\u0073tart_at":"\u0061"}]}"#, ("a", nil)),
        Search(#"{"availabilities":{"start_at":"a"}}"#),
        Search(#"{}"#),
        Search("[]"),
    ])
    func searchHoldsWhatThereIs(_ search: Search) {
        let reply = SearchAvailabilityReply(Array(search.json.utf8), Self.timing)
        #expect(reply.availabilities == search.availabilities)
        #expect(reply.json == Array(search.json.utf8))
        #expect(reply.timing == Self.timing)
    }

    @Test func manyAvailabilitiesKeepTheirOrder() {
        let items = (0..<5_000).map { #"{"start_at":"\#($0)","duration_minutes":\#($0)}"# }.joined(separator: ",")
        let reply = SearchAvailabilityReply(Array(#"{"availabilities":[\#(items)]}"#.utf8), Self.timing)
        #expect(reply.availabilities.map(\.startAt) == (0..<5_000).map(String.init))
        #expect(reply.availabilities.map(\.durationMinutes) == (0..<5_000).map { $0 })
    }
}
