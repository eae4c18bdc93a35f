/// The platforms whose bots a client serves: docs/json-contract.md, "Platforms".
struct PlatformDirectory: Sendable {
    /// By `bot_id`.
    var platforms: [String: Platform] = [:]
    /// The servers, by their numbers.
    var origins: [HTTPOrigin] = []
    /// Number of different webhooks. Several bots may share one.
    var webhookCount = 0
    var webhookTimeoutMilliseconds: Int
}

/// Settings of one bot's platform.
struct Platform: Sendable {
    struct Webhook: Sendable {
        /// Bots with the same URL share it.
        let number: Int
        let url: String
        let signingKeys: [HMACKey]
        let origin: HTTPOrigin
    }

    let accountID: String
    let rules: BookingRules
    /// nil: it has none.
    let webhook: Webhook?
}
