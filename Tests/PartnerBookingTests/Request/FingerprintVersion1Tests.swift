import Testing

@testable import PartnerBooking

/// The fingerprints of version 0.1.0, which its journals contain: all members count, and a start is a text.
@Suite struct FingerprintVersion1Tests {
    /// The rule as version 0.1.0 had it.
    private static func original(_ text: String) throws -> Fingerprint {
        let document = try JSONDocument(Array(text.utf8), profile: .request)
        var hash = SHA256()
        feed(document.root, &hash)
        return Fingerprint(digest: hash.finalize())
    }

    private static func feed(_ value: JSONValue, _ hash: inout SHA256) {
        switch value.kind {
        case .object:
            let members = value.members.map { (key: $0.key.string ?? "", value: $0.value) }
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
        case .number:
            let number = value.document.withBytes(at: value.place) { DecimalNumber($0).bytes }
            hash.update("n\(String(decoding: number, as: UTF8.self)):")
        case .bool: hash.update(value.boolean == true ? "t" : "f")
        case .null: hash.update("z")
        }
    }

    private static func feed(_ text: String, _ hash: inout SHA256) {
        hash.update("s\(text.utf8.count):")
        hash.update(text)
    }

    private static func ofVersion1(_ text: String) throws -> Fingerprint {
        try #require(Fingerprint.ofVersion1(body: Array(text.utf8)), "\(text)")
    }

    private static let texts = [
        "{}", "[]", "null", "5", #""x""#, #"{"a":null}"#, #"{"a":""}"#, #"{"a":[null,"",{}]}"#, #"{"a":1,"a":null}"#,
        #"{"booking":{"start_at":"2030-01-14T10:00:00Z"}}"#, #"{"booking":{"start_at":"2030-01-14T10:00:00+00:00"}}"#,
        #"{"booking":{"start_at":"soon","notes":""}}"#, #"{"b":{"d":1.50,"c":[true,false]},"a":"\u00e9\n"}"#,
        #"{"\u00e9":1,"e\u0301":2}"#, #"{"n":[30,30.0,3e1,-0,1e400]}"#,
        String(decoding: JournalSample.body, as: UTF8.self),
        String(decoding: Sample.booking(), as: UTF8.self),
    ]

    @Test(arguments: texts)
    func itIsThatOfVersion1(_ text: String) throws {
        #expect(try Self.ofVersion1(text) == Self.original(text))
    }

    /// Computed by hand from the rule: a change of `original` shows here.
    @Test(arguments: [
        (
            #"{"bot_id":"b","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"notes":""}}"#,
            "281b754ccd5cba24c1d037d49ac468be81613dd228b548ab04202b7fe1c3ef65"
        )
    ])
    func itIsTheOneInOldFiles(_ text: String, _ hex: String) throws {
        #expect(try Self.ofVersion1(text).hex == hex)
    }

    @Test func itDiffersWhereTheRulesDiffer() throws {
        let pairs = [
            (#"{"a":1}"#, #"{"a":1,"b":null}"#), (#"{"a":1}"#, #"{"a":1,"b":""}"#),
            (
                #"{"booking":{"start_at":"2030-01-14T10:00:00-05:00"}}"#,
                #"{"booking":{"start_at":"2030-01-14T15:00:00Z"}}"#
            ),
        ]
        for (left, right) in pairs {
            #expect(Fingerprint(body: Array(left.utf8)) == Fingerprint(body: Array(right.utf8)))
            #expect(try Self.ofVersion1(left) != Self.ofVersion1(right))
        }
    }

    /// Order, white space and the spelling of numbers made no difference then either.
    @Test func spellingMadeNoDifference() throws {
        #expect(try Self.ofVersion1(#"{"a":1,"b":null}"#) == Self.ofVersion1(#" { "b" : null , "a" : 1.0 } "#))
    }
}
