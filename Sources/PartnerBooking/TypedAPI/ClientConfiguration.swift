/// The configuration of a client.
///
///     var configuration = ClientConfiguration(endpoint: .partnerAPI(apiKey: key))
///     configuration.timeout = .seconds(8)
///     configuration.journal = .init(path: "/var/lib/engine/bookings.journal")
///     let client = try PartnerBookingClient(configuration: configuration)
///
/// A member that is nil has its default. docs/json-contract.md lists defaults and ranges. `PartnerBookingClient` checks all of it
/// when it opens: the error is `invalidConfig`, and its `field` is the member's name in JSON, such as `retry.max_attempts`.
///
/// Secrets do not show when a configuration is printed, dumped or reflected.
public struct ClientConfiguration: Sendable, Equatable {
    /// The service that the client talks to.
    public var endpoint: ServiceEndpoint
    /// Deadline of a call, 1 ms to 10 minutes. nil: 5 seconds for a search or a look-up, 35 seconds for a booking.
    public var timeout: Duration?
    /// A call that takes longer is reported as slow, once. 1 ms to 10 minutes. nil: never.
    public var slowAfter: Duration?
    /// Calls being delivered at once, 1 to 100000.
    public var maxInFlight: Int?
    /// Calls beyond them that wait for their turn, 0 to 100000. One more is refused with `queueFull`.
    public var maxQueued: Int?
    /// Limit of a reply after decompression, 1024 to 67108864.
    public var maxReplyBytes: Int?
    /// Counts calls for `statsJSON`. nil: it does.
    public var countsCalls: Bool?
    /// Connections to servers.
    public var connections = Connections()
    /// Retries within a call.
    public var retries = Retries()
    /// When a service that fails is left alone.
    public var circuitBreaker = Breaker()
    /// Memory and settling of bookings.
    public var bookings = Bookings()
    /// The clinics' time zones.
    public var voice = Voice()
    /// Rules of the platforms behind the bots.
    public var platform = PlatformRules()
    /// The same for single bots, by `bot_id`; what is nil there is as in `platform`. Not with `platformWebhook`, whose bots have
    /// their rules in `BotPlatform`.
    public var platformByBot: [String: PlatformRules] = [:]
    /// Keeps bookings beyond the process. nil: they are remembered for the life of the client.
    public var journal: JournalOptions?
    /// A store that the engines of a fleet share. Only for clients that are opened with a ledger.
    public var ledger = Ledger()

    /// A configuration in which all but the service has its default.
    public init(endpoint: ServiceEndpoint) { self.endpoint = endpoint }
}

extension ClientConfiguration {
    /// Connections to servers.
    public struct Connections: Sendable, Equatable {
        /// Limit of one attempt to connect, TLS included. 1 ms to 10 minutes.
        public var timeout: Duration?
        /// Connections at once, 1 to 100000; with `platformWebhook` to one server.
        public var limit: Int?
        /// Calls at once on one HTTP/2 connection, 1 to 10000.
        public var maxStreams: Int?
        /// Longest idle time of a connection before it is used, so that it stays usable. At most an hour. Zero: none is made
        /// ahead unless `prewarm` asks for it.
        public var keepWarm: Duration?
        /// A PEM file with the certificates to trust instead of the system's.
        public var caFile: String?
        /// Proxy for all connections: an `http`, `https`, `socks5` or `socks5h` URL. It does not show when it is printed: it may
        /// hold a password.
        public var proxy: String? {
            get { hiddenProxy.value }
            set { hiddenProxy.value = newValue }
        }
        private var hiddenProxy = Hidden<String?>(nil)

        /// Everything has its default.
        public init() {}
    }

    /// Retries within a call.
    public struct Retries: Sendable, Equatable {
        /// Attempts in all, 1 to 10. 1 turns retries off.
        public var maxAttempts: Int?
        /// Longest pause before the second attempt; it doubles from one to the next. 1 ms to a minute.
        public var baseDelay: Duration?
        /// Longest pause at all, 1 ms to a minute. A longer `Retry-After` is respected.
        public var maxDelay: Duration?
        /// Retries of all calls together, at once and in ten seconds: 0 to 1000. 0: no limit.
        public var budget: Int?

        /// Everything has its default.
        public init() {}
    }

    /// When a service that fails is left alone.
    public struct Breaker: Sendable, Equatable {
        /// Failed attempts in a row after which calls end as `circuitOpen`, 0 to 1000. 0: never.
        public var failures: Int?
        /// Longest time until one call is let through, 100 ms to 10 minutes.
        public var openTime: Duration?

        /// Everything has its default.
        public init() {}
    }

    /// Memory and settling of bookings.
    public struct Bookings: Sendable, Equatable {
        /// Time that a settled key is remembered, in minutes: 1 minute to 7 days.
        public var retention: Duration?
        /// Time that the library asks for a booking in doubt after its call has ended. At most an hour. Zero: it only reads the
        /// answer that is outstanding.
        public var settlingTime: Duration?
        /// Several clients may use one key at the same time.
        public var areKeysShared: Bool?
        /// A booking whose call ended `unknown` is reported when it is settled, to the completion queue. Only the C ABI has
        /// that queue: a Swift program looks at `pendingBookings`.
        public var reportsSettled: Bool?

        /// Everything has its default.
        public init() {}
    }

    /// Rules of a platform: docs/exactly-once.md, "What is known of a platform".
    public struct PlatformRules: Sendable, Equatable {
        /// Its treatment of idempotency keys.
        public var keys: KeyTreatment?
        /// The longest time that it works on one request, 1 ms to 10 minutes.
        public var limit: Duration?
        /// A reply with another start than the one asked for is `otherBooking`. False: for platforms that write wrong offsets.
        public var checksStart: Bool?

        /// Rules of a platform. What is nil has its default.
        public init(keys: KeyTreatment? = nil, limit: Duration? = nil, checksStart: Bool? = nil) {
            self.keys = keys
            self.limit = limit
            self.checksStart = checksStart
        }
    }

    /// A platform's treatment of idempotency keys. No case is called `none`: as an optional that would mean the default.
    public enum KeyTreatment: String, Sendable, CaseIterable {
        /// It keeps them. It may check slot or time first.
        case kept
        /// It keeps them, and checks the key before all else.
        case checkedFirst = "first"
        /// It keeps none: the same key can book twice.
        case notKept = "none"
    }

    /// A file that keeps bookings beyond the process: docs/journal.md.
    public struct JournalOptions: Sendable, Equatable {
        /// The file, or the directory in which the client finds one. A relative path counts from
        /// the working directory at opening.
        public var path: String
        /// `path` names a directory for all processes. Each client takes a journal in it that
        /// nobody has, or makes one, and adopts those of processes that have died.
        public var isDirectory = false
        /// False: the client sends a booking even if the journal cannot record it.
        public var isRequired: Bool?
        /// Time that a booking waits for the journal, 1 ms to a minute.
        public var timeout: Duration?
        /// Unsettled bookings are sent again when the client opens.
        public var resumesOnOpen: Bool?
        /// Size from which the file takes no new bookings, 1048576 to 1073741824 bytes.
        public var maxBytes: Int?
        /// False: the file contains no replies. After a restart a booking that is repeated is sent again, with the same key.
        public var keepsReplies: Bool?

        /// A journal at that path. What is nil has its default.
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

        /// A journal in a directory that all processes share. What is nil has its default.
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

    /// A store that the engines of a fleet share: docs/fleet.md. `journal` is then nil.
    public struct Ledger: Sendable, Equatable {
        /// Bookings of one scope share keys, 1 to 200 bytes. nil: the service's name.
        public var scope: String?
        /// Time after which another engine takes the bookings of a dead one over, 2 seconds to 10
        /// minutes.
        public var lease: Duration?
        /// False: the client does not settle what dead engines left.
        public var takesOver: Bool?
        /// False: a booking that the store does not take is sent all the same.
        public var isRequired: Bool?
        /// Time that a booking waits for the store, 1 ms to a minute.
        public var timeout: Duration?

        /// Everything has its default.
        public init() {}
    }
}

/// A secret that does not show when what holds it is printed, dumped or reflected.
struct Hidden<Value: Sendable & Equatable>: Sendable, Equatable {
    var value: Value

    init(_ value: Value) { self.value = value }
}

extension Hidden: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "(hidden)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
