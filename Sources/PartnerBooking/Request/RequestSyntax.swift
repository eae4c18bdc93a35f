// Mistakes of language models in JSON. Each is refused: what stands in a text that is no JSON is not guessed.

extension PartnerBookingError {
    /// A request that is not JSON.
    static func request(_ json: [UInt8], _ cause: JSONSyntaxError) -> PartnerBookingError {
        let (kind, advice) = advice(json, at: cause.offset)
        var error = PartnerBookingError.json("request", cause, advice: advice)
        error.kind = kind
        return error
    }

    private static func advice(_ json: [UInt8], at offset: Int) -> (Kind, String?) {
        let isObject = "Send the JSON object alone, from { to }"
        guard let start = json.firstIndex(where: { !isSpace($0) }) else { return (.empty, "\(isObject)") }
        if json[start...].starts(with: [0xEF, 0xBB, 0xBF]) {
            return (.byteOrderMark, "It begins with a byte order mark: leave it out")
        }
        if json[start...].starts(with: "```".utf8) { return (.codeFence, "It is in a code fence. \(isObject)") }
        guard json[start] == UInt8(ascii: "{") else {
            return json.contains(UInt8(ascii: "{"))
                ? (.textAround, "Text is in front of the object. \(isObject)") : (.syntax, nil)
        }
        guard offset < json.count else { return (.cutOff, "Was it cut off?") }
        if isBehindObject(json, start, offset) { return (.textAround, "Text is behind the object. \(isObject)") }
        switch json[offset] {
        case UInt8(ascii: "'"), UInt8(ascii: "`"), 0xE2:
            return (.otherQuotes, "Names and texts have the quotation mark \"")
        case UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"), UInt8(ascii: "I"), UInt8(ascii: "u"):
            return (.otherLiteral, "The words of JSON are true, false and null")
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            let before = json[..<offset].last { !isSpace($0) }
            return before == UInt8(ascii: ",") ? (.trailingComma, "No comma stands behind the last member") : (.syntax, nil)
        case UInt8(ascii: "/"), UInt8(ascii: "#"): return (.comment, "JSON has no comments")
        case 0..<0x20: return (.controlCharacter, nil)
        default: return (.syntax, nil)
        }
    }

    /// Returns whether everything in front of a place is one JSON text.
    private static func isBehindObject(_ json: [UInt8], _ start: Int, _ offset: Int) -> Bool {
        json[..<offset].last { !isSpace($0) } == UInt8(ascii: "}")
            && (try? JSON.validate(Array(json[start..<offset]), profile: .request)) != nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

extension JSONDocument {
    /// Refuses U+0000 in a text or a name that would be sent: many databases do not store it.
    func refuseNull(without names: [StaticString]) throws(PartnerBookingError) {
        var found: [String]?
        forEachKey(of: 0) { key in
            guard found == nil, !names.contains(where: { isString(at: key, $0) }) else { return }
            found = (key..<next(after: key + 1)).first { withText(at: $0) { $0.contains(0) } ?? false }.map { place in
                // Names and values of an object alternate: the path of a name is that of its value.
                let path = self.path(to: place)
                return path.isEmpty || place == key ? self.path(to: key + 1) : path
            }
        }
        guard let found else { return }
        throw .field(ObjectReader.printable(found), "must not contain the character U+0000", .controlCharacter)
    }
}
