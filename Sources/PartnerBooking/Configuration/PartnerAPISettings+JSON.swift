extension PartnerAPISettings {
    /// Reads the members of the configuration. `sandbox` is nil for the real API.
    init(_ root: ObjectReader, rules: BookingRules, sandbox: SandboxSettings?) throws(PartnerBookingError) {
        let paths = try root.optionalObject("paths")
        try paths?.refuseMembers(except: ["search_availability", "create_booking"])
        self.init(
            apiKey: try Self.apiKey(root, sandbox),
            baseURL: try Self.baseURL(root),
            searchPath: try Self.path(paths, "search_availability") ?? "/v1/availability/search",
            bookingPath: try Self.path(paths, "create_booking") ?? "/v1/bookings",
            customerPath: sandbox == nil ? nil : "/v1/customers/lookup",
            rules: rules,
            rulesByBot: try Self.rulesByBot(root, rules))
        if searchPath == bookingPath { throw root.refuse("paths", MemberMessage.samePaths) }
        if customerPath == searchPath || customerPath == bookingPath {
            throw root.refuse("paths", MemberMessage.lookupPath)
        }
    }

    private static func apiKey(_ root: ObjectReader, _ sandbox: SandboxSettings?) throws(PartnerBookingError) -> String {
        let given = try root.optionalString("api_key", maxBytes: 512, Form.partnerKey, FieldRules.isPartnerKey)
        if let given { return given }
        guard let sandbox else { throw root.refuse("api_key", MemberMessage.required(Form.partnerKey)) }
        return sandbox.apiKey ?? "sk_ptnr_sandbox"
    }

    private static func rulesByBot(
        _ root: ObjectReader, _ rules: BookingRules
    ) throws(PartnerBookingError) -> [String: BookingRules] {
        var result: [String: BookingRules] = [:]
        for (botID, bot) in try root.optionalObjectsByName("bots") ?? [] {
            try bot.refuseMembers(except: BookingRules.members)
            guard (1...256).contains(botID.utf8.count) else {
                throw root.refuse("bots", MemberMessage.botIDs)
            }
            guard result.updateValue(try BookingRules(bot, default: rules), forKey: botID) == nil else {
                throw root.refuse("bots", MemberMessage.botIDTwice)
            }
        }
        return result
    }

    private static func baseURL(_ root: ObjectReader) throws(PartnerBookingError) -> String {
        guard let text = try root.optionalString("base_url", maxBytes: 2_048, Form.baseURL) else {
            return "https://appointments.dialstack.ai"
        }
        guard let url = ServiceURL(text) else { throw root.refuse("base_url", MemberMessage.mustBe(Form.baseURL)) }
        guard url.isProtected else {
            throw root.refuse("base_url", MemberMessage.https)
        }
        return url.text
    }

    private static func path(_ paths: ObjectReader?, _ name: StaticString) throws(PartnerBookingError) -> String? {
        try paths?.optionalString(name, maxBytes: 1_024, Form.urlPath) {
            $0.first == UInt8(ascii: "/") && FieldRules.isVisibleASCII($0)
                && !$0.contains(UInt8(ascii: "?")) && !$0.contains(UInt8(ascii: "#"))
        }
    }
}
