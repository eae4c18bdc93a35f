import Glibc

/// Checks that need no document: the hot path.
package enum JSON {
    /// Throws when the bytes are not one JSON text.
    static func validate(_ bytes: [UInt8], profile: JSONProfile) throws(JSONSyntaxError) {
        _ = try scan(bytes, profile: profile, visitor: Ignoring())
    }

    /// Reads one JSON text from first byte to last, and returns the visitor that has seen it.
    static func scan<Visitor: JSONVisitor>(
        _ bytes: [UInt8], profile: JSONProfile, visitor: consuming Visitor
    ) throws(JSONSyntaxError) -> Visitor {
        var visitor = visitor
        try withWindow(bytes, profile) { (window, place, _) throws(JSONSyntaxError) in
            place = try JSONScanner.afterValue(place, &window, &visitor, outer: 0)
        }
        return visitor
    }

    /// The kind of the top-level member `name`, or nil when the text is not JSON, not an object, or has no such
    /// member. Of several copies the last one counts, as in most readers.
    static func kindOfTopLevelMember(_ name: StaticString, in bytes: [UInt8], profile: JSONProfile) -> JSONKind? {
        var found: JSONKind?
        do throws(JSONSyntaxError) {
            try withWindow(bytes, profile) { (window, place, buffer) throws(JSONSyntaxError) in
                found = try kindOfMember(name, &place, &window, buffer)
            }
        } catch {
            return nil
        }
        return found
    }

    /// Reads a value, and notes the kind of a member if the value is an object.
    private static func kindOfMember(
        _ name: StaticString, _ place: inout UnsafeRawPointer, _ window: inout JSONWindow,
        _ bytes: UnsafeRawBufferPointer
    ) throws(JSONSyntaxError) -> JSONKind? {
        var (found, ignoring): (JSONKind?, Ignoring) = (nil, Ignoring())
        guard place.byte == UInt8(ascii: "{") else {
            place = try JSONScanner.afterValue(place, &window, &ignoring, outer: 0)
            return nil
        }
        place += 1
        window.skipSpace(&place)
        guard place.byte != UInt8(ascii: "}") else {
            place += 1
            return nil
        }
        while true {
            let key = try window.afterKey(place)
            place = try window.afterColon(key.end)
            window.skipSpace(&place)
            if string(bytes, key.span, hasEscapes: key.hasEscapes, equals: name) {
                found = JSONKind(startingWith: place.byte)
            }
            place = try JSONScanner.afterValue(place, &window, &ignoring, outer: 1)
            window.skipSpace(&place)
            let separator = place.byte
            guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "}") else {
                throw window.text.noEnd(of: UInt8(ascii: "}"), at: window.offset(of: place))
            }
            place += 1
            window.makeRoom(&place)
            if separator == UInt8(ascii: "}") { return found }
            window.skipSpace(&place)
        }
    }

    /// Reads the white space around a value, and the value with `body`.
    @inline(__always)
    private static func withWindow(
        _ bytes: [UInt8], _ profile: JSONProfile,
        _ body: (inout JSONWindow, inout UnsafeRawPointer, UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        // These two do not carry a typed error, so the result does.
        let error: JSONSyntaxError? = bytes.withUnsafeBytes { buffer in
            withUnsafeTemporaryAllocation(byteCount: JSONWindow.scratchSize, alignment: 16) { scratch in
                guard let scratch = scratch.baseAddress else { return JSONSyntaxError(offset: 0, reason: "no memory") }
                let text = JSONText(bytes: buffer, profile: profile)
                var window = JSONWindow(text, scratch: scratch)
                var place = text.base
                do throws(JSONSyntaxError) {
                    window.makeRoom(&place)
                    window.skipSpace(&place)
                    try body(&window, &place, buffer)
                    window.skipSpace(&place)
                    let end = window.offset(of: place)
                    return end < text.count ? text.error("there is text after the end", at: end) : nil
                } catch {
                    return error
                }
            }
        }
        if let error { throw error }
    }

    /// Whether a string or key, `span` including its quotes, has that text.
    static func string(
        _ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool, equals text: StaticString
    ) -> Bool {
        text.withUTF8Buffer { self.string(bytes, span, hasEscapes: hasEscapes, equals: $0) }
    }

    @inline(__always)
    static func string(
        _ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool, equals text: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        if hasEscapes { return escapedString(bytes, span, equals: text) }
        guard span.upperBound &- span.lowerBound == text.count &+ 2 else { return false }
        guard let base = bytes.baseAddress, let start = text.baseAddress else { return text.isEmpty }
        return memcmp(base + span.lowerBound + 1, start, text.count) == 0
    }

    /// Apart, because names are hardly ever written with escapes.
    @inline(never)
    private static func escapedString(
        _ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, equals text: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        decodeString(bytes, span, hasEscapes: true).utf8.elementsEqual(text)
    }

    /// The text of a string or key, `span` including its quotes, of bytes that were scanned.
    static func decodeString(_ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool) -> String {
        let inner = bytes[span.lowerBound + 1..<span.upperBound - 1]
        guard hasEscapes else { return String(decoding: UnsafeRawBufferPointer(rebasing: inner), as: UTF8.self) }
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

extension JSONKind {
    /// The kind of a value, by its first byte.
    fileprivate init(startingWith byte: UInt8) {
        self =
            switch byte {
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "["): .array
            case UInt8(ascii: "\""): .string
            case UInt8(ascii: "n"): .null
            case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
            default: .number
            }
    }
}
