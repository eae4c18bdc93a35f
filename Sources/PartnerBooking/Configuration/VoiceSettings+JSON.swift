/// The clinics of the bots: the member `voice` of the configuration.
struct VoiceSettings: Sendable {
    /// The clinic of bots without their own. nil without a time zone: plain dates are then sent
    /// as written, and tool calls are refused.
    private let profile: VoiceProfile?
    private let profiles: [String: VoiceProfile]

    private static let members = [
        "time_zone", "locale", "region", "services", "step_minutes", "opening", "min_notice_minutes", "max_days_ahead",
        "offers", "confirm", "cache_ms", "prefetch_days", "items",
    ]

    /// Returns the clinic of a bot.
    func profile(bot: String?) -> VoiceProfile? { bot.flatMap { profiles[$0] } ?? profile }

    func zone(bot: String?) -> Zone? { profile(bot: bot)?.zone }

    init(_ reader: ObjectReader?) throws(PartnerBookingError) {
        guard let reader else {
            (profile, profiles) = (nil, [:])
            return
        }
        try reader.refuseMembers(except: Self.members + ["bots"])
        let shared = try VoiceProfile(reader, base: nil)
        var profiles: [String: VoiceProfile] = [:]
        for (bot, members) in try reader.optionalObjectsByName("bots") ?? [] {
            try members.refuseMembers(except: Self.members)
            // A bot's clinic has the members of all bots, unless it has its own.
            let base = if let shared { shared } else { try VoiceProfile(reader, zoneOf: members) }
            profiles[bot] = try VoiceProfile(members, base: base)
        }
        (profile, self.profiles) = (shared, profiles)
    }
}

extension VoiceProfile {
    /// Reads a clinic. Missing members come from `base`. nil when neither has a time zone.
    fileprivate init?(_ reader: ObjectReader, base: VoiceProfile?) throws(PartnerBookingError) {
        let zone = try Self.zone(reader)
        guard let zone = zone ?? base?.zone else {
            // Refuses wrong members, although nothing uses them.
            guard let utc = try? ZoneCache.shared.zone("UTC") else { return nil }
            var unused = VoiceProfile(zone: utc)
            try unused.read(reader)
            return nil
        }
        self = base ?? VoiceProfile(zone: zone)
        self.zone = zone
        try read(reader)
    }

    /// Reads the members for all bots, with the time zone of one bot.
    fileprivate init?(_ reader: ObjectReader, zoneOf bot: ObjectReader) throws(PartnerBookingError) {
        guard let zone = try Self.zone(bot) else { return nil }
        self.init(zone: zone)
        try read(reader)
    }

    private static func zone(_ reader: ObjectReader) throws(PartnerBookingError) -> Zone? {
        guard let name = try reader.optionalString("time_zone", maxBytes: 256, Form.zoneName)
        else { return nil }
        do throws(ZoneError) {
            return try ZoneCache.shared.zone(name)
        } catch {
            throw reader.refuse("time_zone", MemberMessage.zone(error.message))
        }
    }

    private mutating func read(_ reader: ObjectReader) throws(PartnerBookingError) {
        if try reader.value("locale") != nil { locale = try VoiceLocale.read(reader) }
        let region = try reader.checkOptionalText("region", maxBytes: 8, Form.region) {
            PhonePlan(region: $0) != nil
        }
        if let region { self.region = region.withText { PhonePlan(region: $0) } ?? nil }
        if try reader.value("services") != nil {
            services = try reader.optionalObjects("services", maxCount: 64).map { (service) throws(PartnerBookingError) in
                try service.refuseMembers(except: ["name", "duration_minutes"])
                let name = try service.checkText("name", maxBytes: 64, Form.serviceName) {
                    !$0.isEmpty && FieldRules.isLine($0)
                }.string
                return Service(name: name, durationMinutes: try service.integer("duration_minutes", in: 1...1_440))
            }
            guard !services.isEmpty else { throw reader.refuse("services", MemberMessage.noServices) }
        }
        stepMinutes = try reader.optionalInteger("step_minutes", in: 1...1_440) ?? stepMinutes
        opening = try reader.optionalObject("opening").map(WishSettings.opening) ?? opening
        minNoticeMinutes = try reader.optionalInteger("min_notice_minutes", in: 0...527_040) ?? minNoticeMinutes
        maxDaysAhead = try reader.optionalInteger("max_days_ahead", in: 1...3_660) ?? maxDaysAhead
        offers = try reader.optionalInteger("offers", in: 1...10) ?? offers
        confirm = try Self.choice(reader, "confirm", Form.confirm, Confirm.init) ?? confirm
        cacheMilliseconds = try reader.optionalInteger("cache_ms", in: 0...600_000) ?? cacheMilliseconds
        prefetchDays = try reader.optionalInteger("prefetch_days", in: 1...31) ?? prefetchDays
        items = try Self.choice(reader, "items", Form.items, SlotOptions.Items.init) ?? items
    }

    private static func choice<Choice>(
        _ reader: ObjectReader, _ name: StaticString, _ expected: StaticString, _ make: (String) -> Choice?
    ) throws(PartnerBookingError) -> Choice? {
        guard let text = try reader.optionalString(name, maxBytes: 16, expected) else { return nil }
        guard let choice = make(text) else { throw reader.refuse(name, MemberMessage.mustBe(expected)) }
        return choice
    }
}
