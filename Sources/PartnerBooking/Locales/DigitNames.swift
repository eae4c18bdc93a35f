/// The words with which a locale reads digits aloud: `five five five, one two three`.
struct DigitNames: Sendable {
    private let names: [[UInt8]]
    private let plus: [UInt8]
    private let `extension`: [UInt8]

    init(_ text: LocaleText) {
        names = Self.words(text.numbers.digits)
        plus = Self.words(text.phones.plus).first ?? []
        self.extension = Self.words(text.phones.extensions).first ?? []
    }

    private static func words(_ text: StaticString) -> [[UInt8]] {
        TableItems(text, separator: " ").map(Array.init)
    }

    /// Returns the words for groups of digits: only letters, blanks and commas. The first
    /// group may begin with a plus sign.
    func words(_ groups: [String], extension digits: String?) -> String {
        var words: [UInt8] = []
        words.reserveCapacity(160)
        for group in groups {
            if !words.isEmpty { words.append(UInt8(ascii: ",")) }
            append(group, to: &words)
        }
        if let digits {
            words.append(UInt8(ascii: ","))
            append(self.extension, to: &words)
            append(digits, to: &words)
        }
        return String(decoding: words, as: UTF8.self)
    }

    private func append(_ group: String, to words: inout [UInt8]) {
        for byte in group.utf8 {
            append(byte.isDigit && names.count == 10 ? names[Int(byte & 15)] : plus, to: &words)
        }
    }

    private func append(_ word: [UInt8], to words: inout [UInt8]) {
        if !words.isEmpty { words.append(UInt8(ascii: " ")) }
        words += word
    }
}
