import Testing

@testable import PartnerBooking

/// RFC 6901 pointers, and what a host without a JSON library reads and writes with them.
@Suite struct JSONPointerTests {
    private func value(_ pointer: String, _ json: String) -> String? {
        JSON.value(at: Array(pointer.utf8), in: Array(json.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func quoted(_ bytes: [UInt8]) -> String { String(decoding: JSON.quoted(bytes), as: UTF8.self) }

    /// The document of RFC 6901, section 5.
    private static let rfc =
        #"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#

    @Test(arguments: [
        ("", rfc), ("/foo", #"["bar","baz"]"#), ("/foo/0", "bar"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
        ("/g|h", "4"), (#"/i\j"#, "5"), (#"/k"l"#, "6"), ("/ ", "7"), ("/m~0n", "8"),
    ])
    func pointerOfTheRFC(_ pointer: String, _ expected: String) { #expect(value(pointer, Self.rfc) == expected) }

    @Test(arguments: [
        "foo", "#", "#/foo", " /foo", "/m~n", "/m~", "/m~2n", "/~", "/bar", "//", "/foo/-", "/foo/2", "/foo/00", "/foo/01",
        "/foo/+1", "/foo/-1", "/foo/1.0", "/foo/1 ", "/foo/", "/foo/0/", "/foo/0/0", "/foo/18446744073709551616",
        "/foo/\u{661}",
    ])
    func pointerToNothing(_ pointer: String) { #expect(value(pointer, Self.rfc) == nil) }

    @Test func theOrderOfEscapesIsTheRFCs() {
        #expect(value("/~01", #"{"~1":1,"/":2}"#) == "1")
        #expect(value("/~10", #"{"~1":1,"/0":2}"#) == "2")
        #expect(value("/0", #"{"0":1}"#) == "1", "a number is a name in an object")
        #expect(value("/-", #"{"-":1}"#) == "1")
        #expect(value("/01", #"{"01":1}"#) == "1")
    }

    @Test func theFirstOfSeveralMembersCounts() {
        #expect(value("/a", #"{"a":1,"\u0061":2,"a":3}"#) == "1")
        #expect(value("/a/b", #"{"a":1,"a":{"b":2}}"#) == nil)
    }

    @Test func namesAreComparedByteByByte() {
        #expect(value("/é", #"{"e\#u{301}":1,"\#u{e9}":2}"#) == "2", "Swift takes both for one text")
        #expect(value("/K", #"{"\#u{212A}":1}"#) == nil)
        #expect(value("/\u{e9}", #"{"\u00e9":1}"#) == "1")
    }

    @Test(arguments: [
        ("30", "30"), ("-1.50E+3", "-1.50E+3"), ("true", "true"), ("null", "null"), ("[ 1 ]", "[ 1 ]"),
        (#"{"a" : 1}"#, #"{"a" : 1}"#),
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00eb\ud83d\ude00""#, "ë😀"),
        (#""a\u0000b""#, "a\u{FFFD}b"), (#""\ud800x\udc00""#, "\u{FFFD}x\u{FFFD}"),
        (#"["\ud800\u0000"]"#, #"["\ud800\u0000"]"#),
    ])
    func valueAsAHostGetsIt(_ json: String, _ expected: String) {
        #expect(value("", json) == expected)
        #expect(value("/x/1", #"{"x":[0, \#(json) ]}"#) == expected)
    }

    @Test(arguments: ["", "{", "{}x", "nonsense", #"{"a":1,}"#, #"{"a":1"#])
    func textThatIsNotJSON(_ json: String) {
        #expect(value("", json) == nil)
        #expect(value("/a", json) == nil)
    }

    @Test func depthIsThatOfTheReader() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "7" + String(repeating: "]", count: depth)
        }
        #expect(value(String(repeating: "/0", count: 128), nested(128)) == "7")
        #expect(value("", nested(129)) == nil)
    }

    @Test(arguments: [
        ("", #""""#), (#"Jo","email":"x"#, #""Jo\",\"email\":\"x""#), ("a\\b/c", #""a\\b/c""#),
        ("\n\r\t\u{1}\u{1f}\u{7f}", "\"\\n\\r\\t\\u0001\\u001f\u{7f}\""), ("Zoë 😀", "\"Zoë 😀\""), ("\0", #""\u0000""#),
    ])
    func quotedText(_ text: String, _ expected: String) { #expect(quoted(Array(text.utf8)) == expected) }

    /// Each maximal part of a sequence that is none, as Unicode recommends.
    @Test(
        arguments: [
            ([0xFF], "\u{FFFD}"), ([0x4D, 0xFC, 0x6C], "M\u{FFFD}l"), ([0xE2, 0x82], "\u{FFFD}"),
            ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xF0, 0x9F, 0x98, 0x41], "\u{FFFD}A"),
        ] as [([UInt8], String)])
    func whatIsNotUTF8IsRepaired(_ bytes: [UInt8], _ expected: String) {
        #expect(quoted(bytes) == "\"\(expected)\"")
    }

    @Test func whatIsQuotedIsReadBack() {
        for scalar in (1...0x2FFF).compactMap(Unicode.Scalar.init) {
            let text = "a\(Character(scalar))\"b"
            #expect(JSON.value(at: [], in: JSON.quoted(Array(text.utf8))) == Array(text.utf8))
        }
    }
}
