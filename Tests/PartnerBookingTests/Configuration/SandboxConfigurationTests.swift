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
        ("UTC", 0), ("Asia/Kolkata", 330), ("America/New_York", -300), ("America/Argentina/Buenos_Aires", -180),
    ])
    func aTimeZoneIsAnOffsetOrAName(_ text: String, _ minutes: Int) throws {
        #expect(try read("time_zone", "\"\(text)\"")?.zone.offsetMinutes(at: 1_894_608_000) == minutes)
    }

    @Test(arguments: ["", "+5:00", "05:00x", "+24:00", "+05:60", "Z ", "+05:00 ", "Europe/Berlin ", "/etc/passwd", "../UTC"])
    func anythingElseIsRefused(_ text: String) {
        expectRefusal("time_zone", "\"\(text)\"")
        let configuration = ConfigurationSample.sandbox.setting("sandbox.time_zone", "\"\(text)\"")
        let error = ConfigurationSample.refusal(configuration.bytes)
        let forms = #"an IANA name such as "America/New_York", or a fixed offset, "Z" or "±HH:MM" such as "-05:00""#
        #expect(error?.message == "sandbox.time_zone must be \(forms)")
    }

    @Test func aNameThatNobodyKnowsIsRefused() throws {
        let text = ConfigurationSample.sandbox.setting("sandbox.time_zone", #""America/Springfield""#)
        let error = try #require(ConfigurationSample.refusal(text.bytes))
        #expect(error.code == .invalidConfig && error.field == "sandbox.time_zone")
        let reason = "there is no time zone America/Springfield in /usr/share/zoneinfo"
        #expect(error.message.hasPrefix("sandbox.time_zone cannot be used: \(reason)"))
    }

    @Test func aChoiceIsOneOfAFew() throws {
        #expect(try read("answer", #""windows""#)?.listing == .windows)
        #expect(try read("answer", #""windows""#)?.noticeMinutes == 60, "like the vendor's demo platform")
        #expect(try read("dates", #""utc""#)?.dates == .utc)
        #expect(try ["refuse", "wait", "look"].map { try read("in_work", "\"\($0)\"")?.inWork } == [.refuse, .wait, .look])
        #expect(try ["first", "kept", "none"].map { try read("keys", "\"\($0)\"")?.keys } == [.first, .kept, .some(.none)])
        for (member, choices) in [
            ("answer", #""slots" or "windows""#), ("dates", #""clinic" or "utc""#),
            ("in_work", #""refuse", "wait" or "look""#), ("keys", #""kept", "first" or "none""#),
        ] {
            for wrong in RequestField.noStrings + [#""""#, #""Slots""#, #""utc ""#] {
                expectRefusal(member, wrong)
                let text = ConfigurationSample.sandbox.setting("sandbox.\(member)", wrong)
                #expect(ConfigurationSample.refusal(text.bytes)?.message == "sandbox.\(member) must be \(choices)")
            }
        }
    }

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
