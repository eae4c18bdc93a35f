/// A reader of the code and the text of an error in its JSON.
///
/// Any service may send such a body, and this runs on the transfer thread. So it reads only the
/// first members and elements, not deep, and stops after a number of names.
final class ErrorShape {
    private let status: Int
    private var namesLeft = 20_000

    private static let maxMembers = 32
    private static let maxElements = 8
    private static let maxDepth = 4

    init(status: Int) { self.status = status }

    // MARK: Codes

    private static let codes: [StaticString] = ["code", "errorcode"]

    /// Returns the text of a member that is meant for a code.
    func code(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...ServiceReason.maxCodeBytes).contains(text.utf8.count), text != String(status),
            text.unicodeScalars.allSatisfy({ $0 == " " || !$0.isBlank }), text.utf8.contains(where: { $0 != 0x20 })
        else { return nil }
        return text
    }

    /// Returns a code that is a text. `isNested`: the value is an error, not the body that
    /// contains it.
    func code(in value: JSONValue, isNested: Bool = false, depth: Int = 0) -> String? {
        guard depth < Self.maxDepth else { return nil }
        if value.kind == .array {
            guard let item = value.elements.first(where: { _ in true }) else { return nil }
            return first(Self.codes, of: item, code) ?? first(["reason"], of: item, word)
        }
        if let code = first(Self.codes, of: value, code) ?? first(["error"], of: value, word) { return code }
        // Stripe and Google. Outside an error the two names mean other things.
        let ownWord = isNested ? first(["type"], of: value, word) ?? first(["status"], of: value, upperCaseWord) : nil
        return ownWord
            ?? first(["error", "fault"], of: value) { code(in: $0, isNested: true, depth: depth + 1) }
            ?? first(["errors", "issue"], of: value) { code(in: $0, depth: depth + 1) }
            // FastAPI and NestJS. In a list, objects are complaints about fields.
            ?? first(["detail", "message"], of: value) { $0.kind == .object ? code(in: $0, depth: depth + 1) : nil }
            ?? (isNested ? first(["reason"], of: value, word) : nil)
    }

    /// Returns a code that is a number. 0 and the HTTP status are not codes.
    func number(in value: JSONValue, depth: Int = 0) -> String? {
        guard depth < Self.maxDepth else { return nil }
        if value.kind == .array { return value.elements.first { _ in true }.flatMap { number(in: $0, depth: depth + 1) } }
        return first(Self.codes, of: value) { code in
            code.integer.flatMap { $0 == status || $0 == 0 ? nil : String($0) }
        } ?? first(["error", "fault", "errors", "detail"], of: value) { number(in: $0, depth: depth + 1) }
    }

    /// Returns a text that is one word, written like a code: `invalid_token`, `SLOT_TAKEN`,
    /// `SlotTaken`. `Conflict` only repeats the status. The known codes for a taken slot may
    /// have blanks.
    private func word(_ value: JSONValue) -> String? {
        guard let text = value.string, text.utf8.count <= 64 else { return nil }
        if Refusal.isSlotConflict(text) { return text }
        let bytes = text.utf8
        guard let first = bytes.first, first.isLetter, let last = bytes.last, last.isLetter || last.isDigit,
            bytes.allSatisfy({ $0.isLetter || $0.isDigit || "_-.".utf8.contains($0) }),
            !["error", "fail", "failed", "failure", "true", "false", "none", "null"].contains(text.lowercased())
        else { return nil }
        let isJoined = bytes.contains { !$0.isLetter }
        let isCamel = bytes.contains(where: \.isLowerCase) && bytes.dropFirst().contains { $0.isLetter && !$0.isLowerCase }
        let isPlain = !first.isLowerCase && bytes.contains(where: \.isLowerCase) && !isJoined && !isCamel
        return isPlain ? nil : text
    }

    private func upperCaseWord(_ value: JSONValue) -> String? {
        word(value).flatMap { $0.utf8.contains(where: \.isLowerCase) ? nil : $0 }
    }

    // MARK: Texts

    private static let names: [StaticString] = [
        "message", "detail", "errordescription", "description", "msg", "errormessage", "faultstring", "diagnostics",
        "errors", "issues", "issue", "fielderrors", "formerrors", "validationerrors", "modelstate", "details", "reason",
        "text",
    ]

    private static let listsOfFields: [StaticString] = ["errors", "fielderrors", "validationerrors", "modelstate"]

    /// Returns the text of the error in the whole body.
    func message(in root: JSONValue) -> String? {
        if let text = text(of: root, depth: 0) { return text }
        // JSend: {"status":"fail","data":{"email":"is required"}}
        if root["status"]?.equals("fail") ?? false, let text = fields(of: root["data"], depth: 1) { return text }
        // Django: {"email":["is required"],"customer":{"phone":["is wrong"]}}
        guard status == 400 || status == 422 else { return nil }
        return lists(of: root, depth: 1)
    }

    /// Returns a string, the text of an error object, or the first complaint of a list.
    private func text(of value: JSONValue, depth: Int, isComplaint: Bool = false) -> String? {
        guard depth <= Self.maxDepth else { return nil }
        switch value.kind {
        case .string: return value.string.flatMap { $0.unicodeScalars.allSatisfy(\.isBlank) ? nil : $0 }
        case .array:
            for element in value.elements.prefix(Self.maxElements) where namesLeft > 0 {
                if let text = text(of: element, depth: depth + 1, isComplaint: true) { return text }
            }
            return nil
        case .object:
            guard let text = text(in: value, depth: depth + 1) else { return nil }
            return isComplaint ? place(of: value).map { "\($0): \(text)" } ?? text : text
        case .number, .bool, .null: return nil
        }
    }

    /// Returns the text of an object's error, or else its own. A plain `error` string comes
    /// last, because it often repeats the status: `Conflict`.
    private func text(in object: JSONValue, depth: Int) -> String? {
        let errors: [StaticString] = ["error", "fault"]
        return first(errors, of: object) { $0.kind == .string ? nil : text(of: $0, depth: depth) }
            ?? first(Self.names, of: object) { text(of: $0, depth: depth) }
            ?? first(Self.listsOfFields, of: object) { fields(of: $0, depth: depth) }
            ?? first(["title"], of: object) { text(of: $0, depth: depth) }
            ?? first(errors, of: object) { $0.kind == .string ? text(of: $0, depth: depth) : nil }
    }

    /// Returns the first complaint of an object whose members are fields:
    /// `{"email":"is required"}`.
    private func fields(of object: JSONValue?, depth: Int) -> String? {
        firstField(of: object) { key, value in key.spells("code") ? nil : text(of: value, depth: depth) }
    }

    /// Returns the first complaint of an object whose members are fields with lists of texts:
    /// `{"email":["is required"]}`.
    private func lists(of object: JSONValue, depth: Int) -> String? {
        guard depth <= Self.maxDepth else { return nil }
        return firstField(of: object) { _, value in
            let isList = value.elements.prefix(1).contains { $0.kind == .string }
            return isList ? text(of: value, depth: depth) : lists(of: value, depth: depth + 1)
        }
    }

    private func firstField(of object: JSONValue?, _ read: (_ key: JSONValue, _ value: JSONValue) -> String?) -> String? {
        guard let object else { return nil }
        for (key, value) in object.members.prefix(Self.maxMembers) {
            namesLeft -= 1
            guard namesLeft > 0 else { return nil }
            if let text = read(key, value), let field = key.string { return "\(field): \(text)" }
        }
        return nil
    }

    /// Returns the field that a complaint is about: FastAPI's `loc`, zod's `path`, JSON:API's
    /// `source.pointer`.
    private func place(of complaint: JSONValue) -> String? {
        let names: [StaticString] = [
            "loc", "path", "field", "param", "parameter", "property", "propertyname", "attribute", "pointer",
        ]
        func text(_ value: JSONValue) -> String? {
            let parts = value.elements.prefix(8).compactMap { $0.string ?? $0.integer.map(String.init) }
            let text = value.string ?? parts.joined(separator: ".")
            return text.isEmpty ? nil : text
        }
        return first(names, of: complaint, text) ?? first(["source"], of: complaint) { first(names, of: $0, text) }
    }

    // MARK: Members

    /// Returns the first value that `read` accepts, in the order of the names. Frameworks write
    /// a name as `error_code`, `errorCode` or `ErrorCode`.
    private func first<Value>(_ names: [StaticString], of object: JSONValue, _ read: (JSONValue) -> Value?) -> Value? {
        for name in names {
            for (key, value) in object.members.prefix(Self.maxMembers) {
                namesLeft -= 1
                guard namesLeft > 0 else { return nil }
                if key.spells(name), let found = read(value) { return found }
            }
        }
        return nil
    }
}

extension JSONValue {
    /// Returns whether this string has these lower-case letters. Case, `_` and `-` make no
    /// difference.
    fileprivate func spells(_ letters: StaticString) -> Bool {
        withText { text in
            var count = 0
            for byte in text where byte != UInt8(ascii: "_") && byte != UInt8(ascii: "-") {
                guard count < letters.utf8CodeUnitCount, byte | 0x20 == letters.utf8Start[count] else { return false }
                count += 1
            }
            return count == letters.utf8CodeUnitCount
        } ?? false
    }
}

extension UInt8 {
    fileprivate var isLowerCase: Bool { (0x61...0x7A).contains(self) }
}
