import Testing

@testable import PartnerBooking

/// docs/json-contract.md, "Configuration": limits, unknown members. Defaults: `ConfigurationDefaultsTests`.
@Suite struct ConfigurationTests {
    // MARK: Members

    @Test func theAPIHasNoLookupAndOneServer() throws {
        let read = try ConfigurationSample.read(ConfigurationSample.partner)
        let settings = try ConfigurationSample.settings(read)
        #expect(settings.apiKey == "sk_ptnr_x7Q")
        #expect(settings.customerPath == nil)
        #expect(read.timeoutMilliseconds == nil)
        #expect(read.connection.origins.map(\.warmUpURL) == [settings.baseURL + "/"])
    }

    @Test func emptyObjectsLeaveTheDefaults() throws {
        var text = ConfigurationSample.partner
        let without = try ConfigurationSample.read(text)
        for name in ["paths", "retry", "tls"] { text = text.setting(name, "{}") }
        let read = try ConfigurationSample.read(text)
        let settings = (try ConfigurationSample.settings(read), try ConfigurationSample.settings(without))
        #expect(settings.0.searchPath == settings.1.searchPath && settings.0.bookingPath == settings.1.bookingPath)
        #expect(read.policy.retry == without.policy.retry)
        #expect(read.connection.certificates == without.connection.certificates)
    }

    @Test func everyMemberIsRead() throws {
        let text = ConfigurationSample.partner.setting("endpoint", #""partner_api""#).setting(
            "base_url", #""https://host.test:8443/a/b""#
        )
        .setting("paths.search_availability", #""/s""#).setting("paths.create_booking", #""/b/%20~""#)
        .setting("timeout_ms", "8001").setting("connect_timeout_ms", "8002").setting("max_reply_bytes", "8003")
        .setting("max_in_flight", "8004").setting("retry.max_attempts", "4").setting("retry.base_delay_ms", "8005")
        .setting("slow_after_ms", "8007").setting("max_queued", "8008").setting("max_connections", "8009")
        .setting("max_streams_per_connection", "8010").setting("keep_warm_ms", "8011")
        .setting("retry.max_delay_ms", "8006").setting("proxy", #""socks5h://u:p@proxy.test:1080""#)
        let read = try ConfigurationSample.read(text)
        let settings = try ConfigurationSample.settings(read)
        #expect(settings.baseURL == "https://host.test:8443/a/b")
        #expect(settings.searchPath == "/s" && settings.bookingPath == "/b/%20~")
        #expect(read.timeoutMilliseconds(for: .searchAvailability) == 8_001)
        #expect(read.timeoutMilliseconds(for: .createBooking) == 8_001)
        #expect(read.connection.connectTimeoutMilliseconds == 8_002)
        #expect(read.connection.maxReplyBytes == 8_003)
        #expect(read.limits.maxInFlight == 8_004 && read.limits.maxQueued == 8_008)
        #expect(read.slowAfterMilliseconds == 8_007)
        #expect(read.connection.maxConnections == 8_009 && read.connection.maxStreamsPerConnection == 8_010)
        #expect(read.connection.keepWarmMilliseconds == 8_011)
        #expect(read.connection.origins.map(\.warmUpURL) == ["https://host.test:8443/a/b/"])
        #expect(read.policy.retry == RetryPolicy(maxAttempts: 4, baseDelayMilliseconds: 8_005, maxDelayMilliseconds: 8_006))
        #expect(read.connection.proxy == "socks5h://u:p@proxy.test:1080")
    }

    @Test func onlyTheSandboxOpensWithoutAKey() throws {
        #expect(ConfigurationSample.refusal(Array("{}".utf8))?.field == "api_key")
        #expect(ConfigurationSample.refusal(Array(#"{"endpoint":"partner_api"}"#.utf8))?.field == "api_key")
        #expect(try ConfigurationSample.settings(ConfigurationSample.sandbox).apiKey.hasPrefix("sk_ptnr_"))
        let withKey = ConfigurationSample.sandbox.setting("sandbox.api_key", #""sk_ptnr_known""#)
        #expect(try ConfigurationSample.settings(withKey).apiKey == "sk_ptnr_known")
        #expect(try ConfigurationSample.settings(withKey.setting("api_key", #""sk_ptnr_other""#)).apiKey == "sk_ptnr_other")
    }

    // MARK: Limits

    static let numbers: [(String, ClosedRange<Int>)] = [
        ("timeout_ms", 1...600_000), ("connect_timeout_ms", 1...600_000), ("max_reply_bytes", 1_024...67_108_864),
        ("max_in_flight", 1...100_000), ("max_queued", 0...100_000), ("max_connections", 1...100_000),
        ("max_streams_per_connection", 1...10_000), ("keep_warm_ms", 0...3_600_000), ("slow_after_ms", 1...600_000),
        ("retry.max_attempts", 1...10), ("retry.base_delay_ms", 1...60_000),
        ("retry.max_delay_ms", 1...60_000), ("sandbox.slot_minutes", 1...1_440), ("sandbox.days", 1...366),
        ("sandbox.capacity", 1...1_000), ("sandbox.latency_ms", 0...600_000),
    ]

    @Test(arguments: numbers)
    func numbersHaveTheirLimits(_ path: String, _ range: ClosedRange<Int>) {
        for value in [range.lowerBound, range.upperBound] {
            #expect(
                ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, "\(value)").bytes) == nil, "\(value)")
        }
        let wrong = [
            "\(range.lowerBound - 1)", "\(range.upperBound + 1)", "\(range.upperBound).0", "1e3", "99999999999999999999",
        ]
        for value in wrong + RequestField.noNumbers {
            let error = ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig, "\(value)")
            #expect(error?.field == path, "\(value)")
        }
    }

    @Test(arguments: ["paths", "retry", "tls", "sandbox", "sandbox.opening_hours"])
    func objectsAreObjects(_ path: String) {
        for value in RequestField.noObjects {
            let error = ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig, "\(value)")
            #expect(error?.field == path, "\(value)")
        }
    }

    @Test(arguments: [
        "endpoint", "api_key", "base_url", "paths.search_availability", "paths.create_booking", "tls.ca_file", "proxy",
        "sandbox.time_zone", "sandbox.api_key", "sandbox.now", "sandbox.answer", "sandbox.dates", "sandbox.keys",
        "sandbox.in_work",
    ])
    func stringsAreStrings(_ path: String) {
        for value in RequestField.noStrings + [#""""#, #""word""#] {
            let error = ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig, "\(value)")
            #expect(error?.field == path, "\(value)")
        }
    }

    @Test(arguments: [
        "endpoint", "api_key", "base_url", "paths", "paths.search_availability", "paths.create_booking", "timeout_ms",
        "connect_timeout_ms", "max_reply_bytes", "max_in_flight", "max_queued", "max_connections",
        "max_streams_per_connection",
        "keep_warm_ms", "slow_after_ms", "retry", "retry.max_attempts", "retry.base_delay_ms",
        "retry.max_delay_ms", "tls", "tls.ca_file", "proxy", "sandbox", "sandbox.opening_hours", "sandbox.time_zone",
        "sandbox.slot_minutes", "sandbox.days", "sandbox.capacity", "sandbox.bots", "sandbox.api_key", "sandbox.now",
        "sandbox.min_notice_minutes", "sandbox.answer", "sandbox.dates", "sandbox.keys", "sandbox.in_work", "sandbox.faults",
        "sandbox.latency_ms", "sandbox.opening_hours.monday", "sandbox.opening_hours.sunday", "platform_keys",
        "platform_limit_ms", "check_start_at", "keys_shared", "settle_for_ms", "report_settled", "bots",
        "bots.bot_1.platform_keys", "bots.bot_1.platform_limit_ms", "bots.bot_1.check_start_at",
    ])
    func aMemberStandsOnlyOnce(_ path: String) {
        let values = [
            "endpoint": #""sandbox""#, "api_key": #""sk_ptnr_x7Q""#, "base_url": #""https://host.test""#,
            "paths.search_availability": #""/s""#, "paths.create_booking": #""/b""#,
            "tls.ca_file": #""/nonexistent/ca.pem""#,
            "proxy": #""http://proxy.test""#, "sandbox.time_zone": #""Z""#, "sandbox.api_key": #""sk_ptnr_x7Q""#,
            "sandbox.bots": "[]", "sandbox.now": #""2030-01-14T08:00:00Z""#, "sandbox.opening_hours.monday": "[]",
            "sandbox.answer": #""windows""#, "sandbox.dates": #""utc""#, "sandbox.keys": #""kept""#,
            "sandbox.in_work": #""wait""#, "sandbox.faults": "[]",
            "sandbox.opening_hours.sunday": "[]", "max_reply_bytes": "2048", "paths": "{}", "retry": "{}", "tls": "{}",
            "sandbox": "{}", "sandbox.opening_hours": "{}", "platform_keys": #""first""#, "check_start_at": "true",
            "keys_shared": "true", "report_settled": "true", "bots": "{}", "bots.bot_1.platform_keys": #""none""#,
            "bots.bot_1.check_start_at": "false",
        ]
        let value = values[path] ?? "5"
        let name = String(path.split(separator: ".").last ?? "")
        let text = ConfigurationSample.sandbox.setting(path, value)
        if path != "tls.ca_file" { #expect(ConfigurationSample.refusal(text.bytes) == nil) }
        for spelling in [name, RequestText.escaped(name) { $0 == 1 }] {
            let error = ConfigurationSample.refusal(text.adding(path, value, spelledAs: spelling).bytes)
            #expect(error?.code == .invalidConfig)
            #expect(error?.field == path)
            #expect(error?.message == "\(path) must not appear twice")
        }
    }

    // MARK: Unknown members

    @Test(arguments: [
        "timeout", "Endpoint", "retries", "paths.search", "paths.v1", "retry.attempts", "retry.jitter", "tls.verify",
        "sandbox.hours", "sandbox.bot", "sandbox.opening_hours.Monday", "sandbox.opening_hours.mo",
    ])
    func anUnknownMemberIsNamedByItsPath(_ path: String) throws {
        for value in ["1", "null", "{}"] {
            let error = try #require(ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, value).bytes))
            #expect(error.code == .invalidConfig)
            #expect(error.field == path)
            #expect(error.message.contains("not a known member"))
            #expect(!error.isRetryable && error.source == .caller && error.outcome == nil)
        }
    }

    @Test func aKnownMemberIsKnownOnItsOwnLevelOnly() {
        for path in ["max_attempts", "ca_file", "slot_minutes", "monday", "retry.timeout_ms", "sandbox.max_in_flight"] {
            #expect(ConfigurationSample.refusal(ConfigurationSample.sandbox.setting(path, "5").bytes)?.field == path)
        }
    }

    /// The name comes from outside: in a message it must not break a log line, nor fill it.
    @Test func theNameOfAnUnknownMemberIsMadeFitForALog() throws {
        let name = "a\\n\\u0007 ä\\ud83d\\ude00" + String(repeating: "b", count: 500)
        let error = try #require(
            ConfigurationSample.refusal(ConfigurationSample.sandbox.adding("x", "1", spelledAs: name).bytes))
        #expect(error.field == "a?????" + String(repeating: "b", count: 58))
        #expect(error.message.allSatisfy { $0.isASCII && $0 != "\n" && $0 != "\u{7}" })
    }

    // MARK: The whole

    @Test func theSandboxsMembersBelongToTheSandbox() {
        #expect(ConfigurationSample.refusal(ConfigurationSample.partner.setting("sandbox", "{}").bytes)?.field == "sandbox")
        let text = ConfigurationSample.partner.setting("endpoint", #""partner_api""#).setting("sandbox", "{}")
        #expect(ConfigurationSample.refusal(text.bytes)?.field == "sandbox")
    }

    @Test(arguments: [#""Sandbox""#, #""partner-api""#, #""sandbox ""#])
    func thereAreTwoEndpoints(_ value: String) {
        #expect(
            ConfigurationSample.refusal(ConfigurationSample.partner.setting("endpoint", value).bytes)?.field == "endpoint")
    }

    @Test(arguments: ["", "{", "{}}", #"{"endpoint":"sandbox"} x"#, "\u{FEFF}{}", #"{"endpoint":"\ud800"}"#])
    func whatIsNotJSONIsRefusedWithItsOffset(_ text: String) throws {
        let error = try #require(ConfigurationSample.refusal(Array(text.utf8)))
        #expect(error.code == .invalidJSON)
        #expect(error.field == nil)
        #expect(error.message.contains(" at byte \(try #require(error.offset)): "))
    }

    @Test(arguments: ["[]", "null", "1", #""sandbox""#])
    func aConfigurationIsAnObject(_ text: String) throws {
        let error = try #require(ConfigurationSample.refusal(Array(text.utf8)))
        #expect(error.code == .invalidConfig)
        #expect(error.message == "The configuration must be a JSON object")
        #expect(error.field == nil, "there is no member to name")
    }

    @Test func aConfigurationHasAMostBytes() {
        let bytes = ConfigurationSample.sandbox.bytes
        let padded = bytes + [UInt8](repeating: 0x20, count: 1_048_576 - bytes.count)
        #expect(ConfigurationSample.refusal(padded) == nil)
        #expect(ConfigurationSample.refusal(padded + [0x20])?.code == .invalidArgument)
    }
}
