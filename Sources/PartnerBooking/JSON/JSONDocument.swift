import Glibc

/// A JSON text with the place of every value in it. It serves texts that are small and whose
/// values are looked up, such as requests and configurations.
///
/// The nodes are in one flat array, in the order of the text. The contents of a container follow
/// it, and `next` is the index of the node behind them. In an object, keys and values alternate.
/// The index of a node is the place of its value.
///
/// A `JSONValue` is a place together with its document. Each new `JSONValue` retains the document
/// and later releases it. So loops that run for every request use plain places.
///
/// `@unchecked Sendable` is safe because the nodes are not written after `init`.
final class JSONDocument: @unchecked Sendable {
    let bytes: [UInt8]
    private let nodes: Nodes

    private struct Node {
        var start: Int32
        var end: Int32
        var next: Int32
        let kind: JSONKind
        let hasEscapes: Bool

        var span: Range<Int> { Range(uncheckedBounds: (Int(start), Int(end))) }
    }

    /// Memory for the largest number of nodes that a text can have. An array would check its
    /// capacity at each append.
    private struct Nodes {
        private let start: UnsafeMutablePointer<Node>
        private let capacity: Int
        private(set) var count = 0

        /// Allocates the memory. Each node takes two bytes of the text or more, with its comma.
        init(of text: [UInt8]) {
            capacity = text.count / 2 + 1
            start = .allocate(capacity: capacity)
        }

        func deallocate() { start.deallocate() }

        @inline(__always)
        mutating func append(_ node: Node) {
            guard count < capacity else { return }
            (start + count).initialize(to: node)
            count += 1
        }

        /// The node at a place. Beyond the last node, it is a `null`.
        @inline(__always)
        subscript(place: Int) -> Node {
            get { isThere(place) ? start[place] : Node(start: 0, end: 0, next: 0, kind: .null, hasEscapes: false) }
            nonmutating set { if isThere(place) { start[place] = newValue } }
        }

        @inline(__always)
        private func isThere(_ place: Int) -> Bool { UInt(bitPattern: place) < UInt(bitPattern: count) }
    }

    /// Parses a text of less than 2 GiB. Requests and replies have far lower limits.
    init(_ bytes: [UInt8], profile: JSONProfile) throws(JSONSyntaxError) {
        guard bytes.count < Int(Int32.max) else { throw JSONSyntaxError(offset: Int(Int32.max), reason: Reason.tooLong) }
        self.bytes = bytes
        let memory = Nodes(of: bytes)
        do throws(JSONSyntaxError) {
            nodes = try JSON.scan(bytes, profile: profile, visitor: Builder(memory)).nodes
        } catch {
            memory.deallocate()
            throw error
        }
    }

    deinit { nodes.deallocate() }

    /// True when a string or a name has an escape.
    var hasEscapes: Bool {
        bytes.withUnsafeBytes { $0.baseAddress.map { memchr($0, 0x5C, bytes.count) != nil } ?? false }
    }

    /// The outermost value. Every scanned text has one.
    var root: JSONValue { JSONValue(document: self, place: 0) }

    /// Returns the outermost object without the members in `names`. `write` adds members in
    /// front. The other members keep their order and spelling.
    func object(without names: [StaticString], adding write: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        JSONWriter.object(capacity: bytes.count) { object in
            write(&object)
            forEachKey(of: 0) { key in
                guard !names.contains(where: { isString(at: key, $0) }) else { return }
                object.member(asWritten: bytes[span(at: key).lowerBound..<span(at: key + 1).upperBound])
            }
        }
    }

    private struct Builder: JSONVisitor {
        private(set) var nodes: Nodes
        /// The innermost open container. While a container is open, its `next` is the container
        /// around it.
        private var innermost: Int32 = -1

        init(_ nodes: Nodes) { self.nodes = nodes }

        mutating func key(_ span: Range<Int>, hasEscapes: Bool) { scalar(.string, span, hasEscapes: hasEscapes) }

        @inline(__always)
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

// MARK: - By place

extension JSONDocument {
    func kind(at place: Int) -> JSONKind { nodes[place].kind }

    /// Returns the range of the value in the bytes.
    func span(at place: Int) -> Range<Int> { nodes[place].span }

    /// Returns the place behind a value and everything in it.
    func next(after place: Int) -> Int { Int(nodes[place].next) }

    /// Calls `body` with the value as it is written.
    @inline(__always)
    func withBytes<Result>(at place: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[nodes[place].span])) }
    }

    /// Returns the text of a string, or nil for other kinds.
    func string(at place: Int) -> String? {
        let node = nodes[place]
        guard node.kind == .string else { return nil }
        return bytes.withUnsafeBytes { JSON.decodeString($0, node.span, hasEscapes: node.hasEscapes) }
    }

    /// Calls `body` with the text of a string, or returns nil for other kinds. Makes a String
    /// only if the text has escapes.
    @inline(__always)
    @discardableResult
    func withText<Result>(at place: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        let node = nodes[place]
        guard node.kind == .string else { return nil }
        if node.hasEscapes {
            var text = string(at: place) ?? ""
            return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        }
        return bytes.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[node.span.lowerBound + 1..<node.span.upperBound - 1]))
        }
    }

    /// Returns true if the value is `true`.
    func isTrue(at place: Int) -> Bool { nodes[place].kind == .bool && nodes[place].span.count == "true".utf8.count }

    /// Returns true if the value is a string with that text.
    func isString(at place: Int, _ text: StaticString) -> Bool {
        let node = nodes[place]
        guard node.kind == .string else { return false }
        return bytes.withUnsafeBytes { JSON.string($0, node.span, hasEscapes: node.hasEscapes, equals: text) }
    }

    /// Calls `body` with the place of each key of an object. The key's value is at the next
    /// place. Does nothing for other kinds.
    @inline(__always)
    func forEachKey(of object: Int, _ body: (_ key: Int) -> Void) {
        guard nodes[object].kind == .object else { return }
        let end = Int(nodes[object].next)
        var key = object + 1
        while key + 1 < end {
            body(key)
            key = Int(nodes[key + 1].next)
        }
    }

    /// Returns the place of the first value under a name, and the number of such members.
    func member(_ name: StaticString, of object: Int) -> (place: Int, count: Int) {
        var (first, count) = (0, 0)
        name.withUTF8Buffer { name in
            bytes.withUnsafeBytes { bytes in
                forEachKey(of: object) { key in
                    let node = nodes[key]
                    guard JSON.string(bytes, node.span, hasEscapes: node.hasEscapes, equals: name) else { return }
                    if count == 0 { first = key + 1 }
                    count += 1
                }
            }
        }
        return (first, count)
    }

    /// Returns the names on the path to a value, outermost first. Elements of arrays have none.
    func path(to place: Int) -> [String] {
        var names: [String] = []
        var container = 0
        while container < place {
            var child = place
            if kind(at: container) == .object {
                forEachKey(of: container) { key in
                    guard key < place, place < next(after: key + 1) else { return }
                    names.append(string(at: key) ?? "")
                    child = key + 1
                }
            } else {
                child = container + 1
                while next(after: child) <= place { child = next(after: child) }
            }
            container = child
        }
        return names
    }

    /// The lengths of an object's names, as a set. It rules out most missing names without a
    /// comparison.
    struct NameLengths {
        fileprivate var bits: UInt64 = 0

        static var any: NameLengths { NameLengths(bits: .max) }

        /// Returns the bit of a length. Lengths from 63 on share a bit.
        fileprivate static func bit(_ length: Int) -> UInt64 { 1 &<< UInt64(truncatingIfNeeded: min(length, 63)) }

        func mayHold(_ name: StaticString) -> Bool { bits & Self.bit(name.utf8CodeUnitCount) != 0 }
    }

    func nameLengths(of object: Int) -> NameLengths {
        var lengths = NameLengths()
        forEachKey(of: object) { key in
            // The decoded length of a name with escapes is unknown.
            lengths.bits |= nodes[key].hasEscapes ? .max : NameLengths.bit(nodes[key].span.count - 2)
        }
        return lengths
    }

    /// Returns the places of an object's keys, sorted by name as UTF-8. Members with the same
    /// name keep their order.
    func keysByName(of object: Int, where isIncluded: (_ key: Int) -> Bool) -> [Int] {
        var keys: [Int] = []
        keys.reserveCapacity(8)
        forEachKey(of: object) { if isIncluded($0) { keys.append($0) } }
        keys.sort { left, right in
            let order = order(ofTexts: left, right)
            return order == 0 ? left < right : order < 0
        }
        return keys
    }

    /// Compares two strings as UTF-8, and returns less than 0 if the left one comes first. `==`
    /// would ignore how an é is composed.
    private func order(ofTexts left: Int, _ right: Int) -> Int {
        withText(at: left) { left in
            withText(at: right) { right in
                var order = 0
                if let text = left.baseAddress, let other = right.baseAddress {
                    order = Int(memcmp(text, other, min(left.count, right.count)))
                }
                return order == 0 ? left.count - right.count : order
            } ?? 0
        } ?? 0
    }
}
