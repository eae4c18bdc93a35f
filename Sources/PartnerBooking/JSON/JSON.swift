import Glibc

/// Checks that need no document: the hot path.
enum JSON {
    /// Throws when the bytes are not one JSON text.
    static func validate(_ bytes: [UInt8], profile: JSONProfile) throws(JSONSyntaxError) {
        _ = try scan(bytes, profile: profile, visitor: { _ in Ignoring() })
    }

    /// The kind of the top-level member `name`, or nil when the text is not JSON, not an object, or has no such member.
    /// Of several copies the last one counts, as in most readers.
    static func kindOfTopLevelMember(_ name: StaticString, in bytes: [UInt8], profile: JSONProfile) -> JSONKind? {
        try? scan(bytes, profile: profile, visitor: { TopLevelMember(name: name, bytes: $0) }).found
    }

    static func scan<Visitor: JSONVisitor>(
        _ bytes: [UInt8], profile: JSONProfile, visitor: (UnsafeRawBufferPointer) -> Visitor
    ) throws(JSONSyntaxError) -> Visitor {
        // withUnsafeBytes does not carry a typed error, so the result does.
        let result: Result<Visitor, JSONSyntaxError> = bytes.withUnsafeBytes { buffer in
            var scanner = JSONScanner(buffer, profile: profile, visitor: visitor(buffer))
            do throws(JSONSyntaxError) {
                try scanner.scan()
                return .success(scanner.visitor)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Whether a string or key, `span` including its quotes, has that text.
    static func string(
        _ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool, equals text: StaticString
    ) -> Bool {
        if hasEscapes { return decodeString(bytes, span, hasEscapes: true) == text.description }
        guard span.count == text.utf8CodeUnitCount + 2, let base = bytes.baseAddress else { return false }
        return memcmp(base + span.lowerBound + 1, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// The text of a string or key, `span` including its quotes, of bytes that were scanned.
    static func decodeString(_ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool) -> String {
        let inner = bytes[span].dropFirst().dropLast()
        guard hasEscapes else { return String(decoding: inner, as: UTF8.self) }
        // UTF-16 is what \u escapes are written in; halves of pairs become U+FFFD.
        var units: [UInt16] = []
        var rest = inner
        while let byte = rest.first {
            guard byte == UInt8(ascii: "\\") else {
                let plain = rest.prefix { $0 != UInt8(ascii: "\\") }
                units.append(contentsOf: String(decoding: plain, as: UTF8.self).utf16)
                rest = rest[plain.endIndex...]
                continue
            }
            rest = rest.dropFirst()
            let escape = rest.popFirst() ?? 0
            switch escape {
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "u"):
                units.append(rest.prefix(4).reduce(0) { $0 << 4 | UInt16($1.hexDigitValue ?? 0) })
                rest = rest.dropFirst(4)
            default: units.append(UInt16(escape))
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}

private struct Ignoring: JSONVisitor {
    mutating func key(_ span: Range<Int>, hasEscapes: Bool) {}
    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {}
    mutating func open(_ kind: JSONKind, at offset: Int) {}
    mutating func close(at end: Int) {}
}

/// Watches for one member of the outermost object.
private struct TopLevelMember: JSONVisitor {
    let name: StaticString
    let bytes: UnsafeRawBufferPointer
    private var depth = 0
    private var isNext = false
    private(set) var found: JSONKind?

    init(name: StaticString, bytes: UnsafeRawBufferPointer) {
        self.name = name
        self.bytes = bytes
    }

    mutating func key(_ span: Range<Int>, hasEscapes: Bool) {
        guard depth == 1 else { return }
        isNext = JSON.string(bytes, span, hasEscapes: hasEscapes, equals: name)
    }

    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) { note(kind) }

    mutating func open(_ kind: JSONKind, at offset: Int) {
        note(kind)
        depth += 1
    }

    mutating func close(at end: Int) { depth -= 1 }

    private mutating func note(_ kind: JSONKind) {
        guard depth == 1, isNext else { return }
        found = kind
        isNext = false
    }
}
