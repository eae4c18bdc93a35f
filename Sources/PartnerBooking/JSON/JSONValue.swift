/// One value of a document.
struct JSONValue {
    let document: JSONDocument
    let place: Int

    var kind: JSONKind { document.kind(at: place) }

    /// The range of the value in the document's bytes.
    var span: Range<Int> { document.span(at: place) }

    /// The value as it is written.
    var text: String { String(decoding: document.bytes[span], as: UTF8.self) }

    /// The text of a string, or nil for other kinds.
    var string: String? { document.string(at: place) }

    /// Calls `body` with the text of a string, or returns nil for other kinds. Makes a String
    /// only if the text has escapes.
    @inline(__always)
    func withText<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? { document.withText(at: place, body) }

    /// Returns true if the value is a string with that text.
    func equals(_ text: StaticString) -> Bool { document.isString(at: place, text) }

    /// The number, if it is written as plain digits with an optional minus sign. Nil for other
    /// kinds, fractions, exponents, and numbers that do not fit in an Int.
    var integer: Int? {
        kind == .number ? document.withBytes(at: place) { Int(decimal: $0) } : nil
    }

    /// The Boolean, or nil for other kinds.
    var boolean: Bool? { kind == .bool ? document.isTrue(at: place) : nil }

    /// The members of an object, in order. Empty for other kinds.
    var members: JSONMembers {
        JSONMembers(document: document, place: place + 1, end: kind == .object ? document.next(after: place) : 0)
    }

    /// Returns the first member with that name, and the number of members with it.
    func member(_ name: StaticString) -> (value: JSONValue?, count: Int) {
        let (place, count) = document.member(name, of: place)
        return (count == 0 ? nil : JSONValue(document: document, place: place), count)
    }

    /// The elements of an array, in order. Empty for other kinds.
    var elements: JSONElements {
        JSONElements(document: document, place: place + 1, end: kind == .array ? document.next(after: place) : 0)
    }

    /// The first member with that name. Nil when there is none, or the value is not an object.
    subscript(name: StaticString) -> JSONValue? { member(name).value }
}

struct JSONMembers: Sequence, IteratorProtocol {
    fileprivate let document: JSONDocument
    fileprivate var place: Int
    fileprivate let end: Int

    mutating func next() -> (key: JSONValue, value: JSONValue)? {
        guard place + 1 < end else { return nil }
        let member = (JSONValue(document: document, place: place), JSONValue(document: document, place: place + 1))
        place = document.next(after: place + 1)
        return member
    }
}

struct JSONElements: Sequence, IteratorProtocol {
    fileprivate let document: JSONDocument
    fileprivate var place: Int
    fileprivate let end: Int

    mutating func next() -> JSONValue? {
        guard place < end else { return nil }
        let element = JSONValue(document: document, place: place)
        place = document.next(after: place)
        return element
    }
}

extension Int {
    /// Parses digits with an optional minus sign. Returns nil for other text, and for numbers
    /// that do not fit.
    init?(decimal text: UnsafeRawBufferPointer) {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        guard !digits.isEmpty else { return nil }
        var number = 0
        for byte in digits {
            guard byte.isDigit else { return nil }
            let digit = Int(byte - UInt8(ascii: "0"))
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflows) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !isTooLarge, !overflows else { return nil }
            number = sum
        }
        self = number
    }
}
