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
}
