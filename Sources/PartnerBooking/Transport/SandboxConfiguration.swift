/// The clinic that the sandbox plays: docs/json-contract.md, "The sandbox".
struct SandboxConfiguration: Sendable {
    /// Opening times of each day, Sunday first, in minutes after midnight.
    var openingHours: [[Range<Int>]]
    var utcOffsetMinutes: Int
    var slotMinutes: Int
    var days: Int
    var capacity: Int
    /// The clinic's treatment of idempotency keys.
    var keys: BookingRules.Keys
    /// nil: every bot is known.
    var bots: Set<String>?
    /// nil: every partner key is accepted.
    var apiKey: String?
    /// What the clinic's clock shows when the client opens, in seconds since 1970; nil: the system's clock.
    var now: Int?
    var latencyMilliseconds: Int
    /// Trouble for bookings; the first that applies happens.
    var faults: [SandboxFault]
    /// For what happens by chance.
    var seed: Int

    static let weekdays: [StaticString] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

    init(_ reader: ObjectReader?) throws(PartnerBookingError) {
        try reader?.refuseMembers(except: [
            "opening_hours", "utc_offset", "slot_minutes", "days", "capacity", "bots", "api_key", "now", "latency_ms",
            "faults", "seed", "keys",
        ])
        if let hours = try reader?.optionalObject("opening_hours", path: "sandbox.opening_hours") {
            openingHours = try Self.openingHours(hours)
        } else {
            openingHours = [[]] + Array(repeating: [9 * 60..<17 * 60], count: 5) + [[]]
        }
        utcOffsetMinutes = 0
        let offset = try reader?.checkOptionalText("utc_offset", maxBytes: 6, "Z or ±HH:MM") {
            Timestamp.offsetMinutes($0) != nil
        }
        utcOffsetMinutes = offset?.withText { Timestamp.offsetMinutes($0) ?? 0 } ?? 0
        slotMinutes = try reader?.optionalInteger("slot_minutes", in: 1...1440) ?? 30
        days = try reader?.optionalInteger("days", in: 1...366) ?? 60
        capacity = try reader?.optionalInteger("capacity", in: 1...1000) ?? 1
        keys = .first
        if let reader, let name = try reader.optionalString("keys", maxBytes: 64, Self.keyForms) {
            guard let known = BookingRules.Keys(rawValue: name) else {
                throw reader.refuse("keys", "must be \(Self.keyForms)")
            }
            keys = known
        }
        apiKey = try reader?.optionalString("api_key", maxBytes: 512, "a partner key: sk_ptnr_…", FieldRules.isPartnerKey)
        faults = try reader?.optionalObjects("faults", path: "sandbox.faults", maxCount: 100).map(SandboxFault.init) ?? []
        seed = try reader?.optionalInteger("seed", in: 0...Int.max) ?? 1
        latencyMilliseconds = try reader?.optionalInteger("latency_ms", in: 0...600_000) ?? 0
        if let reader, let list = try reader.optionalList("bots", maxCount: 1000) {
            let names = list.compactMap(\.string)
            guard names.count == list.count else { throw reader.refuse("bots", "must be a list of strings") }
            bots = Set(names)
        }
        let clock = try reader?.checkOptionalText("now", maxBytes: 64, "an RFC 3339 date-time with offset") {
            Timestamp($0)?.instantSeconds != nil
        }
        now = clock?.withText { Timestamp($0)?.instantSeconds } ?? nil
    }

    private static let keyForms: StaticString = "\"first\", \"kept\" or \"none\""

    private static func openingHours(_ reader: ObjectReader) throws(PartnerBookingError) -> [[Range<Int>]] {
        try reader.refuseMembers(except: weekdays.map(\.description))
        var hours: [[Range<Int>]] = []
        for weekday in weekdays {
            var ranges: [Range<Int>] = []
            for element in try reader.optionalList(weekday, maxCount: 8) ?? [] {
                guard let range = element.withText(Self.openingTime) ?? nil, ranges.allSatisfy({ !$0.overlaps(range) })
                else {
                    throw reader.refuse(
                        weekday, "must be a list such as [\"09:00-12:00\",\"13:00-17:00\"], without overlaps")
                }
                ranges.append(range)
            }
            hours.append(ranges.sorted { $0.lowerBound < $1.lowerBound })
        }
        return hours
    }

    /// `09:00-17:00`, in minutes after midnight.
    private static func openingTime(_ text: UnsafeRawBufferPointer) -> Range<Int>? {
        guard text.count == 11, text[5] == UInt8(ascii: "-"),
            let start = Timestamp.minuteOfDay(.init(rebasing: text[..<5])),
            let end = Timestamp.minuteOfDay(.init(rebasing: text[6...])), start < end
        else { return nil }
        return start..<end
    }
}
