import CCurl
import Glibc

/// What a client is told when it opens: docs/json-contract.md, read and found right.
struct Configuration: Sendable {
    enum Service: Sendable {
        case partnerAPI
        case sandbox(SandboxConfiguration)
    }

    var service: Service
    var apiKey: String
    var baseURL: String
    var searchPath: String
    var bookingPath: String
    /// nil: each operation's own default.
    var timeoutMilliseconds: Int?
    /// nil: no call is told to be slow.
    var slowAfterMilliseconds: Int?
    var limits: TransferLoop.Limits
    var ledger: Ledger
    /// nil: bookings are remembered for the life of the client.
    var journal: Journal.Settings?
    /// Unsettled bookings of the journal are sent again when the client opens.
    var resumesOnOpen: Bool
    var retry: Delivery.Policy
    var policy: Deliveries.Policy
    var connection: ConnectionSettings

    func timeoutMilliseconds(for operation: Operation) -> Int {
        if let timeoutMilliseconds { return timeoutMilliseconds }
        switch operation {
        case .searchAvailability: return 5_000
        case .createBooking: return 35_000  // the service waits up to 30 seconds for the platform
        }
    }
}

/// What the transport needs to know.
struct ConnectionSettings: Sendable {
    var connectTimeoutMilliseconds: Int
    var maxReplyBytes: Int
    /// Connections at once, and idle ones kept.
    var maxConnections: Int
    var maxStreamsPerConnection: Int
    var maxInFlight: Int
    /// How long a connection may be idle before it is used; 0: none is made ready ahead unless asked for.
    var keepWarmMilliseconds: Int
    var warmUpURL: String
    var caFile: String?
    var proxy: String?
}

extension Configuration {
    static let maxBytes = 1_048_576

    init(json: [UInt8]) throws(PartnerBookingError) {
        let document = try JSONDocument(json, what: "configuration", maxBytes: Self.maxBytes)
        let root = try ObjectReader(document.root, what: "The configuration") { .config($0, $1) }
        try root.refuseMembers(except: [
            "endpoint", "api_key", "base_url", "paths", "timeout_ms", "connect_timeout_ms", "max_reply_bytes",
            "slow_after_ms", "max_in_flight", "max_queued", "max_connections", "max_streams_per_connection", "keep_warm_ms",
            "booking_retention_minutes", "journal_path", "journal_required", "journal_timeout_ms", "resume_on_open", "retry",
            "circuit_breaker", "tls", "proxy", "sandbox",
        ])

        service = try Self.service(root)
        apiKey = try Self.apiKey(root, service)
        baseURL = try Self.baseURL(root)
        let paths = try root.optionalObject("paths")
        try paths?.refuseMembers(except: ["search_availability", "create_booking"])
        searchPath = try Self.path(paths, "search_availability") ?? "/v1/availability/search"
        bookingPath = try Self.path(paths, "create_booking") ?? "/v1/bookings"
        if searchPath == bookingPath { throw root.refuse("paths", "must be two different paths") }
        timeoutMilliseconds = try root.optionalInteger("timeout_ms", in: 1...600_000)
        slowAfterMilliseconds = try root.optionalInteger("slow_after_ms", in: 1...600_000)
        limits = TransferLoop.Limits(
            maxInFlight: try root.optionalInteger("max_in_flight", in: 1...100_000) ?? 512,
            maxQueued: try root.optionalInteger("max_queued", in: 0...100_000) ?? 512)
        let retention = (try root.optionalInteger("booking_retention_minutes", in: 1...10_080) ?? 1_440) * 60_000
        ledger = Ledger(retentionMilliseconds: retention, capacity: max(10_000, 2 * limits.total))
        journal = try Self.journalPath(root).map { [service, baseURL, bookingPath] path in
            let booked = if case .sandbox = service { "sandbox" } else { baseURL + bookingPath }
            return Journal.Settings(path: path, service: booked, retentionMilliseconds: retention)
        }
        for name in ["journal_required", "journal_timeout_ms", "resume_on_open"] as [StaticString] {
            if journal == nil, try root.value(name) != nil { throw root.refuse(name, "needs a journal_path") }
        }
        resumesOnOpen = try root.optionalBoolean("resume_on_open") ?? false
        let retry = try root.optionalObject("retry")
        self.retry = try Self.retry(retry)
        policy = try Self.policy(root, retry)
        connection = try ConnectionSettings(root, baseURL: baseURL, maxInFlight: limits.maxInFlight)
        if connection.proxy != nil, !baseURL.lowercased().hasPrefix("https:") {
            throw root.refuse("proxy", "needs an https base_url: the API key must not pass a proxy in the clear")
        }
    }

    private static func service(_ root: ObjectReader) throws(PartnerBookingError) -> Service {
        let sandbox = try root.optionalObject("sandbox")
        switch try root.optionalString("endpoint", maxBytes: 64, "\"partner_api\" or \"sandbox\"") ?? "partner_api" {
        case "sandbox":
            return .sandbox(try SandboxConfiguration(sandbox))
        case "partner_api":
            guard sandbox == nil else { throw root.refuse("sandbox", "belongs to \"endpoint\":\"sandbox\" only") }
            return .partnerAPI
        default:
            throw root.refuse("endpoint", "must be \"partner_api\" or \"sandbox\"")
        }
    }

    private static func apiKey(_ root: ObjectReader, _ service: Service) throws(PartnerBookingError) -> String {
        let expected: StaticString = "a partner key: sk_ptnr_ and more visible ASCII characters, at most 512 bytes"
        let given = try root.optionalString("api_key", maxBytes: 512, expected, FieldRules.isPartnerKey)
        if let given { return given }
        switch service {
        case .sandbox(let sandbox): return sandbox.apiKey ?? "sk_ptnr_sandbox"
        case .partnerAPI: throw root.refuse("api_key", "is required: \(expected)")
        }
    }

    private static func baseURL(_ root: ObjectReader) throws(PartnerBookingError) -> String {
        let expected: StaticString =
            "an https URL without user, query or fragment, such as https://appointments.dialstack.ai"
        guard let text = try root.optionalString("base_url", maxBytes: 2_048, expected) else {
            return "https://appointments.dialstack.ai"
        }
        guard let url = URLParts(text), url.user == nil,
            !text.utf8.contains(UInt8(ascii: "?")), !text.utf8.contains(UInt8(ascii: "#"))
        else {
            throw root.refuse("base_url", "must be \(expected)")
        }
        guard url.scheme == "https" || url.scheme == "http" && url.isLoopback else {
            throw root.refuse("base_url", "must start with https:// (http:// is for loopback addresses only)")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private static func path(_ paths: ObjectReader?, _ name: StaticString) throws(PartnerBookingError) -> String? {
        try paths?.optionalString(name, maxBytes: 1_024, "a path that starts with /, without query or fragment") {
            $0.first == UInt8(ascii: "/") && FieldRules.isVisibleASCII($0)
                && !$0.contains(UInt8(ascii: "?")) && !$0.contains(UInt8(ascii: "#"))
        }
    }

    private static func retry(_ retry: ObjectReader?) throws(PartnerBookingError) -> Delivery.Policy {
        try retry?.refuseMembers(except: ["max_attempts", "base_delay_ms", "max_delay_ms", "budget"])
        return Delivery.Policy(
            maxAttempts: try retry?.optionalInteger("max_attempts", in: 1...10) ?? 3,
            baseDelayMilliseconds: try retry?.optionalInteger("base_delay_ms", in: 1...60_000) ?? 100,
            maxDelayMilliseconds: try retry?.optionalInteger("max_delay_ms", in: 1...60_000) ?? 2_000)
    }

    private static func policy(
        _ root: ObjectReader, _ retry: ObjectReader?
    ) throws(PartnerBookingError) -> Deliveries.Policy {
        let breaker = try root.optionalObject("circuit_breaker")
        try breaker?.refuseMembers(except: ["failures", "open_ms"])
        return Deliveries.Policy(
            isJournalRequired: try root.optionalBoolean("journal_required") ?? true,
            journalTimeoutMilliseconds: try root.optionalInteger("journal_timeout_ms", in: 1...60_000) ?? 2_000,
            retryTokens: try retry?.optionalInteger("budget", in: 0...1_000) ?? 20,
            circuitBreaker: .init(
                failures: try breaker?.optionalInteger("failures", in: 0...1_000) ?? 10,
                openMilliseconds: try breaker?.optionalInteger("open_ms", in: 100...600_000) ?? 5_000))
    }

    /// An absolute path: the host may change its working directory later.
    private static func journalPath(_ root: ObjectReader) throws(PartnerBookingError) -> String? {
        let expected: StaticString = "the path of a file"
        let path = try root.optionalString("journal_path", maxBytes: 4_000, expected) { !$0.isEmpty && !$0.contains(0) }
        guard let path, !path.hasPrefix("/") else { return path }
        guard let directory = getcwd(nil, 0) else { throw root.refuse("journal_path", "must start with / here") }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }
}

extension ConnectionSettings {
    fileprivate init(_ root: ObjectReader, baseURL: String, maxInFlight: Int) throws(PartnerBookingError) {
        // Over HTTP/1.1 every call in flight needs a connection of its own.
        maxConnections = try root.optionalInteger("max_connections", in: 1...100_000) ?? maxInFlight
        self.maxInFlight = maxInFlight
        maxStreamsPerConnection = try root.optionalInteger("max_streams_per_connection", in: 1...10_000) ?? 100
        keepWarmMilliseconds = try root.optionalInteger("keep_warm_ms", in: 0...3_600_000) ?? 30_000
        warmUpURL = baseURL + "/"
        connectTimeoutMilliseconds = try root.optionalInteger("connect_timeout_ms", in: 1...600_000) ?? 4_000
        maxReplyBytes = try root.optionalInteger("max_reply_bytes", in: 1_024...67_108_864) ?? 1_048_576

        let tls = try root.optionalObject("tls")
        try tls?.refuseMembers(except: ["ca_file"])
        // Found out now rather than in the first call of the night.
        caFile = try tls?.optionalString("ca_file", maxBytes: 4_096, "the path of a PEM file with certificates") {
            !$0.contains(0) && Self.holdsCertificate(String(decoding: $0, as: UTF8.self))
        }

        let expected: StaticString = "a URL such as http://proxy.example.com:3128 (http, https, socks5 or socks5h)"
        proxy = try root.optionalString("proxy", maxBytes: 2_048, expected) {
            guard let url = URLParts(String(decoding: $0, as: UTF8.self)) else { return false }
            return ["http", "https", "socks5", "socks5h"].contains(url.scheme)
        }
    }
}

extension ConnectionSettings {
    /// Whether this is a file that can be read, of a sensible size, with a line that begins a certificate.
    private static func holdsCertificate(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16_777_216,
            let file = fopen(path, "re")
        else { return false }
        defer { fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, file) > 0 {
            // Not String.contains: it brings in the whole of _StringProcessing, more than a megabyte.
            guard let line else { return false }
            if strncmp(line, "-----BEGIN", 10) == 0 && strstr(line, "CERTIFICATE-----") != nil { return true }
        }
        return false
    }
}

/// A URL taken apart by libcurl's own parser, so that what is checked is what is connected to.
private struct URLParts {
    let scheme: String
    let host: String
    let user: String?

    init?(_ text: String) {
        guard FieldRules.isVisibleASCII(text), let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        // The scheme must be written out: guessing would turn "localhost" into http://localhost.
        guard curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else { return nil }
        func part(_ part: CURLUPart) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(url, part, &value, 0) == CURLUE_OK, let value else { return nil }
            defer { curl_free(value) }
            return String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME), let host = part(CURLUPART_HOST), !host.isEmpty else { return nil }
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        user = part(CURLUPART_USER)
    }

    /// An address that cannot leave this machine. libcurl resolves `localhost` to loopback itself, without asking DNS.
    var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        var address = in_addr()
        return inet_pton(AF_INET, host, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }
}
