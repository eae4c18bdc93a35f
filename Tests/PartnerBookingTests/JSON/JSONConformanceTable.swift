import Testing

@testable import PartnerBooking

/// A text and what must be said of it.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// The offsets that a refusal may name, nearly always one; nil when the text must be accepted.
    let inRequests: [Int]?
    let inReplies: [Int]?

    var testDescription: String { name }

    static func accepted(_ name: String, _ text: String) -> ConformanceCase {
        ConformanceCase(name: name, bytes: bytes(text), inRequests: nil, inReplies: nil)
    }

    /// The text is `start` and `rest`: `start` could still become JSON, its first byte after that cannot.
    /// `orHalfPairAt` is the half of a surrogate pair that a request may be blamed for instead.
    static func refused(
        _ name: String, _ start: String, _ rest: String, orHalfPairAt half: Int? = nil
    ) -> ConformanceCase {
        let offset = bytes(start).count
        return ConformanceCase(
            name: name, bytes: bytes(start + rest), inRequests: half.map { [offset, $0] } ?? [offset],
            inReplies: [offset])
    }

    static func truncated(_ name: String, _ text: String) -> ConformanceCase { refused(name, text, "") }

    /// `rest` starts with the half of a surrogate pair: requests refuse it, replies may hold it.
    static func halfPair(_ name: String, _ start: String, _ rest: String) -> ConformanceCase {
        ConformanceCase(
            name: name, bytes: bytes(start + rest), inRequests: [bytes(start).count], inReplies: nil)
    }

    /// The bytes of a text in which %E5 stands for the byte 0xE5, as in a URL, and %25 for a percent sign.
    static func bytes(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard let escaped = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), digits.count == 2 else {
                preconditionFailure("% without two digits in \(text)")
            }
            bytes.append(escaped)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    func check(sourceLocation: SourceLocation = #_sourceLocation) {
        check(.request, inRequests, sourceLocation)
        check(.reply, inReplies, sourceLocation)
    }

    private func check(_ profile: JSONProfile, _ offsets: [Int]?, _ sourceLocation: SourceLocation) {
        do throws(JSONSyntaxError) {
            try JSON.validate(bytes, profile: profile)
            #expect(offsets == nil, "\(name), accepted as a \(profile)", sourceLocation: sourceLocation)
        } catch {
            #expect(
                offsets?.contains(error.offset) == true, "\(name), as a \(profile): \(error)",
                sourceLocation: sourceLocation)
            #expect(!error.reason.isEmpty, "\(name)", sourceLocation: sourceLocation)
        }
    }
}

extension ConformanceCase {
    /// A text that both profiles refuse at the offset, or accept when there is none.
    init(_ name: String, _ bytes: [UInt8], _ offset: Int?) {
        self.init(name: name, bytes: bytes, inRequests: offset.map { [$0] }, inReplies: offset.map { [$0] })
    }
}

/// Where the bytes are refused, or nil when they are JSON.
func offsetOfRefusal(_ bytes: [UInt8], _ profile: JSONProfile) -> Int? {
    do throws(JSONSyntaxError) {
        try JSON.validate(bytes, profile: profile)
        return nil
    } catch {
        return error.offset
    }
}

// Texts that are JSON. With JSONConformanceRefusals.swift they cover the ground of the well-known public collections
// (JSONTestSuite's y_, n_ and i_ files, json.org's checker) and some more. `bytes(_:)` tells how bytes are written.

extension ConformanceCase {
    static let acceptedCases: [ConformanceCase] = [
        .accepted("null", "null"),
        .accepted("true", "true"),
        .accepted("false", "false"),
        .accepted("one digit", "7"),
        .accepted("an integer", "42"),
        .accepted("a negative fraction", "-0.1"),
        .accepted("a string", #""asd""#),
        .accepted("a string in place of a payload", #""An object or array was once required here.""#),
        .accepted("an empty string", #""""#),
        .accepted("a string of one space", #"" ""#),
        .accepted("white space around a number", " %09%0D%0A1%0A%0D%09 "),
        .accepted("a long run of white space", String(repeating: " ", count: 4096) + "{}"),

        .accepted("an empty array", "[]"),
        .accepted("an empty array with a space in it", "[ ]"),
        .accepted("an empty array with spaces around it", " [] "),
        .accepted("an array of an empty string", #"[""]"#),
        .accepted("an array of an empty array and spaces", "[[]   ]"),
        .accepted("an array of a string, line feed after it", #"["a"]%0A"#),
        .accepted("an array of false", "[false]"),
        .accepted("an array of true", "[true]"),
        .accepted("an array of null", "[null]"),
        .accepted("an array of several kinds", #"[null, 1, "1", {}]"#),
        .accepted("an array of several nulls", "[1,null,null,null,2]"),
        .accepted("a line feed before the bracket", "[1%0A]"),
        .accepted("a leading space", " [1]"),
        .accepted("a trailing space", "[2] "),
        .accepted("nineteen deep", String(repeating: "[", count: 19) + #""x""# + String(repeating: "]", count: 19)),
        .accepted("twenty deep", String(repeating: "[", count: 20) + #""x""# + String(repeating: "]", count: 20)),

        .accepted("an empty object", "{}"),
        .accepted("an empty object with a line feed in it", "{%0A}"),
        .accepted("one member", #"{"asd":"sdf"}"#),
        .accepted("two members", #"{"asd":"sdf", "dfg":"fgh"}"#),
        .accepted("the same name twice", #"{"a":"b","a":"c"}"#),
        .accepted("the same member twice", #"{"a":"b","a":"b"}"#),
        .accepted("names that differ in an escape only", #"{"a":1,"\u0061":2}"#),
        .accepted("an empty name", #"{"":0}"#),
        .accepted("a NUL in a name, escaped", #"{"foo\u0000bar": 42}"#),
        .accepted("an array in an object", #"{"a":[]}"#),
        .accepted("big and small numbers", #"{ "min": -1.0e+28, "max": 1.0e+28 }"#),
        .accepted("long strings", #"{"x":[{"id": "\#(fortyXs)"}], "id": "\#(fortyXs)"}"#),
        .accepted("escapes all through", #"{"title":"\u041f\u043e\u043b\u0442\u043e\u0440\u0430 \u0417" }"#),
        .accepted("line feeds between members", #"{%0A"a": "b"%0A}"#),
        .accepted("an object in an object", #"{%0A    "outer": {%0A        "inner": "object"%0A    }%0A}%0A"#),
        .accepted("punctuation as a name", #"{"`1~!@#$%25^&*()_+-={':[,]}|;.</>?": 0}"#),
        .accepted("a text of every feature", richDocument),

        .accepted("zero", "0"),
        .accepted("minus zero", "[-0]"),
        .accepted("minus one", "[-1]"),
        .accepted("a negative integer", "[-123]"),
        .accepted("a positive integer", "[123]"),
        .accepted("a number after a space", "[ 4]"),
        .accepted("a fraction", "[123.456789]"),
        .accepted("a fraction of zeros", "[0.000]"),
        .accepted("a fraction next to zero", "[-0.\(String(repeating: "0", count: 77))1]%0A"),
        .accepted("an exponent", "[123e45]"),
        .accepted("another exponent", "[123e65]"),
        .accepted("an exponent on a round number", "[20e1]"),
        .accepted("an exponent on zero", "[0e1]"),
        .accepted("a positive exponent on zero", "[0e+1]"),
        .accepted("a negative exponent on minus zero", "[-0e-0]"),
        .accepted("a negative exponent", "[1e-2]"),
        .accepted("a positive exponent", "[1e+2]"),
        .accepted("a capital E", "[1E22]"),
        .accepted("a capital E and a minus", "[1E-2]"),
        .accepted("a capital E and a plus", "[1E+2]"),
        .accepted("an exponent with leading zeros", "[1e00,2e+00,2e-00,1e007]"),
        .accepted("a fraction and an exponent", "[123.456e78]"),
        .accepted("a whole number, written as a fraction", "[12.5e2]"),
        .accepted("an integer beyond 64 bits", "[100000000000000000000]"),
        .accepted("a negative integer beyond 64 bits", "[-123123123123123123123123123123]"),
        .accepted("a negative integer beyond 128 bits", "[-237462374673276894279832749832423479823246327846]"),
        .accepted("the ends of the 64-bit range", "[-9223372036854775808,9223372036854775807,18446744073709551615]"),
        .accepted("an exponent too big for a double", "[-1e+9999, 1.5e+9999, 123123e100000, -123123e100000]"),
        .accepted("an exponent too small for a double", "[123.456e-789, 123e-10000000]"),
        .accepted("an exponent too big for an integer", "[0.4e0066\(String(repeating: "9", count: 100))6]"),
        .accepted("ten thousand digits", String(repeating: "9", count: 10_000)),
        .accepted("ten thousand decimals", "-0." + String(repeating: "0", count: 10_000)),
        .accepted("a number right before each delimiter", #"{"a":1,"b":[2,3],"c":4}"#),

        .accepted("a string in an array", #"["asd"]"#),
        .accepted("a string after a space", #"[ "asd"]"#),
        .accepted("a trailing space in a string", #"["asd "]"#),
        .accepted("what looks like comments in a string", #"["a/*b*/c/*d//e"]"#),
        .accepted("every short escape", #"["\"\\\/\b\f\n\r\t"]"#),
        .accepted("an escaped quote", #"["\""]"#),
        .accepted("a plain slash", #"["/"]"#),
        .accepted("an escaped backslash, then u0000", #"["\\u0000"]"#),
        .accepted("an escaped backslash, then a", #"["\\a"]"#),
        .accepted("an escaped backslash, then n", #"["\\n"]"#),
        .accepted("an escaped control character", #"["\u0012"]"#),
        .accepted("an escaped NUL", #"["\u0000"]"#),
        .accepted("an escaped line feed", #"["new\u000Aline"]"#),
        .accepted("an escaped quote by number", #"["\u0022"]"#),
        .accepted("an escaped backslash by number", #"["\u005C"]"#),
        .accepted("an escaped comma", #"["\u002c"]"#),
        .accepted("escapes of one, two and three bytes", #"["\u0060\u012a\u12AB"]"#),
        .accepted("an escape of two bytes", #"["\u0123"]"#),
        .accepted("an escape of three bytes", #"["\u0821"]"#),
        .accepted("escapes in either case", #"["\u0061\u30af\u30EA\u30b9\u0123\u4567\u89AB\uCDEF\uabcd\uef4A"]"#),
        .accepted("an escaped no-break space", #"["new\u00A0line"]"#),
        .accepted("an escaped zero width space", #"["\u200B"]"#),
        .accepted("an escaped invisible plus", #"["\u2064"]"#),
        .accepted("an escaped letter", #"["\uA66D"]"#),
        .accepted("escaped noncharacters", #"["\uFDD0\uFFFE\uFFFF"]"#),
        .accepted("escaped noncharacters, as pairs", #"["\uD83F\uDFFE\uDBFF\uDFFE"]"#),
        .accepted("the clef as a pair", #"["\uD834\uDd1e"]"#),
        .accepted("a pair", #"["\uD801\udc37"]"#),
        .accepted("two pairs", #"["\ud83d\ude39\ud83d\udc8d"]"#),
        .accepted("the last pair", #"["\uDBFF\uDFFF"]"#),
        .accepted("a pair in a name", #"{"\ud83d\ude39":0}"#),
        .accepted("DEL", #"["%7F"]"#),
        .accepted("DEL between letters", #"["a%7Fa"]"#),
        .accepted("a letter of two bytes", #"["%CF%80"]"#),
        .accepted("letters of three bytes", #"["%E2%8D%82%E3%88%B4%E2%8D%82"]"#),
        .accepted("characters of three and four bytes", #"["%E2%82%AC%F0%9D%84%9E"]"#),
        .accepted("U+2028 and U+2029", #"["%E2%80%A8%E2%80%A9"]"#),
        .accepted("U+FEFF in a string", #"["%EF%BB%BF"]"#),
        .accepted("U+FFFF in a string", #"["%EF%BF%BF"]"#),
        .accepted("an unassigned character", #"["%F0%9B%BF%BF"]"#),
        .accepted("U+10FFFF in a string", #"["%F4%8F%BF%BF"]"#),
        .accepted("a name composed and decomposed", #"{"%C3%A9":"NFC","e%CC%81":"NFD"}"#),
        .accepted("a hundred thousand letters", "\"" + String(repeating: "x", count: 100_000) + "\""),
    ]

    /// Halves of surrogate pairs: the grammar knows nothing of pairs, requests may not hold such a half.
    static let halfPairCases: [ConformanceCase] = [
        .halfPair("a first half alone", #"[""#, #"\uDADA"]"#),
        .halfPair("a first half alone, in lower case", #"[""#, #"\ud800"]"#),
        .halfPair("a second half alone", #"[""#, #"\uDFAA"]"#),
        .halfPair("a second half in a name", #"{""#, #"\uDFAA":0}"#),
        .halfPair("a second half and a letter", #"[""#, #"\uDd1ea"]"#),
        .halfPair("a first half and letters", #"[""#, #"\ud800abc"]"#),
        .halfPair("a first half and another escape", #"[""#, #"\uD888\u1234"]"#),
        .halfPair("a first half and a short escape", #"[""#, #"\uD800\n"]"#),
        .halfPair("a first half and an escaped backslash", #"[""#, #"\uD800\\uDC00"]"#),
        .halfPair("a first half, its second half in UTF-8's stead", #"[""#, #"\uD83D%F0%9F%98%80"]"#),
        .halfPair("two first halves", #"[""#, #"\uD800\uD800\n"]"#),
        .halfPair("the halves in the wrong order", #"[""#, #"\uDd1e\uD834"]"#),
        .halfPair("a second half after a pair", #"["\uD834\uDD1E"#, #"\uDD1E"]"#),
        .halfPair("a half in a string that is skipped over", #"{"a":["x",{"b":""#, #"\udead"}],"c":1}"#),
    ]

    /// 128 levels are accepted, the bracket that opens the 129th is refused.
    static let nestingCases: [ConformanceCase] = [
        .accepted("128 arrays", repeated("[", 128) + repeated("]", 128)),
        .accepted("128 arrays around a number", repeated("[", 128) + "1" + repeated("]", 128)),
        .accepted("128 arrays on a line each", repeated("%0A[%0A", 128) + repeated("%0A]%0A", 128)),
        .accepted("128 objects", repeated(#"{"a":"#, 127) + "{}" + repeated("}", 127)),
        .accepted("128 objects around a string", repeated(#"{"a":"#, 128) + #""b""# + repeated("}", 128)),
        .accepted("64 objects in 64 arrays", repeated(#"[{"a":"#, 64) + "null" + repeated("}]", 64)),
        .accepted("64 arrays in 64 objects", repeated(#"{"a":["#, 64) + "null" + repeated("]}", 64)),
        .accepted(
            "a wide text at 128 levels",
            repeated("[", 127) + "[1,2],[3,4],{},[]" + repeated(#"],{"a":[]},[]"#, 126) + "]"),
        .accepted("a thousand arrays side by side", "[" + repeated("[],", 999) + "[]]"),
        .accepted("a thousand objects side by side", "{" + repeated(#""a":{},"#, 999) + #""a":{}}"#),
        .truncated("128 arrays, cut", repeated("[", 128)),
        .truncated("128 objects, cut", repeated(#"{"a":"#, 128)),
        .refused("129 arrays", repeated("[", 128), "[" + repeated("]", 129)),
        .refused("129 arrays around a number", repeated("[", 128), "[1" + repeated("]", 129)),
        .refused("129 arrays, cut", repeated("[", 128), "["),
        .refused("129 objects", repeated(#"{"a":"#, 128), "{}" + repeated("}", 128)),
        .refused("128 arrays around an object", repeated("[", 128), "{}" + repeated("]", 128)),
        .refused("128 objects around an array", repeated(#"{"a":"#, 128), "[]" + repeated("}", 128)),
        .refused("the 129th level after others that closed", repeated("[[],", 127) + "[", "[]"),
        .refused("500 arrays", repeated("[", 128), repeated("[", 372) + repeated("]", 500)),
        .refused("a hundred thousand brackets", repeated("[", 128), repeated("[", 99_872)),
        .refused("fifty thousand objects in arrays", repeated(#"[{"":"#, 64), repeated(#"[{"":"#, 49_936) + "%0A"),
        .refused("128 levels closed by 129", repeated("[", 128) + repeated("]", 128), "]"),
        .refused("a brace for the bracket at 128 levels", repeated("[", 128) + repeated("]", 64), "}"),
    ]

    private static func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    private static let fortyXs = String(repeating: "x", count: 40)

    /// Every feature of the grammar once. An object, so that no part from its start is a text of its own.
    static let richDocument = #"""
        {"plain":"The quick brown fox","escapes":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\uD834\uDD1E","utf8":\#
        "%C2%80%C3%A9%DF%BF%E0%A0%80%E2%82%AC%ED%9F%BF%EE%80%80%EF%BF%BF%F0%90%80%80%F0%9F%98%80%F4%8F%BF%BF",%0A%09\#
        "numbers":[0,-0,7,-42,1234567890,0.5,-98.6,0.123456789e-12,1.234567890E+34,23456789012E66,1e00,-0.0E-0],\#
        "literals" : [ true , false , null ] ,%0D%0A"empty":[{},[],"",{ },[ ]]," s p a c e d " :[1,2 , 3%0A%0A,%0A%0A\#
        4 , 5        ,          6           ,7        ],"":{"":{"":[[[{"deep":[{"er":{"est":-1.5e+3}}]}]]]}},\#
        "\/\\\"\uCAFE\b\f\n\r\t`1~!@#$%25^&*()_+-=[]{}|;:',./<>?":"any string can be a name","comment":"// /* <!--",\#
        "last":"\u0000\uFFFF%7F"}
        """#
}
