/// The result of reading a text in a request: the canonical form, or a fault.
enum InputForm: Equatable {
    case taken(String)
    case refused(InputFault)
}

/// A fault in a request. `text` completes a sentence that begins with the path of the member.
struct InputFault: Error, Equatable {
    let kind: PartnerBookingError.Kind
    let text: String

    init(_ kind: PartnerBookingError.Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }
}

/// The ASCII forms of the characters that count in dates and phone numbers. Keyboards,
/// typesetting and contact lists write them in many ways.
enum InputText {
    /// The substitute for each character without an ASCII form.
    static let other: UInt8 = 0x7F

    /// Returns a text in ASCII without blanks at its ends. Invisible format characters are
    /// dropped.
    static func plain(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if let byte = plain(scalar) { bytes.append(byte) }
        }
        return trimmed(bytes[...])
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let start = bytes.drop { $0 == space }
        return start.lastIndex { $0 != space }.map { Array(start[...$0]) } ?? []
    }

    private static let space = UInt8(ascii: " ")

    private static func plain(_ scalar: Unicode.Scalar) -> UInt8? {
        switch scalar.value {
        case 0x21...0x7E: return UInt8(scalar.value)
        case 0x00AD, 0x200B...0x200F, 0x202A...0x202E, 0x2060, 0x2066...0x2069, 0xFEFF: return nil
        case 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63: return UInt8(ascii: "-")
        // The full-width forms of ASCII.
        case 0xFF01...0xFF5E: return UInt8(scalar.value - 0xFEE0)
        default:
            if scalar.isWhiteSpace { return space }
            guard scalar.properties.numericType == .decimal, let digit = scalar.properties.numericValue else {
                return other
            }
            return (0...9).contains(digit) ? UInt8(ascii: "0") + UInt8(digit) : other
        }
    }

    /// Returns whether a text has no characters, or blanks only.
    static func isBlank(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isBlank) }

    /// Returns a text without blanks at its ends. The text between them does not change.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[start...last])
    }

    /// Returns whether the scalar is white space, or invisible at an end: a zero width space, a
    /// byte order mark.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isWhiteSpace || scalar == "\u{200B}" || scalar == "\u{FEFF}"
    }

    /// Returns whether a text may begin or end with a blank. Names rarely do.
    static func mayHaveBlankEnds(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let first = text.first, let last = text.last else { return true }
        // Blanks beyond ASCII begin with 0xC2 or at least 0xE1, and end with at least 0x80.
        return first <= 0x20 || last <= 0x20 || first == 0xC2 || first >= 0xE1 || last >= 0x80
    }

    static func hasBlankEnds(_ text: UnsafeRawBufferPointer) -> Bool {
        guard mayHaveBlankEnds(text) else { return false }
        let scalars = String(decoding: text, as: UTF8.self).unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return true }
        return isBlank(first) || isBlank(last)
    }
}
