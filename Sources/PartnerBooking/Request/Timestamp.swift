/// An RFC 3339 date-time with its offset, or a plain date.
enum Timestamp: Equatable {
    /// An instant. Nanoseconds are separate, so that fractions of any length compare well.
    /// Digits past the ninth are dropped.
    case instant(seconds: Int, nanoseconds: Int)
    /// A plain date, in days since 1970-01-01.
    case date(days: Int)

    /// Reads `2030-01-14T09:00:00Z`, `2030-01-14t09:00:00.25-05:00` or `2030-01-14`; nil for
    /// any other text. The offset is required, and the day must exist. Second 60 is read as the
    /// next minute's first.
    init?(_ text: UnsafeRawBufferPointer) {
        var reader = Reader(text: text)
        guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2), reader.skip("-"),
            let day = reader.digits(2), (1...12).contains(month),
            (1...CalendarDate.daysIn(month: month, year: year)).contains(day)
        else { return nil }
        let days = CalendarDate(year: year, month: month, day: day).daysSinceEpoch
        if reader.isAtEnd {
            self = .date(days: days)
            return
        }
        guard reader.skip("T") || reader.skip("t"), let hour = reader.digits(2), reader.skip(":"),
            let minute = reader.digits(2), reader.skip(":"), let second = reader.digits(2),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var nanoseconds = 0
        if reader.skip(".") {
            guard let fraction = reader.fraction() else { return nil }
            nanoseconds = fraction
        }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        let seconds = days * 86_400 + hour * 3_600 + (minute - offset) * 60 + second
        self = .instant(seconds: seconds, nanoseconds: nanoseconds)
    }

    var isDate: Bool {
        if case .date = self { true } else { false }
    }

    /// The instant in seconds since 1970. nil for a plain date.
    var instantSeconds: Int? {
        if case .instant(let seconds, _) = self { seconds } else { nil }
    }

    /// Reads the text of a string.
    init?(_ text: String) {
        var text = text
        guard let timestamp = text.withUTF8({ Timestamp(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = timestamp
    }

    /// Returns whether both are instants, and this instant is the earlier.
    func isBefore(_ other: Timestamp) -> Bool {
        guard case .instant(let seconds, let nanoseconds) = self,
            case .instant(let otherSeconds, let otherNanoseconds) = other
        else { return false }
        return (seconds, nanoseconds) < (otherSeconds, otherNanoseconds)
    }

    /// The last moment that the value can mean, in seconds since 1970. A plain date ends last
    /// in UTC-12.
    var latestSeconds: Int {
        switch self {
        case .instant(let seconds, _): seconds
        case .date(let days): (days + 1) * 86_400 + 12 * 3_600
        }
    }

    /// The instant in milliseconds since 1970. nil for a plain date.
    var instantMilliseconds: Int? {
        if case .instant(let seconds, let nanoseconds) = self { seconds * 1_000 + nanoseconds / 1_000_000 } else { nil }
    }

    /// Reads `Z`, `+HH:MM` or `-HH:MM` alone. Returns minutes east of UTC.
    static func offsetMinutes(_ text: UnsafeRawBufferPointer) -> Int? {
        var reader = Reader(text: text)
        guard let minutes = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        return minutes
    }

    /// Reads `HH:MM` from 00:00 to 24:00. Returns minutes after midnight.
    static func minuteOfDay(_ text: UnsafeRawBufferPointer) -> Int? {
        var reader = Reader(text: text)
        guard let hour = reader.digits(2), reader.skip(":"), let minute = reader.digits(2), reader.isAtEnd,
            hour < 24 && minute < 60 || hour == 24 && minute == 0
        else { return nil }
        return hour * 60 + minute
    }

    /// Returns `2030-01-14T09:00:00-05:00`, or with `Z` for offset 0.
    static func format(seconds: Int, offsetMinutes: Int) -> String {
        let local = seconds + offsetMinutes * 60
        let days = local.flooringDivision(by: 86_400)
        let second = local - days * 86_400
        let date = CalendarDate(daysSinceEpoch: days)
        let time = "\(pad(second / 3_600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
        let offset = abs(offsetMinutes)
        let sign = offsetMinutes < 0 ? "-" : "+"
        let zone = offsetMinutes == 0 ? "Z" : "\(sign)\(pad(offset / 60)):\(pad(offset % 60))"
        return "\(pad(date.year, 4))-\(pad(date.month))-\(pad(date.day))T\(time)\(zone)"
    }

    /// Returns `2030-01-14T14:00:00.250Z`.
    static func format(milliseconds: Int) -> String {
        let seconds = milliseconds.flooringDivision(by: 1_000)
        return format(seconds: seconds, offsetMinutes: 0).dropLast() + ".\(pad(milliseconds - seconds * 1_000, 3))Z"
    }

    /// Returns `Monday, 2030-01-14, and the time is 14:00 in UTC`.
    static func day(ofSeconds seconds: Int) -> String {
        let weekdays = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"]  // from 1970-01-01
        let days = seconds.flooringDivision(by: 86_400)
        let weekday = weekdays[days - days.flooringDivision(by: 7) * 7]
        let text = format(seconds: seconds, offsetMinutes: 0)
        return MemberMessage.today("\(weekday)", String(text.prefix(10)), time: String(text.dropFirst(11).prefix(5)))
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Reader {
        let text: UnsafeRawBufferPointer
        var index = 0

        var isAtEnd: Bool { index == text.count }

        private var byte: UInt8 { index < text.count ? text[index] : 0 }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard byte == UInt8(ascii: character) else { return false }
            index &+= 1
            return true
        }

        @inline(__always)
        mutating func digits(_ count: Int) -> Int? {
            guard text.count &- index >= count else { return nil }
            var number = 0
            for place in index..<index &+ count {
                let digit = text[place] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                number = number &* 10 &+ Int(digit)
            }
            index &+= count
            return number
        }

        /// Reads the digits after the point, and returns nanoseconds.
        mutating func fraction() -> Int? {
            guard byte.isDigit else { return nil }
            var nanoseconds = 0
            var unit = 100_000_000
            while byte.isDigit {
                nanoseconds += Int(byte - UInt8(ascii: "0")) * unit
                unit /= 10
                index += 1
            }
            return nanoseconds
        }

        mutating func offsetMinutes() -> Int? {
            if skip("Z") || skip("z") { return 0 }
            let isWest = byte == UInt8(ascii: "-")
            guard skip("+") || skip("-"), let hours = digits(2), skip(":"), let minutes = digits(2),
                hours < 24, minutes < 60
            else { return nil }
            return (isWest ? -1 : 1) * (hours * 60 + minutes)
        }
    }
}

extension Zone {
    /// Returns the instant of a range's bound, in seconds since 1970. A date is a day of the
    /// zone. An end includes its day.
    func instant(_ bound: Timestamp, isEnd: Bool = false) -> Int {
        switch bound {
        case .instant(let seconds, _): seconds
        case .date(let day): startOfDay(isEnd ? day + 1 : day)
        }
    }
}
