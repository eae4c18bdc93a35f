import Glibc

/// Functions that read JSON without building a document: the hot path.
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

    /// Reads bytes in memory in the same way. The memory must stay valid during the call.
    static func scan<Visitor: JSONVisitor>(
        _ bytes: UnsafeRawBufferPointer, profile: JSONProfile, visitor: consuming Visitor
    ) throws(JSONSyntaxError) -> Visitor {
        var visitor = visitor
        let error = errorInWindow(bytes, profile) { (window, place, _) throws(JSONSyntaxError) in
            place = try JSONScanner.afterValue(place, &window, &visitor, outer: 0)
        }
        if let error { throw error }
        return visitor
    }

    /// Returns the kind of the top-level member `name`. Returns nil when the text is not JSON, is
    /// not an object, or has no such member. If several members have the name, the last one
    /// counts, as in most readers.
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

    /// Reads a value. If it is an object, returns the kind of its member `name`.
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

    /// Reads a value with `body`, and the white space around the value.
    @inline(__always)
    private static func withWindow(
        _ bytes: [UInt8], _ profile: JSONProfile,
        _ body: (inout JSONWindow, inout UnsafeRawPointer, UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        // `withUnsafeBytes` and `withUnsafeTemporaryAllocation` carry no typed error. So the
        // error is their result.
        let error = bytes.withUnsafeBytes { errorInWindow($0, profile, body) }
        if let error { throw error }
    }

    @inline(__always)
    private static func errorInWindow(
        _ buffer: UnsafeRawBufferPointer, _ profile: JSONProfile,
        _ body: (inout JSONWindow, inout UnsafeRawPointer, UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Void
    ) -> JSONSyntaxError? {
        withUnsafeTemporaryAllocation(byteCount: JSONWindow.scratchSize, alignment: 16) { scratch in
            guard let scratch = scratch.baseAddress else { return JSONSyntaxError(offset: 0, reason: Reason.noMemory) }
            let text = JSONText(bytes: buffer, profile: profile)
            var window = JSONWindow(text, scratch: scratch)
            var place = text.base
            do throws(JSONSyntaxError) {
                window.makeRoom(&place)
                window.skipSpace(&place)
                try body(&window, &place, buffer)
                window.skipSpace(&place)
                let end = window.offset(of: place)
                return end < text.count ? text.error(Reason.textAfterEnd, at: end) : nil
            } catch {
                return error
            }
        }
    }

    /// Returns true if a string or key has that text. `span` includes its quotes.
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

    /// Compares a string with escapes. Not inlined, because names hardly ever have escapes.
    @inline(never)
    private static func escapedString(
        _ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, equals text: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        decodeString(bytes, span, hasEscapes: true).utf8.elementsEqual(text)
    }

    /// Returns the text of a scanned string or key. `span` includes its quotes.
    static func decodeString(_ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool) -> String {
        let inner = UnsafeRawBufferPointer(rebasing: bytes[span.lowerBound + 1..<span.upperBound - 1])
        guard hasEscapes else { return String(decoding: inner, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: inner.count) { JSONEscapes.decode(inner, to: $0) }
    }

    /// Returns the same text as UTF-8.
    static func decodeBytes(_ bytes: UnsafeRawBufferPointer, _ span: Range<Int>, hasEscapes: Bool) -> [UInt8] {
        let inner = UnsafeRawBufferPointer(rebasing: bytes[span.lowerBound + 1..<span.upperBound - 1])
        guard hasEscapes else { return Array(inner) }
        return [UInt8](unsafeUninitializedCapacity: inner.count) { $1 = JSONEscapes.decode(inner, to: $0) }
    }
}

private struct Ignoring: JSONVisitor {
    mutating func key(_ span: Range<Int>, hasEscapes: Bool) {}
    mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {}
    mutating func open(_ kind: JSONKind, at offset: Int) {}
    mutating func close(at end: Int) {}
}

extension JSONKind {
    /// Derives the kind of a value from its first byte.
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
