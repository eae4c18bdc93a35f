import Glibc

/// The checked configuration of a client. docs/json-contract.md describes its JSON.
struct Configuration: Sendable {
    /// The service that the client talks to.
    enum Service: Sendable {
        case partnerAPI(PartnerAPISettings)
        case sandbox(SandboxSettings, PartnerAPISettings)
        case platformWebhook(PlatformDirectory)
    }

    var service: Service
    /// nil means each operation's own default.
    var timeoutMilliseconds: Int?
    /// nil means that no call is reported as slow.
    var slowAfterMilliseconds: Int?
    var limits: TransferLoop.Limits
    var ledger: BookingLedger
    /// nil means that bookings are kept in memory, or in the host's store.
    var journal: Journal.Settings?
    /// Used only with a ledger in the host's store.
    var hostLedger: LedgerTraffic.Settings
    /// True when opening sends the journal's unsettled bookings again.
    var resumesOnOpen: Bool
    /// True when the client counts calls for `pbk_stats`.
    var countsCalls: Bool
    var voice: VoiceSettings
    var policy: DeliveryPolicy
    var connection: ConnectionSettings

    var callDefaults: CallDefaults {
        CallDefaults(
            timeoutMilliseconds: timeoutMilliseconds, slowAfterMilliseconds: slowAfterMilliseconds)
    }

    func timeoutMilliseconds(for operation: CallOperation) -> Int { callDefaults.timeoutMilliseconds(for: operation) }
}

/// Defaults of calls.
struct CallDefaults: Sendable {
    /// nil means each operation's own default.
    let timeoutMilliseconds: Int?
    /// nil means that no call is reported as slow.
    let slowAfterMilliseconds: Int?

    func timeoutMilliseconds(for operation: CallOperation) -> Int {
        if let timeoutMilliseconds { return timeoutMilliseconds }
        switch operation {
        case .searchAvailability, .lookupCustomer: return 5_000
        case .createBooking: return 35_000  // the service waits up to 30 seconds for the platform
        }
    }
}

extension Configuration {
    static let maxBytes = 1_048_576

    /// Reads the configuration. `hasLedger` is true when the host's store has the bookings.
    init(json: [UInt8], hasLedger: Bool = false) throws(PartnerBookingError) {
        let document = try JSONDocument(json, what: "configuration", maxBytes: Self.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.configuration, .configuration)
        try root.refuseMembers(
            except: [
                "endpoint", "api_key", "base_url", "paths", "timeout_ms", "connect_timeout_ms", "max_reply_bytes",
                "slow_after_ms", "max_in_flight", "max_queued", "max_connections", "max_streams_per_connection",
                "keep_warm_ms",
                "booking_retention_minutes", "journal_path", "journal_dir", "journal_required", "journal_timeout_ms",
                "resume_on_open",
                "retry",
                "circuit_breaker", "tls", "proxy", "sandbox", "platforms", "private_hosts", "webhook_timeout_ms", "bots",
                "keys_shared", "settle_for_ms", "report_settled", "voice", "stats",
            ] + BookingRules.members
                + (Journal.Settings.members + LedgerTraffic.Settings.members).map(\.description))

        service = try Self.service(root)
        timeoutMilliseconds = try root.optionalInteger("timeout_ms", in: 1...600_000)
        slowAfterMilliseconds = try root.optionalInteger("slow_after_ms", in: 1...600_000)
        limits = TransferLoop.Limits(
            maxInFlight: try root.optionalInteger("max_in_flight", in: 1...100_000) ?? 512,
            maxQueued: try root.optionalInteger("max_queued", in: 0...100_000) ?? 512)
        let retention = (try root.optionalInteger("booking_retention_minutes", in: 1...10_080) ?? 1_440) * 60_000
        ledger = BookingLedger(
            BookingLedger.Settings(retentionMilliseconds: retention, capacity: max(10_000, 2 * limits.total)))
        journal = try Self.journal(root, service.name, retention)
        journal?.mostDoubts = max(1, limits.total / 2)
        journal?.mostUnsettled = ledger.unsettledLimit / 2
        try journal?.read(root)
        hostLedger = LedgerTraffic.Settings(scope: service.name, owner: LedgerTraffic.Settings.newOwner())
        try hostLedger.read(root)
        try Self.refuseOtherLedger(root, hasJournal: journal != nil, hasLedger: hasLedger)
        voice = try VoiceSettings(root.optionalObject("voice"))
        countsCalls = try root.optionalBoolean("stats") ?? true
        resumesOnOpen = try root.optionalBoolean("resume_on_open") ?? false
        policy = try Self.policy(root)
        journal?.isRequired = policy.isJournalRequired
        hostLedger.timeoutMilliseconds = policy.journalTimeoutMilliseconds
        connection = try ConnectionSettings(root, origins: service.origins, maxInFlight: limits.maxInFlight)
        limits.maxUnattended = max(1, min(limits.maxInFlight, connection.maxConnections / 2))
        if connection.proxy != nil, !connection.origins.allSatisfy({ $0.warmUpURL.lowercased().hasPrefix("https:") }) {
            throw root.refuse("proxy", MemberMessage.proxyInTheClear)
        }
    }

    private static func service(_ root: ObjectReader) throws(PartnerBookingError) -> Service {
        let endpoint = try root.optionalString("endpoint", maxBytes: 64, Form.endpoint) ?? "partner_api"
        var rules = try BookingRules(root, default: BookingRules())
        rules.areKeysShared = try root.optionalBoolean("keys_shared") ?? false
        switch endpoint {
        case "partner_api":
            try refuse(sandboxMembers + webhookMembers, root)
            return .partnerAPI(try PartnerAPISettings(root, rules: rules, sandbox: nil))
        case "platform_webhook":
            try refuse(sandboxMembers + partnerAPIMembers, root)
            return .platformWebhook(try PlatformDirectory(root, rules: rules))
        case "sandbox":
            try refuse(webhookMembers, root)
            let sandbox = try SandboxSettings(root.optionalObject("sandbox"))
            return .sandbox(sandbox, try PartnerAPISettings(root, rules: rules, sandbox: sandbox))
        default: throw root.refuse("endpoint", MemberMessage.mustBe(Form.endpoint))
        }
    }

    /// Refuses members that the chosen endpoint ignores, because the host expects them to work.
    private static func refuse(
        _ members: [(name: StaticString, endpoint: String)], _ root: ObjectReader
    ) throws(PartnerBookingError) {
        for (name, endpoint) in members where try root.value(name) != nil {
            throw root.refuse(name, MemberMessage.ofEndpoint(endpoint))
        }
    }

    private static var sandboxMembers: [(name: StaticString, endpoint: String)] { [("sandbox", "sandbox")] }
    private static var partnerAPIMembers: [(name: StaticString, endpoint: String)] {
        [("api_key", "partner_api"), ("base_url", "partner_api"), ("paths", "partner_api"), ("bots", "partner_api")]
    }
    private static var webhookMembers: [(name: StaticString, endpoint: String)] {
        [
            ("platforms", "platform_webhook"), ("private_hosts", "platform_webhook"),
            ("webhook_timeout_ms", "platform_webhook"),
        ]
    }

    private static func policy(_ root: ObjectReader) throws(PartnerBookingError) -> DeliveryPolicy {
        let retry = try root.optionalObject("retry")
        try retry?.refuseMembers(except: ["max_attempts", "base_delay_ms", "max_delay_ms", "budget"])
        let breaker = try root.optionalObject("circuit_breaker")
        try breaker?.refuseMembers(except: ["failures", "open_ms"])
        // A missing member keeps its default.
        var policy = DeliveryPolicy()
        try read(&policy.isJournalRequired, root.optionalBoolean("journal_required"))
        try read(&policy.journalTimeoutMilliseconds, root.optionalInteger("journal_timeout_ms", in: 1...60_000))
        try read(&policy.retry.maxAttempts, retry?.optionalInteger("max_attempts", in: 1...10))
        try read(&policy.retry.baseDelayMilliseconds, retry?.optionalInteger("base_delay_ms", in: 1...60_000))
        try read(&policy.retry.maxDelayMilliseconds, retry?.optionalInteger("max_delay_ms", in: 1...60_000))
        try read(&policy.retryTokens, retry?.optionalInteger("budget", in: 0...1_000))
        try read(&policy.circuitBreaker.failures, breaker?.optionalInteger("failures", in: 0...1_000))
        try read(&policy.circuitBreaker.openMilliseconds, breaker?.optionalInteger("open_ms", in: 100...600_000))
        try read(&policy.settleForMilliseconds, root.optionalInteger("settle_for_ms", in: 0...3_600_000))
        try read(&policy.reportsSettled, root.optionalBoolean("report_settled"))
        return policy
    }

    private static func read<Value>(_ setting: inout Value, _ value: Value?) { if let value { setting = value } }

    private static func journal(
        _ root: ObjectReader, _ service: String, _ retention: Int
    ) throws(PartnerBookingError) -> Journal.Settings? {
        let path = try path("journal_path", Form.file, root)
        guard let directory = try Self.path("journal_dir", Form.directory, root) else {
            return path.map { Journal.Settings(path: $0, service: service, retentionMilliseconds: retention) }
        }
        if path != nil { throw root.refuse("journal_dir", MemberMessage.twoJournals) }
        // A slash at the end would make the system follow a symbolic link.
        let end = directory.utf8.lastIndex { $0 != UInt8(ascii: "/") } ?? directory.startIndex
        return Journal.Settings(
            path: String(directory[...end]), isInDirectory: true, service: service, retentionMilliseconds: retention)
    }

    /// Returns an absolute path: the host may change its working directory later.
    private static func path(
        _ name: StaticString, _ expected: StaticString, _ root: ObjectReader
    ) throws(PartnerBookingError) -> String? {
        let path = try root.optionalString(name, maxBytes: 4_000, expected) { !$0.isEmpty && !$0.contains(0) }
        guard let path, !path.hasPrefix("/") else { return path }
        guard let directory = getcwd(nil, 0) else { throw root.refuse(name, MemberMessage.absolutePath) }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }
}

extension Configuration.Service {
    /// The servers of the service.
    var origins: [HTTPOrigin] {
        switch self {
        case .partnerAPI(let settings), .sandbox(_, let settings): [settings.origin]
        case .platformWebhook(let directory): directory.origins
        }
    }

    /// The service's name in the journal.
    var name: String {
        switch self {
        case .partnerAPI(let settings): settings.baseURL + settings.bookingPath
        case .sandbox: "sandbox"
        case .platformWebhook: "platform_webhook"
        }
    }

    var endpoint: any Endpoint {
        switch self {
        case .partnerAPI(let settings), .sandbox(_, let settings): PartnerAPIEndpoint(settings)
        case .platformWebhook(let directory): PlatformWebhookEndpoint(directory)
        }
    }
}
