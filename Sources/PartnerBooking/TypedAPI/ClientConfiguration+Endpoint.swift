extension ClientConfiguration {
    /// The service that a client talks to.
    public enum ServiceEndpoint: Sendable, Equatable {
        /// The hosted Partner API.
        case partnerAPI(PartnerAPI)
        /// The platforms' own webhooks, with signed requests: docs/platform-webhook.md.
        case platformWebhook(PlatformWebhooks)
        /// A clinic within the process: no network, no account.
        case sandbox(SandboxClinic = SandboxClinic())

        /// The hosted Partner API with that key, and defaults for the rest.
        public static func partnerAPI(apiKey: String) -> ServiceEndpoint { .partnerAPI(PartnerAPI(apiKey: apiKey)) }
    }

    /// Addresses and key of the Partner API.
    public struct PartnerAPI: Sendable, Equatable {
        /// `sk_ptnr_…`. It does not show when it is printed.
        public var apiKey: String {
            get { hiddenKey.value }
            set { hiddenKey.value = newValue }
        }
        private var hiddenKey: Hidden<String>
        /// Its address: an `https` URL, or `http` on loopback.
        public var baseURL: String?
        /// Path of searches, appended to `baseURL`.
        public var searchPath: String?
        /// Path of bookings, appended to `baseURL`.
        public var bookingPath: String?

        /// The Partner API, asked with that key. What is nil has its default.
        public init(
            apiKey: String, baseURL: String? = nil, searchPath: String? = nil, bookingPath: String? = nil
        ) {
            hiddenKey = Hidden(apiKey)
            self.baseURL = baseURL
            self.searchPath = searchPath
            self.bookingPath = bookingPath
        }
    }

    /// The platforms whose bots a client serves.
    public struct PlatformWebhooks: Sendable, Equatable {
        /// By `bot_id`. One at least.
        public var platforms: [String: BotPlatform]
        /// Hosts of webhooks that may have private addresses.
        public var privateHosts: [String]
        /// Time limit of a platform for one attempt, 1 ms to 30 seconds.
        public var timeout: Duration?

        /// Those platforms. What is nil has its default.
        public init(platforms: [String: BotPlatform], privateHosts: [String] = [], timeout: Duration? = nil) {
            self.platforms = platforms
            self.privateHosts = privateHosts
            self.timeout = timeout
        }
    }

    /// The platform of one bot.
    public struct BotPlatform: Sendable, Equatable {
        /// The account there, 1 to 256 visible ASCII characters.
        public var accountID: String
        /// Its webhook: an `https` URL, or `http` on loopback. nil: the bot's calls end as `noWebhook`.
        public var webhookURL: String?
        /// Sign the requests: one, or two while one replaces the other. They do not show when they are printed.
        public var webhookSecrets: [String] {
            get { hiddenSecrets.value }
            set { hiddenSecrets.value = newValue }
        }
        private var hiddenSecrets: Hidden<[String]>
        /// Its rules. A nil member is as in `ClientConfiguration.platform`.
        public var rules: PlatformRules

        /// The platform of a bot.
        public init(
            accountID: String, webhookURL: String? = nil, webhookSecrets: [String] = [],
            rules: PlatformRules = PlatformRules()
        ) {
            self.accountID = accountID
            self.webhookURL = webhookURL
            hiddenSecrets = Hidden(webhookSecrets)
            self.rules = rules
        }
    }

    /// The clinic of the sandbox. With its defaults it is open on weekdays from 09:00 to 17:00 UTC, with slots of 30 minutes, and
    /// knows every bot.
    public struct SandboxClinic: Sendable, Equatable {
        /// Its time when the client opens: an RFC 3339 date-time. nil: the system's clock.
        public var now: String?
        /// When it is open: ranges such as `09:00-17:00`. nil: Monday to Friday. A day that is left out is closed.
        public var openingHours: [Weekday: [String]]?
        /// Its time zone: `Z` or `±HH:MM`.
        public var utcOffset: String?
        /// Slots start at opening and every so many minutes, 1 to 1440.
        public var slotMinutes: Int?
        /// Days from today that can be booked, 1 to 366.
        public var days: Int?
        /// Bookings that may overlap, 1 to 1000.
        public var capacity: Int?
        /// Its treatment of idempotency keys. nil: `checkedFirst`.
        public var keys: KeyTreatment?
        /// The bots that it knows. nil: any.
        public var bots: [String]?
        /// The only API key that it accepts. nil: any. It does not show when it is printed.
        public var apiKey: String? {
            get { hiddenKey.value }
            set { hiddenKey.value = newValue }
        }
        private var hiddenKey = Hidden<String?>(nil)
        /// Time that each reply takes, at most 10 minutes.
        public var latency: Duration?
        /// Trouble on purpose.
        public var faults: [Fault]
        /// The seed of random faults: the same seed gives the same faults.
        public var seed: Int?
        /// Address and key of the Partner API that the client uses. nil: a key that the clinic accepts.
        public var partnerAPI: PartnerAPI?

        /// A clinic whose clock shows that time, with defaults for what is left out.
        public init(now: String? = nil, latency: Duration? = nil, faults: [Fault] = []) {
            self.now = now
            self.latency = latency
            self.faults = faults
        }
    }

    /// A day of the week.
    public enum Weekday: String, Sendable, CaseIterable {
        /// The days, by their names.
        case sunday, monday, tuesday, wednesday, thursday, friday, saturday
    }

    /// Something that goes wrong with bookings in the sandbox.
    public struct Fault: Sendable, Equatable {
        /// Faults: docs/json-contract.md, "Trouble on purpose". Times are at most 10 minutes.
        public enum Kind: Sendable, Equatable {
            /// The connection breaks, nothing is booked.
            case loseRequest
            /// It is booked, and the connection breaks.
            case loseReply
            /// It is booked at once, and answered so much later.
            case late(by: Duration)
            /// Nothing is booked, and that is the answer: a status of 300 to 599.
            case error(status: Int? = nil, code: String? = nil)
            /// It is booked, and that is the answer nevertheless.
            case errorAfter(status: Int? = nil)
            /// Somebody on the way sends the request twice, and the second reply comes, so much later.
            case slowDuplicate(after: Duration)
            /// It is booked, but for so long every request with its key is told that the first is still running.
            case inProgress(for: Duration)
            /// The clinic holds the slot, works for so long, and books then. With a status a gateway answers that at once.
            case works(for: Duration, status: Int? = nil)
            /// It is booked, and the answer is a conflict about its own slot.
            case ownConflict
            /// Nothing is booked, and the reply is a booking that is declined.
            case declined
            /// It is booked, and the reply is a booking with another start.
            case otherBooking
            /// It is booked, and the reply is an empty booking.
            case emptyBooking
        }

        /// The kind of the fault.
        public var kind: Kind
        /// The booking requests that it happens to, counted from 1.
        public var calls: [Int]
        /// Percentage of the others that it happens to. nil: none; without `calls` all.
        public var percent: Int?

        /// A fault of all booking requests, or of those.
        public init(_ kind: Kind, calls: [Int] = [], percent: Int? = nil) {
            self.kind = kind
            self.calls = calls
            self.percent = percent
        }
    }
}
