/// The facts about a clinic that its bot's tools need: the member `voice` of the configuration.
struct VoiceProfile: Sendable {
    /// A kind of appointment.
    struct Service: Sendable {
        /// nil for the only service, when the configuration names none.
        let name: String?
        let durationMinutes: Int
    }

    /// The question before a booking.
    enum Confirm: String, Sendable {
        /// The slot, the name and the number are read back first.
        case readback
        /// The model asks by itself.
        case none
    }

    var zone: Zone
    var locale = VoiceLocale.americanEnglish
    /// ISO 3166 region of phone numbers without `+`. nil means that they need a `+`.
    var region: PhonePlan?
    /// Never empty.
    var services = [Service(name: nil, durationMinutes: 30)]
    var stepMinutes: Int?
    /// From Monday on, in minutes after midnight. nil when not known.
    var opening: [[Range<Int>]]?
    var minNoticeMinutes = 0
    var maxDaysAhead = 60
    /// The number of slots in an offer.
    var offers = 3
    var confirm = Confirm.readback
    /// The time for which a reply is reused. 0 means that no reply is kept.
    var cacheMilliseconds = 20_000
    /// The days of one search.
    var prefetchDays = 14
    var items = SlotOptions.Items.automatic

    init(zone: Zone) { self.zone = zone }

    /// Returns the service that a model named, or the only service. nil when the name is
    /// missing or unknown.
    func service(named name: String?) -> Service? {
        services.count > 1 ? service(ofName: name) : services.first
    }

    /// Returns the service with this name. Ignores blanks, hyphens, underscores and case.
    func service(ofName name: String?) -> Service? {
        guard let wanted = name.map(Self.letters) else { return nil }
        return services.first { $0.name.map(Self.letters) == wanted }
    }

    private static func letters(_ name: String) -> String {
        String(decoding: name.utf8.filter { $0 > 0x20 && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") }, as: UTF8.self)
            .lowercased()
    }

    /// Returns the options for slots from today to `maxDaysAhead`.
    func slotOptions(durationMinutes: Int, now: Int) -> SlotOptions {
        var options = SlotOptions(timeZone: zone.name)
        options.durationMinutes = durationMinutes
        options.stepMinutes = stepMinutes
        options.items = items
        options.now = now
        options.minNoticeMinutes = minNoticeMinutes
        options.maxDaysAhead = maxDaysAhead
        return options
    }
}
