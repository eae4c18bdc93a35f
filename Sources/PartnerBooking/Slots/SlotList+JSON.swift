extension SlotList {
    /// Returns the reply of `pbk_slots`. docs/json-contract.md describes options and reply.
    ///
    /// - Throws: `unknown_time_zone`, `invalid_json`, `invalid_field`.
    package static func reply(search: [UInt8], options json: [UInt8]) throws(PartnerBookingError) -> [UInt8] {
        let document = try JSONDocument(json, what: "options_json", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.options, .request)
        let options = try SlotOptions(root)
        let locale = try VoiceLocale.read(root)
        let list = try SlotList(reply: search, options: options)
        guard let text = try root.checkOptionalText("pick", maxBytes: 256, Form.slotName)
        else { return list.json { _ in } }
        let picked = text.withText { list.pick($0, locale) } ?? nil
        return list.json { reply in
            reply.member("picked", json: picked.map { $0.json(list.durationMinutes) } ?? Array("null".utf8))
        }
    }

    /// The slots in the JSON form of docs/json-contract.md.
    public var json: [UInt8] { json { _ in } }

    /// Maximum number of items in `skipped`. `skipped_count` counts all skipped items.
    private static let maxSkipped = 100

    private func json(_ writePicked: (inout JSONWriter) -> Void) -> [UInt8] {
        JSONWriter.object(capacity: 256 + listed.count * 200) { reply in
            reply.member("time_zone", timeZone)
            reply.member("built_in_zones", ifAny: builtInZones)
            reply.member("slots", json: list(listed))
            reply.member("more", hasMore)
            if let offered { reply.member("offers", json: list(offered)) }
            writePicked(&reply)
            reply.member("items", itemCount)
            reply.member("skipped_count", skipped.count)
            reply.array("skipped", Array(skipped.prefix(Self.maxSkipped))) { object, item in
                object.member("item", item.item)
                object.member("reason", item.reason)
            }
        }
    }

    private func list(_ slots: [SlotStart]) -> [UInt8] {
        var text = SlotText(capacity: slots.count * 200 + 2)
        text.append("[")
        for (index, slot) in slots.enumerated() {
            if index > 0 { text.append(",") }
            text.append(slot, durationMinutes)
        }
        text.append("]")
        return text.bytes
    }
}

extension SlotOptions {
    private static let weekdayNames: [StaticString] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    init(_ root: ObjectReader) throws(PartnerBookingError) {
        try root.refuseMembers(except: [
            "time_zone", "duration_minutes", "step_minutes", "items", "now", "min_notice_minutes", "max_days_ahead", "from",
            "to", "weekdays", "not_before", "before", "parts", "limit", "offers", "earliest", "around", "pick", "locale",
            "reading",
        ])
        let zone = try root.checkText("time_zone", maxBytes: 256, Form.zoneName).string
        self.init(timeZone: zone ?? "")
        durationMinutes = try root.optionalInteger("duration_minutes", in: 1...1_440) ?? durationMinutes
        stepMinutes = try root.optionalInteger("step_minutes", in: 1...1_440)
        if let name = try root.optionalString("items", maxBytes: 16, Form.items) {
            guard let items = Items(rawValue: name) else { throw root.refuse("items", MemberMessage.mustBe(Form.items)) }
            self.items = items
        }
        now =
            try root.checkOptionalText("now", maxBytes: 64, Form.dateTime) {
                Timestamp($0)?.instantSeconds != nil
            }?.withText { Timestamp($0)?.instantSeconds } ?? nil
        minNoticeMinutes = try root.optionalInteger("min_notice_minutes", in: 0...527_040) ?? minNoticeMinutes
        maxDaysAhead = try root.optionalInteger("max_days_ahead", in: 0...3_660)
        if let reading = try root.optionalObject("reading") {
            try reading.refuseMembers(except: [
                "from", "to", "weekdays", "not_before", "before", "parts", "earliest", "around", "start_at", "end_at",
            ])
            try read(wish: reading)
        }
        try read(wish: root)
        limit = try root.optionalInteger("limit", in: 1...1_000) ?? limit
        offers = try root.optionalInteger("offers", in: 1...10)
        try check()
    }

    /// Reads the members that a reading of `pbk_when` also has. Missing members keep their values.
    private mutating func read(wish: ObjectReader) throws(PartnerBookingError) {
        from = try wish.optionalString("from", maxBytes: 64, Form.dateOrDateTime) ?? from
        to = try wish.optionalString("to", maxBytes: 64, Form.dateOrDateTime) ?? to
        notBefore = try Self.minuteOfDay(wish, "not_before") ?? notBefore
        before = try Self.minuteOfDay(wish, "before") ?? before
        if let days = try Self.names(wish, "weekdays", Self.weekdayNames.map(\.description)) { weekdays = Set(days) }
        let parts = Part.allCases
        if let places = try Self.names(wish, "parts", parts.map(\.rawValue)) { self.parts = Set(places.map { parts[$0] }) }
        isEarliest = try wish.optionalBoolean("earliest") ?? isEarliest
        around = try wish.optionalString("around", maxBytes: 64, Form.aroundText) ?? around
    }

    /// Reads a list of names. Returns their positions in `known`.
    private static func names(
        _ root: ObjectReader, _ name: StaticString, _ known: [String]
    ) throws(PartnerBookingError) -> [Int]? {
        guard let list = try root.optionalList(name, maxCount: 100) else { return nil }
        var places: [Int] = []
        for value in list {
            guard let text = value.string, let place = known.firstIndex(of: text) else {
                throw root.refuse(name, MemberMessage.listOf(known))
            }
            places.append(place)
        }
        return places
    }

    private static func minuteOfDay(_ root: ObjectReader, _ name: StaticString) throws(PartnerBookingError) -> Int? {
        try root.checkOptionalText(name, maxBytes: 5, Form.clockTime) {
            Timestamp.minuteOfDay($0) != nil
        }?.withText { Timestamp.minuteOfDay($0) } ?? nil
    }

    /// Checks the numbers, whether they come from a Swift program or from JSON.
    func check() throws(PartnerBookingError) {
        try Self.check("duration_minutes", durationMinutes, 1...1_440)
        try Self.check("step_minutes", stepMinutes, 1...1_440)
        try Self.check("min_notice_minutes", minNoticeMinutes, 0...527_040)
        try Self.check("max_days_ahead", maxDaysAhead, 0...3_660)
        try Self.check("not_before", notBefore, 0...1_440)
        try Self.check("before", before, 0...1_440)
        try Self.check("limit", limit, 1...1_000)
        try Self.check("offers", offers, 1...10)
        try Self.check("now", now, 0...253_402_300_799)
    }

    private static func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws(PartnerBookingError) {
        guard let value, !range.contains(value) else { return }
        throw .field(name, MemberMessage.outside(range, value), .outOfRange)
    }

    /// Returns the instant of the option `around`. `firstDay` is the local day of the first slot.
    func target(in zone: Zone, firstDay: Int?) throws(PartnerBookingError) -> Int? {
        guard var text = around else { return nil }
        let minute = text.withUTF8 { Timestamp.minuteOfDay(UnsafeRawBufferPointer($0)) }
        if let minute {
            return firstDay.map { zone.instant(day: $0, minute: minute) }
        }
        guard let instant = Timestamp(text)?.instantSeconds else {
            throw .field("around", MemberMessage.mustBe(Form.around), .malformed)
        }
        return instant
    }
}

extension SlotFilter {
    init(_ options: SlotOptions, zone: Zone) throws(PartnerBookingError) {
        self.init(options, zone: zone, from: try Self.bound(options.from, "from"), to: try Self.bound(options.to, "to"))
    }

    private static func bound(_ text: String?, _ name: String) throws(PartnerBookingError) -> Bound? {
        guard let text else { return nil }
        switch Timestamp(text) {
        case .date(let days)?: return .day(days)
        case .instant(let seconds, _)?: return .instant(seconds)
        case nil:
            throw .field(name, MemberMessage.mustBe(Form.slotBound), .malformed)
        }
    }
}
