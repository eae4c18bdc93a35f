import Testing

@testable import PartnerBooking

/// RFC 3339, and dates.
@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01Z", 1),
        ("1969-12-31T23:59:59Z", -1),
        ("2030-01-14T09:00:00Z", 1_894_611_600),
        ("2030-01-14t09:00:00z", 1_894_611_600),
        ("2030-01-14T09:00:00+00:00", 1_894_611_600),
        ("2030-01-14T09:00:00-00:00", 1_894_611_600),
        ("2030-01-14T04:00:00-05:00", 1_894_611_600),
        ("2030-01-14T14:30:00+05:30", 1_894_611_600),
        ("2030-01-15T08:59:00+23:59", 1_894_611_600),
        ("2030-01-13T09:01:00-23:59", 1_894_611_600),
        ("2000-02-29T00:00:00Z", 951_782_400),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
        ("2017-01-01T00:00:00Z", 1_483_228_800),
        ("2016-12-31T18:59:60-05:00", 1_483_228_800),
        ("0000-01-01T00:00:00Z", -62_167_219_200),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func readsAnInstant(_ text: String, _ seconds: Int) {
        #expect(Timestamp.read(text) == .instant(seconds: seconds, nanoseconds: 0))
        #expect(Timestamp.read(text)?.instantSeconds == seconds)
    }

    @Test(arguments: [
        (".5", 500_000_000), (".0", 0), (".000000001", 1), (".123456789", 123_456_789), (".1234567899", 123_456_789),
        (".25", 250_000_000), (".999999999999999999999999", 999_999_999), (".00000000000000000000000000000009", 0),
    ])
    func readsAFraction(_ fraction: String, _ nanoseconds: Int) {
        #expect(Timestamp.read("1970-01-01T00:00:07\(fraction)Z") == .instant(seconds: 7, nanoseconds: nanoseconds))
        #expect(Timestamp.read("1970-01-01T01:00:07\(fraction)+01:00") == .instant(seconds: 7, nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        ("1970-01-01", 0), ("1970-01-02", 1), ("1969-12-31", -1), ("2030-01-14", 21_928), ("2000-02-29", 11_016),
        ("2024-02-29", 19_782), ("9999-12-31", 2_932_896), ("0000-01-01", -719_528), ("0000-02-29", -719_469),
    ])
    func readsADate(_ text: String, _ days: Int) {
        #expect(Timestamp.read(text) == .date(days: days))
        #expect(Timestamp.read(text)?.instantSeconds == nil)
    }

    @Test(arguments: [
        // Days that do not exist.
        "2030-00-14", "2030-13-14", "2030-01-00", "2030-01-32", "2030-04-31", "2030-06-31", "2030-09-31", "2030-11-31",
        "2030-02-29", "1900-02-29", "2100-02-29", "2000-02-30", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z",
        // Times that do not exist.
        "2030-01-14T24:00:00Z", "2030-01-14T09:60:00Z", "2030-01-14T09:00:61Z", "2030-01-14T99:00:00Z",
        // Offsets: none, or wrong.
        "2030-01-14T09:00:00", "2030-01-14T09:00:00+24:00", "2030-01-14T09:00:00+05:60", "2030-01-14T09:00:00+0530",
        "2030-01-14T09:00:00+05", "2030-01-14T09:00:00+5:30", "2030-01-14T09:00:00 Z", "2030-01-14T09:00:00ZZ",
        "2030-01-14T09:00:00Z+01:00", "2030-01-14T09:00:00+", "2030-01-14T09:00:00*05:00", "2030-01-14T09:00:00UTC",
        "2030-01-14T09:00:00\u{2212}05:00",
        // Fractions without digits, or with a comma.
        "2030-01-14T09:00:00.Z", "2030-01-14T09:00:00.", "2030-01-14T09:00:00,5Z", "2030-01-14T09:00:00.5", "2030-01-14.5",
        "2030-01-14T09:00:00.5.5Z",
        // Too much or too little.
        "", " ", "2030", "2030-01", "2030-01-", "2030-1-14", "2030-01-1", "30-01-14", "12030-01-14", "20300114",
        "2030/01/14",
        "2030-01-14T", "2030-01-14T09", "2030-01-14T09:00", "2030-01-14T09:00Z", "2030-01-14T9:00:00Z", "2030-01-14Z",
        "20300114T090000Z", "2030-01-14 09:00:00Z", "2030-01-14_09:00:00Z", " 2030-01-14", "2030-01-14 ",
        "2030-01-14T09:00:00Z ", "2030-01-14T09:00:00Z\n", "2030-01-14T09:00:00Z\0", "2030-01-14\0", "-2030-01-14",
        "+2030-01-14", "2030-01-+4", "2030- 1-14", "2030-W03-1", "2030-014", "tomorrow", "2030-01-14T09:00:-1Z",
        "\u{0662}\u{0660}\u{0663}\u{0660}-01-14",
    ])
    func refuses(_ text: String) { #expect(Timestamp.read(text) == nil) }

    @Test func refusesEveryTextThatIsCut() {
        let text = "2030-01-14T09:00:00.25-05:00"
        for length in 0..<text.utf8.count where length != 10 {
            #expect(Timestamp.read(String(text.prefix(length))) == nil, "the first \(length) bytes")
        }
    }

    /// Any other byte anywhere is refused, or changes the time: nothing is skipped.
    @Test func everyByteCounts() {
        let text = Array("2031-11-14T11:12:13.25-05:14".utf8)
        let original = text.withUnsafeBytes { Timestamp($0) }
        #expect(original != nil)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max where byte != text[index] {
                var changed = text
                changed[index] = byte
                let reading = changed.withUnsafeBytes { Timestamp($0) }
                if index == 10, byte == UInt8(ascii: "t") {
                    #expect(reading == original)
                } else {
                    #expect(reading != original, "\(byte) at \(index)")
                }
                if let reading, reading != original {
                    #expect(UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || index == 22, "\(byte) at \(index)")
                }
            }
        }
    }

    // MARK: Parts

    @Test(
        arguments: [
            ("Z", 0), ("z", 0), ("+00:00", 0), ("-00:00", 0), ("-05:00", -300), ("+05:30", 330), ("-03:30", -210),
            ("+14:00", 840),
            ("+23:59", 1_439), ("-23:59", -1_439), ("", nil), ("05:00", nil), ("+24:00", nil), ("+05:60", nil),
            ("+0500", nil),
            ("Z ", nil), ("+05:000", nil), ("+5:00", nil), ("UTC", nil),
        ] as [(String, Int?)])
    func readsAnOffset(_ text: String, _ minutes: Int?) {
        #expect(Array(text.utf8).withUnsafeBytes { Timestamp.offsetMinutes($0) } == minutes)
    }

    @Test(
        arguments: [
            ("00:00", 0), ("00:01", 1), ("09:00", 540), ("23:59", 1_439), ("24:00", 1_440), ("24:01", nil), ("25:00", nil),
            ("23:60", nil), ("9:00", nil), ("09:0", nil), ("0900", nil), ("09:00 ", nil), ("", nil), ("-1:00", nil),
        ] as [(String, Int?)])
    func readsAMinuteOfTheDay(_ text: String, _ minute: Int?) {
        #expect(Array(text.utf8).withUnsafeBytes { Timestamp.minuteOfDay($0) } == minute)
    }

    // MARK: Writing

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00Z"),
        (-1, 0, "1969-12-31T23:59:59Z"),
        (1_894_611_600, 0, "2030-01-14T09:00:00Z"),
        (1_894_611_600, -300, "2030-01-14T04:00:00-05:00"),
        (1_894_611_600, 330, "2030-01-14T14:30:00+05:30"),
        (1_894_611_600, -210, "2030-01-14T05:30:00-03:30"),
        (1_894_611_600, -1, "2030-01-14T08:59:00-00:01"),
        (1_894_611_600, 1_439, "2030-01-15T08:59:00+23:59"),
        (951_782_400, -60, "2000-02-28T23:00:00-01:00"),
        (-62_167_219_200, 0, "0000-01-01T00:00:00Z"),
    ])
    func writes(_ seconds: Int, _ offset: Int, _ text: String) {
        #expect(Timestamp.format(seconds: seconds, offsetMinutes: offset) == text)
    }

    @Test func whatIsWrittenIsReadBack() {
        var random = SplitMix64(state: 3_339)
        for _ in 0..<3_000 {
            let seconds = Int.random(in: -62_000_000_000...253_000_000_000, using: &random)
            let offset = Int.random(in: -1_439...1_439, using: &random)
            let text = Timestamp.format(seconds: seconds, offsetMinutes: offset)
            if Timestamp.read(text) != .instant(seconds: seconds, nanoseconds: 0) {
                Issue.record("\(seconds) \(offset): \(text)")
            }
        }
    }
}
