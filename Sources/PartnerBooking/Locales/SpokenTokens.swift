/// Splits spoken or written text into digits, words and signs. Accepts any bytes: invalid
/// UTF-8 makes an unknown word.
struct SpokenTokens {
    enum Token: Equatable {
        /// `inRun` is true when another digit stands next to it.
        case digit(UInt8, inRun: Bool)
        case word(WordKey)
        case plus
        /// `#`
        case hash
        /// A sign without meaning in a number.
        case sign
    }

    /// The gap before a token. Words can make one number across a blank or a hyphen, but not
    /// across a pause.
    enum Gap {
        case none, blank, hyphen, pause

        fileprivate mutating func widen(_ gap: Gap) {
            self = self == .none || self == .blank && gap == .blank ? gap : .pause
        }
    }

    private let text: UnsafeRawBufferPointer
    private var place = 0
    private var isAfterDigit = false
    /// The gap before the token returned last.
    private(set) var gap = Gap.none
    /// True when this gap contains a colon: `Phone: 555…`.
    private(set) var isAfterColon = false

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func next() -> Token? {
        gap = .none
        isAfterColon = false
        while place < text.count {
            let scalar = Self.scalar(text, place)
            switch Self.kind(scalar.value) {
            case .blank: gap.widen(.blank)
            case .hyphen: gap.widen(.hyphen)
            case .pause:
                gap = .pause
                if scalar.value == UInt32(UInt8(ascii: ":")) { isAfterColon = true }
            case .ignored: break
            case .digit(let digit):
                place += scalar.count
                defer { isAfterDigit = true }
                return .digit(digit, inRun: isAfterDigit && gap == .none || isDigit(at: place))
            case .letter, .apostrophe, .mark: return word()
            case .plus: return sign(.plus, scalar.count)
            case .hash: return sign(.hash, scalar.count)
            case .sign: return sign(.sign, scalar.count)
            }
            place += scalar.count
        }
        return nil
    }

    private mutating func sign(_ token: Token, _ count: Int) -> Token {
        place += count
        isAfterDigit = false
        return token
    }

    private func isDigit(at place: Int) -> Bool {
        guard place < text.count, case .digit = Self.kind(Self.scalar(text, place).value) else { return false }
        return true
    }

    private mutating func word() -> Token {
        isAfterDigit = false
        var key = WordKey()
        while place < text.count {
            let scalar = Self.scalar(text, place)
            switch Self.kind(scalar.value) {
            case .letter(let letter): key.append(letter)
            case .apostrophe, .mark, .ignored: break
            default: return .word(key)
            }
            place += scalar.count
        }
        return .word(key)
    }
}

// MARK: - Characters

extension SpokenTokens {
    enum Kind {
        case digit(UInt8)
        /// A letter from a to z, without accent. 0 for other letters.
        case letter(UInt8)
        case blank, hyphen, pause, plus, hash, apostrophe, sign
        /// A combining accent.
        case mark
        /// A character without width: a direction mark, a soft hyphen.
        case ignored
    }

    static func kind(_ scalar: UInt32) -> Kind {
        guard scalar < 0x80 else { return otherKind(scalar) }
        switch UInt8(truncatingIfNeeded: scalar) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return .digit(UInt8(scalar & 15))
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return .letter(UInt8(scalar) | 0x20)
        case UInt8(ascii: " "), 0x09, 0x0A, 0x0D: return .blank
        case UInt8(ascii: "-"): return .hyphen
        case UInt8(ascii: "+"): return .plus
        case UInt8(ascii: "#"): return .hash
        case UInt8(ascii: "'"): return .apostrophe
        case UInt8(ascii: "@"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "*"),
            UInt8(ascii: "^"), 0..<0x20, 0x7F:
            return .sign
        default: return .pause
        }
    }

    private static func otherKind(_ scalar: UInt32) -> Kind {
        switch scalar {
        case 0xFF10...0xFF19: .digit(UInt8(scalar - 0xFF10))
        case 0x0660...0x0669: .digit(UInt8(scalar - 0x0660))
        case 0x06F0...0x06F9: .digit(UInt8(scalar - 0x06F0))
        case 0xC0...0xFF: .letter(latin(scalar))
        case 0x300...0x36F: .mark
        case 0x2019, 0x02BC: .apostrophe
        case 0xFF0B: .plus
        case 0xAD, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: .ignored
        case 0xA0, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: .blank
        case 0x2010...0x2015, 0x2212, 0x30FC, 0xFF0D: .hyphen
        case 0xA1, 0xB7, 0xBF, 0x2018, 0x201A...0x201F, 0x2022, 0x2026, 0x223C, 0x3001, 0x3002, 0xFF08, 0xFF09, 0xFF0C,
            0xFF0E,
            0xFF0F, 0xFF1A, 0xFF5E:
            .pause
        default: .letter(0)
        }
    }

    /// Returns a letter from U+00C0 to U+00FF without its accent, or 0.
    private static func latin(_ scalar: UInt32) -> UInt8 {
        let plain: StaticString = "aaaaaaaceeeeiiiidnooooo~ouuuuy~~"
        let letter = plain.utf8Start[Int(scalar & 31)]
        return letter == UInt8(ascii: "~") ? 0 : letter
    }

    /// Returns the scalar at a place and its number of bytes.
    static func scalar(_ text: UnsafeRawBufferPointer, _ place: Int) -> (value: UInt32, count: Int) {
        let first = text[place]
        let count = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard count > 1, place + count <= text.count else { return (first < 0x80 ? UInt32(first) : 0xFFFD, 1) }
        var value = UInt32(first) & (0xFF >> UInt32(count + 1))
        for byte in text[(place + 1)..<(place + count)] {
            guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        return (value, count)
    }
}
