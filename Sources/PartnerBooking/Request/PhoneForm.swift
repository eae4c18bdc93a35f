/// Reads phone numbers as people and language models write them. Marks between the digits are left out. A country code, which
/// only the caller knows, is not guessed. No message contains a digit of the number.
enum PhoneForm {
    static let expected = "an E.164 number: a plus sign, the country code and the number, 2 to 15 digits in all"

    /// Returns the canonical form of a text, or its mistake.
    static func read(_ text: String) -> InputForm {
        guard text.utf8.count <= 256 else { return .refused(InputFault(.notAPhone, "must be \(expected)")) }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 && !$0.properties.isWhitespace }) {
            return .refused(InputFault(.controlCharacter, "must not contain control characters"))
        }
        var plain = InputText.plain(text)[...]
        let scheme = Array("tel:".utf8)
        if plain.count > 4, plain.prefix(4).map({ $0.isLetter ? $0 | 0x20 : $0 }) == scheme {
            plain = InputText.trimmed(plain.dropFirst(4))[...]
        }
        if let fault = fault(of: plain) { return .refused(fault) }
        let digits = plain.filter(\.isDigit)
        guard (2...15).contains(digits.count) else {
            return .refused(
                InputFault(.phoneLength, "has too \(digits.count < 2 ? "few" : "many") digits: it must be \(expected)"))
        }
        return .taken("+" + String(decoding: digits, as: UTF8.self))
    }

    private static func fault(of text: ArraySlice<UInt8>) -> InputFault? {
        guard text.contains(where: { $0 != UInt8(ascii: " ") }) else {
            return InputFault(.empty, "is empty: it must be \(expected)")
        }
        let plusses = text.count { $0 == UInt8(ascii: "+") }
        if plusses > 1 || plusses == 1 && text.contains(where: { ",/|&".utf8.contains($0) }) {
            return InputFault(.severalNumbers, "contains several numbers, or marks between them: write one number")
        }
        if isExtended(text) {
            return InputFault(.phoneExtension, "has an extension, which E.164 does not have: leave it out")
        }
        // A plus sign is in front of everything, or the first in brackets.
        let first = text.first == UInt8(ascii: "(") ? text.dropFirst().first : text.first
        guard text.allSatisfy({ $0.isDigit || "+ ()-.".utf8.contains($0) }), text.contains(where: \.isDigit),
            plusses == 0 || first == UInt8(ascii: "+"), areBracketsClosed(text)
        else {
            return InputFault(.notAPhone, "contains characters that no phone number has: it must be \(expected)")
        }
        let digits = text.filter(\.isDigit)
        guard plusses == 1 else { return noCountryCode(digits) }
        if digits.first == UInt8(ascii: "0") {
            return InputFault(.noCountryCode, "has no country code: none begins with 0. It must be \(expected)")
        }
        let unspaced = text.filter { $0 != UInt8(ascii: " ") }
        if unspaced.indices.dropLast(2).contains(where: { unspaced[$0...].starts(with: "(0)".utf8) }) {
            return InputFault(
                .trunkZero, "has a zero in brackets: write it as it is dialled from abroad, mostly without that zero")
        }
        return nil
    }

    private static func noCountryCode(_ digits: [UInt8]) -> InputFault {
        let advice =
            digits.starts(with: "00".utf8) || digits.starts(with: "011".utf8)
            ? "write + in place of the digits that are dialled for a call abroad"
            : "write + and the country code in front of it, such as +1 or +49, and leave out a leading 0"
        return InputFault(.noCountryCode, "has no plus sign, so the country code is missing: \(advice)")
    }

    /// Returns whether digits are followed by letters, `;` or `#` and digits again.
    private static func isExtended(_ text: ArraySlice<UInt8>) -> Bool {
        guard let mark = text.firstIndex(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: "#") || $0.isLetter })
        else { return false }
        let rest = text[mark...]
        let letters = rest.prefix { $0.isLetter || ";=#.: ".utf8.contains($0) }
        let word = String(decoding: letters.filter(\.isLetter).map { $0 | 0x20 }, as: UTF8.self)
        let digits = rest[letters.endIndex...]
        return text[..<mark].count(where: \.isDigit) >= 2 && ["", "x", "ext", "extn", "extension"].contains(word)
            && !digits.isEmpty && digits.allSatisfy(\.isDigit)
    }

    private static func areBracketsClosed(_ text: ArraySlice<UInt8>) -> Bool {
        var isOpen = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "(") where isOpen: return false
            case UInt8(ascii: "("): isOpen = true
            case UInt8(ascii: ")") where !isOpen: return false
            case UInt8(ascii: ")"): isOpen = false
            default: break
            }
        }
        return !isOpen
    }
}
