// The faults in values of any member. `isDescribed` adds what was found, but nothing private: a
// type, a size, a short number or boolean in quotes.

extension InputFault {
    static func notAnObject(_ value: JSONValue, path: String = "", isDescribed: Bool) -> InputFault {
        let expected = MemberMessage.object
        guard isDescribed else { return InputFault(.wrongType, expected) }
        let shape = RequestShape.of(path)
        guard value.kind == .string else {
            return InputFault(.wrongType, MemberMessage.found(value.typeName, expected) + shape)
        }
        let isQuoted = InputText.plain(String((value.string ?? "").prefix(64))).first == UInt8(ascii: "{")
        guard isQuoted else { return InputFault(.wrongType, MemberMessage.found(value.typeName, expected) + shape) }
        return InputFault(.quotedObject, MemberMessage.quotedObject(expected) + shape)
    }

    static func ofText(_ value: JSONValue, maxBytes: Int, _ expected: String, isDescribed: Bool) -> InputFault {
        guard isDescribed else { return InputFault(.malformed, expected) }
        guard let text = value.string else { return InputFault(.wrongType, MemberMessage.found(value.typeName, expected)) }
        if InputText.isBlank(text) {
            return InputFault(
                .empty, MemberMessage.found(text.isEmpty ? MemberMessage.emptyText : MemberMessage.blankText, expected))
        } else if text.utf8.count > maxBytes {
            return InputFault(.tooLong, MemberMessage.hasBytes(text.utf8.count, expected))
        } else if text.utf8.contains(where: { $0 < 0x20 }) {
            return InputFault(.controlCharacter, MemberMessage.hasControlCharacter(expected))
        } else {
            return InputFault(.malformed, expected)
        }
    }

    static func ofTimestamp(_ value: JSONValue, allowsDate: Bool) -> InputFault {
        guard let text = value.string else {
            let form = MemberMessage.string(allowsDate ? Form.timestampOrDate : Form.timestamp)
            return InputFault(.wrongType, MemberMessage.found(value.typeName, form))
        }
        switch TimestampForm.read(text, allowsDate: allowsDate) {
        case .refused(let fault): return fault
        case .taken(let form):
            return InputFault(form.utf8.count > 64 ? .tooLong : .malformed, MemberMessage.mustBe(Form.timestamp))
        }
    }

    static func ofPhone(_ value: JSONValue) -> InputFault {
        guard let text = value.string else {
            return InputFault(.wrongType, MemberMessage.found(value.typeName, MemberMessage.string(Form.phone.description)))
        }
        switch PhoneForm.read(text) {
        case .refused(let fault): return fault
        case .taken: return InputFault(.malformed, MemberMessage.mustBe(Form.phone))
        }
    }

    static func ofInteger(_ value: JSONValue, _ range: ClosedRange<Int>, isDescribed: Bool) -> InputFault {
        let expected = MemberMessage.mustBe(Form.wholeNumber(range))
        guard isDescribed else { return InputFault(.outOfRange, expected) }
        switch value.kind {
        case .number:
            let isWhole =
                value.integer != nil || value.document.withBytes(at: value.place, CanonicalRequest.wholeNumber) != nil
            return InputFault(isWhole ? .outOfRange : .notWhole, expected)
        case .string:
            guard let number = Self.number(in: value) else {
                return InputFault(.wrongType, MemberMessage.found(value.typeName, expected))
            }
            return InputFault(.quotedNumber, MemberMessage.quotedNumber(number, expected))
        default: return InputFault(.wrongType, MemberMessage.found(value.typeName, expected))
        }
    }

    static func ofBoolean(_ value: JSONValue, isDescribed: Bool) -> InputFault {
        let expected = MemberMessage.boolean
        guard isDescribed else { return InputFault(.wrongType, expected) }
        let word = value.string.map { InputText.plain(String($0.prefix(16))) }.map { String(decoding: $0, as: UTF8.self) }
        guard let word, ["true", "false"].contains(word.lowercased()) else {
            return InputFault(.wrongType, MemberMessage.found(value.typeName, expected))
        }
        return InputFault(.quotedBoolean, MemberMessage.quotedBoolean(word.lowercased(), expected))
    }

    /// Returns the whole number in a string, if it has at most six digits. A phone number has
    /// more.
    private static func number(in value: JSONValue) -> String? {
        let text = InputText.plain(String((value.string ?? "").prefix(16)))
        guard (1...6).contains(text.count), text.allSatisfy(\.isDigit) else { return nil }
        return Int(String(decoding: text, as: UTF8.self)).map(String.init)
    }
}

extension JSONValue {
    /// The type of the value, as a phrase in a sentence.
    var typeName: String {
        switch kind {
        case .object: Form.anyObject
        case .array: Form.anyList
        case .string: Form.anyString
        case .number: Form.anyNumber
        case .bool: Form.anyBoolean
        case .null: Form.null
        }
    }
}

/// The shapes of requests, for messages about a missing or wrong object.
enum RequestShape {
    static func of(_ path: String) -> String {
        switch path {
        case "query", "query.filter", "query.filter.start_at_range":
            ErrorMessage.searchShape
        case "booking", "booking.customer":
            ErrorMessage.bookingShape
        case "customer": ErrorMessage.lookupShape
        default: ""
        }
    }
}
