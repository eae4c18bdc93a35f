import Testing

@testable import PartnerBooking

/// Equal wishes have one fingerprint, however their requests are written.
@Suite struct FingerprintTests {
    private static func fingerprint(_ json: String) throws -> Fingerprint {
        try #require(Fingerprint(body: Array(json.utf8)), "\(json)")
    }

    /// A booking with these members, and members of its request.
    private static func booking(_ booking: String, _ request: String = "") -> String {
        #"{"bot_id":"b","booking":{\#(booking)}\#(request)}"#
    }

    private static func start(_ start: String) -> String { booking(#""start_at":"\#(start)","duration_minutes":30"#) }

    /// Each row: spellings of one meaning.
    @Test(arguments: [
        [#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, " {\n\"b\" : 2 ,\t\"a\":1\r\n}"],
        [#"{"n":30}"#, #"{"n":30.0}"#, #"{"n":3e1}"#, #"{"n":3E+1}"#, #"{"n":0.30e2}"#, #"{"n":3000e-2}"#],
        [#"{"n":0}"#, #"{"n":-0}"#, #"{"n":0.000}"#, #"{"n":0e99}"#],
        [#"{"n":-12.5}"#, #"{"n":-1.25e1}"#, #"{"n":-12.50}"#],
        [#"{"t":"é/\n"}"#, #"{"t":"\u00e9\/\u000a"}"#],
        [#"{"t":"😀"}"#, #"{"t":"\ud83d\ude00"}"#],
        [#"{"o":{"x":[1,{"p":null,"q":true}],"y":false}}"#, #"{"o":{"y":false,"x":[1.0,{"q":true}]}}"#],
        [#"{"\u0061":1}"#, #"{"a":1}"#],
        [#"{"\u00e9":1,"e\u0301":2}"#, #"{"e\u0301":2,"\u00e9":1}"#],
    ])
    func spellingMakesNoDifference(_ spellings: [String]) throws {
        #expect(Set(try spellings.map(Self.fingerprint)).count == 1)
    }

    /// The same instant with other offsets, letters and fractions.
    @Test(arguments: [
        [
            "2030-01-14T10:00:00-05:00", "2030-01-14T15:00:00Z", "2030-01-14t15:00:00z", "2030-01-14T15:00:00+00:00",
            "2030-01-14T15:00:00-00:00", "2030-01-15T00:30:00+09:30", "2030-01-14T15:00:00.000Z",
            "2030-01-14T14:59:60Z",
            "2030-01-14T15:00:00.0000000009Z", #"2030-01-14T15:00:00\u005a"#,
        ],
        ["2030-01-14T15:00:00.5Z", "2030-01-14T15:00:00.50Z", "2030-01-14T16:00:00.500000000+01:00"],
        ["2030-01-01T00:30:00+01:00", "2029-12-31T23:30:00Z"],
    ])
    func aStartIsAnInstant(_ spellings: [String]) throws {
        #expect(Set(try spellings.map { try Self.fingerprint(Self.start($0)) }).count == 1)
    }

    @Test(arguments: [
        (#""duration_minutes":30"#, [#""notes":"""#, #""notes":null"#, #""customer_note":null,"notes":"""#]),
        (#""customer":{"name":"J"}"#, [#""x":null"#, #""":null"#, #""":"""#, #""\u0078":"""#]),
    ])
    func aMemberWithoutAValueIsAbsent(_ member: String, _ others: [String]) throws {
        let plain = try Self.fingerprint(Self.booking(member))
        for other in others {
            for text in [
                Self.booking("\(member),\(other)"), Self.booking("\(other),\(member)"),
                Self.booking(member, ",\(other)"),
            ] {
                #expect(try Self.fingerprint(text) == plain, "\(text)")
            }
        }
        let nested = Self.booking(#""customer":{"name":"J","email":"","x":{"y":null}}"#)
        #expect(try Self.fingerprint(nested) == Self.fingerprint(Self.booking(#""customer":{"name":"J","x":{}}"#)))
    }

    /// The case from the field: one wish of a phone call, written by three layers.
    @Test func equalWishesAreEqual() throws {
        let texts = [
            #"{"bot_id":"b","booking":{"start_at":"2030-01-14T10:00:00-05:00","duration_minutes":30,"notes":""}}"#,
            #"{"booking":{"notes":null,"duration_minutes":30.0,"start_at":"2030-01-14T15:00:00.0Z"},"bot_id":"b"}"#,
            #"{"bot_id":"b","extra":null,"booking":{"duration_minutes":3e1,"start_at":"2030-01-14T15:00:00Z"}}"#,
        ]
        #expect(Set(try texts.map(Self.fingerprint)).count == 1)
    }

    /// All of these mean different things.
    @Test func meaningMakesADifference() throws {
        let texts = [
            "{}", "[]", #"{"a":1}"#, #"{"a":"1"}"#, #"{"a":-1}"#, #"{"a":10}"#, #"{"a":0.1}"#, #"{"a":[1]}"#,
            #"{"a":{}}"#,
            #"{"a":[]}"#, #"{"a":true}"#, #"{"a":false}"#, #"{"a":[null]}"#, #"{"a":[""]}"#, #"{"a":" "}"#, #"{"a":0}"#,
            #"{"b":1}"#, #"{"a":1,"b":1}"#, #"{"a":[1,2]}"#, #"{"a":[2,1]}"#, #"{"a":[[1],2]}"#, #"{"a":[1,[2]]}"#,
            #"{"a":"b","c":"d"}"#, #"{"a":"bc","":"d"}"#, #"{"a":"s1:b"}"#, #"{"a":1e400}"#, #"{"a":1e401}"#,
            #"{"a":9007199254740993}"#, #"{"a":9007199254740992}"#, #"{"a":1e99999999999999999999}"#,
            #"{"a":2e99999999999999999999}"#, #"{"a":1,"a":2}"#, #"{"a":2,"a":1}"#, #"{"a":1e-9223372036854775808}"#,
            #"{"a":1e9223372036854775807}"#,
            // To people the same letter, made up in two ways.
            #"{"\u00e9":1,"e\u0301":2}"#, #"{"\u00e9":2,"e\u0301":1}"#,
        ]
        #expect(Set(try texts.map(Self.fingerprint)).count == texts.count)
    }

    @Test func anotherWishMakesADifference() throws {
        let texts =
            [
                "2030-01-14T10:00:00Z", "2030-01-14T10:00:00+01:00", "2030-01-14T10:00:01Z", "2030-01-14T10:00:00.1Z",
                "2030-01-14T10:00:00.000000001Z", "2030-01-14T22:00:00Z", "2031-01-14T10:00:00Z", "2030-01-14", "soon",
            ].map(Self.start) + [
                Self.booking(#""start_at":"2030-01-14T10:00:00Z","duration_minutes":60"#),
                Self.booking(#""start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"notes":"x""#),
                Self.booking(#""start_at":"2030-01-14T10:00:00Z","duration_minutes":30"#, #","extra":1"#),
                Self.booking(#""start_at":"2030-01-14T10:00:00Z""#), Self.booking(#""duration_minutes":30"#),
                #"{"bot_id":"c","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}}"#,
            ]
        #expect(Set(try texts.map(Self.fingerprint)).count == texts.count)
    }

    /// Only `booking.start_at` is an instant. Another text is what its letters are.
    @Test(arguments: [
        #"{"start_at":"T"}"#, #"{"booking":{"x":{"start_at":"T"}}}"#, #"{"x":{"start_at":"T"}}"#,
        #"{"booking":[{"start_at":"T"}]}"#, #"{"booking":{"booking":{"start_at":"T"}}}"#,
        #"{"booking":{"end_at":"T"}}"#,
        #"{"x":{"booking":{"start_at":"T"}}}"#, #"[{"booking":{"start_at":"T"}}]"#,
    ])
    func otherTextsAreTexts(_ text: String) throws {
        let prints = try ["2030-01-14T15:00:00Z", "2030-01-14T10:00:00-05:00"].map {
            try Self.fingerprint(text.replacing("T", with: $0, maxReplacements: 1))
        }
        #expect(prints[0] != prints[1])
    }

    /// An instant is not the text or the number that would be fed alike.
    @Test func anInstantIsNoText() throws {
        let instant = try Self.fingerprint(Self.start("1970-01-01T00:00:05Z"))
        for other in [#""5""#, "5", #""i5.0:""#, #""5.0""#, "5.0", #"["1970-01-01T00:00:05Z"]"#] {
            let text = Self.booking(#""start_at":\#(other),"duration_minutes":30"#)
            #expect(try Self.fingerprint(text) != instant, "\(other)")
        }
    }

    // MARK: Texts

    @Test(arguments: ["", "{", #"{"a":01}"#, "\u{FEFF}{}"])
    func aTextThatIsNotJSONHasNone(_ text: String) {
        #expect(Fingerprint(body: Array(text.utf8)) == nil)
        #expect(Fingerprint.ofVersion1(body: Array(text.utf8)) == nil)
    }

    @Test func itIsReadAsItWasWritten() throws {
        let fingerprint = try Self.fingerprint(Self.start("2030-01-14T10:00:00Z"))
        let hex = fingerprint.hex
        #expect(hex.utf8.count == 64 && Fingerprint(hex: hex) == fingerprint)
        for other in ["", String(hex.dropLast()), hex + "0", "g" + hex.dropFirst(), " " + hex.dropFirst()] {
            #expect(Fingerprint(hex: other) == nil)
        }
    }

    /// The fingerprint of a request is that of its body: without the members that are not sent.
    @Test func theLibrarysOwnMembersDoNotCount() throws {
        let own = #","tag":"t","timeout_ms":5,"conversation":"call-7","detach":true"#
        let plain = try Request(.createBooking, json: Sample.booking())
        let request = try Request(.createBooking, json: Sample.booking(own))
        #expect(request.wish?.fingerprint == plain.wish?.fingerprint)
        #expect(request.wish?.fingerprint == Fingerprint(body: request.body))
        let other = try Request(.createBooking, json: Sample.booking(key: "another"))
        #expect(other.wish?.fingerprint == plain.wish?.fingerprint)
    }
}

extension Fingerprint {
    fileprivate init?(hex: String) {
        guard let fingerprint = Array(hex.utf8).withUnsafeBytes({ Fingerprint(hex: $0) }) else { return nil }
        self = fingerprint
    }
}
