import Testing

@testable import PartnerBooking

/// Finding one's way in a document.
@Suite struct JSONDocumentTests {
    private func root(_ text: String, _ profile: JSONProfile = .request) throws -> JSONValue {
        try JSONDocument(Array(text.utf8), profile: profile).root
    }

    private func text(_ value: JSONValue?, of text: String) -> String? {
        value.map { String(decoding: Array(text.utf8)[$0.span], as: UTF8.self) }
    }

    @Test(arguments: [
        ("{}", JSONKind.object), ("[]", .array), (#""""#, .string), ("0", .number), ("-1.5e3", .number), ("true", .bool),
        ("false", .bool), ("null", .null), (" {\n} ", .object), ("\t[1]\r\n", .array),
    ])
    func aValueHasItsKind(_ text: String, _ kind: JSONKind) throws {
        let root = try root(text)
        #expect(root.kind == kind)
        #expect(self.text(root, of: text) == text.trimming())
    }

    @Test func membersComeInOrderWithTheirPlaces() throws {
        let text = #" { "a" : 1 , "b":{"c":[true,{"d":null}],"e":"x"},"a":[ ],"":-0.5e+1} "#
        let root = try root(text)
        let members = Array(root.members)
        #expect(members.map { $0.key.string } == ["a", "b", "a", ""])
        #expect(members.map { self.text($0.key, of: text) } == [#""a""#, #""b""#, #""a""#, #""""#])
        #expect(
            members.map { self.text($0.value, of: text) } == ["1", #"{"c":[true,{"d":null}],"e":"x"}"#, "[ ]", "-0.5e+1"])
        #expect(self.text(root, of: text) == text.trimming())
        #expect(self.text(root["a"], of: text) == "1", "the first of two")
        #expect(self.text(root["b"]?["e"], of: text) == #""x""#)
        #expect(root["b"]?["c"]?.elements.map(\.kind) == [.bool, .object])
        #expect(root["b"]?["c"]?.elements.dropFirst().first { _ in true }?["d"]?.kind == .null)
        #expect(root["c"] == nil && root["e"] == nil && root["d"] == nil, "members of members are not members")
        #expect(root["b"]?["a"] == nil)
    }

    @Test func elementsComeInOrder() throws {
        let text = #"[[],[[1],2],{"a":3},"b",4,null]"#
        let elements = Array(try root(text).elements)
        #expect(elements.map { self.text($0, of: text) } == ["[]", "[[1],2]", #"{"a":3}"#, #""b""#, "4", "null"])
        #expect(elements[1].elements.map { self.text($0, of: text) } == ["[1]", "2"])
        #expect(Array(elements[0].elements).isEmpty)
    }

    /// Asking a value for what it is not gives nothing, also when there is something behind it.
    @Test(arguments: [
        #"[{"a":1},{"a":2}]"#, #"["a","a",1]"#, #"{"x":"a","a":[1]}"#, #"{"x":{},"a":1}"#, #"[1,"a",[2]]"#, #"[null,"a"]"#,
    ])
    func otherKindsHaveNoMembersOrElements(_ text: String) throws {
        let root = try root(text)
        if root.kind == .object {
            #expect(Array(root.elements).isEmpty)
            let first = try #require(root["x"])
            #expect(Array(first.members).isEmpty && Array(first.elements).isEmpty && first["a"] == nil)
        } else {
            #expect(Array(root.members).isEmpty)
            #expect(root["a"] == nil)
            let first = try #require(root.elements.first { _ in true })
            #expect(Array(first.elements).isEmpty)
            if first.kind != .object { #expect(Array(first.members).isEmpty && first["a"] == nil) }
        }
    }

    @Test func documentsOfManyValuesAreWalked() throws {
        let text = "[" + (0..<5_000).map { #"{"n":\#($0),"l":[\#($0),[]]}"# }.joined(separator: ",") + "]"
        let elements = Array(try root(text).elements)
        #expect(elements.count == 5_000)
        #expect(
            elements.enumerated().allSatisfy {
                $1["n"]?.integer == $0 && $1["l"]?.elements.first { _ in true }?.integer == $0
            })
    }

    @Test func deepNestingIsWalked() throws {
        var value: JSONValue? = try root(
            String(repeating: #"{"a":"#, count: 127) + "[7]" + String(repeating: "}", count: 127))
        for _ in 0..<127 { value = value?["a"] }
        #expect(value?.elements.map(\.integer) == [7])
    }

    // MARK: Texts

    @Test(arguments: [
        (#""""#, ""), (#""abc""#, "abc"), (#""ä€😀""#, "ä€😀"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0041""#, "A"),
        (#""\u00e4\u20AC""#, "ä€"), (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"), (#""a\u0000b""#, "a\0b"),
        (#""\u005c\u0022""#, "\\\""), (#""\\u0041""#, "\\u0041"), (#""😀\n😀""#, "😀\n😀"), (#""\u00e4ä""#, "ää"),
        (#""\uffff\ufffe""#, "\u{FFFF}\u{FFFE}"), (#""\udbff\udfff""#, "\u{10FFFF}"), (#""\ud800\udc00""#, "\u{10000}"),
        (#""x\\""#, "x\\"), (#""e\u0301""#, "e\u{301}"),
    ])
    func aStringHasItsText(_ text: String, _ expected: String) throws {
        for profile in [JSONProfile.request, .reply] {
            let root = try root(text, profile)
            #expect(root.string.map { Array($0.unicodeScalars) } == Array(expected.unicodeScalars))
            #expect(root.withText { Array($0) } == Array(expected.utf8))
        }
    }

    /// Replies may hold halves of surrogate pairs: each becomes U+FFFD, and what is around it stays.
    @Test(arguments: [
        (#""\ud800""#, "\u{FFFD}"), (#""\udc00""#, "\u{FFFD}"), (#""a\ud83dz""#, "a\u{FFFD}z"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
        (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"), (#""\ud83d\n\ude00""#, "\u{FFFD}\n\u{FFFD}"), (#""\ud83dä""#, "\u{FFFD}ä"),
        (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""😀\ud83d""#, "😀\u{FFFD}"),
    ])
    func halvesOfPairsInRepliesAreReplaced(_ text: String, _ expected: String) throws {
        #expect(try root(text, .reply).string == expected)
        #expect(throws: JSONSyntaxError.self) { try root(text, .request) }
    }

    @Test(arguments: ["0", "true", "null", "[]", "{}", #"["a"]"#, #"{"a":"a"}"#])
    func onlyStringsHaveATextAndOnlyNumbersAnInteger(_ text: String) throws {
        let root = try root(text)
        #expect(root.string == nil)
        #expect(root.withText { _ in true } == nil)
        #expect(!root.equals("a") && !root.equals("0") && !root.equals("true") && !root.equals(""))
        #expect((root.integer == nil) == (text != "0"))
    }

    @Test(arguments: [
        (#""bot_id""#, true), (#""b\u006ft_id""#, true), (#""\u0062\u006f\u0074\u005f\u0069\u0064""#, true),
        (#""b\u006Ft_id""#, true),
        (#""bot_i""#, false), (#""bot_idx""#, false), (#""bot_id\u0000""#, false), (#""\u0000bot_id""#, false),
        (#""Bot_id""#, false),
        (#""b\\u006ft_id""#, false), (#""""#, false), (#""bot_i\u0064x""#, false), (#""bot_ie""#, false),
        (#""bot_ı\u0064""#, false),
    ])
    func textsAreComparedWhateverTheirSpelling(_ text: String, _ isEqual: Bool) throws {
        #expect(try root(text).equals("bot_id") == isEqual)
        let member = try root("{\(text):1}")
        #expect((member["bot_id"] != nil) == isEqual)
        #expect(member.members.allSatisfy { $0.key.equals("bot_id") == isEqual })
    }

    // MARK: Numbers

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("18446744073709551616", nil),
            ("18446744073709551623", nil),
            ("1.0", nil), ("0.0", nil), ("1e2", nil), ("1E2", nil), ("1e0", nil), ("10e-1", nil), (#""7""#, nil),
            ("[7]", nil), ("true", nil),
            ("100000000000000000000000000000000000000000", nil),
        ] as [(String, Int?)])
    func anIntegerIsWrittenInPlainDigitsAndFits(_ text: String, _ integer: Int?) throws {
        #expect(try root(text).integer == integer)
    }

    // MARK: Without a document

    @Test(
        arguments: [
            (#"{"a":1}"#, JSONKind.number), (#"{"a":{}}"#, .object), (#"{"a":[]}"#, .array), (#"{"a":null}"#, .null),
            (#"{"\u0061":true}"#, .bool),
            (#"{"b":{"a":1}}"#, nil), (#"{"b":"a"}"#, nil), (#"{"b":["a",1]}"#, nil), (#"["a",{}]"#, nil),
            (#"[{"a":1}]"#, nil), (#""a""#, nil),
            ("{}", nil), (#"{"a":1"#, nil), (#"{"a":1}}"#, nil), ("", nil), (#"{"a":1,"a":"x"}"#, .string),
            (#"{"a":{"a":1},"b":2}"#, .object),
            (#"{"b":{"a":[]},"a":"x"}"#, .string), (#"{"a":[{"a":1}]}"#, .array), (#"{"A":1}"#, nil),
            (#"{"a\u0000":1}"#, nil),
        ] as [(String, JSONKind?)])
    func theKindOfATopLevelMemberIsFound(_ text: String, _ kind: JSONKind?) {
        #expect(JSON.kindOfTopLevelMember("a", in: Array(text.utf8), profile: .reply) == kind)
        #expect(JSON.kindOfTopLevelMember("a", in: Array(text.utf8), profile: .request) == kind)
    }
}

extension String {
    fileprivate func trimming() -> String {
        let start = drop { $0.isWhitespace }
        return String(start[...(start.lastIndex { !$0.isWhitespace } ?? start.startIndex)])
    }
}
