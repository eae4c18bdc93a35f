/// A time as platforms write it: an instant, or a time on the clinic's clock.
///
/// Accepted forms:
/// - `2030-01-15T09:30:00-05:00`, or with a space instead of the `T`. Optional parts are
///   the seconds, a fraction, and the offset's minutes and colon.
/// - The same without an offset.
/// - Unix time in seconds or milliseconds, as a number or as a string of digits.
enum ItemTime: Equatable {
    /// Seconds since 1970.
    case instant(Int)
    /// Seconds since 1970-01-01T00:00 on the clinic's clock.
    case wall(Int)

    init?(_ value: JSONValue) {
        if let number = value.integer {
            self.init(unixTime: number)
        } else if let time = value.withText({ ItemTime($0) }) ?? nil {
            self = time
        } else {
            return nil
        }
    }

    init?(_ text: UnsafeRawBufferPointer) {
        var reader = Reader(rest: text[...])
        if text.count >= 9, text.count <= 13, text.allSatisfy(\.isDigit) {
            self.init(unixTime: reader.digits(text.count) ?? 0)
            return
        }
        guard let days = reader.date(), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let time = reader.timeOfDay()
        else { return nil }
        let wall = days * 86_400 + time
        if reader.rest.isEmpty {
            self = .wall(wall)
        } else if let offset = reader.offset(), reader.rest.isEmpty {
            self = .instant(wall - offset)
        } else {
            return nil
        }
    }

    /// Returns the time of day and the date that a text shows, as seconds since 1970-01-01T00:00
    /// of its own clock. The offset does not count. nil for other texts, also for Unix time.
    static func shownWall(_ text: UnsafeRawBufferPointer) -> Int? {
        guard ItemTime(text) != nil else { return nil }
        var reader = Reader(rest: text[...])
        guard let days = reader.date(), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let time = reader.timeOfDay()
        else { return nil }
        return days * 86_400 + time
    }

    /// Reads Unix time. Seconds and milliseconds differ by a factor of 1,000. Times before
    /// 1973 are refused, so no number can mean both.
    private init?(unixTime number: Int) {
        switch number {
        case 100_000_000..<100_000_000_000: self = .instant(number)
        case 100_000_000_000..<100_000_000_000_000: self = .instant(number / 1_000)
        default: return nil
        }
    }

    /// Returns the instant in a zone, or nil for a time that the clinic's clock skips. If the
    /// clock shows the time twice, returns the first instant, or the second if the first is
    /// before `earliest`.
    func instant(in zone: Zone, notBefore earliest: Int = .min) -> Int? {
        switch self {
        case .instant(let instant): return instant
        case .wall(let wall):
            switch zone.instants(atWall: wall) {
            case .one(let instant): return instant
            case .two(let first, let second): return first < earliest ? second : first
            case .gap: return nil
            }
        }
    }

    private struct Reader {
        var rest: Slice<UnsafeRawBufferPointer>

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func digits(_ count: Int) -> Int? {
            guard rest.count >= count, rest.prefix(count).allSatisfy(\.isDigit) else { return nil }
            let number = rest.prefix(count).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            rest.removeFirst(count)
            return number
        }

        /// Reads a date. Returns days since 1970-01-01.
        mutating func date() -> Int? {
            guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2), year > 0,
                (1...12).contains(month), (1...CalendarDate.daysIn(month: month, year: year)).contains(day)
            else { return nil }
            return CalendarDate(year: year, month: month, day: day).daysSinceEpoch
        }

        /// Reads a time of day. Returns seconds after midnight, without a fraction.
        mutating func timeOfDay() -> Int? {
            guard let hour = digits(2), skip(":"), let minute = digits(2), hour < 24, minute < 60 else { return nil }
            var second = 0
            if skip(":") {
                guard let seconds = digits(2), seconds < 60 else { return nil }
                second = seconds
                if skip(".") {
                    guard digits(1) != nil else { return nil }
                    while digits(1) != nil {}
                }
            }
            return hour * 3_600 + minute * 60 + second
        }

        /// Reads an offset. Returns seconds east of UTC.
        mutating func offset() -> Int? {
            if skip("Z") || skip("z") { return 0 }
            let isWest = rest.first == UInt8(ascii: "-")
            guard skip("+") || skip("-"), let hours = digits(2), hours < 24 else { return nil }
            var minutes = 0
            if !rest.isEmpty {
                _ = skip(":")
                guard let written = digits(2), written < 60 else { return nil }
                minutes = written
            }
            return (isWest ? -1 : 1) * (hours * 60 + minutes) * 60
        }
    }
}
