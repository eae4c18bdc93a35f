/// Writes one JSON object, member by member.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    /// Writes `{`, what `body` writes, and `}`.
    static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
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

    mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// An array of objects, one for each element.
    mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
    ) {
        self.name(name)
        group(UInt8(ascii: "["), UInt8(ascii: "]")) { writer in
            for element in elements {
                writer.separate()
                writer.group(UInt8(ascii: "{"), UInt8(ascii: "}")) { body(&$0, element) }
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
        string(name.description)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A comma, unless this is the first member or element.
    private mutating func separate() {
        if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func string(_ text: String) {
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20: bytes += "\\u00".utf8 + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
