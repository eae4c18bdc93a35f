extension BookingRules {
    /// The members of the configuration that describe a platform, for all bots or for one bot.
    static let members = ["platform_keys", "platform_limit_ms", "check_start_at"]

    /// Reads the members of `reader`. A missing member has its value in `default`.
    init(_ reader: ObjectReader, default rules: BookingRules) throws(PartnerBookingError) {
        self = rules
        if let name = try reader.optionalString("platform_keys", maxBytes: 64, Form.platformKeys) {
            guard let keys = Keys(rawValue: name) else {
                throw reader.refuse("platform_keys", MemberMessage.mustBe(Form.platformKeys))
            }
            self.keys = keys
        }
        platformLimitMilliseconds =
            try reader.optionalInteger("platform_limit_ms", in: 1...600_000) ?? platformLimitMilliseconds
        checksStart = try reader.optionalBoolean("check_start_at") ?? checksStart
    }
}
