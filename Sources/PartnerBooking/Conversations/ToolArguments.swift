/// The arguments of a tool call, as language models write them: an object, or a text that
/// contains one, with or without a fence. Numbers and booleans may be texts, and the other way
/// round. `null`, `"null"`, `""` and a missing member are alike. Members that no tool has are
/// ignored.
struct ToolArguments: Sendable {
    /// nil when the arguments contain no object.
    private let object: JSONValue?
    /// False for arguments that are not empty and contain no object.
    let isReadable: Bool

    private static let maxDepth = 3

    init(_ value: JSONValue?) {
        var value = value
        for _ in 0..<Self.maxDepth {
            guard let text = value, text.kind == .string else { break }
            guard let inner = text.withText(Self.object) ?? nil else { break }
            value = inner
        }
        switch value?.kind {
        case .object?: (object, isReadable) = (value, true)
        case nil, .null?: (object, isReadable) = (nil, true)
        case .string?: (object, isReadable) = (nil, value?.withText { $0.isBlank } ?? false)
        default: (object, isReadable) = (nil, false)
        }
    }

    /// The name of a member that has no single text, or nil. Such a member is a list or an object,
    /// stands twice with different values, or is a number with a fraction.
    var misshapen: String? {
        guard let object else { return nil }
        var seen: [String: JSONValue] = [:]
        for (key, value) in object.members {
            guard let name = key.string, Self.names.contains(name) else { continue }
            let isText =
                switch value.kind {
                case .object, .array: false
                case .number: name != "name" && !value.text.contains { ".eE".contains($0) }
                case .bool: name != "name"
                case .string, .null: true
                }
            if !isText || seen[name].map({ $0.text != value.text }) ?? false { return name }
            seen[name] = value
        }
        return nil
    }

    private static let names: Set<String> = [
        "when", "time", "service", "more", "slot", "name", "phone", "email", "notes", "caller_confirmed", "another",
    ]

    /// Returns a member as text. nil for words that a model writes when it knows no value.
    func text(_ name: StaticString) -> String? {
        guard let value = object?[name] else { return nil }
        let text: String?
        switch value.kind {
        case .string: text = value.string
        case .number, .bool: text = value.text
        default: text = nil
        }
        guard let trimmed = text.map({ Self.trimmed($0) }), !trimmed.isEmpty else { return nil }
        switch trimmed.lowercased().filter({ $0 != " " }) {
        case "null", "none", "nil", "undefined", "n/a", "unknown", "notgiven", "notprovided": return nil
        default: return trimmed
        }
    }

    /// Returns whether a member says yes. Every other word means no: an unclear word must not
    /// book.
    func isTrue(_ name: StaticString) -> Bool {
        switch text(name)?.lowercased() {
        case "true"?, "yes"?, "1"?: true
        default: false
        }
    }

    /// Returns the text as JSON, or else its part from the first brace to the last.
    private static func object(in text: UnsafeRawBufferPointer) -> JSONValue? {
        if let document = try? JSONDocument(Array(text), profile: .reply) { return document.root }
        guard let first = text.firstIndex(of: UInt8(ascii: "{")), let last = text.lastIndex(of: UInt8(ascii: "}")),
            first < last
        else { return nil }
        return (try? JSONDocument(Array(text[first...last]), profile: .reply))?.root
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (UInt8) -> Bool = { $0 <= 0x20 }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isBlank($0) }), let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(text[first...last])
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isBlank: Bool { allSatisfy { $0 <= 0x20 } }
}
