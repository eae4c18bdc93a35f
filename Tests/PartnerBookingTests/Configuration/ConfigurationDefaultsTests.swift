import Testing

@testable import PartnerBooking

/// The settings are the one source of defaults. Each default in the tables of docs/json-contract.md is compared with what a
/// configuration has that leaves the member out.
@Suite struct ConfigurationDefaultsTests {
    /// What the page has to say.
    private enum Default {
        /// Exactly this, apart from backquotes.
        case text(String)
        /// These numbers, among words.
        case numbers([Int])
        /// Words, or an empty list or object: there is no value.
        case nothing
        /// The member has to be given.
        case required

        static func number(_ value: Int) -> Default { .numbers([value]) }
        static func string(_ value: String) -> Default { .text("\"\(value)\"") }
        static func boolean(_ value: Bool) -> Default { .text("\(value)") }
        static func absent<Value>(_ value: Value?) -> Default { value.map { .text("\($0)") } ?? .nothing }

        func isWritten(as cell: String) -> Bool {
            let text = cell.filter { $0 != "`" }
            let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
            return switch self {
            case .text(let expected): text == expected
            case .numbers(let expected): numbers == expected
            case .nothing: numbers.isEmpty && !["true", "false"].contains(text) && !text.hasPrefix("required")
            case .required: text.hasPrefix("required")
            }
        }
    }

    private static let page = "docs/json-contract.md"

    /// The table below the heading has these members, and these defaults.
    private func expect(_ heading: String, _ defaults: [String: Default]) {
        let rows = Repository.table(in: Self.page, below: heading)
        let cells = rows.map { (name: $0[0].filter { $0 != "`" }, text: $0[2]) }
        #expect(cells.map(\.name).sorted() == defaults.keys.sorted())
        for (name, text) in cells {
            guard let expected = defaults[name] else { continue }
            #expect(expected.isWritten(as: text), "\(name): the page has \(text), the library \(expected)")
        }
    }

    @Test func configuration() throws {
        let read = try ConfigurationSample.read(ConfigurationSample.partner)
        let settings = try ConfigurationSample.settings(read)
        let (connection, policy, journal) = (read.connection, read.policy, read.journal)
        let webhooks = try PlatformSample.directory(#"{"bot_1":\#(PlatformSample.platform)}"#)
        let timeouts = [CallOperation.searchAvailability, .createBooking].map { read.timeoutMilliseconds(for: $0) }
        let narrow = try ConfigurationSample.read(ConfigurationSample.partner.setting("max_in_flight", "7"))
        #expect(ConfigurationSample.refusal(RequestText().bytes)?.field == "api_key")
        #expect(ConfigurationSample.refusal(PlatformSample.text("{}"))?.field == "platforms")
        #expect(ConfigurationSample.clinic(read) == nil)
        let clinic = VoiceProfile(zone: try Zone.named("UTC"))
        let journalDefaults = Journal.Settings(path: "", service: "", retentionMilliseconds: 0)
        #expect(narrow.connection.maxConnections == 7)
        #expect(read.hostLedger.scope == read.service.name)
        #expect(settings.rulesByBot.isEmpty)
        #expect(read.timeoutMilliseconds(for: .lookupCustomer) == timeouts[0])

        expect(
            "## Configuration",
            [
                "endpoint": .string("partner_api"), "api_key": .required, "base_url": .string(settings.baseURL),
                "paths.search_availability": .string(settings.searchPath),
                "paths.create_booking": .string(settings.bookingPath), "timeout_ms": .numbers(timeouts),
                "connect_timeout_ms": .number(connection.connectTimeoutMilliseconds),
                "max_reply_bytes": .number(connection.maxReplyBytes),
                "slow_after_ms": .absent(read.slowAfterMilliseconds),
                "max_in_flight": .number(read.limits.maxInFlight), "max_queued": .number(read.limits.maxQueued),
                "max_connections": .text("max_in_flight"),
                "max_streams_per_connection": .number(connection.maxStreamsPerConnection),
                "keep_warm_ms": .number(connection.keepWarmMilliseconds),
                "retry.max_attempts": .number(read.policy.retry.maxAttempts),
                "retry.base_delay_ms": .number(read.policy.retry.baseDelayMilliseconds),
                "retry.max_delay_ms": .number(read.policy.retry.maxDelayMilliseconds),
                "retry.budget": .number(policy.retryTokens),
                "circuit_breaker.failures": .number(policy.circuitBreaker.failures),
                "circuit_breaker.open_ms": .number(policy.circuitBreaker.openMilliseconds),
                "booking_retention_minutes": .number(read.ledger.settings.retentionMilliseconds / 60_000),
                "journal_path": .absent(journal?.path), "journal_dir": .absent(journal?.path),
                "journal_required": .boolean(policy.isJournalRequired),
                "journal_timeout_ms": .number(policy.journalTimeoutMilliseconds),
                "resume_on_open": .boolean(read.resumesOnOpen),
                "journal_max_bytes": .number(journalDefaults.maxBytes),
                "journal_keeps_replies": .boolean(journalDefaults.keepsReplies),
                "ledger_scope": .text("the service's name"),
                "ledger_lease_ms": .number(read.hostLedger.leaseMilliseconds),
                "ledger_takes_over": .boolean(read.hostLedger.takesOver),
                "platform_keys": .string(settings.rules.keys.rawValue),
                "platform_limit_ms": .number(settings.rules.platformLimitMilliseconds),
                "check_start_at": .boolean(settings.rules.checksStart), "bots": .nothing,
                "keys_shared": .boolean(settings.rules.areKeysShared),
                "settle_for_ms": .number(policy.settleForMilliseconds),
                "voice.time_zone": .nothing, "voice.bots": .nothing, "voice.region": .nothing,
                "voice.locale": .text(clinic.locale.name), "voice.opening": .nothing,
                "voice.services": .text("one of \(clinic.services[0].durationMinutes) minutes"),
                "voice.step_minutes": .text("as in [slots](#slots)"),
                "voice.min_notice_minutes": .numbers([clinic.minNoticeMinutes]),
                "voice.max_days_ahead": .numbers([clinic.maxDaysAhead]), "voice.offers": .numbers([clinic.offers]),
                "voice.confirm": .text(clinic.confirm.rawValue), "voice.cache_ms": .numbers([clinic.cacheMilliseconds]),
                "voice.prefetch_days": .numbers([clinic.prefetchDays]), "voice.items": .text(clinic.items.rawValue),
                "report_settled": .boolean(policy.reportsSettled), "stats": .boolean(read.countsCalls),
                "tls.ca_file": .nothing,
                "proxy": .absent(connection.proxy), "platforms": .required, "private_hosts": .nothing,
                "webhook_timeout_ms": .number(webhooks.webhookTimeoutMilliseconds), "sandbox": .nothing,
            ])
    }

    @Test func platforms() throws {
        let rules = #","platform_keys":"none","platform_limit_ms":8001,"check_start_at":false"#
        let bot = try #require(try PlatformSample.directory(#"{"bot_1":{"account_id":"a"}}"#, rules).platforms["bot_1"])
        #expect(bot.webhook == nil)
        #expect(bot.rules == BookingRules(keys: .none, platformLimitMilliseconds: 8_001, checksStart: false))
        for members in ["", #""account_id":"a","webhook_url":"https://h.test""#] {
            #expect(ConfigurationSample.refusal(PlatformSample.text(#"{"bot_1":{\#(members)}}"#))?.code == .invalidConfig)
        }

        let inherited = Default.text("the configuration's")
        expect(
            "### Platforms",
            [
                "account_id": .required, "webhook_url": .nothing, "webhook_secret": .required,
                "platform_keys": inherited, "platform_limit_ms": inherited, "check_start_at": inherited,
            ])
    }

    @Test func sandbox() throws {
        let read = try ConfigurationSample.read(ConfigurationSample.sandbox)
        let clinic = try #require(ConfigurationSample.clinic(read))
        let week = clinic.openingHours
        #expect(week[0].isEmpty && week[6].isEmpty && week[1...5].allSatisfy { $0 == week[1] })
        let monday = week[1].flatMap { [$0.lowerBound, $0.upperBound] }.flatMap { [$0 / 60, $0 % 60] }
        #expect(clinic.zone.offsetMinutes(at: 0) == 0 && clinic.bots == nil)
        let windows = ConfigurationSample.sandbox.setting("sandbox.answer", #""windows""#)
        let notice = try ConfigurationSample.clinic(ConfigurationSample.read(windows))?.noticeMinutes
        #expect(clinic.faults.isEmpty)

        expect(
            "### The sandbox",
            [
                "answer": .string(clinic.listing.rawValue), "opening_hours": .numbers(monday), "time_zone": .string("Z"),
                "slot_minutes": .number(clinic.slotMinutes),
                "min_notice_minutes": .numbers([notice ?? -1, clinic.noticeMinutes]), "days": .number(clinic.days),
                "dates": .string(clinic.dates.rawValue), "capacity": .number(clinic.capacity),
                "keys": .string(clinic.keys.rawValue), "in_work": .string(clinic.inWork.rawValue),
                "bots": .absent(clinic.bots), "api_key": .absent(clinic.apiKey), "now": .absent(clinic.now),
                "latency_ms": .number(clinic.latencyMilliseconds), "faults": .nothing, "seed": .number(clinic.seed),
            ])
    }

    /// A page that says something else is seen.
    @Test func anotherDefaultWouldBeSeen() {
        #expect(Default.number(5_000).isWritten(as: "5000"))
        #expect(!Default.number(5_000).isWritten(as: "4000"))
        #expect(!Default.numbers([5_000, 35_000]).isWritten(as: "5000"))
        #expect(Default.numbers([5_000, 35_000]).isWritten(as: "5000 for a search, 35000 for a booking"))
        #expect(!Default.boolean(true).isWritten(as: "false"))
        #expect(!Default.string("kept").isWritten(as: "`\"first\"`"))
        #expect(Default.absent(nil as Int?).isWritten(as: "none"))
        #expect(!Default.absent(nil as Int?).isWritten(as: "800") && !Default.absent(7).isWritten(as: "none"))
    }
}
