/// A reader of phone numbers as people and language models write them. It leaves out marks
/// between digits. It does not guess a country code, which only the caller knows. No message
/// contains a digit of the number.
enum PhoneForm {
    /// Returns the canonical form of a text, or its fault.
    static func read(_ text: String) -> InputForm {
        guard text.utf8.count <= 256 else { return .refused(InputFault(.notAPhone, MemberMessage.mustBe(Form.phone))) }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 && !$0.isWhiteSpace }) {
            return .refused(InputFault(.controlCharacter, MemberMessage.controlCharacters))
        }
        var plain = InputText.plain(text)[...]
        let scheme = Array("tel:".utf8)
        if plain.count > 4, plain.prefix(4).map({ $0.isLetter ? $0 | 0x20 : $0 }) == scheme {
            plain = InputText.trimmed(plain.dropFirst(4))[...]
        }
        if let fault = fault(of: plain) { return .refused(fault) }
        let digits = plain.filter(\.isDigit)
        guard (2...15).contains(digits.count) else {
            let text = digits.count < 2 ? MemberMessage.tooFewDigits : MemberMessage.tooManyDigits
            return .refused(InputFault(.phoneLength, text))
        }
        return .taken("+" + String(decoding: digits, as: UTF8.self))
    }

    private static func fault(of text: ArraySlice<UInt8>) -> InputFault? {
        guard text.contains(where: { $0 != UInt8(ascii: " ") }) else {
            return InputFault(.empty, MemberMessage.noPhone)
        }
        let plusses = text.count { $0 == UInt8(ascii: "+") }
        if plusses > 1 || plusses == 1 && text.contains(where: { ",/|&".utf8.contains($0) }) {
            return InputFault(.severalNumbers, MemberMessage.severalPhones)
        }
        if isExtended(text) {
            return InputFault(.phoneExtension, MemberMessage.phoneExtension)
        }
        // A plus sign comes first, or directly after a first bracket.
        let first = text.first == UInt8(ascii: "(") ? text.dropFirst().first : text.first
        guard text.allSatisfy({ $0.isDigit || "+ ()-.".utf8.contains($0) }), text.contains(where: \.isDigit),
            plusses == 0 || first == UInt8(ascii: "+"), areBracketsClosed(text)
        else {
            return InputFault(.notAPhone, MemberMessage.phoneCharacters)
        }
        let digits = text.filter(\.isDigit)
        guard plusses == 1 else { return noCountryCode(digits) }
        if digits.first == UInt8(ascii: "0") {
            return InputFault(.noCountryCode, MemberMessage.zeroForCountry)
        }
        let unspaced = text.filter { $0 != UInt8(ascii: " ") }
        if unspaced.indices.dropLast(2).contains(where: { unspaced[$0...].starts(with: "(0)".utf8) }) {
            return InputFault(.trunkZero, MemberMessage.trunkZero)
        }
        return nil
    }

    private static func noCountryCode(_ digits: [UInt8]) -> InputFault {
        let isDialledAbroad = digits.starts(with: "00".utf8) || digits.starts(with: "011".utf8)
        return InputFault(
            .noCountryCode, isDialledAbroad ? MemberMessage.dialledAbroad : MemberMessage.noCountryCode)
    }

    /// Returns whether digits are followed by letters, `;` or `#`, and digits again.
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
