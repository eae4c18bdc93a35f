/// The footer of a TZif file: a POSIX TZ string with the extensions of RFC 9636, section
/// 3.3.1. Examples: `EST5EDT,M3.2.0,M11.1.0`, `<-02>2<-01>,M3.5.0/-1,M10.5.0/0`.
enum ZoneFooter {
    /// One offset at all times, in seconds east of UTC.
    case fixed(Int)
    case daylight(DaylightRule)

    init(_ text: ArraySlice<UInt8>) throws(ZoneError) {
        var reader = Reader(rest: text)
        guard let footer = reader.footer(), reader.rest.isEmpty else {
            let shown = text.prefix(64).map { (0x20...0x7E).contains($0) ? Character(Unicode.Scalar($0)) : "?" }
            let column = text.count - reader.rest.count
            throw ZoneError(Reason.footer(String(shown), column: column + 1))
        }
        self = footer
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func footer() -> ZoneFooter? {
            guard name(), let standard = offset() else { return nil }
            guard !rest.isEmpty else { return .fixed(standard) }
            guard name() else { return nil }
            var daylight = standard + 3_600
            if rest.first != UInt8(ascii: ",") {
                guard let written = offset() else { return nil }
                daylight = written
            }
            // A file must contain the dates. POSIX leaves missing dates to each system: that
            // is no rule.
            guard take(","), let start = date(), take(","), let end = date() else { return nil }
            return .daylight(DaylightRule(standard: standard, daylight: daylight, start: start, end: end))
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        /// Skips a name of at least three letters. In angle brackets it may also have digits
        /// and signs.
        private mutating func name() -> Bool {
            let isQuoted = take("<")
            let name = rest.prefix { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
                case UInt8(ascii: "+"), UInt8(ascii: "-"): isQuoted
                default: isQuoted && byte.isDigit
                }
            }
            rest = rest[name.endIndex...]
            return name.count >= 3 && (!isQuoted || take(">"))
        }

        /// Reads an offset. POSIX counts to the west.
        private mutating func offset() -> Int? { time(hourLimit: 24).map { -$0 } }

        /// Reads `[+-]h[hh][:mm[:ss]]` in seconds.
        private mutating func time(hourLimit: Int) -> Int? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number(in: 0...hourLimit, digits: 1...3) else { return nil }
            var seconds = hours * 3_600
            for unit in [60, 1] where take(":") {
                guard let number = number(in: 0...59, digits: 2...2) else { return nil }
                seconds += number * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// Reads a date and its time, by default 02:00.
        private mutating func date() -> DaylightRule.Change? {
            guard let day = day() else { return nil }
            guard take("/") else { return .init(day: day, seconds: 2 * 3_600) }
            return time(hourLimit: 167).map { .init(day: day, seconds: $0) }
        }

        private mutating func day() -> DaylightRule.Day? {
            if take("J") { return number(in: 1...365, digits: 1...3).map { .ofCommonYear($0) } }
            guard take("M") else { return number(in: 0...365, digits: 1...3).map { .ofYear($0) } }
            guard let month = number(in: 1...12, digits: 1...2), take("."), let week = number(in: 1...5, digits: 1...1),
                take("."), let weekday = number(in: 0...6, digits: 1...1)
            else { return nil }
            return .weekday(weekday, week: week, month: month)
        }

        private mutating func number(in range: ClosedRange<Int>, digits: ClosedRange<Int>) -> Int? {
            let text = rest.prefix(digits.upperBound).prefix(while: \.isDigit)
            let number = text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard text.count >= digits.lowerBound, range.contains(number) else { return nil }
            rest = rest[text.endIndex...]
            return number
        }
    }
}
