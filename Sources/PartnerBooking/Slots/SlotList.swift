/// The slots of a search reply, ready to be offered and booked.
public struct SlotList: Sendable {
    /// An item of the reply that gave no slot.
    public struct SkippedItem: Sendable, Equatable {
        /// Position in the reply, counted from 0.
        public let item: Int
        /// `not_an_object`, `no_start`, `unreadable_start`, `nonexistent_time`,
        /// `unreadable_length` or `too_short`.
        public let reason: String
    }

    /// Number of items in the reply.
    public let itemCount: Int
    /// The items that gave no slot, in order.
    public let skipped: [SkippedItem]
    /// True when more slots match than `limit` allows.
    public let hasMore: Bool
    /// Version of the built-in time zones. nil when the system has a file for the zone.
    public let builtInZones: String?

    let listed: [SlotStart]
    let offered: [SlotStart]?
    let durationMinutes: Int
    let timeZone: String

    /// Makes the slots of a search reply.
    ///
    /// - Parameters:
    ///   - reply: The reply of `searchAvailability` or of the platform, as JSON with a list
    ///     `availabilities`.
    ///   - options: The appointment, and the limits for its slots.
    /// - Throws: `unknown_time_zone`, `invalid_json`, `invalid_field`.
    public init(reply: [UInt8], options: SlotOptions) throws(PartnerBookingError) {
        try options.check()
        let zone = try Zone.named(options.timeZone)
        let search = try Self.search(reply: reply, options, zone)
        listed = Array(search.slots.prefix(options.limit))
        hasMore = search.isCut || search.slots.count > listed.count
        itemCount = search.itemCount
        skipped = search.skipped.map { SkippedItem(item: $0.index, reason: $0.problem.rawValue) }
        builtInZones = zone.builtInVersion
        durationMinutes = options.durationMinutes
        timeZone = zone.name
        guard let count = options.offers else {
            offered = nil
            return
        }
        if options.isEarliest {
            offered = Array(search.slots.prefix(count))
        } else if let around = try options.target(in: zone, firstDay: search.slots.first?.local.day) {
            offered = SlotChoice.around(around, search.slots, in: zone, count: count)
        } else {
            offered = SlotChoice.spread(search.slots, count: count)
        }
    }

    /// Makes the slots of a search reply, without applying `limit`.
    static func search(
        reply: [UInt8], _ options: SlotOptions, _ zone: Zone
    ) throws(PartnerBookingError) -> SlotSearch {
        let document: JSONDocument
        do throws(JSONSyntaxError) {
            document = try JSONDocument(reply, profile: .reply)
        } catch {
            throw .json("reply", error)
        }
        guard let items = document.root["availabilities"], items.kind == .array else {
            throw .field("availabilities", MemberMessage.noSearchReply, .missing)
        }
        return SlotSearch(items.elements, try SlotFilter(options, zone: zone), options)
    }

    /// The slots in order, at most `limit`.
    public var slots: [Slot] { listed.map(slot) }

    /// The chosen slots, in order. Empty without the option `offers`.
    public var offers: [Slot] { offered?.map(slot) ?? [] }

    /// Returns the slot that a text names, or nil when the text names none or several.
    ///
    /// The text is a token, a time, or a position such as `the second one`. Positions count
    /// the offers, or the slots if no offers were requested.
    public func slot(named text: String, locale: VoiceLocale = .americanEnglish) -> Slot? {
        var text = text
        return text.withUTF8 { pick(UnsafeRawBufferPointer($0), locale) }.map(slot)
    }

    func pick(_ text: UnsafeRawBufferPointer, _ locale: VoiceLocale) -> SlotStart? {
        SlotPick.slot(
            named: text, in: listed, offers: offered ?? listed, durationMinutes: durationMinutes, locale)
    }

    private func slot(_ start: SlotStart) -> Slot { Slot(start, durationMinutes: durationMinutes) }
}
