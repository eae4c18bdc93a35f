/// The digits of a number, in order. Only the first 32 are kept and the others counted, because
/// no number is that long.
struct DigitString: Sendable, Equatable {
    private static let capacity = 32

    /// The kept digits, four bits each, the first digit in the lowest bits.
    private var nibbles: UInt128 = 0
    /// The number of digits. It may exceed the number of kept digits.
    private(set) var count = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    /// The digit at a place; 0 if no digit is kept there.
    subscript(place: Int) -> UInt8 {
        guard (0..<min(count, Self.capacity)).contains(place) else { return 0 }
        return UInt8(truncatingIfNeeded: nibbles >> UInt128(4 * place)) & 15
    }

    mutating func append(_ digit: UInt8) {
        if count < Self.capacity { nibbles |= UInt128(digit & 15) << UInt128(4 * count) }
        count += 1
    }

    /// Appends the decimal digits of a number from 0 to 999,999.
    mutating func append(number: Int) {
        if number >= 10 { append(number: number / 10) }
        append(UInt8(truncatingIfNeeded: number % 10))
    }

    mutating func append(_ other: DigitString) {
        for place in 0..<other.count { append(other[place]) }
    }

    /// Removes all digits from a place on.
    mutating func truncate(to place: Int) {
        guard (0..<count).contains(place) else { return }
        if place < Self.capacity { nibbles &= (1 << UInt128(4 * place)) - 1 }
        count = place
    }

    /// Returns the digits from a place on.
    func dropFirst(_ place: Int) -> DigitString {
        var rest = DigitString()
        guard place < count else { return rest }
        rest.nibbles = place < Self.capacity ? nibbles >> UInt128(4 * place) : 0
        rest.count = count - place
        return rest
    }

    /// Returns whether the digits begin with those of `text`, in which `x` is any digit.
    func starts(with text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard text.count <= min(count, Self.capacity) else { return false }
        var rest = nibbles
        for byte in text {
            guard byte == UInt8(ascii: "x") || byte == UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest & 15) else {
                return false
            }
            rest >>= 4
        }
        return true
    }

    /// The kept digits as text.
    var text: String {
        var digits = self
        return String(unsafeUninitializedCapacity: Self.capacity) { buffer in
            let kept = min(digits.count, Self.capacity)
            for place in 0..<kept {
                buffer.initializeElement(at: place, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits.nibbles & 15))
                digits.nibbles >>= 4
            }
            return kept
        }
    }
}
