/// Addresses and key of the Partner API, or of the sandbox that plays it.
struct PartnerAPISettings: Sendable {
    let apiKey: String
    let baseURL: String
    let searchPath: String
    let bookingPath: String
    /// The path of look-ups. nil with the Partner API; only the sandbox has them.
    let customerPath: String?
    let rules: BookingRules
    /// The rules of bots that have their own, by `bot_id`.
    let rulesByBot: [String: BookingRules]

    var origin: HTTPOrigin { HTTPOrigin(number: 0, warmUpURL: baseURL + "/", isPublicOnly: false) }
}
