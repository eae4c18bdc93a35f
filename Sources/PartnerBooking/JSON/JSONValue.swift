/// One value of a document.
struct JSONValue {
    let document: JSONDocument
    let place: Int

    var kind: JSONKind { document.kind(at: place) }

    /// The range of the value in the document's bytes.
    var span: Range<Int> { document.span(at: place) }

    /// The value as it is written.
    var text: String { String(decoding: document.bytes[span], as: UTF8.self) }

    /// The text of a string; nil for other kinds.
    var string: String? { document.string(at: place) }

    /// Looks at the text of a string without making a String of it; nil for other kinds.
    @inline(__always)
    func withText<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? { document.withText(at: place, body) }

    /// Returns whether this is a string of that text.
    func equals(_ text: StaticString) -> Bool { document.isString(at: place, text) }

    /// A number written as plain digits, with or without a minus sign; nil for other kinds, for fractions, exponents and
    /// what does not fit.
    var integer: Int? {
        kind == .number ? document.withBytes(at: place) { Int(decimal: $0) } : nil
    }

    /// true or false; nil for other kinds.
    var boolean: Bool? { kind == .bool ? document.isTrue(at: place) : nil }

    /// The members of an object, in order; none for other kinds.
    var members: JSONMembers {
        JSONMembers(document: document, place: place + 1, end: kind == .object ? document.next(after: place) : 0)
    }

    /// The member of that name, the first of several, and how many there are.
    func member(_ name: StaticString) -> (value: JSONValue?, count: Int) {
        let (place, count) = document.member(name, of: place)
        return (count == 0 ? nil : JSONValue(document: document, place: place), count)
    }

    /// The elements of an array, in order; none for other kinds.
    var elements: JSONElements {
        JSONElements(document: document, place: place + 1, end: kind == .array ? document.next(after: place) : 0)
    }

    /// The first member of that name; nil when there is none or this is no object.
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
    /// Reads digits with or without a minus sign; nil for anything else and for what does not fit.
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
