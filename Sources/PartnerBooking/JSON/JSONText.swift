/// The bytes of a JSON text, with readers of its rare tokens. Every `after…` takes the offset
/// where a token starts, and returns the offset behind the token.
///
/// `byte(at:)` returns 0 past the end. Other reads first check that the whole word is in the
/// text. A NUL is valid nowhere in JSON, so the end of the text is handled like any other wrong
/// byte. Offsets are never more than a few bytes past the end. So adding to an offset cannot
/// overflow, and `&+` saves the check.
struct JSONText {
    let count: Int
    let base: UnsafeRawPointer
    private let profile: JSONProfile

    init(bytes: UnsafeRawBufferPointer, profile: JSONProfile) {
        count = bytes.count
        base = bytes.baseAddress ?? UnsafeRawPointer(StaticString("").utf8Start)  // never read: count is 0 then
        self.profile = profile
    }

    @inline(__always)
    private func byte(at place: Int) -> UInt8 { place < count ? base.load(fromByteOffset: place, as: UInt8.self) : 0 }

    // MARK: Errors

    @inline(never)
    func error(_ reason: String, at place: Int) -> JSONSyntaxError {
        JSONSyntaxError(offset: place, reason: place < count ? reason : Reason.endsTooEarly)
    }

    @inline(never)
    func tooDeep(_ place: Int) -> JSONSyntaxError {
        error(Reason.tooDeep(JSONWindow.depthLimit), at: place)
    }

    @inline(never)
    func noEnd(of closer: UInt8, at place: Int) -> JSONSyntaxError {
        error(closer == UInt8(ascii: "}") ? Reason.noCommaOrBrace : Reason.noCommaOrBracket, at: place)
    }

    // MARK: Strings

    /// Reads the rest of a string, from any place in it.
    func afterString(from start: Int) throws(JSONSyntaxError) -> (end: Int, hasEscapes: Bool) {
        var place = start
        var hasEscapes = false
        while true {
            let next = byte(at: place)
            if next < 0x20 {
                throw error(Reason.controlCharacter, at: place)
            } else if next >= 0x80 {
                guard let length = utf8SequenceLength(place) else { throw error("invalid UTF-8", at: place) }
                place &+= length
            } else if next == UInt8(ascii: "\"") {
                return (place &+ 1, hasEscapes)
            } else if next == UInt8(ascii: "\\") {
                hasEscapes = true
                place = try afterEscape(place)
            } else {
                place = afterPlainBytes(place &+ 1)
            }
        }
    }

    /// Skips plain bytes, eight at a time. Does nothing in the last seven bytes of a text.
    @inline(__always)
    private func afterPlainBytes(_ start: Int) -> Int {
        var place = start
        while place &+ 8 <= count {
            let stops = JSONWords.stops((base + place).word64)
            if stops != 0 { return place &+ stops.trailingZeroBitCount &>> 3 }
            place &+= 8
        }
        return place
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
            throw error(Reason.noSuchEscape, at: start &+ 1)
        }
    }

    /// Reads the escape of a low surrogate. It must directly follow the high one.
    private func afterLowSurrogate(_ start: Int, high: UInt16) throws(JSONSyntaxError) -> Int {
        let half = JSONSyntaxError(offset: start, reason: Reason.halfPair)
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
                throw error(Reason.noHexDigit, at: place)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Returns the length of a well-formed multi-byte UTF-8 sequence (Unicode, table 3-7), or
    /// nil.
    @inline(__always)
    private func utf8SequenceLength(_ place: Int) -> Int? {
        let word = fourBytes(at: place)
        if word & 0xC0E0 == 0x80C0 { return word & 0x1E == 0 ? nil : 2 }  // C0 and C1 would be overlong
        if word & 0xC0_C0F0 == 0x80_80E0 {
            let bits = word & 0x200F  // the upper five bits of the scalar
            return bits == 0 || bits == 0x200D ? nil : 3  // overlong, or a surrogate
        }
        guard word & 0xC0C0_C0F8 == 0x8080_80F0 else { return nil }
        let plane = (word & 0x07) << 2 | (word >> 12) & 0x03
        return 1...16 ~= plane ? 4 : nil
    }

    /// Returns four bytes as a word. The first byte is the lowest.
    @inline(__always)
    private func fourBytes(at place: Int) -> UInt32 {
        if place &+ 4 <= count { return (base + place).word32 }
        return (0..<4).reduce(0) { $0 | UInt32(byte(at: place &+ $1)) << (8 * $1) }
    }

    // MARK: Other scalars

    func afterOtherScalar(_ start: Int) throws(JSONSyntaxError) -> (end: Int, kind: JSONKind) {
        switch byte(at: start) {
        case UInt8(ascii: "t"): (try afterLiteral("true", start), .bool)
        case UInt8(ascii: "f"): (try afterLiteral("false", start), .bool)
        case UInt8(ascii: "n"): (try afterLiteral("null", start), .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): (try afterNumber(start), .number)
        default: throw error(Reason.noValue, at: start)
        }
    }

    @inline(__always)
    private func afterLiteral(_ word: StaticString, _ start: Int) throws(JSONSyntaxError) -> Int {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(at: start &+ index) == word.utf8Start[index] else {
                throw error(Reason.noValue, at: start &+ index)
            }
        }
        return start &+ word.utf8CodeUnitCount
    }

    private func afterNumber(_ start: Int) throws(JSONSyntaxError) -> Int {
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
        var place = start
        while place &+ 8 <= count {
            let digits = JSONWords.digits((base + place).word64)
            place &+= digits
            guard digits == 8 else { break }
        }
        while byte(at: place).isDigit { place &+= 1 }
        guard place > start else { throw error(Reason.noDigit, at: start) }
        return place
    }
}
