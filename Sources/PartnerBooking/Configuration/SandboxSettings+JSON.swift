extension SandboxSettings {
    private static let weekdays: [StaticString] = [
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    ]

    /// Reads the member `sandbox` of the configuration.
    init(_ reader: ObjectReader?) throws(PartnerBookingError) {
        try reader?.refuseMembers(except: [
            "answer", "opening_hours", "time_zone", "slot_minutes", "min_notice_minutes", "days", "dates", "capacity",
            "keys", "in_work", "bots", "api_key", "now", "latency_ms", "faults", "seed",
        ])
        listing = try reader?.optionalChoice("answer", Listing.self) ?? .slots
        if let hours = try reader?.optionalObject("opening_hours") {
            openingHours = try Self.openingHours(hours)
        } else {
            openingHours = [[]] + Array(repeating: [9 * 60..<17 * 60], count: 5) + [[]]
        }
        zone = try reader.flatMap(Self.timeZone) ?? .utc
        slotMinutes = try reader?.optionalInteger("slot_minutes", in: 1...1440) ?? 30
        noticeMinutes = try reader?.optionalInteger("min_notice_minutes", in: 0...527_040) ?? (listing == .windows ? 60 : 0)
        days = try reader?.optionalInteger("days", in: 1...366) ?? 60
        dates = try reader?.optionalChoice("dates", Dates.self) ?? .clinic
        capacity = try reader?.optionalInteger("capacity", in: 1...1000) ?? 1
        keys = try reader?.optionalChoice("keys", BookingRules.Keys.self) ?? .first
        inWork = try reader?.optionalChoice("in_work", InWork.self) ?? .refuse
        apiKey = try reader?.optionalString("api_key", maxBytes: 512, Form.sandboxKey, FieldRules.isPartnerKey)
        faults = try reader?.optionalObjects("faults", maxCount: 100).map(SandboxFault.init) ?? []
        seed = try reader?.optionalInteger("seed", in: 0...Int.max) ?? 1
        latencyMilliseconds = try reader?.optionalInteger("latency_ms", in: 0...600_000) ?? 0
        if let reader, let list = try reader.optionalList("bots", maxCount: 1000) {
            let names = list.compactMap(\.string)
            guard names.count == list.count else { throw reader.refuse("bots", MemberMessage.strings) }
            bots = Set(names)
        }
        let clock = try reader?.checkOptionalText("now", maxBytes: 64, Form.rfc3339) {
            Timestamp($0)?.instantSeconds != nil
        }
        now = clock?.withText { Timestamp($0)?.instantSeconds } ?? nil
    }

    /// Reads a UTC offset or a zone name.
    private static func timeZone(_ reader: ObjectReader) throws(PartnerBookingError) -> SandboxZone? {
        guard let text = try reader.checkOptionalText("time_zone", maxBytes: 64, Form.zoneOrOffset) else { return nil }
        if let minutes = text.withText({ Timestamp.offsetMinutes($0) }) ?? nil { return .fixed(minutes) }
        guard let name = text.string, ZoneFile.isName(name) else {
            throw reader.refuse("time_zone", MemberMessage.mustBe(Form.zoneOrOffset))
        }
        do throws(ZoneError) { return .named(try ZoneCache.shared.zone(name)) } catch {
            throw reader.refuse("time_zone", MemberMessage.zone(error.message))
        }
    }

    private static func openingHours(_ reader: ObjectReader) throws(PartnerBookingError) -> [[Range<Int>]] {
        try reader.refuseMembers(except: weekdays.map(\.description))
        var hours: [[Range<Int>]] = []
        for weekday in weekdays {
            var ranges: [Range<Int>] = []
            for element in try reader.optionalList(weekday, maxCount: 8) ?? [] {
                guard let range = element.withText(Self.openingTime) ?? nil, ranges.allSatisfy({ !$0.overlaps(range) })
                else {
                    throw reader.refuse(weekday, MemberMessage.separateHours)
                }
                ranges.append(range)
            }
            hours.append(ranges.sorted { $0.lowerBound < $1.lowerBound })
        }
        return hours
    }

    /// Reads hours such as `09:00-17:00`. Returns minutes after midnight.
    private static func openingTime(_ text: UnsafeRawBufferPointer) -> Range<Int>? {
        guard text.count == 11, text[5] == UInt8(ascii: "-"),
            let start = Timestamp.minuteOfDay(.init(rebasing: text[..<5])),
            let end = Timestamp.minuteOfDay(.init(rebasing: text[6...])), start < end
        else { return nil }
        return start..<end
    }
}

extension ObjectReader {
    /// Returns the choice that a member names. nil when the member is missing.
    func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: StaticString, _: Choice.Type
    ) throws(PartnerBookingError) -> Choice? {
        guard let value = try value(name) else { return nil }
        if let choice = value.string.flatMap(Choice.init(rawValue:)) { return choice }
        let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }
        throw refuse(name, MemberMessage.mustBe(Form.oneOf(choices)))
    }
}
