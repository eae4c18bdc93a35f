extension PlatformDirectory {
    /// Reads the members of the configuration. `rules` are for platforms without their own.
    init(_ root: ObjectReader, rules: BookingRules) throws(PartnerBookingError) {
        self.init(webhookTimeoutMilliseconds: try root.optionalInteger("webhook_timeout_ms", in: 1...30_000) ?? 30_000)
        var reader = try PlatformReader(root)
        let bots = try root.optionalObjectsByName("platforms") ?? []
        if bots.isEmpty { throw root.refuse("platforms", MemberMessage.noPlatforms) }
        for (botID, platform) in bots {
            guard (1...256).contains(botID.utf8.count) else {
                throw root.refuse("platforms", MemberMessage.botIDs)
            }
            guard platforms[botID] == nil else { throw root.refuse("platforms", MemberMessage.botIDTwice) }
            platforms[botID] = try reader.read(platform, rules)
        }
        origins = reader.origins
        webhookCount = reader.numbers.count
    }
}

/// A reader of platforms that numbers their webhooks and servers.
private struct PlatformReader {
    private(set) var origins: [HTTPOrigin] = []
    /// The numbers of webhooks by URL.
    private(set) var numbers: [String: Int] = [:]
    private var originNumbers: [String: Int] = [:]
    private let privateHosts: Set<String>

    init(_ root: ObjectReader) throws(PartnerBookingError) { privateHosts = try Self.privateHosts(root) }

    mutating func read(
        _ platform: ObjectReader, _ rules: BookingRules
    ) throws(PartnerBookingError) -> Platform {
        try platform.refuseMembers(except: ["account_id", "webhook_url", "webhook_secret"] + BookingRules.members)
        let rules = try BookingRules(platform, default: rules)
        let accountID = try platform.checkText(
            "account_id", maxBytes: 256, Form.accountID, FieldRules.isVisibleASCII)
        let keys = try Self.signingKeys(platform)
        guard let url = try webhookURL(platform) else {
            return Platform(accountID: accountID.string ?? "", rules: rules, webhook: nil)
        }
        guard !keys.isEmpty else {
            throw platform.refuse("webhook_secret", MemberMessage.noSecret)
        }
        let number = numbers[url.text] ?? numbers.count
        numbers[url.text] = number
        let webhook = Platform.Webhook(number: number, url: url.text, signingKeys: keys, origin: origin(of: url.parts))
        return Platform(accountID: accountID.string ?? "", rules: rules, webhook: webhook)
    }

    // MARK: Addresses

    private func webhookURL(_ platform: ObjectReader) throws(PartnerBookingError) -> ServiceURL? {
        guard let text = try platform.optionalString("webhook_url", maxBytes: 2_048, Form.webhookURL) else { return nil }
        guard let url = ServiceURL(text) else {
            throw platform.refuse("webhook_url", MemberMessage.mustBe(Form.webhookURL))
        }
        guard url.isProtected else {
            throw platform.refuse("webhook_url", MemberMessage.https)
        }
        if let place = url.parts.privatePlace, isPublicOnly(url.parts) {
            throw platform.refuse("webhook_url", MemberMessage.leads(to: place, url.parts.host))
        }
        return url
    }

    private mutating func origin(of url: URLParts) -> HTTPOrigin {
        if let known = originNumbers[url.origin] { return origins[known] }
        let origin = HTTPOrigin(number: origins.count, warmUpURL: url.origin + "/", isPublicOnly: isPublicOnly(url))
        originNumbers[url.origin] = origin.number
        origins.append(origin)
        return origin
    }

    /// Returns whether only public addresses are allowed. A name's addresses can change, so
    /// they are checked at each connect.
    private func isPublicOnly(_ url: URLParts) -> Bool { !privateHosts.contains(url.host) }

    private static func privateHosts(_ root: ObjectReader) throws(PartnerBookingError) -> Set<String> {
        let elements = try root.optionalList("private_hosts", maxCount: 10_000) ?? []
        let hosts = elements.compactMap { $0.string.flatMap(host) }
        guard hosts.count == elements.count else {
            throw root.refuse("private_hosts", MemberMessage.privateHosts)
        }
        return Set(hosts)
    }

    /// Returns a host as in URLs: in lower case, IPv6 addresses in brackets. nil unless the
    /// text is exactly one host.
    private static func host(_ text: String) -> String? {
        let isBare = text.utf8.contains(UInt8(ascii: ":")) && !text.hasPrefix("[")
        guard text.utf8.count <= 255, !text.utf8.contains(where: { "/?#".utf8.contains($0) }),
            let url = URLParts(isBare ? "https://[\(text)]" : "https://\(text)"), !url.hasCredentials,
            url.origin == "https://\(url.host):443"
        else { return nil }
        return url.host
    }

    // MARK: Secrets

    /// Reads secrets straight into keys. Only a secret written with escapes leaves a copy that
    /// cannot be wiped.
    private static func signingKeys(_ platform: ObjectReader) throws(PartnerBookingError) -> [HMACKey] {
        guard let value = try platform.value("webhook_secret") else { return [] }
        let secrets = value.kind == .array ? Array(value.elements) : [value]
        let keys = secrets.prefix(3).compactMap { secret in
            secret.withText { (1...512).contains($0.count) && !$0.contains(0) ? HMACKey($0) : nil } ?? nil
        }
        guard (1...2).contains(secrets.count), keys.count == secrets.count else {
            throw platform.refuse("webhook_secret", MemberMessage.mustBe(Form.webhookSecret))
        }
        return keys
    }
}
