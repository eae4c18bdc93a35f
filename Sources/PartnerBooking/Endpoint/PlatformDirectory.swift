/// The platforms whose bots a client serves. See "Platforms" in docs/json-contract.md.
struct PlatformDirectory: Sendable {
    /// The platform of each bot, by `bot_id`.
    var platforms: [String: Platform] = [:]
    /// The servers, in the order of their numbers.
    var origins: [HTTPOrigin] = []
    /// Number of different webhooks. Several bots may share one.
    var webhookCount = 0
    var webhookTimeoutMilliseconds: Int
}

/// Settings of one bot's platform.
struct Platform: Sendable {
    struct Webhook: Sendable {
        /// The number of the webhook. Bots with the same URL share it.
        let number: Int
        let url: String
        let signingKeys: [HMACKey]
        let origin: HTTPOrigin
    }

    let accountID: String
    let rules: BookingRules
    /// The webhook of the platform. nil: it has none.
    let webhook: Webhook?
}
