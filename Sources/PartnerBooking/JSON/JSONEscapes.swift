import Glibc

/// The decoder for the escapes of scanned strings.
enum JSONEscapes {
    /// Writes a string without its quotes as UTF-8, and returns its length. The length is at most
    /// that of `text`. Unpaired surrogates become U+FFFD.
    static func decode(_ text: UnsafeRawBufferPointer, to result: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard let start = text.baseAddress, let out = result.baseAddress, result.count >= text.count else { return 0 }
        var (place, count) = (0, 0)
        while place < text.count {
            let rest = text.count - place
            let escape = memchr(start + place, Int32(UInt8(ascii: "\\")), rest)
            let plain = escape.map { UnsafeRawPointer($0) - (start + place) } ?? rest
            if plain > 0 { memcpy(out + count, start + place, plain) }
            count += plain
            place += plain
            guard place + 1 < text.count else { break }
            count += write(scalar(text, &place), to: out + count)
        }
        return count
    }

    /// Reads the escape at `place`, and moves `place` behind it.
    private static func scalar(_ text: UnsafeRawBufferPointer, _ place: inout Int) -> UInt32 {
        let escape = text[place + 1]
        guard escape == UInt8(ascii: "u") else {
            place += 2
            switch escape {
            case UInt8(ascii: "b"): return 0x08
            case UInt8(ascii: "f"): return 0x0C
            case UInt8(ascii: "n"): return 0x0A
            case UInt8(ascii: "r"): return 0x0D
            case UInt8(ascii: "t"): return 0x09
            default: return UInt32(escape)
            }
        }
        let unit = hexUnit(text, place + 2)
        place = min(place + 6, text.count)
        guard 0xD800..<0xE000 ~= unit else { return unit }
        guard unit < 0xDC00, place + 1 < text.count, text[place] == UInt8(ascii: "\\"), text[place + 1] == UInt8(ascii: "u")
        else { return 0xFFFD }
        let low = hexUnit(text, place + 2)
        guard 0xDC00..<0xE000 ~= low else { return 0xFFFD }
        place = min(place + 6, text.count)
        return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }

    private static func hexUnit(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
        var unit: UInt32 = 0
        for place in start..<start + 4 {
            unit = unit << 4 | UInt32(place < text.count ? text[place].hexDigitValue ?? 0 : 0)
        }
        return unit
    }

    /// Writes at most four bytes, and returns their number.
    private static func write(_ scalar: UInt32, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let (count, lead): (Int, UInt32) =
            switch scalar {
            case 0..<0x80: (1, 0)
            case 0x80..<0x800: (2, 0xC0)
            case 0x800..<0x10000: (3, 0xE0)
            default: (4, 0xF0)
            }
        var bits = scalar
        for place in (1..<count).reversed() {
            out[place] = UInt8(truncatingIfNeeded: 0x80 | bits & 0x3F)
            bits >>= 6
        }
        out[0] = UInt8(truncatingIfNeeded: lead | bits)
        return count
    }
}
