/// A JSON Pointer (RFC 6901) to one value of a text, such as `/availabilities/0/start_at`.
struct JSONPointer {
    private let parts: [Part]

    private struct Part {
        /// The name of a member, with its escapes decoded.
        let name: [UInt8]
        /// The index of an element, or nil if the part is not an index.
        let index: Int?

        /// Parses one part. Returns nil when a `~` is not followed by 0 or 1.
        init?(_ text: ArraySlice<UInt8>) {
            var name: [UInt8] = []
            var rest = text
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "~") else {
                    name.append(byte)
                    continue
                }
                switch rest.popFirst() {
                case UInt8(ascii: "0"): name.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): name.append(UInt8(ascii: "/"))
                default: return nil
                }
            }
            self.name = name
            index = Self.index(text)
        }

        /// Parses digits without leading zeros. Returns nil for `-`, which means the place after
        /// the last element and has no value.
        private static func index(_ text: ArraySlice<UInt8>) -> Int? {
            guard !text.isEmpty, text.allSatisfy(\.isDigit), text.count == 1 || text.first != UInt8(ascii: "0")
            else { return nil }
            return Int(String(decoding: text, as: UTF8.self))
        }
    }

    /// Parses a pointer, or returns nil for other text. The empty text points to the whole
    /// document.
    init?(_ text: [UInt8]) {
        guard text.isEmpty || text.first == UInt8(ascii: "/") else { return nil }
        var parts: [Part] = []
        for text in text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            guard let part = Part(text) else { return nil }
            parts.append(part)
        }
        self.parts = parts
    }

    /// Returns the value below `root`, or nil if there is none. If several members have one name,
    /// the first counts.
    func value(in root: JSONValue) -> JSONValue? {
        var value = root
        for part in parts {
            guard let next = Self.child(part, of: value) else { return nil }
            value = next
        }
        return value
    }

    private static func child(_ part: Part, of value: JSONValue) -> JSONValue? {
        switch value.kind {
        case .object: value.members.first { $0.key.withText { $0.elementsEqual(part.name) } ?? false }?.value
        case .array: part.index.flatMap { index in value.elements.dropFirst(index).first { _ in true } }
        default: nil
        }
    }
}

// MARK: - For hosts without a JSON library

extension JSON {
    /// Returns the value at a pointer: the text of a string, or any other value as written.
    /// Returns nil when there is no such value, when the text is not JSON, or when the pointer is
    /// malformed.
    ///
    /// The result has no NUL byte: U+0000 and unpaired surrogates become U+FFFD.
    package static func value(at pointer: [UInt8], in json: [UInt8]) -> [UInt8]? {
        guard let pointer = JSONPointer(pointer), let document = try? JSONDocument(json, profile: .reply),
            let value = pointer.value(in: document.root)
        else { return nil }
        return value.withText(Self.withoutNUL) ?? Array(json[value.span])
    }

    private static func withoutNUL(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        guard text.contains(0) else { return Array(text) }
        return text.flatMap { $0 == 0 ? Array("\u{FFFD}".utf8) : [$0] }
    }

    /// Returns a text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
    package static func quoted(_ text: [UInt8]) -> [UInt8] {
        JSONWriter.string(String(decoding: text, as: UTF8.self))
    }
}
