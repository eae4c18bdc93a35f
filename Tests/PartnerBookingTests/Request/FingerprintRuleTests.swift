import Testing

@testable import PartnerBooking

/// The rule of the fingerprint, written down once more in the plainest way: journals contain fingerprints, so it must not change.
@Suite struct FingerprintRuleTests {
    private enum Place { case root, booking, elsewhere }

    private static func original(_ root: JSONValue, isOfVersion1: Bool) -> Fingerprint {
        Fingerprint(digest: SHA256.digest(of: Array(text(root, .root, isOfVersion1).utf8)))
    }

    private static func text(_ value: JSONValue, _ place: Place, _ isOfVersion1: Bool) -> String {
        switch value.kind {
        case .object:
            let members = value.members.map { (key: $0.key.string ?? "", value: $0.value) }.filter { member in
                isOfVersion1 || member.value.kind != .null && member.value.string != ""
            }
            let sorted = members.enumerated().sorted { left, right in
                let (key, other) = (left.element.key.utf8, right.element.key.utf8)
                return key.elementsEqual(other) ? left.offset < right.offset : key.lexicographicallyPrecedes(other)
            }
            return sorted.reduce("o\(members.count):") { text, member in
                let (key, value) = member.element
                if !isOfVersion1, place == .booking, key == "start_at", let start = value.string,
                    case .instant(let seconds, let nanoseconds)? = Timestamp(start)
                {
                    return text + Self.text(key) + "i\(seconds).\(nanoseconds):"
                }
                let isBooking = place == .root && value.kind == .object && key == "booking"
                return text + Self.text(key) + Self.text(value, isBooking ? .booking : .elsewhere, isOfVersion1)
            }
        case .array:
            let elements = Array(value.elements)
            return elements.reduce("a\(elements.count):") { $0 + Self.text($1, .elsewhere, isOfVersion1) }
        case .string: return text(value.string ?? "")
        case .number: return "n\(number(value.text)):"
        case .bool: return value.boolean == true ? "t" : "f"
        case .null: return "z"
        }
    }

    private static func text(_ text: String) -> String { "s\(text.utf8.count):\(text)" }

    private static func number(_ text: String) -> String {
        let parts = text.split(maxSplits: 1) { "eE".contains($0) }
        let isNegative = parts[0].hasPrefix("-")
        let halves = parts[0].drop { $0 == "-" }.split(separator: ".")
        let fraction = halves.count > 1 ? String(halves[1]) : ""
        let significant = (halves[0] + fraction).drop { $0 == "0" }
        let trimmed = String(significant.reversed().drop { $0 == "0" }.reversed())
        if trimmed.isEmpty { return "0" }
        guard let exponent = Int(parts.count > 1 ? String(parts[1]) : "0"), exponent.magnitude < 1_000_000_000 else {
            return text
        }
        return "\(isNegative ? "-" : "")\(trimmed)e\(exponent - fraction.count + significant.count - trimmed.count)"
    }

    private static func check(_ json: [UInt8]) throws {
        guard let root = (try? JSONDocument(json, profile: .request))?.root else { return }
        let text = Comment(rawValue: String(decoding: json, as: UTF8.self))
        #expect(Fingerprint(root) == original(root, isOfVersion1: false), text)
        #expect(Fingerprint.ofVersion1(body: json) == original(root, isOfVersion1: true), text)
    }

    @Test(arguments: [
        #"{"booking":{"start_at":"2030-01-14T10:00:00-05:00","notes":"","b":null},"bot_id":"b"}"#,
        #"{"booking":{"start_at":"1969-12-31T23:59:59.000000001Z"}}"#, #"{"booking":{"start_at":"2030-01-14"}}"#,
        #"{"b\u006foking":{"st\u0061rt_at":"2030-01-14T10:00:00\u005a"},"booking":{"start_at":5}}"#,
        #"{"ab":1,"a":2,"a\u0062":3,"":4,"b":5,"é":6,"e":7,"\u00e9":8,"e\u0301":9,"😀":10,"\uffff":11}"#,
        #"{"s":"0123456789012345678901234567890123456789012345678901234567890123456789","\u0000":"\u0000"}"#,
    ])
    func itIsTheRule(_ text: String) throws {
        try Self.check(Array(text.utf8))
    }

    @Test(arguments: [
        "0", "-0", "0.0", "0e5", "7", "-7", "30", "30.0", "3e1", "0.30e+2", "3000E-2", "1200", "1002003", "0.001", "-12.50",
        "100e-2", "123456789012345678901234567890", "1e999999999", "1e1000000000", "1e-1000000000", "0e1000000000",
        "10e99999999999999999999", "-5.0e-99999999999999999999", "9223372036854775807", "0.00000000000000000000001",
    ])
    func numbersHaveOneSpelling(_ number: String) throws {
        try Self.check(Array(#"{"n":\#(number),"l":[\#(number)]}"#.utf8))
    }

    @Test(arguments: 0..<4)
    func itIsTheRuleForRandomTexts(_ shard: Int) throws {
        var maker = DocumentMaker(seed: UInt64(shard))
        for _ in 0..<5_000 { try Self.check(maker.next()) }
    }

    /// Names with one beginning, in every order.
    @Test func membersHaveOneOrder() throws {
        var random = SplitMix64(state: 16)
        let names = [
            "a", "ab", "abc", "b", "", "a", "aé", #"a\u00e9"#, #"\"a"#, "z", "~", "é", "a.", "0", #"\u0061"#, "aaaaaaaaaa",
        ]
        for _ in 0..<200 {
            let members = names.shuffled(using: &random).enumerated().map { #""\#($1)":\#($0)"# }
            try Self.check(Array("{\(members.joined(separator: ","))}".utf8))
        }
    }
}
