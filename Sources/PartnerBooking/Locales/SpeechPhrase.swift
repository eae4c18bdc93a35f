/// A phrase with placeholders for other words: `quarter past {hour} {part}`.
struct SpeechPhrase: Sendable {
    /// A placeholder.
    enum Place: UInt8, CaseIterable {
        case weekday = 1
        case month, day, century, year, hour, next, minute, left, part, hours, minutes

        fileprivate var name: StaticString {
            switch self {
            case .weekday: "{weekday}"
            case .month: "{month}"
            case .day: "{day}"
            case .century: "{century}"
            case .year: "{year}"
            case .hour: "{hour}"
            case .next: "{next}"
            case .minute: "{minute}"
            case .left: "{left}"
            case .part: "{part}"
            case .hours: "{hours}"
            case .minutes: "{minutes}"
            }
        }
    }

    /// UTF-8, in which a control character stands for a `Place`.
    let bytes: [UInt8]
    /// True when the phrase ends with the part of the day.
    var hasPart: Bool { bytes.last == Place.part.rawValue }

    init(_ text: Slice<UnsafeRawBufferPointer>) {
        var bytes: [UInt8] = []
        var rest = text
        while let first = rest.first {
            if first == UInt8(ascii: "{"), let place = Place.allCases.first(where: { Self.starts(rest, with: $0.name) }) {
                bytes.append(place.rawValue)
                rest = rest.dropFirst(place.name.utf8CodeUnitCount)
            } else {
                bytes.append(first)
                rest = rest.dropFirst()
            }
        }
        self.bytes = bytes
    }

    init(_ text: StaticString) {
        self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)[...])
    }

    private static func starts(_ text: Slice<UnsafeRawBufferPointer>, with name: StaticString) -> Bool {
        name.withUTF8Buffer { text.starts(with: $0) }
    }
}

/// Phrases that two numbers select, such as hours and minutes. The first rule that fits
/// counts.
struct SpeechRules: Sendable {
    private struct Rule {
        /// A bit for each number from 0 to 127.
        let majors: UInt128
        let minors: UInt128
        let phrase: SpeechPhrase
    }

    private let rules: [Rule]

    init(_ text: StaticString) {
        rules = TableItems(text, separator: "\n").compactMap { line in
            var fields = TableItems(line, separator: " ")
            guard let pattern = fields.next(), pattern.endIndex < line.endIndex else { return nil }
            var parts = TableItems(pattern, separator: ":")
            guard let majors = parts.next(), let minors = parts.next() else { return nil }
            return Rule(
                majors: Self.numbers(majors), minors: Self.numbers(minors),
                phrase: SpeechPhrase(line[(pattern.endIndex + 1)...]))
        }
    }

    /// Returns the phrase for two numbers, and the place of its rule.
    func find(_ major: Int, _ minor: Int) -> (phrase: SpeechPhrase, rule: Int)? {
        let (major, minor) = (UInt128(1) << UInt128(major & 127), UInt128(1) << UInt128(minor & 127))
        for (place, rule) in rules.enumerated() where rule.majors & major != 0 && rule.minors & minor != 0 {
            return (rule.phrase, place)
        }
        return nil
    }

    /// Reads `*`, or numbers and ranges with commas between: `0,12` or `01-09`.
    private static func numbers(_ text: Slice<UnsafeRawBufferPointer>) -> UInt128 {
        if text.first == UInt8(ascii: "*") { return .max }
        var bits: UInt128 = 0
        for item in TableItems(text) {
            var ends = TableItems(item, separator: "-")
            guard let first = ends.next().map(number), let last = ends.next().map(number) ?? first as Int?, first <= last
            else { continue }
            for number in first...last { bits |= 1 << UInt128(number & 127) }
        }
        return bits
    }

    private static func number(_ text: Slice<UnsafeRawBufferPointer>) -> Int {
        text.prefix(3).reduce(0) { $0 * 10 + Int($1 & 15) }
    }
}
