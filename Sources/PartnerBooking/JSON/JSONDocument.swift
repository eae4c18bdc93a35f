/// A JSON text with the place of everything in it: for requests and configurations, which are small and looked into.
///
/// The nodes stand in one flat array in the order of the text. A container is followed by what is in it, and `next` tells
/// where the node after it is; in an object, keys and values alternate.
struct JSONDocument {
    let bytes: [UInt8]
    fileprivate let nodes: [Node]

    fileprivate struct Node {
        let kind: JSONKind
        var span: Range<Int>
        let hasEscapes: Bool
        var next: Int
    }

    init(_ bytes: [UInt8], profile: JSONProfile) throws(JSONSyntaxError) {
        self.bytes = bytes
        self.nodes = try JSON.scan(bytes, profile: profile, visitor: { _ in Builder() }).nodes
    }

    /// The outermost value. A text that was scanned has one.
    var root: JSONValue { JSONValue(document: self, index: 0) }

    private struct Builder: JSONVisitor {
        var nodes: [Node] = []
        private var openContainers: [Int] = []

        init() {}

        mutating func key(_ span: Range<Int>, hasEscapes: Bool) { scalar(.string, span, hasEscapes: hasEscapes) }

        mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {
            nodes.append(Node(kind: kind, span: span, hasEscapes: hasEscapes, next: nodes.count + 1))
        }

        mutating func open(_ kind: JSONKind, at offset: Int) {
            openContainers.append(nodes.count)
            nodes.append(Node(kind: kind, span: offset..<offset, hasEscapes: false, next: 0))
        }

        mutating func close(at end: Int) {
            guard let container = openContainers.popLast() else { return }
            nodes[container].span = nodes[container].span.lowerBound..<end
            nodes[container].next = nodes.count
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
    var span: Range<Int> { node.span }

    /// The value as it is written.
    var text: ArraySlice<UInt8> { document.bytes[node.span] }

    /// The text of a string; nil for other kinds.
    var string: String? {
        guard kind == .string else { return nil }
        return document.bytes.withUnsafeBytes { JSON.decodeString($0, node.span, hasEscapes: node.hasEscapes) }
    }

    var bool: Bool? { kind == .bool ? text.first == UInt8(ascii: "t") : nil }

    /// A number written as plain digits, with or without a minus sign; nil for other kinds, for fractions, exponents and
    /// what does not fit.
    var integer: Int? { kind == .number ? Int(String(decoding: text, as: UTF8.self)) : nil }

    /// The members of an object, in order; none for other kinds.
    var members: [(key: JSONValue, value: JSONValue)] {
        guard kind == .object else { return [] }
        let children = self.children
        return stride(from: 0, to: children.count - 1, by: 2).map { (children[$0], children[$0 + 1]) }
    }

    /// The elements of an array, in order; none for other kinds.
    var elements: [JSONValue] { kind == .array ? children : [] }

    /// The first member of that name; nil when there is none or this is no object.
    subscript(name: String) -> JSONValue? { members.first { $0.key.string == name }?.value }

    private var children: [JSONValue] {
        var children: [JSONValue] = []
        var child = index + 1
        while child < node.next {
            children.append(JSONValue(document: document, index: child))
            child = document.nodes[child].next
        }
        return children
    }
}
