// Mistakes of language models in JSON. All are refused, because the library does not guess the
// meaning of invalid JSON.

extension PartnerBookingError {
    /// Returns the error for a request that is not JSON.
    static func request(_ json: [UInt8], _ cause: JSONSyntaxError) -> PartnerBookingError {
        let (kind, advice) = advice(json, at: cause.offset)
        var error = PartnerBookingError.json("request", cause, advice: advice)
        error.kind = kind
        return error
    }

    private static func advice(_ json: [UInt8], at offset: Int) -> (Kind, String?) {
        guard let start = json.firstIndex(where: { !isSpace($0) }) else { return (.empty, ErrorMessage.empty) }
        if json[start...].starts(with: [0xEF, 0xBB, 0xBF]) {
            return (.byteOrderMark, ErrorMessage.byteOrderMark)
        }
        if json[start...].starts(with: "```".utf8) { return (.codeFence, ErrorMessage.codeFence) }
        guard json[start] == UInt8(ascii: "{") else {
            return json.contains(UInt8(ascii: "{"))
                ? (.textAround, ErrorMessage.textBefore) : (.syntax, nil)
        }
        guard offset < json.count else { return (.cutOff, ErrorMessage.cutOff) }
        if isBehindObject(json, start, offset) { return (.textAround, ErrorMessage.textBehind) }
        switch json[offset] {
        case UInt8(ascii: "'"), UInt8(ascii: "`"), 0xE2:
            return (.otherQuotes, ErrorMessage.otherQuotes)
        case UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"), UInt8(ascii: "I"), UInt8(ascii: "u"):
            return (.otherLiteral, ErrorMessage.otherLiteral)
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            let before = json[..<offset].last { !isSpace($0) }
            return before == UInt8(ascii: ",") ? (.trailingComma, ErrorMessage.trailingComma) : (.syntax, nil)
        case UInt8(ascii: "/"), UInt8(ascii: "#"): return (.comment, ErrorMessage.comment)
        case 0..<0x20: return (.controlCharacter, nil)
        default: return (.syntax, nil)
        }
    }

    /// Returns whether everything before `offset` is one complete JSON object.
    private static func isBehindObject(_ json: [UInt8], _ start: Int, _ offset: Int) -> Bool {
        json[..<offset].last { !isSpace($0) } == UInt8(ascii: "}")
            && (try? JSON.validate(Array(json[start..<offset]), profile: .request)) != nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

extension JSONDocument {
    /// Refuses U+0000 in a text or a name that would be sent, because many databases do not
    /// store it.
    func refuseNull(without names: [StaticString]) throws(PartnerBookingError) {
        var found: [String]?
        forEachKey(of: 0) { key in
            guard found == nil, !names.contains(where: { isString(at: key, $0) }) else { return }
            found = (key..<next(after: key + 1)).first { withText(at: $0) { $0.contains(0) } ?? false }.map { place in
                // A name in the outermost object has no path. Its value, which follows it, has
                // the right one.
                let path = self.path(to: place)
                return path.isEmpty || place == key ? self.path(to: key + 1) : path
            }
        }
        guard let found else { return }
        throw .field(ObjectReader.printable(found), MemberMessage.null, .controlCharacter)
    }
}
