/// A JSON text with the place of everything in it: for requests and configurations, which are small and looked into.
///
/// The nodes stand in one flat array in the order of the text. A container is followed by what is in it, and `next` tells
/// where the node after it is; in an object, keys and values alternate.
final class JSONDocument: Sendable {
    let bytes: [UInt8]
    fileprivate let nodes: [Node]

    fileprivate struct Node {
        var start: Int32
        var end: Int32
        var next: Int32
        let kind: JSONKind
        let hasEscapes: Bool
    }

    /// Texts of up to 2 GiB; what is read here is bounded far below.
    init(_ bytes: [UInt8], profile: JSONProfile) throws(JSONSyntaxError) {
        guard bytes.count < Int(Int32.max) else { throw JSONSyntaxError(offset: Int(Int32.max), reason: "too long") }
        self.bytes = bytes
        self.nodes = try JSON.scan(bytes, profile: profile, visitor: Builder()).nodes
    }

    /// The outermost value. A text that was scanned has one.
    var root: JSONValue { JSONValue(document: self, index: 0) }

    /// The outermost object without the members of some names, and with others put in front of it. What stays keeps its order and
    /// its spelling.
    func object(without names: [StaticString], adding write: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        JSONWriter.object(capacity: bytes.count) { object in
            write(&object)
            for member in root.members where !names.contains(where: member.key.equals) {
                object.member(asWritten: bytes[member.key.span.lowerBound..<member.value.span.upperBound])
            }
        }
    }

    private struct Builder: JSONVisitor {
        var nodes: [Node] = []
        /// The innermost container that is not closed yet. Until it is, its `next` tells the one around it.
        private var innermost: Int32 = -1

        init() { nodes.reserveCapacity(32) }

        mutating func key(_ span: Range<Int>, hasEscapes: Bool) { scalar(.string, span, hasEscapes: hasEscapes) }

        mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {
            nodes.append(
                Node(
                    start: Int32(truncatingIfNeeded: span.lowerBound), end: Int32(truncatingIfNeeded: span.upperBound),
                    next: Int32(truncatingIfNeeded: nodes.count + 1), kind: kind, hasEscapes: hasEscapes))
        }

        mutating func open(_ kind: JSONKind, at offset: Int) {
            let container = Int32(truncatingIfNeeded: nodes.count)
            scalar(kind, offset..<offset, hasEscapes: false)
            nodes[Int(container)].next = innermost
            innermost = container
        }

        mutating func close(at end: Int) {
            guard innermost >= 0 else { return }
            let container = Int(innermost)
            innermost = nodes[container].next
            nodes[container].end = Int32(truncatingIfNeeded: end)
            nodes[container].next = Int32(truncatingIfNeeded: nodes.count)
        }
    }
}

/// One value of a document.
struct JSONValue {
    private let document: JSONDocument
    private let index: Int

    fileprivate init(document: JSONDocument, index: Int) {
        self.document = document
        self.index = index
    }

    private var node: JSONDocument.Node { document.nodes[index] }

    var kind: JSONKind { node.kind }

    /// Where the value stands in the document's bytes.
    var span: Range<Int> { Int(node.start)..<Int(node.end) }

    /// The value as it is written.
    var text: String { String(decoding: document.bytes[span], as: UTF8.self) }

    /// The text of a string; nil for other kinds.
    var string: String? {
        guard kind == .string else { return nil }
        return document.bytes.withUnsafeBytes { JSON.decodeString($0, span, hasEscapes: node.hasEscapes) }
    }

    /// Looks at the text of a string without making a String of it; nil for other kinds.
    func withText<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard kind == .string else { return nil }
        if node.hasEscapes {
            var text = string ?? ""
            return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        }
        return document.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[span].dropFirst().dropLast())) }
    }

    /// Whether this is a string of that text.
    func equals(_ text: StaticString) -> Bool {
        guard kind == .string else { return false }
        return document.bytes.withUnsafeBytes { JSON.string($0, span, hasEscapes: node.hasEscapes, equals: text) }
    }

    /// A number written as plain digits, with or without a minus sign; nil for other kinds, for fractions, exponents and
    /// what does not fit.
    var integer: Int? {
        kind == .number ? Int(text) : nil
    }

    /// true or false; nil for other kinds.
    var boolean: Bool? { kind == .bool ? span.count == "true".utf8.count : nil }

    /// The members of an object, in order; none for other kinds.
    var members: JSONMembers {
        JSONMembers(document: document, place: index + 1, end: kind == .object ? Int(node.next) : 0)
    }

    /// The member of that name, the first of several, and how many there are. Every request is asked for every member we know,
    /// so this goes by places and makes no values on its way.
    func member(_ name: StaticString) -> (value: JSONValue?, count: Int) {
        guard kind == .object else { return (nil, 0) }
        let end = Int(node.next)
        var (first, count, place) = (0, 0, index + 1)
        document.bytes.withUnsafeBytes { bytes in
            while place + 1 < end {
                let key = document.nodes[place]
                if JSON.string(bytes, Int(key.start)..<Int(key.end), hasEscapes: key.hasEscapes, equals: name) {
                    if count == 0 { first = place + 1 }
                    count += 1
                }
                place = Int(document.nodes[place + 1].next)
            }
        }
        return (count == 0 ? nil : JSONValue(document: document, index: first), count)
    }

    /// The elements of an array, in order; none for other kinds.
    var elements: JSONElements {
        JSONElements(document: document, place: index + 1, end: kind == .array ? Int(node.next) : 0)
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
        let member = (JSONValue(document: document, index: place), JSONValue(document: document, index: place + 1))
        place = Int(document.nodes[place + 1].next)
        return member
    }
}

struct JSONElements: Sequence, IteratorProtocol {
    fileprivate let document: JSONDocument
    fileprivate var place: Int
    fileprivate let end: Int

    mutating func next() -> JSONValue? {
        guard place < end else { return nil }
        let element = JSONValue(document: document, index: place)
        place = Int(document.nodes[place].next)
        return element
    }
}
