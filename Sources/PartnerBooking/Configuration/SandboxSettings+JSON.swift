extension SandboxSettings {
    private static let weekdays: [StaticString] = [
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    ]

    /// Reads the member `sandbox` of the configuration.
    init(_ reader: ObjectReader?) throws(PartnerBookingError) {
        try reader?.refuseMembers(except: [
            "opening_hours", "utc_offset", "slot_minutes", "days", "capacity", "bots", "api_key", "now", "latency_ms",
            "faults", "seed", "keys",
        ])
        if let hours = try reader?.optionalObject("opening_hours") {
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
        faults = try reader?.optionalObjects("faults", maxCount: 100).map(SandboxFault.init) ?? []
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

extension SandboxFault {
    init(_ reader: ObjectReader) throws(PartnerBookingError) {
        try reader.refuseMembers(except: ["fault", "ms", "status", "code", "calls", "percent"])
        let names =
            "lose_request, lose_reply, late, error, error_after, slow_duplicate, in_progress, works, own_conflict, "
            + "declined, other_booking or empty_booking"
        let name = try reader.checkText("fault", maxBytes: 64, "the name of a fault").string
        let kind: Kind
        switch name {
        case "lose_request": kind = .loseRequest
        case "lose_reply": kind = .loseReply
        case "late": kind = .late(milliseconds: try Self.milliseconds(reader))
        case "error":
            let code = try reader.optionalString("code", maxBytes: 64, "the code of the error") { !$0.isEmpty }
            kind = .error(status: try Self.status(reader), code: code ?? "scripted_error")
        case "error_after": kind = .errorAfter(status: try Self.status(reader))
        case "slow_duplicate": kind = .slowDuplicate(milliseconds: try Self.milliseconds(reader))
        case "in_progress": kind = .inProgress(milliseconds: try Self.milliseconds(reader))
        case "works":
            let status = try reader.optionalInteger("status", in: 500...599)
            kind = .works(milliseconds: try Self.milliseconds(reader), status: status)
        case "own_conflict": kind = .ownConflict
        case "declined": kind = .declined
        case "other_booking": kind = .otherBooking
        case "empty_booking": kind = .emptyBooking
        default: throw reader.refuse("fault", "must be one of \(names)")
        }
        let listed = try reader.optionalList("calls", maxCount: 1_000) ?? []
        let numbers = listed.compactMap(\.integer)
        guard numbers.count == listed.count, numbers.allSatisfy({ $0 >= 1 }) else {
            throw reader.refuse("calls", "must be a list of whole numbers from 1")
        }
        let percent = try reader.optionalInteger("percent", in: 0...100) ?? (listed.isEmpty ? 100 : 0)
        self.init(kind: kind, calls: Set(numbers), percent: percent)
    }

    private static func milliseconds(_ reader: ObjectReader) throws(PartnerBookingError) -> Int {
        try reader.integer("ms", in: 0...600_000)
    }

    private static func status(_ reader: ObjectReader) throws(PartnerBookingError) -> Int {
        try reader.optionalInteger("status", in: 300...599) ?? 500
    }
}
