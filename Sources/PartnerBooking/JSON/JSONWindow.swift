/// Tests of several bytes at once. A word is a little-endian load, so the first byte is the
/// lowest.
enum JSONWords {
    static let quoteColon: UInt16 = 0x3A22
    /// The bytes `},{"`: the end of an object, a comma, and the start of the next object and its
    /// first name.
    static let nextObject: UInt32 = 0x227B_2C7D
    static let `true`: UInt32 = 0x6575_7274
    static let fals: UInt32 = 0x736C_6166
    static let null: UInt32 = 0x6C6C_756E
    static let spaces: UInt64 = 0x2020_2020_2020_2020

    /// Returns a word whose lowest set bit belongs to the first stop byte, or 0 if there is none.
    /// Stop bytes are quotes, backslashes, control characters and bytes from 0x80 on.
    ///
    /// With one bit flipped, a quote comes directly behind the control characters. A subtraction
    /// then sets the high bit of all of them. Another subtraction does this for a backslash,
    /// which is 0 after its bits are flipped. A byte from 0x80 on keeps its high bit in at least
    /// one of the two results. A subtraction can borrow from the next byte, but only behind a
    /// stop byte.
    ///
    /// SIMD16 takes fewer instructions, but its result takes longer to come back into a register.
    /// With it, short strings take a third more time, and replies consist of short strings.
    @inline(__always)
    static func stops(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotesAndControls = (word ^ (ones &* 0x02)) &- (ones &* 0x21)
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        return (quotesAndControls | backslashes) & (ones &* 0x80)
    }

    /// Returns the number of digits at the start of the word. With the bits of "0" flipped, a
    /// digit is 0 to 9. Adding 0x76 then sets the high bit of any larger byte. A carry only
    /// reaches bytes behind the first byte that is not a digit.
    @inline(__always)
    static func digits(_ word: UInt64) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let values = word ^ (ones &* 0x30)
        let others = (values &+ (ones &* 0x76) | values) & (ones &* 0x80)
        return others.trailingZeroBitCount &>> 3
    }
}

extension UnsafeRawPointer {
    @inline(__always) var byte: UInt8 { load(as: UInt8.self) }
    @inline(__always) var word16: UInt16 { UInt16(littleEndian: loadUnaligned(as: UInt16.self)) }
    @inline(__always) var word32: UInt32 { UInt32(littleEndian: loadUnaligned(as: UInt32.self)) }
    @inline(__always) var word64: UInt64 { UInt64(littleEndian: loadUnaligned(as: UInt64.self)) }
}

/// A JSON text that is read in words, without a check for its end at each word.
///
/// From any place before `end`, the next `room` bytes are in memory. At first the window is the
/// text without its last `room` bytes. When a place reaches `end`, the window moves once, to a
/// copy of the rest of the text with zeros behind it. A zero is valid nowhere in JSON, so no
/// reader goes past the first zero. So readers of the copy need no check for its end.
///
/// The scanner makes room before each member, element and closer. Up to the next one, it reads
/// fewer than `room` bytes. Loops check each step against `end`, and longer tokens make room
/// themselves.
struct JSONWindow {
    static let depthLimit = 128
    static let room = 64
    /// Size of the scratch memory in bytes: the copy of the rest with its zeros, and the closers.
    static let scratchSize = 2 * room + depthLimit

    let text: JSONText
    private let rest: UnsafeMutableRawPointer
    private var end: UnsafeRawPointer
    /// The address of the text's first byte. After the move, the address where this byte would be
    /// in front of the copy.
    private var origin: Int

    init(_ text: JSONText, scratch: UnsafeMutableRawPointer) {
        self.text = text
        rest = scratch
        end = text.base + max(text.count - Self.room, 0)
        origin = Int(bitPattern: text.base)
    }

    /// Memory with one byte for each level of nesting.
    @inline(__always) var closers: UnsafeMutableRawPointer { rest + 2 * Self.room }

    @inline(__always)
    func offset(of place: UnsafeRawPointer) -> Int { Int(bitPattern: place) &- origin }

    @inline(__always)
    func span(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> Range<Int> {
        Range(uncheckedBounds: (offset(of: start), offset(of: end)))
    }

    /// Moves the window if fewer than `room` bytes are in memory from this place on.
    @inline(__always)
    mutating func makeRoom(_ place: inout UnsafeRawPointer) {
        if place >= end { place = move(to: offset(of: place)) }
    }

    /// Returns the place of an offset, with room behind it. Offsets must not decrease from call
    /// to call.
    @inline(never)
    mutating func move(to offset: Int) -> UnsafeRawPointer {
        if offset < text.count - Self.room { return text.base + offset }
        rest.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * Self.room)
        if offset < text.count { rest.copyMemory(from: text.base + offset, byteCount: text.count - offset) }
        origin = Int(bitPattern: rest) - offset
        end = UnsafeRawPointer(rest + 2 * Self.room)
        return UnsafeRawPointer(rest)
    }

    // MARK: White space

    @inline(__always)
    mutating func skipSpace(_ place: inout UnsafeRawPointer) {
        if place.byte <= 0x20 { passSpace(&place) }
    }

    /// Moves to the next byte that is not white space. Returns true if there was white space.
    @inline(__always)
    @discardableResult
    mutating func passSpace(_ place: inout UnsafeRawPointer) -> Bool {
        let start = offset(of: place)
        if place.byte == 0x20 { place += 1 }
        if place.byte <= 0x20 {
            place = Self.afterSpace(place, end)
            if place >= end { place = afterMoreSpace(place) }
        }
        return offset(of: place) > start
    }

    @inline(never)
    private mutating func afterMoreSpace(_ place: UnsafeRawPointer) -> UnsafeRawPointer {
        let place = move(to: offset(of: place))
        return Self.afterSpace(place, end)
    }

    /// Skips white space, in steps of eight for long indentation. The returned place can be
    /// `end`, or a few bytes behind it.
    @inline(never)
    private static func afterSpace(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> UnsafeRawPointer {
        var place = start
        while place < end {
            if place.word64 == JSONWords.spaces {
                place += 8
                continue
            }
            while place.byte == 0x20 { place += 1 }  // at most seven
            guard place.byte == 0x0A || place.byte == 0x0D || place.byte == 0x09 else { break }
            place += 1
        }
        return place
    }

    // MARK: Strings

    /// Returns the place of the next quote, backslash, control character or multi-byte UTF-8
    /// sequence. May return an earlier place at the end of the window. The bytes before the
    /// returned place are plain ASCII, and the byte at it can be anything.
    @inline(__always)
    func plainEnd(_ start: UnsafeRawPointer) -> UnsafeRawPointer {
        var place = start
        var index = 0
        repeat {
            let low = JSONWords.stops(place.word64)
            if low != 0 {
                index = low.trailingZeroBitCount &>> 3
                break
            }
            let high = JSONWords.stops((place + 8).word64)
            if high != 0 {
                index = high.trailingZeroBitCount &>> 3 | 8
                break
            }
            place += 16
        } while place < end
        return place + index
    }

    typealias PassedString = (end: UnsafeRawPointer, span: Range<Int>, hasEscapes: Bool)

    /// Reads a string whose bytes up to a place are plain.
    @inline(never)
    mutating func afterString(
        _ start: UnsafeRawPointer, from place: UnsafeRawPointer
    ) throws(JSONSyntaxError) -> PassedString {
        let start = offset(of: start)
        var place = plainEnd(place)
        if place >= end {
            place = move(to: offset(of: place))
            place = plainEnd(place)
        }
        if place.byte == UInt8(ascii: "\"") { return (place + 1, start..<offset(of: place) + 1, false) }
        let string = try text.afterString(from: offset(of: place))
        return (move(to: string.end), Range(uncheckedBounds: (start, string.end)), string.hasEscapes)
    }

    mutating func afterKey(_ place: UnsafeRawPointer) throws(JSONSyntaxError) -> PassedString {
        guard place.byte == UInt8(ascii: "\"") else {
            throw text.error(Reason.noName, at: offset(of: place))
        }
        return try afterString(place, from: place + 1)
    }

    /// Returns the place behind a colon. White space may be in front of the colon.
    mutating func afterColon(_ start: UnsafeRawPointer) throws(JSONSyntaxError) -> UnsafeRawPointer {
        var place = start
        skipSpace(&place)
        guard place.byte == UInt8(ascii: ":") else { throw text.error(Reason.noColon, at: offset(of: place)) }
        return place + 1
    }

    // MARK: Other scalars

    /// Returns the place behind a small number, or nil for anything else. A small number has at
    /// most seven digits before the point and seven behind it. It has no sign, exponent or
    /// leading zero.
    @inline(__always)
    func afterSmallNumber(_ place: UnsafeRawPointer) -> UnsafeRawPointer? {
        guard place.byte &- UInt8(ascii: "1") < 9 else { return nil }
        var end = place + 1
        if end.byte.isDigit {
            end += 1
            if end.byte.isDigit {
                let count = JSONWords.digits(place.word64)
                guard count < 8 else { return nil }
                end = place + count
            }
        }
        // Commas and closers are outside the range from "." to "e". Only "]" is inside.
        return end.byte &- UInt8(ascii: ".") > 0x37 ? end : Self.afterSmallFraction(end)
    }

    @inline(__always)
    private static func afterSmallFraction(_ start: UnsafeRawPointer) -> UnsafeRawPointer? {
        var place = start
        if place.byte == UInt8(ascii: ".") {
            let count = JSONWords.digits((place + 1).word64)
            guard 1...7 ~= count else { return nil }
            place += 1 + count
        }
        return place.byte | 0x20 == UInt8(ascii: "e") ? nil : place
    }

    /// Reads a literal, or a number that is not small.
    @inline(never)
    mutating func afterOtherScalar(
        _ place: UnsafeRawPointer
    ) throws(JSONSyntaxError) -> (UnsafeRawPointer, JSONKind, Range<Int>) {
        let word = place.word32
        if word == JSONWords.true { return (place + 4, .bool, span(place, place + 4)) }
        if word == JSONWords.null { return (place + 4, .null, span(place, place + 4)) }
        if word == JSONWords.fals, (place + 4).byte == UInt8(ascii: "e") {
            return (place + 5, .bool, span(place, place + 5))
        }
        let digits = place.byte == UInt8(ascii: "-") ? place + 1 : place
        let end = digits.byte == UInt8(ascii: "0") ? Self.afterSmallFraction(digits + 1) : afterSmallNumber(digits)
        if let end { return (end, .number, span(place, end)) }
        let start = offset(of: place)
        let (other, kind) = try text.afterOtherScalar(start)
        return (move(to: other), kind, Range(uncheckedBounds: (start, other)))
    }
}
