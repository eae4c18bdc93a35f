/// Why and where a text stops being JSON: the offset of the first byte that cannot be part of any JSON text. For a text
/// that ends too early that is its length.
struct JSONSyntaxError: Error, Equatable {
    let offset: Int
    let reason: String
}

/// How strict the reader is where RFC 8259 leaves room.
enum JSONProfile {
    /// What callers hand in: half of a surrogate pair is refused, since it cannot be turned into UTF-8 later.
    case request
    /// What services answer: the grammar exactly, so that a reply with a cut emoji is still a reply.
    case reply
}

enum JSONKind: UInt8 {
    case object, array, string, number, bool, null
}

/// What a scan tells as it goes. Offsets are those of the scanned bytes; spans of strings and keys include the quotes.
protocol JSONVisitor {
    mutating func key(_ span: Range<Int>, hasEscapes: Bool)
    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool)
    mutating func open(_ kind: JSONKind, at offset: Int)
    mutating func close(at end: Int)
}

/// Reads one JSON text from first byte to last: RFC 8259 exactly, UTF-8 checked, no recursion, no memory of its own.
///
/// Every byte is fetched through `byte(at:)`, which gives 0 past the end: a NUL is valid nowhere in JSON, so running off the
/// end takes the same path as any other wrong byte.
struct JSONScanner<Visitor: JSONVisitor> {
    static var depthLimit: Int { 128 }

    private let bytes: UnsafeRawBufferPointer
    private let profile: JSONProfile
    private var offset = 0
    private(set) var visitor: Visitor

    init(_ bytes: UnsafeRawBufferPointer, profile: JSONProfile, visitor: Visitor) {
        self.bytes = bytes
        self.profile = profile
        self.visitor = visitor
    }

    mutating func scan() throws(JSONSyntaxError) {
        var depth = 0
        var objects: UInt128 = 0  // one bit a level, the innermost lowest: 1 in an object, 0 in an array
        skipWhitespace()
        while true {
            // Here a value must start.
            var isClosed = true
            switch byte(at: offset) {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < Self.depthLimit else { throw error("nested deeper than \(Self.depthLimit)") }
                let isObject = byte(at: offset) == UInt8(ascii: "{")
                visitor.open(isObject ? .object : .array, at: offset)
                depth += 1
                objects = objects << 1 | (isObject ? 1 : 0)
                offset += 1
                skipWhitespace()
                isClosed = byte(at: offset) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                if !isClosed, isObject { try readKey() }
            case UInt8(ascii: "\""):
                let start = offset
                let hasEscapes = try skipString()
                visitor.scalar(.string, start..<offset, hasEscapes: hasEscapes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                let start = offset
                try skipNumber()
                visitor.scalar(.number, start..<offset, hasEscapes: false)
            case UInt8(ascii: "t"): try skipLiteral("true", .bool)
            case UInt8(ascii: "f"): try skipLiteral("false", .bool)
            case UInt8(ascii: "n"): try skipLiteral("null", .null)
            default: throw error("a value is expected")
            }
            guard isClosed else { continue }

            // Here a value has ended: close what it closes, and go to the next one.
            afterValue: while true {
                skipWhitespace()
                guard depth > 0 else {
                    if offset < bytes.count { throw error("there is text after the end") }
                    return
                }
                let isObject = objects & 1 == 1
                switch byte(at: offset) {
                case UInt8(ascii: ","):
                    offset += 1
                    skipWhitespace()
                    if isObject { try readKey() }
                    break afterValue
                case isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
                    offset += 1
                    depth -= 1
                    objects >>= 1
                    visitor.close(at: offset)
                default:
                    throw error(isObject ? "a comma or } is expected" : "a comma or ] is expected")
                }
            }
        }
    }

    private func byte(at index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func error(_ reason: String, at place: Int? = nil) -> JSONSyntaxError {
        let place = place ?? offset
        return JSONSyntaxError(offset: place, reason: place < bytes.count ? reason : "the text ends too early")
    }

    private mutating func skipWhitespace() {
        while true {
            switch byte(at: offset) {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private mutating func readKey() throws(JSONSyntaxError) {
        guard byte(at: offset) == UInt8(ascii: "\"") else { throw error("a member name in quotes is expected") }
        let start = offset
        let hasEscapes = try skipString()
        visitor.key(start..<offset, hasEscapes: hasEscapes)
        skipWhitespace()
        guard byte(at: offset) == UInt8(ascii: ":") else { throw error("a colon is expected") }
        offset += 1
        skipWhitespace()
    }

    private mutating func skipLiteral(_ word: StaticString, _ kind: JSONKind) throws(JSONSyntaxError) {
        let start = offset
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(at: offset) == word.utf8Start[index] else { throw error("a value is expected") }
            offset += 1
        }
        visitor.scalar(kind, start..<offset, hasEscapes: false)
    }

    private mutating func skipNumber() throws(JSONSyntaxError) {
        if byte(at: offset) == UInt8(ascii: "-") { offset += 1 }
        if byte(at: offset) == UInt8(ascii: "0") {
            offset += 1
        } else {
            try skipDigits()
        }
        if byte(at: offset) == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if byte(at: offset) | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if byte(at: offset) == UInt8(ascii: "+") || byte(at: offset) == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONSyntaxError) {
        guard byte(at: offset).isDigit else { throw error("a digit is expected") }
        repeat { offset += 1 } while byte(at: offset).isDigit
    }

    /// Moves from the opening quote to behind the closing one; tells whether there was an escape.
    private mutating func skipString() throws(JSONSyntaxError) -> Bool {
        offset += 1
        var hasEscapes = false
        while true {
            skipPlainBytes()
            let next = byte(at: offset)
            if next == UInt8(ascii: "\"") {
                offset += 1
                return hasEscapes
            }
            if next == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if next < 0x20 {
                throw error("a control character must be escaped")
            } else if next < 0x80 {
                offset += 1
            } else {
                guard let length = utf8SequenceLength() else { throw error("invalid UTF-8") }
                offset += length
            }
        }
    }

    /// Skips, eight bytes at a time, to the next byte that ends the string or needs a closer look. The classic test for a
    /// zero byte in a word, `(x - 0x01…) & ~x & 0x80…`, finds quotes, backslashes and control characters; its lowest hit is
    /// always a true one.
    private mutating func skipPlainBytes() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while offset + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let stops =
                ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes)
                | ((word &- (ones &* 0x20)) & ~word) | word
            if stops & highs != 0 {
                offset += (stops & highs).trailingZeroBitCount / 8
                return
            }
            offset += 8
        }
    }

    private mutating func skipEscape() throws(JSONSyntaxError) {
        let start = offset
        offset += 1
        switch byte(at: offset) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 1
        case UInt8(ascii: "u"):
            offset += 1
            let unit = try readHexUnit()
            guard profile == .request, (0xD800...0xDFFF).contains(unit) else { return }
            // A high half must be followed at once by the escape of a low half.
            guard unit < 0xDC00, byte(at: offset) == UInt8(ascii: "\\") || offset >= bytes.count else {
                throw JSONSyntaxError(offset: start, reason: "half of a surrogate pair")
            }
            guard offset < bytes.count else { throw error("") }
            guard byte(at: offset + 1) == UInt8(ascii: "u") || offset + 1 >= bytes.count else {
                throw JSONSyntaxError(offset: start, reason: "half of a surrogate pair")
            }
            guard offset + 1 < bytes.count else { throw error("", at: offset + 1) }
            offset += 2
            guard (0xDC00...0xDFFF).contains(try readHexUnit()) else {
                throw JSONSyntaxError(offset: start, reason: "half of a surrogate pair")
            }
        default:
            throw error("this escape does not exist")
        }
    }

    private mutating func readHexUnit() throws(JSONSyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = byte(at: offset).hexDigitValue else { throw error("a hexadecimal digit is expected") }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }

    /// The length of the well-formed UTF-8 sequence here (Unicode, table 3-7), or nil.
    private func utf8SequenceLength() -> Int? {
        let second: ClosedRange<UInt8>
        let length: Int
        switch byte(at: offset) {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEC, 0xEE...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: return nil
        }
        guard second.contains(byte(at: offset + 1)) else { return nil }
        for index in 2..<4 where index < length {
            guard (0x80...0xBF).contains(byte(at: offset + index)) else { return nil }
        }
        return length
    }
}

extension UInt8 {
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    var hexDigitValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
