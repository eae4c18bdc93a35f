/// A readable item of a search reply: a slot or a free window.
struct AvailabilityItem {
    /// Position in the reply, counted from 0.
    let index: Int
    /// Seconds since 1970.
    let start: Int
    /// Seconds since 1970. nil when the item has no length and no end.
    let end: Int?

    /// The reason why an item gives no slot.
    enum Problem: String, Error, Sendable, CaseIterable {
        /// The item is not a JSON object.
        case notAnObject = "not_an_object"
        /// The item has no member with a start.
        case noStart = "no_start"
        /// The start is not a readable time.
        case unreadableStart = "unreadable_start"
        /// The clinic's clock never shows the start, because it is put forward past it.
        case nonexistentTime = "nonexistent_time"
        /// The length or end is invalid, or the item is longer than 366 days.
        case unreadableLength = "unreadable_length"
        /// The item is shorter than the appointment.
        case tooShort = "too_short"
    }

    static let maxSeconds = 366 * 86_400

    init(_ value: JSONValue, index: Int, zone: Zone) throws(Problem) {
        guard value.kind == .object else { throw .notAnObject }
        guard let written = value.first(of: "start_at", "start", "start_time", "startAt") else { throw .noStart }
        guard let time = ItemTime(written) else { throw .unreadableStart }
        guard let start = time.instant(in: zone) else { throw .nonexistentTime }
        self.index = index
        self.start = start
        guard let end = try Self.end(value, start, zone) else {
            self.end = nil
            return
        }
        guard end > start, end - start <= Self.maxSeconds else { throw .unreadableLength }
        self.end = end
    }

    init(index: Int, start: Int, end: Int?) { (self.index, self.start, self.end) = (index, start, end) }

    private static func end(_ value: JSONValue, _ start: Int, _ zone: Zone) throws(Problem) -> Int? {
        if let written = value.first(of: "duration_minutes") {
            guard let minutes = minutes(written), (1...maxSeconds / 60).contains(minutes) else { throw .unreadableLength }
            return start + minutes * 60
        }
        guard let written = value.first(of: "end_at", "end", "end_time", "endAt") else { return nil }
        guard let end = ItemTime(written)?.instant(in: zone, notBefore: start + 1) else { throw .unreadableLength }
        return end
    }

    /// Reads `30`, `30.0` and `"30"`.
    private static func minutes(_ value: JSONValue) -> Int? {
        if let integer = value.integer { return integer }
        let text = value.string ?? value.text
        guard value.kind == .string || value.kind == .number, text.utf8.count <= 16 else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let first = parts.first, parts.count == 1 || parts[1].utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) else {
            return nil
        }
        return Int(first)
    }
}

extension JSONValue {
    /// Returns the first of these members that is present and not null.
    func first(of names: StaticString...) -> JSONValue? {
        for name in names {
            if let value = self[name], value.kind != .null { return value }
        }
        return nil
    }
}
