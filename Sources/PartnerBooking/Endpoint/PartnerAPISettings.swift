/// Addresses and key of the Partner API, or of the sandbox that plays it.
struct PartnerAPISettings: Sendable {
    let apiKey: String
    let baseURL: String
    let searchPath: String
    let bookingPath: String
    /// The Partner API looks up no customers; the sandbox does.
    let customerPath: String?
    let rules: BookingRules
    /// Rules of bots that have their own.
    let rulesByBot: [String: BookingRules]

    var origin: HTTPOrigin { HTTPOrigin(number: 0, warmUpURL: baseURL + "/", isPublicOnly: false) }
}
