import Testing

@testable import PartnerBooking

/// The typed configuration, against the JSON one. test_docs.py sees to it that it has every member.
@Suite struct ClientConfigurationTests {
    private static let key = "sk_ptnr_topsecret"

    private static func text(_ configuration: ClientConfiguration) -> String {
        String(decoding: configuration.json, as: UTF8.self)
    }

    private static func refusal(_ configuration: ClientConfiguration) -> PartnerBookingError? {
        ConfigurationSample.refusal(configuration.json)
    }

    private static let empty = #""retry":{},"circuit_breaker":{}}"#

    // MARK: Members

    @Test func whatIsNotSetIsLeftOut() throws {
        let hosted = ClientConfiguration(endpoint: .partnerAPI(apiKey: Self.key))
        let start = #"{"endpoint":"partner_api","api_key":"sk_ptnr_topsecret","paths":{},"tls":{},"#
        #expect(Self.text(hosted) == start + Self.empty)
        let sandbox = ClientConfiguration(endpoint: .sandbox())
        #expect(Self.text(sandbox) == #"{"endpoint":"sandbox","sandbox":{"faults":[]},"tls":{},"# + Self.empty)
        let webhooks = ClientConfiguration(
            endpoint: .platformWebhook(.init(platforms: ["bot_1": .init(accountID: "acct_1")])))
        let platforms = #""platforms":{"bot_1":{"account_id":"acct_1"}}"#
        #expect(Self.text(webhooks) == #"{"endpoint":"platform_webhook",\#(platforms),"tls":{},"# + Self.empty)
        for configuration in [hosted, sandbox, webhooks] { _ = try Configuration(json: configuration.json) }
    }

    /// Values that no other member has, and what the JSON reader makes of them.
    @Test func everyMemberArrives() throws {
        var configuration = ClientConfiguration(
            endpoint: .partnerAPI(
                .init(apiKey: Self.key, baseURL: "https://host.test/a", searchPath: "/s", bookingPath: "/b")))
        configuration.timeout = .milliseconds(8_001)
        configuration.slowAfter = .milliseconds(8_002)
        configuration.maxInFlight = 8_003
        configuration.maxQueued = 8_004
        configuration.maxReplyBytes = 8_005
        configuration.connections.timeout = .milliseconds(8_006)
        configuration.connections.limit = 8_007
        configuration.connections.maxStreams = 8_008
        configuration.connections.keepWarm = .milliseconds(8_009)
        configuration.connections.proxy = "http://user:topsecret@proxy.test:3128"
        configuration.retries.maxAttempts = 4
        configuration.retries.baseDelay = .milliseconds(8_010)
        configuration.retries.maxDelay = .milliseconds(8_011)
        configuration.retries.budget = 801
        configuration.circuitBreaker.failures = 802
        configuration.circuitBreaker.openTime = .milliseconds(8_012)
        configuration.bookings.retention = .seconds(8_013 * 60)
        configuration.bookings.settlingTime = .milliseconds(8_014)
        configuration.bookings.areKeysShared = true
        configuration.bookings.reportsSettled = true
        configuration.platform = .init(keys: .checkedFirst, limit: .milliseconds(8_015), checksStart: false)
        configuration.platformByBot = ["bot_2": .init(keys: .notKept), "bot_1": .init(limit: .milliseconds(8_016))]
        configuration.countsCalls = false
        configuration.journal = .init(
            path: "/tmp/journal", isRequired: false, timeout: .milliseconds(8_017), resumesOnOpen: true,
            maxBytes: 8_018_000, keepsReplies: false)

        let read = try Configuration(json: configuration.json)
        let settings = try ConfigurationSample.settings(read)
        #expect(settings.apiKey == Self.key && settings.baseURL == "https://host.test/a")
        #expect(settings.searchPath == "/s" && settings.bookingPath == "/b")
        #expect(read.timeoutMilliseconds == 8_001 && read.slowAfterMilliseconds == 8_002)
        #expect(read.limits.maxInFlight == 8_003 && read.limits.maxQueued == 8_004)
        let connection = read.connection
        #expect(connection.maxReplyBytes == 8_005 && connection.connectTimeoutMilliseconds == 8_006)
        #expect(connection.maxConnections == 8_007 && connection.maxStreamsPerConnection == 8_008)
        #expect(connection.keepWarmMilliseconds == 8_009 && connection.proxy == configuration.connections.proxy)
        let retry = RetryPolicy(maxAttempts: 4, baseDelayMilliseconds: 8_010, maxDelayMilliseconds: 8_011)
        #expect(read.policy.retry == retry && read.policy.retryTokens == 801)
        #expect(read.policy.circuitBreaker == .init(failures: 802, openMilliseconds: 8_012))
        #expect(read.journal?.retentionMilliseconds == 8_013 * 60_000 && read.policy.settleForMilliseconds == 8_014)
        #expect(settings.rules.areKeysShared && read.policy.reportsSettled && !read.countsCalls)
        var rules = BookingRules(
            keys: .first, platformLimitMilliseconds: 8_015, areKeysShared: true, checksStart: false)
        #expect(settings.rules == rules)
        rules.platformLimitMilliseconds = 8_016
        #expect(settings.rulesByBot["bot_1"] == rules && settings.rulesByBot["bot_2"]?.keys == BookingRules.Keys.none)
        #expect(read.journal?.path == "/tmp/journal" && !read.policy.isJournalRequired)
        #expect(read.journal?.maxBytes == 8_018_000 && read.journal?.keepsReplies == false)
        #expect(read.policy.journalTimeoutMilliseconds == 8_017 && read.resumesOnOpen)
    }

    @Test func theDirectoryOfJournalsArrives() throws {
        var configuration = ClientConfiguration(endpoint: .sandbox())
        configuration.journal = .init(directory: "/tmp/journals/", resumesOnOpen: true)
        let read = try Configuration(json: configuration.json)
        #expect(read.journal?.path == "/tmp/journals" && read.journal?.isInDirectory == true && read.resumesOnOpen)
    }

    @Test func everyMemberOfTheLedgerArrives() throws {
        var configuration = ClientConfiguration(endpoint: .sandbox())
        configuration.ledger.scope = "clinics"
        configuration.ledger.lease = .milliseconds(8_001)
        configuration.ledger.takesOver = false
        configuration.ledger.isRequired = false
        configuration.ledger.timeout = .milliseconds(8_002)
        let read = try Configuration(json: configuration.json, hasLedger: true)
        #expect(read.hostLedger.scope == "clinics" && read.hostLedger.leaseMilliseconds == 8_001)
        #expect(!read.hostLedger.takesOver && !read.policy.isJournalRequired)
        #expect(read.hostLedger.timeoutMilliseconds == 8_002)
        #expect(Self.refusal(configuration)?.field == "ledger_scope")
    }

    @Test func everyMemberOfThePlatformsArrives() throws {
        let platform = ClientConfiguration.BotPlatform(
            accountID: "acct_1", webhookURL: "https://clinic.internal/hook", webhookSecrets: ["new", "old"],
            rules: .init(keys: .checkedFirst, limit: .milliseconds(8_001), checksStart: false))
        let webhooks = ClientConfiguration.PlatformWebhooks(
            platforms: ["bot_1": platform, "bot \"2\"": .init(accountID: "acct_2")], privateHosts: ["clinic.internal"],
            timeout: .milliseconds(8_002))
        let read = try Configuration(json: ClientConfiguration(endpoint: .platformWebhook(webhooks)).json)
        guard case .platformWebhook(let directory) = read.service else { throw TestFailure("another service") }
        #expect(directory.webhookTimeoutMilliseconds == 8_002)
        #expect(directory.platforms["bot \"2\""]?.accountID == "acct_2")
        let bot = try #require(directory.platforms["bot_1"])
        #expect(bot.accountID == "acct_1" && bot.webhook?.url == "https://clinic.internal/hook")
        #expect(bot.webhook?.signingKeys.count == 2 && bot.webhook?.origin.isPublicOnly == false)
        #expect(bot.rules == BookingRules(keys: .first, platformLimitMilliseconds: 8_001, checksStart: false))
    }

    @Test func everyMemberOfTheSandboxArrives() throws {
        var clinic = ClientConfiguration.SandboxClinic(now: "2030-01-14T08:00:00Z", latency: .milliseconds(8_001))
        clinic.openingHours = [.monday: ["13:00-17:30", "08:00-12:00"], .saturday: ["10:00-24:00"]]
        clinic.timeZone = "-05:00"
        clinic.answer = .windows
        clinic.minNotice = .seconds(8_002 * 60)
        clinic.dates = .utc
        clinic.inWork = .look
        clinic.slotMinutes = 20
        clinic.days = 14
        clinic.capacity = 2
        clinic.keys = .kept
        clinic.bots = ["bot_1", "bot_2"]
        clinic.apiKey = Self.key
        clinic.seed = 7
        clinic.partnerAPI = .init(apiKey: "sk_ptnr_other")
        let read = try Configuration(json: ClientConfiguration(endpoint: .sandbox(clinic)).json)
        let settings = try #require(ConfigurationSample.clinic(read))
        #expect(settings.now == 1_894_608_000 && settings.latencyMilliseconds == 8_001)
        #expect(settings.zone.offsetMinutes(at: 0) == -300 && settings.listing == .windows && settings.dates == .utc)
        #expect(settings.noticeMinutes == 8_002 && settings.inWork == .look)
        #expect(settings.openingHours == [[], [480..<720, 780..<1_050], [], [], [], [], [600..<1_440]])
        #expect(settings.slotMinutes == 20 && settings.days == 14 && settings.capacity == 2 && settings.keys == .kept)
        #expect(settings.bots == ["bot_1", "bot_2"] && settings.apiKey == Self.key && settings.seed == 7)
        #expect(try ConfigurationSample.settings(read).apiKey == "sk_ptnr_other")
    }

    @Test(
        arguments: [
            (.init(.loseRequest), #"{"fault":"lose_request"}"#),
            (.init(.loseReply, calls: [1, 3], percent: 5), #"{"fault":"lose_reply","calls":[1,3],"percent":5}"#),
            (.init(.late(by: .seconds(1))), #"{"fault":"late","ms":1000}"#),
            (.init(.error()), #"{"fault":"error"}"#),
            (.init(.error(status: 503, code: "busy")), #"{"fault":"error","status":503,"code":"busy"}"#),
            (.init(.errorAfter(status: 500)), #"{"fault":"error_after","status":500}"#),
            (.init(.slowDuplicate(after: .zero)), #"{"fault":"slow_duplicate","ms":0}"#),
            (.init(.inProgress(for: .milliseconds(5))), #"{"fault":"in_progress","ms":5}"#),
            (.init(.works(for: .milliseconds(5))), #"{"fault":"works","ms":5}"#),
            (.init(.works(for: .milliseconds(5), status: 504)), #"{"fault":"works","ms":5,"status":504}"#),
            (.init(.ownConflict), #"{"fault":"own_conflict"}"#), (.init(.declined), #"{"fault":"declined"}"#),
            (.init(.otherBooking), #"{"fault":"other_booking"}"#), (.init(.emptyBooking), #"{"fault":"empty_booking"}"#),
            (.init(.cuts, operation: .lookupCustomer), #"{"fault":"cuts","operation":"lookup_customer"}"#),
            (.init(.queues(for: .seconds(2)), calls: [1]), #"{"fault":"queues","ms":2000,"calls":[1]}"#),
            (
                .init(.error(status: 200, body: "{\"}", contentType: "text/html"), operation: .searchAvailability),
                #"{"fault":"error","status":200,"body":"{\"}","content_type":"text/html","operation":"search_availability"}"#
            ),
            (.init(.limits(for: .seconds(1))), #"{"fault":"limits","ms":1000}"#),
            (.init(.respells()), #"{"fault":"respells"}"#),
            (.init(.respells(isWrong: true)), #"{"fault":"respells","wrong":true}"#),
            (
                .init(.givesUp(after: .milliseconds(5), work: .milliseconds(9))),
                #"{"fault":"gives_up","ms":5,"work_ms":9}"#
            ),
            (
                .init(.givesUp(after: .milliseconds(5), work: .milliseconds(9), status: 502)),
                #"{"fault":"gives_up","ms":5,"work_ms":9,"status":502}"#
            ),
            (.init(.drops(work: .milliseconds(9))), #"{"fault":"drops","ms":9}"#),
            (.init(.booksAs(status: "pending")), #"{"fault":"books_as","booking_status":"pending"}"#),
            (.init(.cancelsLater(after: .milliseconds(9))), #"{"fault":"cancels_later","ms":9}"#),
            (.init(.errorInBooking), #"{"fault":"error_in_booking"}"#),
        ] as [(ClientConfiguration.Fault, String)])
    func everyFaultIsWritten(_ fault: ClientConfiguration.Fault, _ expected: String) throws {
        let configuration = ClientConfiguration(endpoint: .sandbox(.init(faults: [fault, fault])))
        #expect(Self.text(configuration).contains(#""faults":[\#(expected),\#(expected)]"#))
        #expect(try ConfigurationSample.clinic(Configuration(json: configuration.json))?.faults.count == 2)
    }

    // MARK: Wrong values

    /// The rules are the JSON reader's, and so are the names in its errors.
    @Test func wrongValuesAreRefusedByTheirName() {
        func field(_ change: (inout ClientConfiguration) -> Void) -> String? {
            var configuration = ClientConfiguration(endpoint: .sandbox())
            change(&configuration)
            let error = Self.refusal(configuration)
            return error.map { $0.code == .invalidConfig ? $0.field ?? "none" : $0.code.rawValue }
        }
        #expect(field { $0.timeout = .zero } == "timeout_ms")
        #expect(field { $0.timeout = .seconds(Int64.max) * 10 } == "timeout_ms")
        #expect(field { $0.connections.keepWarm = .nanoseconds(-1) } == "keep_warm_ms")
        #expect(field { $0.connections.proxy = "\0" } == "proxy")
        #expect(field { $0.connections.caFile = "/no/such/file" } == "tls.ca_file")
        #expect(field { $0.retries.maxAttempts = Int.max } == "retry.max_attempts")
        #expect(field { $0.circuitBreaker.openTime = .seconds(-1) } == "circuit_breaker.open_ms")
        #expect(field { $0.bookings.retention = .seconds(8 * 24 * 3_600) } == "booking_retention_minutes")
        #expect(field { $0.platform.limit = .zero } == "platform_limit_ms")
        #expect(field { $0.platformByBot["bot\n1"] = .init(limit: .zero) } == "bots.bot?1.platform_limit_ms")
        #expect(field { $0.journal = .init(path: "") } == "journal_path")
        #expect(field { $0.journal = .init(directory: "") } == "journal_dir")
        #expect(field { $0.endpoint = .partnerAPI(apiKey: "topsecret") } == "api_key")
        let often = ClientConfiguration.Fault(.loseReply, percent: 101)
        #expect(field { $0.endpoint = .sandbox(.init(faults: [often])) } == "sandbox.faults.percent")
        #expect(field { $0.endpoint = .platformWebhook(.init(platforms: [:])) } == "platforms")
        #expect(
            field { $0.platformByBot[String(repeating: "x", count: 1_048_576)] = .init() } == "invalid_argument")
        #expect(field { _ in } == nil)
    }

    // MARK: Secrets

    @Test func secretsDoNotShow() throws {
        var clinic = ClientConfiguration.SandboxClinic()
        clinic.apiKey = "topsecret"
        clinic.partnerAPI = .init(apiKey: "topsecret")
        let platform = ClientConfiguration.BotPlatform(
            accountID: "acct_1", webhookURL: "https://clinic.test", webhookSecrets: ["topsecret", "topsecret"])
        var configurations = [
            ClientConfiguration(endpoint: .partnerAPI(apiKey: "topsecret")),
            ClientConfiguration(endpoint: .platformWebhook(.init(platforms: ["bot_1": platform]))),
            ClientConfiguration(endpoint: .sandbox(clinic)),
        ]
        for index in configurations.indices { configurations[index].connections.proxy = "http://u:topsecret@proxy.test" }
        for configuration in configurations {
            var dumped = ""
            dump(configuration, to: &dumped)
            let shown = ["\(configuration)", String(reflecting: configuration), dumped, "\(configuration.endpoint)"]
            for text in shown + Self.leaves(configuration) { #expect(!text.contains("topsecret"), "\(text)") }
            #expect(Self.text(configuration).contains("topsecret"))
        }
        #expect(clinic.apiKey == "topsecret" && platform.webhookSecrets.count == 2)
    }

    /// What reflection finds, all the way down.
    private static func leaves(_ value: Any) -> [String] {
        let children = Mirror(reflecting: value).children
        return children.isEmpty ? ["\(value)"] : children.flatMap { leaves($0.value) }
    }

    @Test func configurationsThatDifferInASecretAreNotEqual() {
        #expect(ClientConfiguration.ServiceEndpoint.partnerAPI(apiKey: "a") != .partnerAPI(apiKey: "b"))
        #expect(ClientConfiguration.ServiceEndpoint.partnerAPI(apiKey: "a") == .partnerAPI(apiKey: "a"))
    }
}
