import Testing

@testable import PartnerBooking

/// What may stand between two quotes: characters, UTF-8, escapes; and what may stand between tokens.
@Suite struct JSONStringConformanceTests {
    // MARK: Every byte

    /// Each byte at each place of strings that span more than two machine words, among bytes that differ by one bit or
    /// by one from those that matter: code that looks at eight bytes at once must not see things.
    @Test(arguments: ["a", "!", "#", " ", "[", "]", "%7F"])
    func findsEveryByteAtEveryPlace(_ filler: String) throws {
        let plain = try #require(ConformanceCase.bytes(filler).first)
        for place in 1...18 {
            for byte in UInt8.min...UInt8.max {
                var text = [UInt8(ascii: "\"")] + [UInt8](repeating: plain, count: 18) + [UInt8(ascii: "\"")]
                text[place] = byte
                let offset: Int? =
                    switch byte {
                    case 0x00...0x1F, 0x80...0xFF: place
                    case UInt8(ascii: "\""): text[(place + 1)...].firstIndex { $0 != 0x20 }
                    case UInt8(ascii: "\\"): place == 18 ? text.count : place + 1
                    default: nil
                    }
                ConformanceCase("\(byte) at \(place) among \(filler)", text, offset).check()
            }
        }
    }

    @Test(arguments: UInt8(0)...0x1F)
    func refusesABareControlCharacter(_ byte: UInt8) {
        for (start, rest) in [
            (#"""#, #"""#), (#"["abcdefgh"#, #"ijklmnop"]"#), (#"{""#, #"":1}"#), (#"{"a":"é"#, #"z"}"#),
            (#""\\"#, #"n""#), (#"["\u00"#, #"41"]"#), (#"["\u0041"#, #""]"#), (#""\"#, #"n""#),
        ] {
            ConformanceCase("\(byte) in a string", Array(start.utf8) + [byte] + Array(rest.utf8), start.utf8.count)
                .check()
        }
    }

    /// The four bytes of white space are fine between any two tokens, no other byte or character is.
    @Test(arguments: [
        "%20", "%09", "%0A", "%0D", "%0D%0A", "%00", "%01", "%08", "%0B", "%0C", "%0E", "%1C", "%1F", "%7F", "%80",
        "%85", "%A0", "%FF", "%C2%85", "%C2%A0", "%E1%9A%80", "%E2%80%80", "%E2%80%8B", "%E2%80%A8", "%E2%80%A9",
        "%E2%80%AF", "%E2%81%A0", "%E3%80%80", "%EF%BB%BF", "\\n", "\\t", "/**/", "_",
    ])
    func knowsWhiteSpace(_ text: String) {
        let tokens = ["", "[", "{", #""a""#, ":", "1", "}", ",", "true", ",", "{", "}", ",", "[", "]", "]", ""]
        let space = ConformanceCase.bytes(text)
        let isWhiteSpace = space.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        for place in 1..<tokens.count {
            let start = Array(tokens[..<place].joined().utf8)
            let rest = Array(tokens[place...].joined().utf8)
            ConformanceCase(
                "\(text) before token \(place)", start + space + rest, isWhiteSpace ? nil : start.count
            ).check()
        }
        let everywhere = Array(tokens.map { Array($0.utf8) }.joined(separator: space))
        ConformanceCase("\(text) everywhere", everywhere, isWhiteSpace ? nil : 0).check()
    }

    // MARK: Escapes

    @Test func knowsTheEscapes() {
        for byte in UInt8.min...UInt8.max {
            let isEscape = #""\/bfnrtu"#.utf8.contains(byte)  // of u, four digits follow
            for (start, rest) in [(#""\"#, #"aAfF""#), (#"{"12345678\"#, #"0123":"abc"}"#)] {
                ConformanceCase(
                    "\(byte) after a backslash", Array(start.utf8) + [byte] + Array(rest.utf8),
                    isEscape ? nil : start.utf8.count
                ).check()
            }
        }
    }

    @Test func knowsTheHexadecimalDigits() {
        for byte in UInt8.min...UInt8.max {
            let isDigit = "0123456789abcdefABCDEF".utf8.contains(byte)
            for place in 3..<7 {
                var text = Array(#""\u0041""#.utf8)
                text[place] = byte
                ConformanceCase("\(byte) as digit \(place - 2)", text, isDigit ? nil : place).check()
            }
        }
    }

    @Test func takesEveryEscapedUnit() {
        for unit in UInt16.min...UInt16.max {
            let digits = String(unit, radix: 16, uppercase: unit.isMultiple(of: 2))
            let text = Array("[\"\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)\"]".utf8)
            let isHalf = (0xD800...0xDFFF).contains(unit)
            #expect(offsetOfRefusal(text, .reply) == nil, "\\u\(digits)")
            #expect(offsetOfRefusal(text, .request) == (isHalf ? 2 : nil), "\\u\(digits)")
        }
    }

    private enum Unit { case first, second, other }

    private static let units: [(text: String, unit: Unit)] = [
        (#"\uD800"#, .first), (#"\uDBFF"#, .first), (#"\ud83d"#, .first),
        (#"\uDC00"#, .second), (#"\uDFFF"#, .second), (#"\ude00"#, .second),
        (#"\uD7FF"#, .other), (#"\uE000"#, .other), (#"\u0041"#, .other), (#"\n"#, .other), (#"\\"#, .other),
        ("u", .other), ("%F0%9F%98%80", .other),
    ]

    /// Every row of up to four halves and other things, as a value and as a name: a first half and a second one right
    /// after it are a pair, any other half stands alone.
    @Test(arguments: 0..<Self.units.count)
    func pairsSurrogates(_ first: Int) {
        let units = Self.units.map { (bytes: ConformanceCase.bytes($0.text), unit: $0.unit) }
        func check(_ row: [Int]) {
            var offset = 2
            var lone: Int?
            var index = 0
            while index < row.count, lone == nil {
                let isPair =
                    units[row[index]].unit == .first && index + 1 < row.count && units[row[index + 1]].unit == .second
                if !isPair, units[row[index]].unit != .other { lone = offset }
                for _ in 0..<(isPair ? 2 : 1) {
                    offset += units[row[index]].bytes.count
                    index += 1
                }
            }
            let name = row.map { Self.units[$0].text }.joined()
            let body = row.flatMap { units[$0].bytes }
            for (start, end) in [(#"[""#, #""]"#), (#"{""#, #"":0}"#)] {
                let text = Array(start.utf8) + body + Array(end.utf8)
                #expect(offsetOfRefusal(text, .reply) == nil, "\(name)")
                #expect(offsetOfRefusal(text, .request) == lone, "\(name)")
            }
        }
        check([first])
        for second in units.indices {
            check([first, second])
            for third in units.indices { check([first, second, third]) }
            for (third, fourth) in [(0, 3), (3, 0), (0, 0), (3, 3), (2, 5)] { check([first, second, third, fourth]) }
        }
    }

    // MARK: UTF-8

    /// The ends of each row of Unicode's table of well-formed sequences.
    @Test(arguments: [
        "%20", "%7F", "%C2%80", "%DF%BF", "%E0%A0%80", "%E0%BF%BF", "%E1%80%80", "%EC%BF%BF", "%ED%80%80", "%ED%9F%BF",
        "%EE%80%80", "%EF%BF%BF", "%F0%90%80%80", "%F0%BF%BF%BF", "%F1%80%80%80", "%F3%BF%BF%BF", "%F4%80%80%80",
        "%F4%8F%BF%BF", "%C3%A9%E2%82%AC%F0%9F%98%80%C3%A9",
    ])
    func acceptsUTF8(_ text: String) {
        for bytes in Self.strings(around: text) { ConformanceCase(text, bytes.text, nil).check() }
    }

    /// Their neighbours: overlong forms, surrogates, code points beyond U+10FFFF, bytes that start nothing.
    @Test(arguments: [
        "%80", "%8F", "%90", "%9F", "%A0", "%BF", "%80%80", "%C0%80", "%C0%AF", "%C1%80", "%C1%BF", "%C2%7F", "%C2%C0",
        "%DF%7F", "%DF%C0", "%E0%80%80", "%E0%80%AF", "%E0%9F%BF", "%E0%A0%7F", "%E0%A0%C0", "%E0%C0%80", "%E1%7F%80",
        "%EC%C0%80", "%ED%A0%80", "%ED%AF%BF", "%ED%B0%80", "%ED%BF%BF", "%ED%A0%BD%ED%B8%80", "%EF%BF%7F",
        "%EF%BF%C0", "%F0%80%80%80", "%F0%80%80%AF", "%F0%8F%BF%BF", "%F0%90%7F%80", "%F0%90%C0%80", "%F0%90%80%7F",
        "%F0%90%80%C0", "%F3%BF%BF%C0", "%F4%90%80%80", "%F4%BF%BF%BF", "%F5%80%80%80", "%F7%BF%BF%BF",
        "%F8%88%80%80%80", "%FB%BF%BF%BF%BF", "%FC%84%80%80%80%80", "%FD%BF%BF%BF%BF%BF", "%FE", "%FF", "%FE%FE%FF%FF",
    ])
    func refusesWhatIsNotUTF8(_ text: String) {
        for bytes in Self.strings(around: text) { ConformanceCase(text, bytes.text, bytes.offset).check() }
    }

    /// A character that is broken off: by the end of the string, by a letter, an escape, another character, or the end
    /// of the text. The last may count as a text that is cut, or as a bad character.
    @Test(arguments: [
        "%C2%80", "%C3%A9", "%DF%BF", "%E0%A0%80", "%E2%82%AC", "%ED%9F%BF", "%EF%BF%BF", "%F0%90%80%80",
        "%F0%9F%98%80", "%F4%8F%BF%BF",
    ])
    func refusesHalfACharacter(_ text: String) {
        let character = ConformanceCase.bytes(text)
        for length in 1..<character.count {
            for start in [#"""#, #"["abcde"#, #"{"a":"%E2%82%AC"#] {
                let start = ConformanceCase.bytes(start)
                let broken = start + character[..<length]
                for rest in [#"""#, #"a""#, #"\n""#, #"%C3%A9""#, #"%E2%82%AC""#, #"%F0%9F%98%80""#, "%00", "]"] {
                    ConformanceCase("\(text), cut", broken + ConformanceCase.bytes(rest), start.count).check()
                }
                let offsets = [start.count, broken.count]
                ConformanceCase(name: "\(text), cut", bytes: broken, inRequests: offsets, inReplies: offsets).check()
            }
        }
    }

    /// Every two bytes from 0x80 on, and longer rows from the values that matter, against the standard library's
    /// decoder.
    @Test func agreesWithTheStandardLibrary() {
        let edges: [UInt8] = [0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE1, 0xF0, 0xFF]
        for first in UInt8(0x80)...0xFF {
            for second in UInt8(0x80)...0xFF { checkAgainstTheStandardLibrary([first, second]) }
            guard first >= 0xE0 else { continue }
            for second in edges {
                for third in edges {
                    checkAgainstTheStandardLibrary([first, second, third])
                    if first >= 0xF0 { checkAgainstTheStandardLibrary([first, second, third, 0x80]) }
                }
            }
        }
    }

    private func checkAgainstTheStandardLibrary(_ bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        let valid = (0...bytes.count).last { String(validating: bytes[..<$0], as: UTF8.self) != nil } ?? 0
        ConformanceCase("\(bytes)", quote + bytes + quote, valid == bytes.count ? nil : 1 + valid).check()
    }

    @Test func acceptsEveryCharacter() {
        for block in stride(from: UInt32(0), to: 0x110000, by: 0x1000) {
            var text = "\""
            for value in block..<block + 0x1000 where value >= 0x20 && value != 0x22 && value != 0x5C {
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            }
            text += "\""
            #expect(offsetOfRefusal(Array(text.utf8), .request) == nil, "U+\(String(block, radix: 16))…")
        }
    }

    /// The bytes in strings of their own, in names, and after so many letters that they stand at every place of a
    /// machine word; with the offset where they start.
    private static func strings(around text: String) -> [(text: [UInt8], offset: Int)] {
        let bytes = ConformanceCase.bytes(text)
        let letters = (0..<9).map { ("\"" + String(repeating: "a", count: $0), #"b""#) }
        return (letters + [(#"""#, #"""#), (#"{""#, #"":1}"#), (#"["\n"#, #"\\"]"#), (#"{"a":"é"#, #"é"}"#)]).map {
            (Array($0.utf8) + bytes + Array($1.utf8), $0.utf8.count)
        }
    }
}
