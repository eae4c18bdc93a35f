/// The meaning of a request to book, as a hash. Two requests with the same fingerprint ask for the same booking.
///
/// The order of members, white space, escapes and the spelling of numbers make no difference. `booking.start_at` is an
/// instant. A member that is `null` or `""` counts as absent. (A required member has been checked.)
struct Fingerprint: Sendable, Hashable {
    let digest: SHA256.Digest

    init(digest: SHA256.Digest) { self.digest = digest }

    /// As the journal writes it.
    var hex: String { digest.hex }

    /// nil for anything but the 64 digits of a SHA-256.
    init?(hex: String) {
        let digits = hex.utf8.compactMap(\.hexDigitValue)
        guard digits.count == 64, hex.utf8.count == 64 else { return nil }
        digest = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Takes the fingerprint of a request without some of its members.
    init(_ root: JSONValue, without names: [StaticString] = []) {
        var feeder = Feeder(isOfVersion1: false)
        feeder.feed(root, in: .root, without: names)
        digest = feeder.hash.finalize()
    }

    /// nil when the body is not JSON.
    init?(body: [UInt8]) {
        guard let document = try? JSONDocument(body, profile: .request) else { return nil }
        self.init(document.root)
    }

    /// Takes the fingerprint by the rules of version 1 of the journal: all members count, and `start_at` is a text. nil when
    /// the body is not JSON.
    static func ofVersion1(body: [UInt8]) -> Fingerprint? {
        guard let document = try? JSONDocument(body, profile: .request) else { return nil }
        var feeder = Feeder(isOfVersion1: true)
        feeder.feed(document.root, in: .root)
        return Fingerprint(digest: feeder.hash.finalize())
    }
}

/// Feeds a JSON value to a hash. Every value starts with its kind and every text with its length, so that no two values are
/// fed alike. The nesting of what was read as JSON is bounded, and with it the recursion.
private struct Feeder {
    /// The place of an object.
    enum Place {
        case root
        case booking
        case elsewhere
    }

    let isOfVersion1: Bool
    var hash = SHA256()

    mutating func feed(_ value: JSONValue, in place: Place, without names: [StaticString] = []) {
        switch value.kind {
        case .object:
            let members = value.members.compactMap { key, value -> (key: String, value: JSONValue)? in
                if !isOfVersion1 && value.isNothing || names.contains(where: key.equals) { return nil }
                return (key.string ?? "", value)
            }
            // By UTF-8 (to `==` an é is an é, however it is made up), and stable: a member that stands twice keeps its order.
            let sorted = members.enumerated().sorted { left, right in
                let (key, other) = (left.element.key.utf8, right.element.key.utf8)
                return key.elementsEqual(other) ? left.offset < right.offset : key.lexicographicallyPrecedes(other)
            }
            hash.update("o\(members.count):")
            for (_, member) in sorted {
                feed(member.key)
                if !isOfVersion1, place == .booking, member.key == "start_at", feed(start: member.value) { continue }
                let isBooking = place == .root && member.value.kind == .object && member.key == "booking"
                feed(member.value, in: isBooking ? .booking : .elsewhere)
            }
        case .array:
            let elements = Array(value.elements)
            hash.update("a\(elements.count):")
            for element in elements { feed(element, in: .elsewhere) }
        case .string: feed(value.string ?? "")
        case .number: hash.update("n\(DecimalNumber(value.text).description):")
        case .bool: hash.update(value.boolean == true ? "t" : "f")
        case .null: hash.update("z")
        }
    }

    private mutating func feed(_ text: String) {
        hash.update("s\(text.utf8.count):")
        hash.update(text)
    }

    /// Feeds an instant. Returns false for anything else.
    private mutating func feed(start: JSONValue) -> Bool {
        guard case .instant(let seconds, let nanoseconds)? = start.withText({ Timestamp($0) }) ?? nil else { return false }
        hash.update("i\(seconds).\(nanoseconds):")
        return true
    }
}

extension JSONValue {
    /// `null` or `""`.
    fileprivate var isNothing: Bool { kind == .null || kind == .string && span.count == 2 }
}

/// A JSON number in one spelling: 30, 30.0 and 3e1 are the same.
struct DecimalNumber: CustomStringConvertible {
    let description: String

    /// `text` is a number as JSON writes it.
    init(_ text: String) {
        let parts = text.utf8.split(maxSplits: 1) { $0 | 0x20 == UInt8(ascii: "e") }
        let mantissa = parts.first ?? Substring("").utf8
        let isNegative = mantissa.first == UInt8(ascii: "-")
        let halves = mantissa.drop { $0 == UInt8(ascii: "-") }.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count > 1 ? Array(halves[1]) : []
        let digits = (halves.first.map { Array($0) } ?? []) + fraction
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        let trimmed = significant.reversed().drop { $0 == UInt8(ascii: "0") }.reversed()
        guard !trimmed.isEmpty else {
            description = "0"
            return
        }
        // An exponent beyond all reason stays as it is written.
        let written = parts.count > 1 ? String(Substring(parts[1])) : "0"
        guard let exponent = Int(written), exponent.magnitude < 1_000_000_000 else {
            description = text
            return
        }
        let shift = exponent - fraction.count + (significant.count - trimmed.count)
        description = "\(isNegative ? "-" : "")\(String(decoding: trimmed, as: UTF8.self))e\(shift)"
    }
}
