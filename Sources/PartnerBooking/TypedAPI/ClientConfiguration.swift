/// The configuration of a client.
///
///     var configuration = ClientConfiguration(endpoint: .partnerAPI(apiKey: key))
///     configuration.timeout = .seconds(8)
///     configuration.journal = .init(path: "/var/lib/engine/bookings.journal")
///     let client = try PartnerBookingClient(configuration: configuration)
///
/// A nil member has its default. docs/json-contract.md lists defaults and ranges.
/// `PartnerBookingClient` checks all members when it opens. The error is `invalidConfig`, and
/// its `field` is the member's JSON name, such as `retry.max_attempts`.
///
/// Secrets stay hidden when a configuration is printed, dumped or reflected.
public struct ClientConfiguration: Sendable, Equatable {
    /// The service that the client calls.
    public var endpoint: ServiceEndpoint
    /// Deadline of a call, 1 ms to 10 minutes. nil: 5 seconds for a search or a look-up, 35
    /// seconds for a booking.
    public var timeout: Duration?
    /// Time after which a call is reported as slow, once. 1 ms to 10 minutes. nil: never.
    public var slowAfter: Duration?
    /// Number of calls delivered at once, 1 to 100000.
    public var maxInFlight: Int?
    /// Number of further calls that wait, 0 to 100000. Others are refused with `queueFull`.
    public var maxQueued: Int?
    /// Maximum size of a reply after decompression, 1024 to 67108864 bytes.
    public var maxReplyBytes: Int?
    /// True to count calls for `statsJSON`. nil: true.
    public var countsCalls: Bool?
    /// Connections to servers.
    public var connections = Connections()
    /// Retries within a call.
    public var retries = Retries()
    /// Circuit breaker, which stops calls to a failing service.
    public var circuitBreaker = Breaker()
    /// Retention and settling of bookings.
    public var bookings = Bookings()
    /// The clinics of the bots, for tool calls and plain dates.
    public var voice = Voice()
    /// Rules of the platforms behind the bots.
    public var platform = PlatformRules()
    /// Rules for single bots, by `bot_id`. A nil member has the value of `platform`. Not with
    /// `platformWebhook`: its bots have their rules in `BotPlatform`.
    public var platformByBot: [String: PlatformRules] = [:]
    /// The journal, which keeps bookings beyond the process. nil: the client remembers them
    /// until it closes.
    public var journal: JournalOptions?
    /// A store that the engines of a fleet share. Only for clients opened with a ledger.
    public var ledger = Ledger()

    /// Creates a configuration with defaults for everything except the service.
    public init(endpoint: ServiceEndpoint) { self.endpoint = endpoint }
}

extension ClientConfiguration {
    /// Connections to servers.
    public struct Connections: Sendable, Equatable {
        /// Time limit for one attempt to connect, TLS included. 1 ms to 10 minutes.
        public var timeout: Duration?
        /// Connections at once, 1 to 100000. With `platformWebhook`, connections to one server.
        public var limit: Int?
        /// Calls at once on one HTTP/2 connection, 1 to 10000.
        public var maxStreams: Int?
        /// Longest idle time of a connection, at most 1 hour. After it, the client uses the
        /// connection to keep it usable. Zero: only `prewarm` connects ahead.
        public var keepWarm: Duration?
        /// A PEM file with the certificates to trust instead of the system's.
        public var caFile: String?
        /// Proxy for all connections: an `http`, `https`, `socks5` or `socks5h` URL. Hidden
        /// when printed, because it may contain a password.
        public var proxy: String? {
            get { hiddenProxy.value }
            set { hiddenProxy.value = newValue }
        }
        private var hiddenProxy = Hidden<String?>(nil)

        /// Creates default settings.
        public init() {}
    }

    /// Retries within a call.
    public struct Retries: Sendable, Equatable {
        /// Attempts in total, 1 to 10. 1 turns retries off.
        public var maxAttempts: Int?
        /// Longest pause before the second attempt, 1 ms to 1 minute. Each attempt doubles it.
        public var baseDelay: Duration?
        /// Limit for all pauses, 1 ms to 1 minute. A longer `Retry-After` is obeyed.
        public var maxDelay: Duration?
        /// Retries of all calls together, at once and per 10 seconds, 0 to 1000. 0: no limit.
        public var budget: Int?

        /// Creates default settings.
        public init() {}
    }

    /// Circuit breaker, which stops calls to a failing service.
    public struct Breaker: Sendable, Equatable {
        /// Failed attempts in a row that open the breaker, 0 to 1000. Calls then end as
        /// `circuitOpen`. 0: never.
        public var failures: Int?
        /// Longest time in the open state, 100 ms to 10 minutes. Then one call is let through.
        public var openTime: Duration?

        /// Creates default settings.
        public init() {}
    }

    /// Retention and settling of bookings.
    public struct Bookings: Sendable, Equatable {
        /// Time that a settled key is kept: 1 minute to 7 days, in whole minutes.
        public var retention: Duration?
        /// Time that the library keeps asking for a booking in doubt after its call has ended.
        /// At most 1 hour. Zero: the library only reads the outstanding answer.
        public var settlingTime: Duration?
        /// True when several clients may use one key at the same time.
        public var areKeysShared: Bool?
        /// True to report a booking to the completion queue when it is settled after its call
        /// ended `unknown`. Only the C ABI has that queue. A Swift program reads `pendingBookings`.
        public var reportsSettled: Bool?

        /// Creates default settings.
        public init() {}
    }

    /// Rules of a platform. See docs/exactly-once.md, "What is known of a platform".
    public struct PlatformRules: Sendable, Equatable {
        /// Treatment of idempotency keys.
        public var keys: KeyTreatment?
        /// Longest time that the platform works on one request, 1 ms to 10 minutes.
        public var limit: Duration?
        /// True to end a call as `otherBooking` when the reply has another start than the
        /// request. Set false for platforms that write wrong offsets.
        public var checksStart: Bool?

        /// Creates the rules of a platform. nil means the default.
        public init(keys: KeyTreatment? = nil, limit: Duration? = nil, checksStart: Bool? = nil) {
            self.keys = keys
            self.limit = limit
            self.checksStart = checksStart
        }
    }

    /// A platform's treatment of idempotency keys. No case is called `none`, because in an
    /// optional that would mean the default.
    public enum KeyTreatment: String, Sendable, CaseIterable {
        /// The platform keeps keys. It may check slot or time first.
        case kept
        /// The platform keeps keys, and checks the key before all else.
        case checkedFirst = "first"
        /// The platform keeps no keys. The same key can book twice.
        case notKept = "none"
    }

    /// A file that keeps bookings beyond the process. See docs/journal.md.
    public struct JournalOptions: Sendable, Equatable {
        /// Path of the file, or of the directory in which the client finds a file. Relative
        /// paths start at the working directory when the client opens.
        public var path: String
        /// True when `path` names a directory for all processes. Each client takes a free
        /// journal there, or makes one. It adopts the journals of dead processes.
        public var isDirectory = false
        /// False to send a booking even if the journal cannot record it.
        public var isRequired: Bool?
        /// Time that a booking waits for the journal, 1 ms to a minute.
        public var timeout: Duration?
        /// True to send unsettled bookings again when the client opens.
        public var resumesOnOpen: Bool?
        /// File size from which new bookings are refused, 1048576 to 1073741824 bytes.
        public var maxBytes: Int?
        /// False to keep no replies in the file. After a restart, a repeated booking is then
        /// sent again with the same key.
        public var keepsReplies: Bool?

        /// Creates options for a journal at this path. nil means the default.
        public init(
            path: String, isRequired: Bool? = nil, timeout: Duration? = nil, resumesOnOpen: Bool? = nil,
            maxBytes: Int? = nil, keepsReplies: Bool? = nil
        ) {
            self.path = path
            self.isRequired = isRequired
            self.timeout = timeout
            self.resumesOnOpen = resumesOnOpen
            self.maxBytes = maxBytes
            self.keepsReplies = keepsReplies
        }

        /// Creates options for a journal in a directory of all processes. nil means the default.
        public init(
            directory: String, isRequired: Bool? = nil, timeout: Duration? = nil, resumesOnOpen: Bool? = nil,
            maxBytes: Int? = nil, keepsReplies: Bool? = nil
        ) {
            self.init(
                path: directory, isRequired: isRequired, timeout: timeout, resumesOnOpen: resumesOnOpen,
                maxBytes: maxBytes, keepsReplies: keepsReplies)
            isDirectory = true
        }
    }

    /// A store that the engines of a fleet share: docs/fleet.md. `journal` must be nil.
    public struct Ledger: Sendable, Equatable {
        /// Name of the scope, 1 to 200 bytes. Bookings of one scope share keys. nil: the
        /// service's name.
        public var scope: String?
        /// Time after which another engine takes over the bookings of a dead engine, 2 seconds
        /// to 10 minutes.
        public var lease: Duration?
        /// False to leave the bookings of dead engines alone, instead of settling them.
        public var takesOver: Bool?
        /// False to send a booking even if the store does not take it.
        public var isRequired: Bool?
        /// Time that a booking waits for the store, 1 ms to a minute.
        public var timeout: Duration?

        /// Creates default settings.
        public init() {}
    }
}

/// A secret that stays hidden when its owner is printed, dumped or reflected.
struct Hidden<Value: Sendable & Equatable>: Sendable, Equatable {
    var value: Value

    init(_ value: Value) { self.value = value }
}

extension Hidden: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "(hidden)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
