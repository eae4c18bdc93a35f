import Testing

@testable import PartnerBooking

/// The scanner against the reference: the same events, the same kind of a member, the same errors with the same
/// reasons.
@Suite struct JSONDifferentialTests {
    private static let texts = 200_000
    private static let shards = 16

    /// Documents as they are made, and with a few bytes changed. A failure names the text; the seed makes it again.
    @Test(arguments: 0..<Self.shards)
    func agreesOnRandomTexts(_ shard: Int) {
        var maker = DocumentMaker(seed: UInt64(shard))
        for _ in 0..<Self.texts / Self.shards {
            guard agrees(maker.next()) else { return }
        }
    }

    /// Short texts, the first of them shorter than a window, with every byte at every place.
    @Test(arguments: [
        #"{"a":[1,"b",-0.5e+3,true],"cd":{"e":null}}"#,
        #"[{"start_at":"2030-01-14","n":30},{"start_at":"2030-01-15","n":45},{"start_at":"2030-01-16","n":7}]"#,
        #"{ "k" : "\u00e9é\ud83d\ude00" ,"long enough for a word or two":"and more", "x":[false,0.125,12345678,"" ]}"#,
    ])
    func agreesOnEveryByteAnywhere(_ text: String) {
        let bytes = Array(text.utf8)
        for place in bytes.indices {
            var changed = bytes
            for byte in UInt8.min...UInt8.max {
                changed[place] = byte
                guard agrees(changed) else { return }
            }
            guard agrees(Array(bytes[..<place])) else { return }
        }
    }

    /// A token of every length up to 70 bytes, at every distance from the end of the text.
    @Test(arguments: ["a", "0", " ", "%0A", "[", "%C3%A9", #"\n"#, #"\""#])
    func agreesOnEveryLength(_ filler: String) {
        let filler = ConformanceCase.bytes(filler)
        for length in 1...70 {
            let run = Array(repeatElement(filler, count: length).joined().prefix(length))
            for (start, rest) in Self.frames {
                for tail in [0, 1, 7, 8, 40, 47, 48, 49, 62, 63, 64, 65, 66, 80] {
                    let text = Array(start.utf8) + run + Array(rest.utf8) + [UInt8](repeating: 0x20, count: tail)
                    guard agrees(text) else { return }
                }
            }
        }
    }

    private static let frames = [
        ("", ""), (#"""#, #"""#), (#"{""#, #"":1}"#), (#"{"a":""#, #""}"#), (#"{"a":1"#, ",\"b\":2}"),
        (#"{"a":"#, #""b"}"#),
        (#"[{"a":1},{""#, #"":"b"},{"c":2}]"#), ("[1.", "e5]"), ("[", "]"), (#"{"":"","":"","":"#, #"}"#),
    ]

    /// Nesting up to the limit and beyond, within the outermost object and without.
    @Test(arguments: ["[", #"{"a":"#, #"[{"a":"#, #"{"b":[0,"#])
    func agreesOnNesting(_ open: String) {
        let closers = String(open.reversed().compactMap { $0 == "{" ? "}" : $0 == "[" ? "]" : nil })
        for count in [1, 2, 3, 31, 32, 33, 62, 63, 64, 65, 66, 126, 127, 128, 129, 130] {
            let text = String(repeating: open, count: count) + "1" + String(repeating: closers, count: count)
            for (start, end) in [("", ""), (#"{"b":0,"a":"#, "}"), ("[", ",1]"), ("[[],", "]")] {
                guard agrees(Array((start + text + end).utf8)) else { return }
            }
        }
    }

    /// Members so short that several fit in the room that was checked for one.
    @Test(arguments: [
        #"{"":"","#, #"{"":1,"#, #"[{"":1},{"#, "[[],", "[1,", #"["","#, "[{},", "[null,", #"{"":{},"#, "[-0.5,",
    ])
    func agreesOnRowsOfShortTokens(_ row: String) {
        let open = String(row.prefix { "[{".contains($0) })
        let element = row.dropFirst(open.count)
        let closers = String(open.reversed().map { $0 == "{" ? "}" : "]" })
        for count in 0..<120 {
            let text = open + String(repeating: String(element), count: count)
            for end in ["", closers, #""":0"# + closers, "1" + closers, "\"\"" + closers, "\u{0}"] {
                guard agrees(Array((text + end).utf8)) else { return }
            }
        }
    }
}

/// Compares the scanner with the reference, in both profiles. Returns whether they agree, so that a test can stop.
private func agrees(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) -> Bool {
    for profile in [JSONProfile.request, .reply] {
        var reference = JSONReference(bytes, profile)
        let expected = refusal { () throws(JSONSyntaxError) in try reference.scan() }
        var events: [JSONEvent]?
        let found = refusal { () throws(JSONSyntaxError) in
            events = try JSON.scan(bytes, profile: profile, visitor: JSONRecorder()).events
        }
        let validated = refusal { () throws(JSONSyntaxError) in try JSON.validate(bytes, profile: profile) }
        let areSame = events == nil || events == reference.recorder.events
        let kind = expected == nil ? kindOfMember("a", reference.recorder.events, bytes) : nil
        let isSameKind = JSON.kindOfTopLevelMember("a", in: bytes, profile: profile) == kind
        guard found == expected, validated == expected, areSame, isSameKind else {
            Issue.record(
                "\(profile): \(String(describing: found)), not \(String(describing: expected)): \(bytes)",
                sourceLocation: sourceLocation)
            return false
        }
    }
    return true
}

private func refusal(_ body: () throws(JSONSyntaxError) -> Void) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The kind of the last member of that name in the outermost object.
private func kindOfMember(_ name: String, _ events: [JSONEvent], _ bytes: [UInt8]) -> JSONKind? {
    guard events.first?.value == .object else { return nil }
    var (depth, isNext, kind): (Int, Bool, JSONKind?) = (0, false, nil)
    for event in events {
        switch event.kind {
        case .key:
            let span = event.start..<event.end
            let key = bytes.withUnsafeBytes { JSON.decodeString($0, span, hasEscapes: event.hasEscapes) }
            isNext = depth == 1 && key == name
            continue
        case .scalar, .open: if isNext { kind = event.value }
        case .close: break
        }
        isNext = false
        depth += event.kind == .open ? 1 : event.kind == .close ? -1 : 0
    }
    return kind
}

/// Makes texts: JSON of random shape, and three in four times something that nearly is.
struct DocumentMaker {
    private var random: SplitMix64
    private var text: [UInt8] = []
    private var spaces = 0

    init(seed: UInt64) { random = SplitMix64(state: seed) }

    mutating func next() -> [UInt8] {
        text = []
        spaces = below(4)
        let goal = below(3) == 0 ? below(400) : below(90)
        if below(8) == 0 { array(goal, of: { $0.object($1, 1) }) } else { value(goal, 0) }
        space()
        for _ in 0..<(below(4) == 0 ? 0 : 1 + below(3)) { change() }
        return text
    }

    private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    private mutating func add(_ more: String) { text += more.utf8 }

    private mutating func space() {
        guard spaces == 3 || spaces == 2 && below(6) == 0 else { return }
        let kinds = [" ", "\n", "\r\n", "\t", "\n    ", "\n" + String(repeating: " ", count: below(70))]
        add(kinds[below(kinds.count)])
    }

    private mutating func value(_ goal: Int, _ depth: Int) {
        space()
        let choice = goal > 4 && depth < 140 ? below(9) : 2 + below(7)
        switch choice {
        case 0: array(goal, of: { $0.value($1, depth + 1) })
        case 1, 7: goal > 4 ? object(goal, depth) : string()
        case 2, 3: string()
        case 4: add(["true", "false", "null"][below(3)])
        default: number()
        }
        space()
    }

    private mutating func array(_ goal: Int, of element: (inout DocumentMaker, Int) -> Void) {
        let goal = text.count + goal
        add("[")
        if below(10) > 0 {
            element(&self, below(max(goal - text.count, 1)))
            while text.count < goal {
                add(",")
                element(&self, below(max(goal - text.count, 1)))
            }
        }
        add("]")
    }

    private mutating func object(_ goal: Int, _ depth: Int) {
        let goal = text.count + goal
        add("{")
        if below(10) > 0 {
            member(goal, depth)
            while text.count < goal {
                add(",")
                member(goal, depth)
            }
        }
        add("}")
    }

    private mutating func member(_ goal: Int, _ depth: Int) {
        space()
        if below(3) == 0 { add(["\"a\"", #""\u0061""#, #""start_at""#, #""""#][below(4)]) } else { string() }
        space()
        add(":")
        value(max(goal - text.count, 0) / (1 + below(2)), depth + 1)
    }

    private mutating func string() {
        add("\"")
        let length = below(4) == 0 ? below(71) : below(20)
        let isPlain = below(3) > 0
        for _ in 0..<length {
            guard !isPlain, below(5) == 0 else {
                text.append([0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x61, 0x5A, 0x2F, 0x7E, 0x7B, 0x2C][below(12)])
                continue
            }
            let pieces = [
                "é", "€", "😀", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}", #"\n"#, #"\\"#, #"\""#, #"\/"#,
                #"\u00e4"#, #"\ud83d\ude00"#, #"\ud83d"#, #"\ude00"#, #"\uD7FF"#, "\u{D7FF}", "\u{E000}", "\u{10FFFF}",
            ]
            add(pieces[below(pieces.count)])
        }
        add("\"")
    }

    private mutating func number() {
        if below(4) == 0 { add("-") }
        if below(4) == 0 { add("0") } else { digits(first: 1) }
        if below(3) == 0 {
            add(".")
            digits(first: 0)
        }
        if below(5) == 0 {
            add(["e", "E", "e+", "E-"][below(4)])
            digits(first: 0)
        }
    }

    private mutating func digits(first: Int) {
        text.append(UInt8(0x30 + first + below(10 - first)))
        for _ in 0..<(below(4) == 0 ? below(20) : below(4)) { text.append(UInt8(0x30 + below(10))) }
    }

    private static let snippets = [
        "},{", "},{\"", "\":", "\",\"", ",\"a\":1", "],[", "{\"", "[{\"", "}}", "}]", "  ", "\\u",
    ]
    private static let marks =
        Array(#"{}[]",:\ux+-.eE0123tfn"#.utf8) + [0x00, 0x0A, 0x1F, 0x20, 0x7F, 0x80, 0xBF, 0xC2, 0xED, 0xF4, 0xFF]

    /// Changes, puts in, takes out or doubles something, or cuts the text.
    private mutating func change() {
        let place = below(text.count + 1)
        let byte = below(2) == 0 ? Self.marks[below(Self.marks.count)] : UInt8(below(256))
        let rest = text.count - place
        switch below(7) {
        case 0 where rest > 0: text[place] = byte
        case 5: text.insert(contentsOf: Self.snippets[below(Self.snippets.count)].utf8, at: place)
        case 1: text.insert(byte, at: place)
        case 2 where rest > 0: text.remove(at: place)
        case 3: text.removeSubrange(place...)
        case 4: text.insert(contentsOf: text[place..<place + below(min(rest, 20) + 1)], at: place)
        default: text.removeSubrange(place..<place + below(min(rest, 8) + 1))
        }
    }
}
