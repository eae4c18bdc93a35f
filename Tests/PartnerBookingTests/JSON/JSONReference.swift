@testable import PartnerBooking

/// An event of a visitor, or the end of a scan.
struct JSONEvent: Equatable {
    enum Kind { case key, scalar, open, close }

    let kind: Kind
    let value: JSONKind
    let start: Int
    let end: Int
    let hasEscapes: Bool
}

struct JSONRecorder: JSONVisitor {
    private(set) var events: [JSONEvent] = []

    mutating func key(_ span: Range<Int>, hasEscapes: Bool) { add(.key, .string, span, hasEscapes) }

    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {
        add(.scalar, kind, span, hasEscapes)
    }

    mutating func open(_ kind: JSONKind, at offset: Int) { add(.open, kind, offset..<offset, false) }

    mutating func close(at end: Int) { add(.close, .null, end..<end, false) }

    private mutating func add(_ kind: JSONEvent.Kind, _ value: JSONKind, _ span: Range<Int>, _ hasEscapes: Bool) {
        events.append(
            JSONEvent(kind: kind, value: value, start: span.lowerBound, end: span.upperBound, hasEscapes: hasEscapes))
    }
}

/// Reads JSON byte by byte, as plainly as it can be done. The scanner of the library reads words, and must do the
/// same.
struct JSONReference {
    let bytes: [UInt8]
    let profile: JSONProfile
    private(set) var recorder = JSONRecorder()

    init(_ bytes: [UInt8], _ profile: JSONProfile) {
        self.bytes = bytes
        self.profile = profile
    }

    mutating func scan() throws(JSONSyntaxError) {
        let end = afterWhitespace(try afterValue(afterWhitespace(0), depth: 0))
        if end < bytes.count { throw error("there is text after the end", end) }
    }

    /// A NUL stands nowhere in JSON, so it can stand for the end.
    private func byte(_ place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0 }

    private func character(_ place: Int) -> Unicode.Scalar { Unicode.Scalar(byte(place)) }

    private func error(_ reason: String, _ place: Int) -> JSONSyntaxError {
        JSONSyntaxError(offset: place, reason: place < bytes.count ? reason : "the text ends too early")
    }

    private func afterWhitespace(_ start: Int) -> Int {
        var place = start
        while [0x20, 0x0A, 0x0D, 0x09].contains(byte(place)) { place += 1 }
        return place
    }

    // MARK: Values

    private mutating func afterValue(_ start: Int, depth: Int) throws(JSONSyntaxError) -> Int {
        switch character(start) {
        case "{": return try afterContainer(.object, start, depth)
        case "[": return try afterContainer(.array, start, depth)
        case "\"":
            let (end, hasEscapes) = try afterString(start)
            recorder.scalar(.string, start..<end, hasEscapes: hasEscapes)
            return end
        case "-", "0"..."9": return try afterScalar(.number, start, try afterNumber(start))
        case "t": return try afterScalar(.bool, start, try afterLiteral("true", start))
        case "f": return try afterScalar(.bool, start, try afterLiteral("false", start))
        case "n": return try afterScalar(.null, start, try afterLiteral("null", start))
        default: throw error("a value is expected", start)
        }
    }

    private mutating func afterScalar(_ kind: JSONKind, _ start: Int, _ end: Int) throws(JSONSyntaxError) -> Int {
        recorder.scalar(kind, start..<end, hasEscapes: false)
        return end
    }

    private mutating func afterContainer(_ kind: JSONKind, _ start: Int, _ depth: Int) throws(JSONSyntaxError) -> Int {
        guard depth < 128 else { throw error("nested deeper than 128", start) }
        let closer: Unicode.Scalar = kind == .object ? "}" : "]"
        recorder.open(kind, at: start)
        var place = afterWhitespace(start + 1)
        if character(place) != closer {
            while true {
                if kind == .object { place = try afterKey(place) }
                place = afterWhitespace(try afterValue(place, depth: depth + 1))
                guard character(place) == "," else { break }
                place = afterWhitespace(place + 1)
            }
            guard character(place) == closer else { throw error("a comma or \(closer) is expected", place) }
        }
        recorder.close(at: place + 1)
        return place + 1
    }

    private mutating func afterKey(_ start: Int) throws(JSONSyntaxError) -> Int {
        guard character(start) == "\"" else { throw error("a member name in quotes is expected", start) }
        let (end, hasEscapes) = try afterString(start)
        recorder.key(start..<end, hasEscapes: hasEscapes)
        let colon = afterWhitespace(end)
        guard character(colon) == ":" else { throw error("a colon is expected", colon) }
        return afterWhitespace(colon + 1)
    }

    private func afterLiteral(_ word: String, _ start: Int) throws(JSONSyntaxError) -> Int {
        for (index, expected) in word.utf8.enumerated() where byte(start + index) != expected {
            throw error("a value is expected", start + index)
        }
        return start + word.utf8.count
    }

    private func afterNumber(_ start: Int) throws(JSONSyntaxError) -> Int {
        var place = start
        if character(place) == "-" { place += 1 }
        place = character(place) == "0" ? place + 1 : try afterDigits(place)
        if character(place) == "." { place = try afterDigits(place + 1) }
        if "eE".utf8.contains(byte(place)) {
            place += 1
            if "+-".utf8.contains(byte(place)) { place += 1 }
            place = try afterDigits(place)
        }
        return place
    }

    private func afterDigits(_ start: Int) throws(JSONSyntaxError) -> Int {
        var place = start
        while (0x30...0x39).contains(byte(place)) { place += 1 }
        guard place > start else { throw error("a digit is expected", start) }
        return place
    }

    // MARK: Strings

    private func afterString(_ start: Int) throws(JSONSyntaxError) -> (end: Int, hasEscapes: Bool) {
        var place = start + 1
        var hasEscapes = false
        while character(place) != "\"" {
            if character(place) == "\\" {
                hasEscapes = true
                place = try afterEscape(place)
            } else if byte(place) < 0x20 {
                throw error("a control character must be escaped", place)
            } else {
                place = try afterCharacter(place)
            }
        }
        return (place + 1, hasEscapes)
    }

    private func afterEscape(_ start: Int) throws(JSONSyntaxError) -> Int {
        if "\"\\/bfnrt".utf8.contains(byte(start + 1)) { return start + 2 }
        guard character(start + 1) == "u" else { throw error("this escape does not exist", start + 1) }
        let unit = try hexUnit(start + 2)
        guard profile == .request, (0xD800...0xDFFF).contains(unit) else { return start + 6 }
        let half = JSONSyntaxError(offset: start, reason: "half of a surrogate pair")
        guard unit < 0xDC00 else { throw half }
        for (place, expected) in [(start + 6, "\\"), (start + 7, "u")] as [(Int, Unicode.Scalar)] {
            guard place < bytes.count else { throw error("", place) }
            guard character(place) == expected else { throw half }
        }
        guard (0xDC00...0xDFFF).contains(try hexUnit(start + 8)) else { throw half }
        return start + 12
    }

    private func hexUnit(_ start: Int) throws(JSONSyntaxError) -> Int {
        var unit = 0
        for place in start..<start + 4 {
            switch character(place) {
            case "0"..."9": unit = unit * 16 + Int(byte(place)) - 0x30
            case "a"..."f": unit = unit * 16 + Int(byte(place)) - 0x61 + 10
            case "A"..."F": unit = unit * 16 + Int(byte(place)) - 0x41 + 10
            default: throw error("a hexadecimal digit is expected", place)
            }
        }
        return unit
    }

    /// Table 3-7 of the Unicode standard, row by row.
    private func afterCharacter(_ start: Int) throws(JSONSyntaxError) -> Int {
        let rest: [ClosedRange<UInt8>]
        switch byte(start) {
        case 0x00...0x7F: rest = []
        case 0xC2...0xDF: rest = [0x80...0xBF]
        case 0xE0: rest = [0xA0...0xBF, 0x80...0xBF]
        case 0xE1...0xEC, 0xEE...0xEF: rest = [0x80...0xBF, 0x80...0xBF]
        case 0xED: rest = [0x80...0x9F, 0x80...0xBF]
        case 0xF0: rest = [0x90...0xBF, 0x80...0xBF, 0x80...0xBF]
        case 0xF1...0xF3: rest = [0x80...0xBF, 0x80...0xBF, 0x80...0xBF]
        case 0xF4: rest = [0x80...0x8F, 0x80...0xBF, 0x80...0xBF]
        default: throw error("invalid UTF-8", start)
        }
        for (index, range) in rest.enumerated() where !range.contains(byte(start + 1 + index)) {
            throw error("invalid UTF-8", start)
        }
        return start + 1 + rest.count
    }
}
