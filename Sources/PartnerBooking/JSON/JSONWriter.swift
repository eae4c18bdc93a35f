/// A writer for one JSON object, member by member.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    /// Returns `{`, the bytes that `body` writes, and `}`.
    static func object(capacity: Int = 0, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.bytes.reserveCapacity(capacity)
        writer.group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
        return writer.bytes
    }

    /// Returns a text as one JSON string.
    static func string(_ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(text)
        return writer.bytes
    }

    mutating func member(_ name: StaticString, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { bytes += "null".utf8 }
    }

    mutating func member(_ name: StaticString, _ value: Int?) {
        self.name(name)
        bytes += (value.map(String.init) ?? "null").utf8
    }

    mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        bytes += (value ? "true" : "false").utf8
    }

    /// Writes a member, or nothing if there is no value.
    mutating func member(_ name: StaticString, ifAny value: String?) {
        if let value { member(name, value) }
    }

    mutating func member(_ name: StaticString, ifAny value: Int?) {
        if let value { member(name, value) }
    }

    mutating func member(_ name: StaticString, ifAny value: Bool?) {
        if let value { member(name, value) }
    }

    mutating func member(_ name: StaticString, ifAny values: [String]?) {
        if let values { list(name, values) { $0.string($1) } }
    }

    mutating func member(_ name: StaticString, ifAny values: [Int]?) {
        if let values { list(name, values) { $0.bytes += String($1).utf8 } }
    }

    /// Writes a member whose value is already JSON.
    mutating func member(_ name: StaticString, json: [UInt8]) {
        self.name(name)
        bytes += json
    }

    /// Writes a member whose name and value are already JSON.
    mutating func member(asWritten text: ArraySlice<UInt8>) {
        separate()
        bytes += text
    }

    mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes an object under a name that may need escapes.
    mutating func object(named name: String, _ body: (inout JSONWriter) -> Void) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
        group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes an array with one object for each element.
    mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
    ) {
        list(name, elements) { writer, element in
            writer.group(UInt8(ascii: "{"), UInt8(ascii: "}")) { body(&$0, element) }
        }
    }

    private mutating func list<Element>(
        _ name: StaticString, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
    ) {
        self.name(name)
        group(UInt8(ascii: "["), UInt8(ascii: "]")) { writer in
            for element in elements {
                writer.separate()
                body(&writer, element)
            }
        }
    }

    private mutating func group(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        bytes.append(open)
        body(&self)
        bytes.append(close)
    }

    private mutating func name(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }  // these names need no escapes
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    /// Writes a comma, unless this is the first member or element.
    private mutating func separate() {
        if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func string(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            if utf8.contains(where: Self.needsEscape) {
                for byte in utf8 { escaped(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x0A: bytes += "\\n".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0x09: bytes += "\\t".utf8
        case 0..<0x20: bytes += "\\u00".utf8 + [(byte >> 4).hexDigit, (byte & 15).hexDigit]
        default: bytes.append(byte)
        }
    }
}
