/// A syntax error. `offset` is the first byte that cannot be part of any JSON text. For a text
/// that ends too early, it is the length of the text.
struct JSONSyntaxError: Error, Equatable {
    let offset: Int
    let reason: String
}

/// The strictness of the reader where RFC 8259 leaves room.
enum JSONProfile {
    /// For texts of the host. Refuses an unpaired surrogate, because UTF-8 cannot contain it.
    case request
    /// For replies of services. Accepts exactly the grammar, so a reply with half of an emoji is
    /// valid.
    case reply
}

enum JSONKind: UInt8 {
    case object, array, string, number, bool, null
}

/// A receiver of the items that a scan finds, in the order of the text. Offsets count from the
/// first byte of the text. Spans of strings and keys include the quotes.
protocol JSONVisitor {
    mutating func key(_ span: Range<Int>, hasEscapes: Bool)
    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool)
    mutating func open(_ kind: JSONKind, at offset: Int)
    mutating func close(at end: Int)
}

/// A checker for the grammar of RFC 8259, without recursion and without heap memory.
///
/// Every reply goes through this code, so it uses few instructions. The place in the text is a
/// pointer that stays in a register. Inlined helpers (`pass…`) move the pointer. The other
/// helpers (`after…`) take a pointer and return a new one. `JSONWindow` explains why few of them
/// check for the end of the text.
enum JSONScanner<Visitor: JSONVisitor> {
    /// The kind of token at a place: the start of a value, or the token behind one.
    private enum Next { case value, end }

    /// Reads the value at a place with everything in it, and returns the place behind it. `outer`
    /// is the number of containers around the value.
    @inline(never)
    static func afterValue(
        _ start: UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor, outer: Int
    ) throws(JSONSyntaxError) -> UnsafeRawPointer {
        var place = start
        var nesting = Nesting(closers: window.closers, depth: outer)
        while true {
            var next = try startValue(&place, &window, &visitor, &nesting)
            while next == .end {
                guard nesting.depth > outer else { return place }
                next = try endValue(&place, &window, &visitor, &nesting)
            }
        }
    }

    /// The containers around a place. `closer` is the byte that closes the innermost one. The
    /// bytes for the other containers are in `closers`.
    private struct Nesting {
        let closers: UnsafeMutableRawPointer
        var depth: Int
        var closer: UInt8 = 0

        /// The byte that closes the container around the innermost one.
        @inline(__always) var outerCloser: UInt8 { closers.load(fromByteOffset: depth &- 1, as: UInt8.self) }

        @inline(__always)
        mutating func open(_ closer: UInt8) {
            closers.storeBytes(of: self.closer, toByteOffset: depth, as: UInt8.self)
            depth &+= 1
            self.closer = closer
        }

        @inline(__always)
        mutating func close() {
            closer = outerCloser
            depth &-= 1
        }
    }

    /// Reads a scalar, the start of a container, or white space before the value.
    @inline(__always)
    private static func startValue(
        _ place: inout UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor, _ nesting: inout Nesting
    ) throws(JSONSyntaxError) -> Next {
        let first = place.byte
        if first == UInt8(ascii: "\"") {
            try passString(&place, &window, &visitor)
        } else if let end = window.afterSmallNumber(place) {
            visitor.scalar(.number, window.span(place, end), hasEscapes: false)
            place = end
        } else if first | 0x20 == UInt8(ascii: "{") {
            guard nesting.depth < JSONWindow.depthLimit else { throw window.text.tooDeep(window.offset(of: place)) }
            visitor.open(first == UInt8(ascii: "{") ? .object : .array, at: window.offset(of: place))
            nesting.open(first &+ 2)
            place += 1
            window.makeRoom(&place)
            window.skipSpace(&place)
            if place.byte == nesting.closer { return .end }
            guard nesting.closer == UInt8(ascii: "}") else { return .value }
            let next: Next
            (place, next) = try afterMembers(place, &window, &visitor, outerCloser: nesting.outerCloser)
            return next
        } else if first <= 0x20, window.passSpace(&place) {
            return .value
        } else {
            let (end, kind, span) = try window.afterOtherScalar(place)
            visitor.scalar(kind, span, hasEscapes: false)
            place = end
        }
        return .end
    }

    /// Reads the text behind a value: a comma and the start of the next element or member, or the
    /// end of a container.
    @inline(__always)
    private static func endValue(
        _ place: inout UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor, _ nesting: inout Nesting
    ) throws(JSONSyntaxError) -> Next {
        let first = place.byte
        if first == UInt8(ascii: ",") {
            place += 1
            if nesting.closer == UInt8(ascii: "}") {
                let next: Next
                (place, next) = try afterMembers(place, &window, &visitor, outerCloser: nesting.outerCloser)
                return next
            }
            window.makeRoom(&place)
            return .value
        }
        if first == nesting.closer {
            place += 1
            window.makeRoom(&place)
            nesting.close()
            visitor.close(at: window.offset(of: place))
        } else if first > 0x20 || !window.passSpace(&place) {
            throw window.text.noEnd(of: nesting.closer, at: window.offset(of: place))
        }
        return .end
    }

    /// Reads members of an object while each is a name, a colon, and a string or a small number.
    /// In an array, also steps from one object to the next. Replies consist mostly of such
    /// members. In this loop, only the place changes.
    @inline(never)
    private static func afterMembers(
        _ start: UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor, outerCloser: UInt8
    ) throws(JSONSyntaxError) -> (UnsafeRawPointer, Next) {
        var place = start
        while true {
            window.makeRoom(&place)
            guard place.byte == UInt8(ascii: "\"") else {
                if place.byte <= 0x20, window.passSpace(&place) { continue }
                throw window.text.error(Reason.noName, at: window.offset(of: place))
            }
            let end = window.plainEnd(place + 1)
            guard end.word16 == JSONWords.quoteColon else {
                return (try afterKey(place, &window, &visitor), .value)
            }
            visitor.key(window.span(place, end + 1), hasEscapes: false)
            place = end + 2
            value: while true {
                if place.byte == UInt8(ascii: "\"") {
                    try passString(&place, &window, &visitor)
                } else if let end = window.afterSmallNumber(place) {
                    visitor.scalar(.number, window.span(place, end), hasEscapes: false)
                    place = end
                } else if place.byte <= 0x20, window.passSpace(&place) {
                    continue
                } else {
                    return (place, .value)
                }
                break
            }
            if place.word32 == JSONWords.nextObject {
                guard outerCloser == UInt8(ascii: "]") else { return (place, .end) }
                visitor.close(at: window.offset(of: place + 1))
                visitor.open(.object, at: window.offset(of: place + 2))
                place += 2
            } else if place.byte != UInt8(ascii: ",") {
                return (place, .end)
            }
            place += 1
        }
    }

    /// Reads a string value.
    @inline(__always)
    private static func passString(
        _ place: inout UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor
    ) throws(JSONSyntaxError) {
        let end = window.plainEnd(place + 1)
        if end.byte == UInt8(ascii: "\"") {
            visitor.scalar(.string, window.span(place, end + 1), hasEscapes: false)
            place = end + 1
        } else {
            let string = try window.afterString(place, from: end)
            visitor.scalar(.string, string.span, hasEscapes: string.hasEscapes)
            place = string.end
        }
    }

    /// Reads any name and the colon behind it.
    @inline(never)
    private static func afterKey(
        _ place: UnsafeRawPointer, _ window: inout JSONWindow, _ visitor: inout Visitor
    ) throws(JSONSyntaxError) -> UnsafeRawPointer {
        let key = try window.afterKey(place)
        visitor.key(key.span, hasEscapes: key.hasEscapes)
        return try window.afterColon(key.end)
    }
}
