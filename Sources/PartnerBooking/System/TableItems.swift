/// The items of a field of the table, in order. Their indices are places in the table.
struct TableItems: Sequence, IteratorProtocol {
    typealias Item = Slice<UnsafeRawBufferPointer>

    private var rest: Item
    private let separator: UInt8

    init(_ text: Item, separator: Unicode.Scalar = ",") {
        rest = text
        self.separator = UInt8(ascii: separator)
    }

    init(_ text: StaticString, separator: Unicode.Scalar) {
        self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)[...], separator: separator)
    }

    /// True when the text is `-`.
    var isNone: Bool { rest.count == 1 && rest.first == UInt8(ascii: "-") }

    mutating func next() -> Item? {
        guard !rest.isEmpty else { return nil }
        var end = rest.startIndex
        while end < rest.endIndex && rest[end] != separator { end += 1 }
        let item = rest[rest.startIndex..<end]
        rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
        return item
    }
}
