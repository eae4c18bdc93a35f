/// The back-off that a service asks for. The header `Retry-After` contains seconds or an HTTP
/// date (RFC 9110, section 10.2.3). Some services add `Retry-After-Ms` for milliseconds.
enum RetryAfter {
    static func milliseconds(_ reply: HTTPReply, wallClock: () -> Int) -> Int? {
        if let text = reply.header("Retry-After-Ms"), !text.isEmpty, text.utf8.allSatisfy(\.isDigit) {
            return min(Int(text) ?? .max, 86_400_000)
        }
        return reply.header("Retry-After").flatMap { milliseconds($0, wallClock: wallClock()) }
    }

    /// Returns the wait from `wallClock` on, in milliseconds; 0 for a date that has passed, nil
    /// for an invalid header.
    static func milliseconds(_ header: String, wallClock: Int) -> Int? {
        let text = header.split(separator: " ").joined(separator: " ")
        if let first = text.utf8.first, first.isDigit, text.utf8.allSatisfy(\.isDigit) {
            return min(Int(text) ?? .max, 86_400) * 1_000
        }
        return httpDate(text).map { min(max($0 - wallClock, 0), 86_400) * 1_000 }
    }

    /// Returns seconds since 1970 for `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete forms
    /// of HTTP dates are not read.
    static func httpDate(_ text: String) -> Int? {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = number(parts[1], digits: 2), let month = months.firstIndex(of: String(parts[2])),
            let year = number(parts[3], digits: 4), year >= 1970,
            (1...CalendarDate.daysIn(month: month + 1, year: year)).contains(day)
        else { return nil }
        let time = parts[4].split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2) }
        guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CalendarDate(year: year, month: month + 1, day: day).daysSinceEpoch
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// Reads exactly `digits` digits. They are checked first, because `Int` also reads signs.
    private static func number(_ text: Substring, digits: Int) -> Int? {
        text.utf8.count == digits && text.utf8.allSatisfy(\.isDigit) ? Int(text) : nil
    }
}
