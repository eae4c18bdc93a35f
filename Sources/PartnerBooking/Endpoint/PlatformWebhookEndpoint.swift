/// The endpoint of platform webhooks. It does the Partner API's internal work: it finds the
/// bot's platform, replaces the bot by the platform's account, and signs.
final class PlatformWebhookEndpoint: Endpoint {
    let serviceCount: Int
    let source = PartnerBookingError.Source.platform
    let attemptMilliseconds: Int?
    private let routes: [String: Route]

    /// The target of one bot's requests.
    private final class Route: Sendable {
        let accountID: String
        let rules: BookingRules
        /// The webhook of the platform. nil: it has none.
        let webhook: Webhook?

        init(_ platform: Platform) {
            accountID = platform.accountID
            rules = platform.rules
            webhook = platform.webhook.map { Webhook($0, accountID: platform.accountID) }
        }
    }

    private final class Webhook: Sendable {
        let service: Int
        let signingKeys: [HMACKey]
        let search: HTTPTarget
        let booking: HTTPTarget
        let customer: HTTPTarget

        init(_ webhook: Platform.Webhook, accountID: String) {
            let headers = ["X-DialStack-Account-Id: \(accountID)"] + HTTPTarget.commonHeaders
            func target(_ path: String) -> HTTPTarget {
                HTTPTarget(url: webhook.url + path, headers: headers, origin: webhook.origin)
            }
            service = webhook.number
            signingKeys = webhook.signingKeys
            search = target("/availability/search")
            booking = target("/bookings")
            customer = target("/customers/lookup")
        }
    }

    init(_ directory: PlatformDirectory) {
        attemptMilliseconds = directory.webhookTimeoutMilliseconds
        serviceCount = directory.webhookCount
        routes = directory.platforms.mapValues { Route($0) }
    }

    func service(of botID: String) -> Int? { routes[botID]?.webhook?.service }

    func check(_ request: Request) throws(PartnerBookingError) {
        // A booking to resume has no bot until the ledger has found it.
        if let botID = request.botID { _ = try route(botID) }
    }

    func message(for request: Request) throws(PartnerBookingError) -> Message {
        guard let botID = request.botID else { throw .unknownBot }
        let (route, webhook) = try route(botID)
        let accountID = route.accountID
        let body = request.body(without: ["bot_id", "account_id"]) { body in
            body.member("account_id", accountID)
            if let key = request.idempotencyKey { body.member("idempotency_key", key) }
        }
        guard let body else { throw .unknownBot }  // the recorded body is not a request
        let target =
            switch request.operation {
            case .searchAvailability: webhook.search
            case .createBooking: webhook.booking
            case .lookupCustomer: webhook.customer
            }
        return Message(
            service: webhook.service, target: target, headers: request.traceHeader.map { [$0] } ?? [], body: body,
            rules: route.rules,
            accountID: accountID, signingKeys: webhook.signingKeys)
    }

    private func route(_ botID: String) throws(PartnerBookingError) -> (route: Route, webhook: Webhook) {
        guard let route = routes[botID] else { throw .unknownBot }
        guard let webhook = route.webhook else { throw .noWebhook }
        return (route, webhook)
    }
}
