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
/// This runs over every reply, so the place in the text is a local of `scan` that stays in a register: the helpers are inlined,
/// and the rare ones (`JSONText`'s) take a place and give one back.
struct JSONScanner<Visitor: JSONVisitor> {
    private let text: JSONText
    private(set) var visitor: Visitor

    init(_ bytes: UnsafeRawBufferPointer, profile: JSONProfile, visitor: Visitor) {
        text = JSONText(bytes: bytes, profile: profile)
        self.visitor = visitor
    }

    mutating func scan() throws(JSONSyntaxError) {
        let text = self.text
        var depth = 0
        var objects: UInt128 = 0  // one bit a level, the innermost lowest: 1 in an object, 0 in an array
        var place = text.afterWhitespace(0)
        var isKeyNext = false
        while true {
            if isKeyNext {
                var hasEscapes = false
                let end = try text.afterKey(place, &hasEscapes)
                visitor.key(place..<end, hasEscapes: hasEscapes)
                place = try text.afterColon(end)
                isKeyNext = false
            }
            // Here a value must start.
            var isClosed = true
            let start = place
            switch text.byte(at: place) {
            case UInt8(ascii: "{"):
                guard depth < JSONText.depthLimit else { throw text.tooDeep(place) }
                visitor.open(.object, at: place)
                depth &+= 1
                objects = objects &<< 1 | 1
                place = text.afterWhitespace(place &+ 1)
                isClosed = text.byte(at: place) == UInt8(ascii: "}")
                isKeyNext = !isClosed
            case UInt8(ascii: "["):
                guard depth < JSONText.depthLimit else { throw text.tooDeep(place) }
                visitor.open(.array, at: place)
                depth &+= 1
                objects &<<= 1
                place = text.afterWhitespace(place &+ 1)
                isClosed = text.byte(at: place) == UInt8(ascii: "]")
            case UInt8(ascii: "\""):
                var hasEscapes = false
                place = try text.afterString(place, &hasEscapes)
                visitor.scalar(.string, start..<place, hasEscapes: hasEscapes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                place = try text.afterNumber(place)
                visitor.scalar(.number, start..<place, hasEscapes: false)
            case UInt8(ascii: "t"):
                place = try text.afterLiteral("true", place)
                visitor.scalar(.bool, start..<place, hasEscapes: false)
            case UInt8(ascii: "f"):
                place = try text.afterLiteral("false", place)
                visitor.scalar(.bool, start..<place, hasEscapes: false)
            case UInt8(ascii: "n"):
                place = try text.afterLiteral("null", place)
                visitor.scalar(.null, start..<place, hasEscapes: false)
            default:
                throw text.error("a value is expected", at: place)
            }
            guard isClosed else { continue }

            // Here a value has ended: close what it closes, and go to the next one.
            afterValue: while true {
                place = text.afterWhitespace(place)
                guard depth > 0 else {
                    if place < text.count { throw text.error("there is text after the end", at: place) }
                    return
                }
                let isObject = objects & 1 == 1
                let next = text.byte(at: place)
                if next == UInt8(ascii: ",") {
                    place = text.afterWhitespace(place &+ 1)
                    isKeyNext = isObject
                    break afterValue
                }
                guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw text.error(isObject ? "a comma or } is expected" : "a comma or ] is expected", at: place)
                }
                place &+= 1
                depth &-= 1
                objects &>>= 1
                visitor.close(at: place)
            }
        }
    }
}

/// The bytes of a JSON text, and the way past each of its tokens: every `after…` takes the place where a token starts and
/// gives the one behind it.
///
/// Every byte is fetched through `byte(at:)`, which gives 0 past the end: a NUL is valid nowhere in JSON, so running off the
/// end takes the same path as any other wrong byte. No place is ever more than a few bytes past the end, so adding to one cannot
/// overflow, and `&+` spares the check.
struct JSONText {
    static let depthLimit = 128

    let count: Int
    private let base: UnsafeRawPointer
    private let profile: JSONProfile

    init(bytes: UnsafeRawBufferPointer, profile: JSONProfile) {
        count = bytes.count
        base = bytes.baseAddress ?? UnsafeRawPointer(StaticString("").utf8Start)  // never read: count is 0 then
        self.profile = profile
    }

    @inline(__always)
    func byte(at place: Int) -> UInt8 { place < count ? base.load(fromByteOffset: place, as: UInt8.self) : 0 }

    @inline(never)
    func error(_ reason: String, at place: Int) -> JSONSyntaxError {
        JSONSyntaxError(offset: place, reason: place < count ? reason : "the text ends too early")
    }

    @inline(never)
    func tooDeep(_ place: Int) -> JSONSyntaxError { error("nested deeper than \(Self.depthLimit)", at: place) }

    @inline(__always)
    func afterWhitespace(_ start: Int) -> Int {
        var place = start
        while true {
            let next = byte(at: place)
            guard next <= 0x20, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 else { return place }
            place &+= 1
        }
    }

    @inline(__always)
    func afterKey(_ start: Int, _ hasEscapes: inout Bool) throws(JSONSyntaxError) -> Int {
        guard byte(at: start) == UInt8(ascii: "\"") else { throw error("a member name in quotes is expected", at: start) }
        return try afterString(start, &hasEscapes)
    }

    /// From behind a member's name to its value.
    @inline(__always)
    func afterColon(_ start: Int) throws(JSONSyntaxError) -> Int {
        let colon = afterWhitespace(start)
        guard byte(at: colon) == UInt8(ascii: ":") else { throw error("a colon is expected", at: colon) }
        return afterWhitespace(colon &+ 1)
    }

    /// From the opening quote to behind the closing one.
    @inline(__always)
    func afterString(_ start: Int, _ hasEscapes: inout Bool) throws(JSONSyntaxError) -> Int {
        let place = afterPlainBytes(start &+ 1)
        if byte(at: place) == UInt8(ascii: "\"") { return place &+ 1 }
        return try afterRestOfString(place, &hasEscapes)
    }

    @inline(never)
    private func afterRestOfString(_ start: Int, _ hasEscapes: inout Bool) throws(JSONSyntaxError) -> Int {
        var place = start
        while true {
            let next = byte(at: place)
            if next == UInt8(ascii: "\"") { return place &+ 1 }
            if next == UInt8(ascii: "\\") {
                hasEscapes = true
                place = try afterEscape(place)
            } else if next < 0x20 {
                throw error("a control character must be escaped", at: place)
            } else if next < 0x80 {
                place = afterPlainBytes(place &+ 1)
            } else {
                guard let length = utf8SequenceLength(place) else { throw error("invalid UTF-8", at: place) }
                place &+= length
            }
        }
    }

    /// To the next byte that ends a string or needs a closer look, eight at a time, with the classic test for a zero byte in a
    /// word: of `x - 0x01…` the high bit of a byte is set where x has a zero, or a high bit itself. So quotes, backslashes,
    /// control characters and the bytes of longer UTF-8 sequences show as high bits, the lowest of which is always true.
    /// (Swift's SIMD types would be the better tool, but compare lane by lane as of 6.3.) In the last seven bytes of a text
    /// it stops early.
    @inline(__always)
    private func afterPlainBytes(_ start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var place = start
        while place &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let quotes = (word ^ (ones &* 0x22)) &- ones
            let backslashes = (word ^ (ones &* 0x5C)) &- ones
            let controls = word &- (ones &* 0x20)
            let stops = (quotes | backslashes | controls | word) & highs
            if stops != 0 { return place &+ stops.trailingZeroBitCount / 8 }
            place &+= 8
        }
        return place
    }

    @inline(__always)
    func afterNumber(_ start: Int) throws(JSONSyntaxError) -> Int {
        var place = start
        if byte(at: place) == UInt8(ascii: "-") { place &+= 1 }
        if byte(at: place) == UInt8(ascii: "0") {
            place &+= 1
        } else {
            place = try afterDigits(place)
        }
        if byte(at: place) == UInt8(ascii: ".") { place = try afterDigits(place &+ 1) }
        if byte(at: place) | 0x20 == UInt8(ascii: "e") {
            place &+= 1
            if byte(at: place) == UInt8(ascii: "+") || byte(at: place) == UInt8(ascii: "-") { place &+= 1 }
            place = try afterDigits(place)
        }
        return place
    }

    @inline(__always)
    private func afterDigits(_ start: Int) throws(JSONSyntaxError) -> Int {
        guard byte(at: start).isDigit else { throw error("a digit is expected", at: start) }
        var place = start &+ 1
        while byte(at: place).isDigit { place &+= 1 }
        return place
    }

    func afterLiteral(_ word: StaticString, _ start: Int) throws(JSONSyntaxError) -> Int {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(at: start + index) == word.utf8Start[index] else {
                throw error("a value is expected", at: start + index)
            }
        }
        return start + word.utf8CodeUnitCount
    }

    private func afterEscape(_ start: Int) throws(JSONSyntaxError) -> Int {
        switch byte(at: start &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            let unit = try hexUnit(start + 2)
            let isSurrogate = (0xD800...0xDFFF).contains(unit)
            guard isSurrogate, profile == .request else { return start + 6 }
            return try afterLowSurrogate(start, high: unit)
        default:
            throw error("this escape does not exist", at: start &+ 1)
        }
    }

    /// A high half must be followed at once by the escape of a low half.
    private func afterLowSurrogate(_ start: Int, high: UInt16) throws(JSONSyntaxError) -> Int {
        let half = JSONSyntaxError(offset: start, reason: "half of a surrogate pair")
        guard high < 0xDC00 else { throw half }
        for (place, expected) in [(start + 6, UInt8(ascii: "\\")), (start + 7, UInt8(ascii: "u"))] {
            guard place < count else { throw error("", at: place) }
            guard byte(at: place) == expected else { throw half }
        }
        guard (0xDC00...0xDFFF).contains(try hexUnit(start + 8)) else { throw half }
        return start &+ 12
    }

    private func hexUnit(_ start: Int) throws(JSONSyntaxError) -> UInt16 {
        var unit: UInt16 = 0
        for place in start..<start + 4 {
            guard let digit = byte(at: place).hexDigitValue else {
                throw error("a hexadecimal digit is expected", at: place)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The length of the well-formed UTF-8 sequence there (Unicode, table 3-7), or nil.
    private func utf8SequenceLength(_ place: Int) -> Int? {
        let second: ClosedRange<UInt8>
        let length: Int
        switch byte(at: place) {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xE1...0xEC, 0xEE...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: return nil
        }
        guard second.contains(byte(at: place &+ 1)) else { return nil }
        for index in 2..<4 where index < length {
            guard (0x80...0xBF).contains(byte(at: place + index)) else { return nil }
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
