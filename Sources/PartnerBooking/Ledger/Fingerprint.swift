/// What a request means, as a hash: the order of members, white space, escapes and the spelling of numbers make no difference.
/// Two requests with the same fingerprint ask for the same booking.
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

    /// nil when the body is not JSON.
    init?(body: [UInt8]) {
        guard let document = try? JSONDocument(body, profile: .request) else { return nil }
        var hash = SHA256()
        Self.feed(document.root, &hash)
        digest = hash.finish()
    }

    /// Every value starts with its kind and every text with its length, so that no two values are fed alike. The nesting of what
    /// was read as JSON is bounded, and with it the recursion.
    private static func feed(_ value: JSONValue, _ hash: inout SHA256) {
        switch value.kind {
        case .object:
            let members = value.members.map { (key: $0.key.string ?? "", value: $0.value) }
            // By UTF-8 (to `==` an é is an é, however it is made up), and stable: a member that stands twice keeps its order.
            let sorted = members.enumerated().sorted { left, right in
                let (key, other) = (left.element.key.utf8, right.element.key.utf8)
                return key.elementsEqual(other) ? left.offset < right.offset : key.lexicographicallyPrecedes(other)
            }
            hash.update("o\(members.count):")
            for (_, member) in sorted {
                feed(member.key, &hash)
                feed(member.value, &hash)
            }
        case .array:
            let elements = Array(value.elements)
            hash.update("a\(elements.count):")
            for element in elements { feed(element, &hash) }
        case .string: feed(value.string ?? "", &hash)
        case .number: hash.update("n\(DecimalNumber(value.text).description):")
        case .bool: hash.update(value.boolean == true ? "t" : "f")
        case .null: hash.update("z")
        }
    }

    private static func feed(_ text: String, _ hash: inout SHA256) {
        hash.update("s\(text.utf8.count):")
        hash.update(text)
    }
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
