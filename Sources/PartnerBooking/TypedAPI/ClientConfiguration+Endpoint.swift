extension ClientConfiguration {
    /// The service that a client calls.
    public enum ServiceEndpoint: Sendable, Equatable {
        /// The hosted Partner API.
        case partnerAPI(PartnerAPI)
        /// The platforms' own webhooks, with signed requests. See docs/platform-webhook.md.
        case platformWebhook(PlatformWebhooks)
        /// A simulated clinic inside the process, without network and account.
        case sandbox(SandboxClinic = SandboxClinic())

        /// Returns the hosted Partner API with this key, and defaults for the rest.
        public static func partnerAPI(apiKey: String) -> ServiceEndpoint { .partnerAPI(PartnerAPI(apiKey: apiKey)) }
    }

    /// Addresses and API key of the Partner API.
    public struct PartnerAPI: Sendable, Equatable {
        /// The API key, `sk_ptnr_…`. Hidden when printed.
        public var apiKey: String {
            get { hiddenKey.value }
            set { hiddenKey.value = newValue }
        }
        private var hiddenKey: Hidden<String>
        /// Base address: an `https` URL, or `http` on loopback.
        public var baseURL: String?
        /// Path of searches, appended to `baseURL`.
        public var searchPath: String?
        /// Path of bookings, appended to `baseURL`.
        public var bookingPath: String?

        /// Creates the settings of the Partner API. nil means the default.
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
        /// The platforms by `bot_id`, at least one.
        public var platforms: [String: BotPlatform]
        /// Webhook hosts that may have private addresses.
        public var privateHosts: [String]
        /// Time limit of a platform for one attempt, 1 ms to 30 seconds.
        public var timeout: Duration?

        /// Creates the settings for these platforms. nil means the default.
        public init(platforms: [String: BotPlatform], privateHosts: [String] = [], timeout: Duration? = nil) {
            self.platforms = platforms
            self.privateHosts = privateHosts
            self.timeout = timeout
        }
    }

    /// The platform of one bot.
    public struct BotPlatform: Sendable, Equatable {
        /// Account at the platform, 1 to 256 visible ASCII characters.
        public var accountID: String
        /// The webhook: an `https` URL, or `http` on loopback. nil: the bot's calls end as
        /// `noWebhook`.
        public var webhookURL: String?
        /// One secret that signs requests, or two while it is replaced. Hidden when printed.
        public var webhookSecrets: [String] {
            get { hiddenSecrets.value }
            set { hiddenSecrets.value = newValue }
        }
        private var hiddenSecrets: Hidden<[String]>
        /// Rules of the platform. A nil member has the value of `ClientConfiguration.platform`.
        public var rules: PlatformRules

        /// Creates the platform of a bot.
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
