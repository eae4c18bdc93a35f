/// The name of a slot, such as `tue15-0930u`: weekday, day of the month, local time and a
/// check letter.
///
/// A person can read the name, so it cannot differ unnoticed from the spoken time. The check
/// letter exposes names that a language model makes up. It depends on start and length. Every
/// wrong digit and every swap of two adjacent digits changes it.
struct SlotToken: Equatable {
    private(set) var bytes = InlineArray<11, UInt8>(repeating: 0)

    private static let letters: StaticString = "abcdefghjkmnpqrstuvwxyz"
    private static let weekdays: StaticString = "montuewedthufrisatsun"
    private static let weights: InlineArray<6, Int> = [10, 14, 9, 17, 22, 21]

    init(_ local: LocalTime, durationMinutes: Int) {
        let (date, minute) = (local.date, local.minuteOfDay)
        let digits: InlineArray<6, Int> = [
            date.day / 10, date.day % 10, minute / 600, minute / 60 % 10, minute % 60 / 10, minute % 10,
        ]
        var sum = 9 * date.month + (local.isRepeated ? 14 : 0) + 11 * durationMinutes
        for index in digits.indices { sum += Self.weights[index] * digits[index] }
        for index in 0..<3 { bytes[index] = Self.weekdays.utf8Start[local.weekday * 3 + index] }
        for index in digits.indices {
            bytes[index < 2 ? 3 + index : 4 + index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digits[index])
        }
        bytes[5] = UInt8(ascii: "-")
        bytes[10] = Self.letters.utf8Start[sum % Self.letters.utf8CodeUnitCount]
    }

    /// Reads a token as a model or a person writes it. Accepts upper and lower case. Blanks,
    /// brackets, quotes and punctuation may stand anywhere but within a number: `mon 1/7 0900`
    /// is no token. The word `slot` may precede it, and the hyphen may be missing.
    ///
    /// - Returns: nil for other texts. `isChecked` is false when the check letter is missing.
    static func read(_ text: UnsafeRawBufferPointer) -> (token: SlotToken, isChecked: Bool)? {
        guard text.count <= maxTextBytes else { return nil }
        var letters = [UInt8]()
        var signs = [Int]()
        for byte in text {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): letters.append(byte | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): letters.append(byte)
            case 0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "("),
                UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
                UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: ":"),
                UInt8(ascii: ";"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "*"):
                signs.append(letters.count)
            default: return nil
            }
        }
        var start = 0
        if letters.starts(with: "slot".utf8) {
            letters.removeFirst(4)
            start = 4
        }
        guard !signs.contains(where: { [4, 6, 8].contains($0 - start) }) else { return nil }
        guard letters.count == 9 || letters.count == 10 else { return nil }
        var token = SlotToken()
        for (index, byte) in letters.enumerated() {
            guard (3..<9).contains(index) == byte.isDigit else { return nil }
            token.bytes[index < 5 ? index : index + 1] = byte
        }
        token.bytes[5] = UInt8(ascii: "-")
        return (token, letters.count == 10)
    }

    static let maxTextBytes = 64

    private init() {}

    var text: String {
        String(unsafeUninitializedCapacity: 11) { text in
            for index in bytes.indices { text[index] = bytes[index] }
            return 11
        }
    }

    /// Returns true when weekday, day and time are equal. The check letter may differ.
    func isAtSameTime(as other: SlotToken) -> Bool {
        for index in 0..<10 where bytes[index] != other.bytes[index] { return false }
        return true
    }

    /// Returns true when the token names a start of this length on `day`, in days since 1970.
    func isOn(_ day: Int, durationMinutes: Int) -> Bool {
        guard number(at: 3) == CalendarDate(daysSinceEpoch: day).day else { return false }
        let wall = day * 86_400 + number(at: 6) * 3_600 + number(at: 8) * 60
        return [false, true].contains { isRepeated in
            SlotToken(LocalTime(wall: wall, offset: 0, isRepeated: isRepeated), durationMinutes: durationMinutes) == self
        }
    }

    /// Reads the two digits at `place`.
    private func number(at place: Int) -> Int {
        Int(bytes[place] &- UInt8(ascii: "0")) * 10 + Int(bytes[place + 1] &- UInt8(ascii: "0"))
    }

    static func == (left: SlotToken, right: SlotToken) -> Bool {
        left.isAtSameTime(as: right) && left.bytes[10] == right.bytes[10]
    }
}
