// The mistakes in values of any member. `isDescribed` adds what came, as far as that is nobody's secret: its type, never a text.

extension InputFault {
    static func notAnObject(_ value: JSONValue, path: String = "", isDescribed: Bool) -> InputFault {
        let expected = "must be a JSON object"
        guard isDescribed else { return InputFault(.wrongType, expected) }
        let shape = RequestShape.of(path)
        guard value.kind == .string else { return InputFault(.wrongType, "\(expected); it is \(value.typeName)\(shape)") }
        let isQuoted = InputText.plain(String((value.string ?? "").prefix(64))).first == UInt8(ascii: "{")
        guard isQuoted else { return InputFault(.wrongType, "\(expected); it is a string\(shape)") }
        return InputFault(
            .quotedObject, "\(expected); it is a string that contains one: write it without quotes around it\(shape)")
    }

    static func ofText(_ value: JSONValue, maxBytes: Int, _ expected: String, isDescribed: Bool) -> InputFault {
        guard isDescribed else { return InputFault(.malformed, expected) }
        guard let text = value.string else { return InputFault(.wrongType, "\(expected); it is \(value.typeName)") }
        if InputText.isBlank(text) {
            return InputFault(.empty, "\(expected); it is \(text.isEmpty ? "an empty string" : "only blanks")")
        } else if text.utf8.count > maxBytes {
            return InputFault(.tooLong, "\(expected); it has \(text.utf8.count) bytes")
        } else if text.utf8.contains(where: { $0 < 0x20 }) {
            return InputFault(.controlCharacter, "\(expected); it contains a control character")
        } else {
            return InputFault(.malformed, expected)
        }
    }

    static func ofTimestamp(_ value: JSONValue, allowsDate: Bool) -> InputFault {
        guard let text = value.string else {
            let form =
                allowsDate ? "a date-time with offset, such as \(TimestampForm.example), or a date" : TimestampForm.form
            return InputFault(.wrongType, "must be a string: \(form); it is \(value.typeName)")
        }
        switch TimestampForm.read(text, allowsDate: allowsDate) {
        case .refused(let fault): return fault
        case .taken(let form):
            return InputFault(form.utf8.count > 64 ? .tooLong : .malformed, "must be \(TimestampForm.form)")
        }
    }

    static func ofPhone(_ value: JSONValue) -> InputFault {
        guard let text = value.string else {
            return InputFault(.wrongType, "must be a string: \(PhoneForm.expected); it is \(value.typeName)")
        }
        switch PhoneForm.read(text) {
        case .refused(let fault): return fault
        case .taken: return InputFault(.malformed, "must be \(PhoneForm.expected)")
        }
    }

    static func ofInteger(_ value: JSONValue, _ range: ClosedRange<Int>, isDescribed: Bool) -> InputFault {
        let expected = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard isDescribed else { return InputFault(.outOfRange, expected) }
        switch value.kind {
        case .number:
            let isWhole =
                value.integer != nil || value.document.withBytes(at: value.place, CanonicalRequest.wholeNumber) != nil
            return InputFault(isWhole ? .outOfRange : .notWhole, expected)
        case .string:
            guard let number = Self.number(in: value) else { return InputFault(.wrongType, "\(expected); it is a string") }
            return InputFault(.quotedNumber, "\(expected); it is a string: write it as a number, without quotes: \(number)")
        default: return InputFault(.wrongType, "\(expected); it is \(value.typeName)")
        }
    }

    static func ofBoolean(_ value: JSONValue, isDescribed: Bool) -> InputFault {
        let expected = "must be true or false"
        guard isDescribed else { return InputFault(.wrongType, expected) }
        let word = value.string.map { InputText.plain(String($0.prefix(16))) }.map { String(decoding: $0, as: UTF8.self) }
        guard let word, ["true", "false"].contains(word.lowercased()) else {
            return InputFault(.wrongType, "\(expected); it is \(value.typeName)")
        }
        return InputFault(.quotedBoolean, "\(expected); it is a string: write it without quotes: \(word.lowercased())")
    }

    /// The whole number that a string contains, if it is short. A phone number is not.
    private static func number(in value: JSONValue) -> String? {
        let text = InputText.plain(String((value.string ?? "").prefix(16)))
        guard (1...6).contains(text.count), text.allSatisfy(\.isDigit) else { return nil }
        return Int(String(decoding: text, as: UTF8.self)).map(String.init)
    }
}

extension JSONValue {
    /// The type of a value in a sentence.
    var typeName: String {
        switch kind {
        case .object: "an object"
        case .array: "a list"
        case .string: "a string"
        case .number: "a number"
        case .bool: "true or false"
        case .null: "null"
        }
    }
}

/// The shapes of requests, for messages about an object that is not there.
enum RequestShape {
    static func of(_ path: String) -> String {
        switch path {
        case "query", "query.filter", "query.filter.start_at_range":
            #". The shape is {"query":{"filter":{"start_at_range":{"start_at":...,"end_at":...}}}}"#
        case "booking", "booking.customer":
            #". The shape is {"booking":{"start_at":...,"duration_minutes":...,"customer":{"phone":...,"name":...}}}"#
        case "customer": #". The shape is {"customer":{"phone":...}}"#
        default: ""
        }
    }
}
