import Testing

@testable import PartnerBooking

/// The members of the configuration's `sandbox`.
@Suite struct SandboxSettingsTests {
    private func read(_ path: String, _ value: String) throws -> SandboxSettings? {
        ConfigurationSample.clinic(
            try ConfigurationSample.read(ConfigurationSample.sandbox.setting("sandbox.\(path)", value)))
    }

    private func expectRefusal(_ path: String, _ value: String) {
        let error = ConfigurationSample.refusal(ConfigurationSample.sandbox.setting("sandbox.\(path)", value).bytes)
        #expect(error?.code == .invalidConfig, "\(value.prefix(48))")
        #expect(error?.field == "sandbox.\(path)", "\(value.prefix(48))")
    }

    /// Which they are: `ConfigurationDefaultsTests`.
    @Test func anEmptyObjectLeavesTheDefaults() throws {
        let texts = [ConfigurationSample.sandbox, ConfigurationSample.sandbox.setting("sandbox", "{}")]
        let clinics = try texts.map { try #require(ConfigurationSample.clinic(try ConfigurationSample.read($0))) }
        #expect("\(clinics[0])" == "\(clinics[1])")
    }

    @Test func openingHoursAreRead() throws {
        let hours =
            #"{"sunday":["00:00-24:00"],"tuesday":["13:00-17:30","08:00-12:00"],"friday":[],"saturday":["12:00-12:01"]}"#
        let clinic = try read("opening_hours", hours)
        #expect(clinic?.openingHours == [[0..<1_440], [], [480..<720, 780..<1_050], [], [], [], [720..<721]])
        #expect(try read("opening_hours", "{}")?.openingHours == Array(repeating: [], count: 7))
    }

    @Test(arguments: ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
    func aDayIsAListOfHours(_ day: String) throws {
        let eight = (0..<8).map { "\"0\($0):00-0\($0):59\"" }.joined(separator: ",")
        for right in ["[]", #"["09:00-17:00"]"#, #"["09:00-12:00","12:00-17:00"]"#, "[\(eight)]"] {
            #expect(throws: Never.self) { try read("opening_hours", "{\"\(day)\":\(right)}") }
        }
        for wrong in [
            "null", "{}", #""09:00-17:00""#, "[null]", "[5]", #"[["09:00-17:00"]]"#, #"["09:00"]"#, #"["9:00-17:00"]"#,
            #"["09:00-17:00 "]"#,
            #"["09:00–17:00"]"#, #"["09:00 17:00"]"#, #"["09:00+17:00"]"#, #"["17:00-09:00"]"#, #"["09:00-09:00"]"#,
            #"["24:00-24:00"]"#, #"["09:00-24:01"]"#,
            #"["09:60-17:00"]"#,
            #"["-1:00-17:00"]"#, #"["09:00-12:00","11:59-17:00"]"#, #"["09:00-17:00","09:00-17:00"]"#,
            #"["09:00-17:00","10:00-11:00"]"#,
            #"["09:00-17:00",""]"#, "[\(eight),\"09:00-10:00\"]",
        ] {
            expectRefusal("opening_hours.\(day)", wrong)
        }
    }

    @Test(arguments: [
        ("Z", 0), ("+00:00", 0), ("-05:00", -300), ("+05:30", 330), ("-03:30", -210), ("+14:00", 840), ("-12:00", -720),
    ])
    func anOffsetIsRead(_ text: String, _ minutes: Int) throws {
        #expect(try read("utc_offset", "\"\(text)\"")?.utcOffsetMinutes == minutes)
    }

    @Test(arguments: ["", "UTC", "0", "5", "+5:00", "+0500", "05:00", "+24:00", "+05:60", "Z ", "+05:00 ", "Europe/Berlin"])
    func anyOtherOffsetIsRefused(_ text: String) { expectRefusal("utc_offset", "\"\(text)\"") }

    @Test func botsAreAListOfStrings() throws {
        #expect(try read("bots", "[]")?.bots == [])
        #expect(try read("bots", #"["a","b","\u0061"]"#)?.bots == ["a", "b"])
        let thousand = (0..<1_000).map { "\"bot\($0)\"" }.joined(separator: ",")
        #expect(try read("bots", "[\(thousand)]")?.bots?.count == 1_000)
        for wrong in ["null", #""a""#, "{}", "[1]", #"["a",null]"#, #"[["a"]]"#, "[\(thousand),\"one more\"]"] {
            expectRefusal("bots", wrong)
        }
    }

    @Test func theClockIsSetToAnInstant() throws {
        #expect(try read("now", #""2030-01-14T09:00:00Z""#)?.now == 1_894_611_600)
        #expect(try read("now", #""2030-01-14T10:30:00.999+01:30""#)?.now == 1_894_611_600)
        for wrong in [#""2030-01-14""#, #""2030-01-14T09:00:00""#, #""now""#, "1894611600"] { expectRefusal("now", wrong) }
    }

    @Test func twoOperationsHaveTwoPaths() throws {
        let text = ConfigurationSample.partner.setting("paths.create_booking", #""/v1/availability/search""#)
        let error = #expect(throws: PartnerBookingError.self) { try Configuration(json: text.bytes) }
        #expect(error?.field == "paths")
    }

    @Test func aProxyDoesNotSeeTheKeyInTheClear() throws {
        let text = ConfigurationSample.partner.setting("proxy", #""http://127.0.0.1:3128""#)
        #expect(try Configuration(json: text.bytes).connection.proxy == "http://127.0.0.1:3128")
        let clear = text.setting("base_url", #""http://localhost""#)
        let error = #expect(throws: PartnerBookingError.self) { try Configuration(json: clear.bytes) }
        #expect(error?.field == "proxy")
    }
}
