import Testing

@testable import PartnerBooking

/// docs/json-contract.md: what a configuration says of platforms and their keys, for all bots or for one; and what becomes of
/// bookings whose calls have ended.
@Suite struct BookingRulesTests {
    private static let rules = [
        "platform_keys": #""first""#, "platform_limit_ms": "8001", "check_start_at": "false",
    ]
    private static var partner: RequestText { ConfigurationSample.partner }

    private static func setting(_ members: [String: String], in text: RequestText = partner, at path: String = "")
        -> RequestText
    {
        members.reduce(text) { $0.setting(path + $1.key, $1.value) }
    }

    private static func read(_ text: RequestText) throws -> PartnerAPISettings { try ConfigurationSample.settings(text) }

    // MARK: For all bots

    @Test func theDefaultsSuitAPlatformOfWhichNothingIsKnown() throws {
        let settings = try Self.read(Self.partner)
        #expect(settings.rules == BookingRules() && settings.rulesByBot.isEmpty)
        #expect(settings.rules.keys == .kept && settings.rules.checksStart && !settings.rules.areKeysShared)
    }

    @Test func everyMemberIsRead() throws {
        let text = Self.setting(Self.rules).setting("keys_shared", "true").setting("settle_for_ms", "8002")
            .setting("report_settled", "true")
        #expect(
            try Self.read(text).rules
                == BookingRules(keys: .first, platformLimitMilliseconds: 8_001, areKeysShared: true, checksStart: false))
        let policy = try ConfigurationSample.read(text).policy
        #expect(policy.settleForMilliseconds == 8_002 && policy.reportsSettled)
    }

    @Test(arguments: [("kept", BookingRules.Keys.kept), ("first", .first), ("none", .none)])
    func platformsTreatKeysInThreeWays(_ name: String, _ keys: BookingRules.Keys) throws {
        #expect(try Self.read(Self.partner.setting("platform_keys", "\"\(name)\"")).rules.keys == keys)
    }

    @Test(arguments: [#""""#, #""Kept""#, #""first ""#, #""unknown""#, "true", "1", "null", "{}", #"["first"]"#])
    func anyOtherWayIsRefused(_ value: String) {
        for path in ["platform_keys", "bots.bot_1.platform_keys"] {
            let error = ConfigurationSample.refusal(Self.partner.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig && error?.field == path, "\(value)")
        }
    }

    @Test(arguments: [
        ("platform_limit_ms", 1...600_000), ("settle_for_ms", 0...3_600_000), ("bots.bot_1.platform_limit_ms", 1...600_000),
    ])
    func numbersHaveTheirLimits(_ path: String, _ range: ClosedRange<Int>) {
        for value in [range.lowerBound, range.upperBound] {
            #expect(ConfigurationSample.refusal(Self.partner.setting(path, "\(value)").bytes) == nil, "\(value)")
        }
        for value in ["\(range.lowerBound - 1)", "\(range.upperBound + 1)", "1.0"] + RequestField.noNumbers {
            let error = ConfigurationSample.refusal(Self.partner.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig && error?.field == path, "\(value)")
        }
    }

    @Test(arguments: ["check_start_at", "keys_shared", "report_settled", "bots.bot_1.check_start_at"])
    func switchesAreTrueOrFalse(_ path: String) {
        for value in ["true", "false"] {
            #expect(ConfigurationSample.refusal(Self.partner.setting(path, value).bytes) == nil)
        }
        for value in ["1", "0", #""true""#, "null", "{}", "[]"] {
            let error = ConfigurationSample.refusal(Self.partner.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig && error?.field == path, "\(value)")
        }
    }

    @Test func allEndpointsHaveTheseMembers() throws {
        let text = Self.setting(Self.rules, in: ConfigurationSample.sandbox).setting("keys_shared", "true")
        #expect(try Self.read(text).rules.keys == .first && Self.read(text).rules.areKeysShared)
        let directory = try PlatformSample.directory(
            #"{"bot_1":{"account_id":"a"}}"#, #","platform_keys":"none","keys_shared":true,"settle_for_ms":0"#)
        #expect(directory.platforms["bot_1"]?.rules == BookingRules(keys: .none, areKeysShared: true))
    }

    // MARK: For one bot

    @Test func aBotsRulesStandBeforeThoseOfAll() throws {
        let text = Self.setting(Self.rules).setting("keys_shared", "true").setting("bots.bot_1.platform_keys", #""none""#)
            .setting("bots.bot_2.check_start_at", "true").setting("bots.bot_3", "{}")
        let all = BookingRules(keys: .first, platformLimitMilliseconds: 8_001, areKeysShared: true, checksStart: false)
        let settings = try Self.read(text)
        #expect(settings.rules == all)
        var (first, second) = (all, all)
        first.keys = .none
        second.checksStart = true
        #expect(settings.rulesByBot == ["bot_1": first, "bot_2": second, "bot_3": all])
    }

    /// The rules travel with the message of each request.
    @Test func aMessageHasTheRulesOfItsBot() throws {
        let text = Self.setting(Self.rules, at: "bots.bot_1.")
        let endpoint = PartnerAPIEndpoint(try Self.read(text))
        func rules(_ bot: String) throws -> BookingRules {
            try endpoint.message(for: Request(.createBooking, json: Sample.booking(bot: bot))).rules
        }
        #expect(try rules("bot_1") == BookingRules(keys: .first, platformLimitMilliseconds: 8_001, checksStart: false))
        #expect(try rules("bot_2") == BookingRules())
    }

    /// A booking that is resumed tells its bot when it is found.
    @Test func aResumedBookingHasTheRulesOfItsBotToo() throws {
        let endpoint = PartnerAPIEndpoint(try Self.read(Self.setting(Self.rules, at: "bots.bot_1.")))
        var resume = try Request(.createBooking, json: Array(#"{"idempotency_key":"k","resume":true}"#.utf8))
        #expect(try endpoint.message(for: resume).rules == BookingRules())
        resume = resume.sending(try Request(.createBooking, json: Sample.booking(bot: "bot_1")).body)
        #expect(try endpoint.message(for: resume).rules.keys == .first)
        #expect(resume.startSeconds == 1_894_615_200)
    }

    @Test func whatIsWrongWithABotIsNamed() {
        for (path, value, field) in [
            ("bots", "[]", "bots"), ("bots", "null", "bots"), ("bots.bot_1", "[]", "bots"),
            ("bots.bot_1.keys_shared", "true", "bots.bot_1.keys_shared"),
            ("bots.bot_1.settle_for_ms", "1", "bots.bot_1.settle_for_ms"),
            ("bots.bot_1.account_id", #""a""#, "bots.bot_1.account_id"),
        ] {
            let error = ConfigurationSample.refusal(Self.partner.setting(path, value).bytes)
            #expect(error?.code == .invalidConfig && error?.field == field, "\(path): \(error?.field ?? "accepted")")
        }
        let twice = Array(#"{"api_key":"sk_ptnr_x","bots":{"b":{"check_start_at":true},"b":{}}}"#.utf8)
        #expect(ConfigurationSample.refusal(twice)?.field == "bots")
        let webhook = PlatformSample.text(#"{"bot_1":{"account_id":"a"}}"#, #","bots":{}"#)
        #expect(ConfigurationSample.refusal(webhook)?.field == "bots", "there the platforms say it")
    }

    // MARK: For one platform

    @Test func aPlatformsRulesStandBeforeThoseOfAll() throws {
        let platforms = #"""
            {"bot_1":{"account_id":"a","platform_keys":"first","platform_limit_ms":8003},
             "bot_2":{"account_id":"a","check_start_at":true},"bot_3":{"account_id":"a"}}
            """#
        let directory = try PlatformSample.directory(
            platforms, #","platform_keys":"none","check_start_at":false,"keys_shared":true"#)
        let all = BookingRules(keys: .none, areKeysShared: true, checksStart: false)
        var (first, second) = (all, all)
        (first.keys, first.platformLimitMilliseconds) = (.first, 8_003)
        second.checksStart = true
        #expect(directory.platforms.mapValues(\.rules) == ["bot_1": first, "bot_2": second, "bot_3": all])
    }

    @Test(arguments: [
        ("platform_keys", #""both""#), ("platform_limit_ms", "0"), ("platform_limit_ms", "600001"),
        ("check_start_at", "1"), ("keys_shared", "true"), ("report_settled", "true"),
    ])
    func whatIsWrongWithAPlatformIsNamed(_ member: String, _ value: String) {
        let text = PlatformSample.text(#"{"bot_1":{"account_id":"a","\#(member)":\#(value)}}"#)
        let error = ConfigurationSample.refusal(text)
        #expect(error?.code == .invalidConfig && error?.field == "platforms.bot_1.\(member)")
    }
}
