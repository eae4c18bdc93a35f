import Testing

@testable import PartnerBooking

/// Whether a range of time can hold anything. Dates are days of a clinic anywhere in the world.
@Suite struct TimeRangeTests {
    @Test(arguments: [
        ("2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z", true),
        ("2030-01-14T09:00:00Z", "2030-01-14T09:00:01Z", true),
        ("2030-01-14T09:00:00Z", "2030-01-14T09:00:00Z", false),
        ("2030-01-14T09:00:00Z", "2030-01-14T09:00:00.000000001Z", true),
        ("2030-01-14T09:00:00.5Z", "2030-01-14T09:00:00.5Z", false),
        ("2030-01-14T09:00:00.6Z", "2030-01-14T09:00:00.5Z", false),
        ("2030-01-14T09:00:01Z", "2030-01-14T09:00:00.9Z", false),
        ("2030-01-14T17:00:00Z", "2030-01-14T09:00:00Z", false),
        // Offsets count: 09:00-05:00 is 14:00Z.
        ("2030-01-14T09:00:00-05:00", "2030-01-14T14:00:00Z", false),
        ("2030-01-14T09:00:00-05:00", "2030-01-14T14:00:01Z", true),
        ("2030-01-14T09:00:00+05:00", "2030-01-14T05:00:00Z", true),
        // Dates: the end includes its day.
        ("2030-01-14", "2030-01-14", true),
        ("2030-01-14", "2030-01-15", true),
        ("2030-01-15", "2030-01-14", false),
        // A date and a date-time: the 14th starts first at UTC+14, at 10:00Z of the 13th.
        ("2030-01-14", "2030-01-13T10:00:00Z", false),
        ("2030-01-14", "2030-01-13T10:00:01Z", true),
        ("2030-01-14", "2030-01-14T00:00:00Z", true),
        // A date-time and a date: the 14th ends last at UTC-12, at 12:00Z of the 15th.
        ("2030-01-15T12:00:00Z", "2030-01-14", false),
        ("2030-01-15T11:59:59Z", "2030-01-14", true),
        ("2030-01-14T23:00:00Z", "2030-01-14", true),
    ])
    func endsAfterItStarts(_ start: String, _ end: String, _ isRange: Bool) throws {
        let start = try #require(Timestamp.read(start))
        let end = try #require(Timestamp.read(end))
        #expect(FieldRules.isRange(start, end) == isRange)
    }
}
