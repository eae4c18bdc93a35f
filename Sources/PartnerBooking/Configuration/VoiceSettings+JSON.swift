/// The clinics' time zones, for plain dates in searches.
struct VoiceSettings: Sendable {
    /// nil: plain dates travel as they are written.
    private let zone: Zone?
    private let zones: [String: Zone]

    /// Returns the zone of a bot.
    func zone(bot: String?) -> Zone? { bot.flatMap { zones[$0] } ?? zone }

    /// Reads the member `voice` of the configuration.
    init(_ reader: ObjectReader?) throws(PartnerBookingError) {
        try reader?.refuseMembers(except: ["time_zone", "bots"])
        zone = try reader.flatMap { (reader) throws(PartnerBookingError) in try Self.zone(reader) }
        var zones: [String: Zone] = [:]
        for (bot, members) in try reader?.optionalObjectsByName("bots") ?? [] {
            try members.refuseMembers(except: ["time_zone"])
            zones[bot] = try Self.zone(members)
        }
        self.zones = zones
    }

    private static func zone(_ reader: ObjectReader) throws(PartnerBookingError) -> Zone? {
        guard let name = try reader.optionalString("time_zone", maxBytes: 256, "an IANA name, such as America/New_York")
        else { return nil }
        do throws(ZoneError) {
            return try ZoneCache.shared.zone(name)
        } catch {
            throw reader.refuse("time_zone", "must be an IANA name, such as America/New_York: \(error.message)")
        }
    }
}
