/// A reader of dates and times as people and language models write them. It returns a text with
/// only one reading in the form of RFC 3339, and does not guess missing parts.
struct TimestampForm {
    private let text: [UInt8]
    private let allowsDate: Bool
    private var index = 0

    /// Returns the canonical form of a text, or its fault.
    static func read(_ text: String, allowsDate: Bool) -> InputForm {
        // A longer text is no time, and is not read.
        guard text.utf8.count <= 256 else { return .refused(InputFault(.notADate, MemberMessage.notADate)) }
        var form = TimestampForm(text: InputText.plain(text), allowsDate: allowsDate)
        do throws(InputFault) { return .taken(try form.read()) } catch { return .refused(error) }
    }

    private init(text: [UInt8], allowsDate: Bool) {
        self.text = text
        self.allowsDate = allowsDate
    }

    private mutating func read() throws(InputFault) -> String {
        if text.isEmpty {
            throw InputFault(.empty, MemberMessage.noDate)
        }
        let date = try date()
        if index == text.count {
            if allowsDate { return date }
            throw InputFault(.dateOnly, MemberMessage.dateOnly(came))
        }
        guard skip("T") || skip("t") || byte == UInt8(ascii: " ") else { throw unreadable }
        skipBlanks()
        let time = try time()
        skipBlanks()
        return try "\(date)T\(time)\(offset())"
    }

    // MARK: Parts

    private mutating func date() throws(InputFault) -> String {
        let start = index
        guard let year = digits(4) else { throw unreadable }
        let isExtended = skip("-")
        guard let month = digits(2), skip("-") == isExtended, let day = digits(2),
            index == text.count || [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(byte)
        else {
            index = start
            throw unreadable
        }
        guard year > 0 else { throw InputFault(.noSuchDate, MemberMessage.year0(came)) }
        guard (1...12).contains(month), (1...CalendarDate.daysIn(month: month, year: year)).contains(day) else {
            throw InputFault(.noSuchDate, MemberMessage.noSuchDate(came))
        }
        return "\(Self.pad(year, 4))-\(Self.pad(month))-\(Self.pad(day))"
    }

    private mutating func time() throws(InputFault) -> String {
        if isOfTwelveHours {
            throw InputFault(.twelveHourClock, MemberMessage.twelveHours)
        }
        guard let hour = digits(2) else { throw byte.isDigit ? oneDigit : unreadable }
        let isExtended = skip(":")
        guard let minute = digits(2) else { throw unreadable }
        var second = 0
        if isExtended ? skip(":") : byte.isDigit {
            guard let digits = digits(2) else { throw unreadable }
            second = digits
        }
        guard hour < 24, minute < 60, second < 60 else {
            let isMidnight = hour == 24 && minute == 0 && second == 0
            let advice = isMidnight ? MemberMessage.midnight : MemberMessage.noSuchMinute
            throw InputFault(.noSuchTime, MemberMessage.noSuchTime(came, advice))
        }
        var fraction = ""
        if skip(".") || skip(",") {
            let start = index
            while byte.isDigit { index += 1 }
            guard index > start else { throw unreadable }
            fraction = "." + String(decoding: text[start..<index], as: UTF8.self)
        }
        return "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second))\(fraction)"
    }

    private mutating func offset() throws(InputFault) -> String {
        let rest = text[index...]
        if rest.isEmpty {
            throw InputFault(.noOffset, MemberMessage.noOffset(came))
        }
        if let word = Self.lowercased(rest), ["z", "utc", "gmt"].contains(word) { return "Z" }
        let isWest = byte == UInt8(ascii: "-")
        guard skip("+") || skip("-") else {
            let isName = rest.allSatisfy { byte in
                byte == UInt8(ascii: "[") || byte == UInt8(ascii: "(") || byte.isLetter || !byte.isDigit && byte != 0x2E
            }
            throw isName || byte.isLetter ? zoneName : wrongOffset
        }
        guard let hours = digits(2) else { throw wrongOffset }
        let isExtended = skip(":")
        var minutes = 0
        if isExtended || byte.isDigit {
            guard let digits = digits(2) else { throw wrongOffset }
            minutes = digits
        }
        if index < text.count, [UInt8(ascii: " "), UInt8(ascii: "["), UInt8(ascii: "(")].contains(byte) { throw zoneName }
        guard index == text.count, hours < 24, minutes < 60 else { throw wrongOffset }
        return "\(isWest ? "-" : "+")\(Self.pad(hours)):\(Self.pad(minutes))"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: Mistakes

    /// The text for a message, if it looks like a date of RFC 3339. Any other text may be
    /// private.
    private var came: String {
        let isDate = text.count >= 10 && text[4] == UInt8(ascii: "-") && text[7] == UInt8(ascii: "-")
        let isPlain = text.allSatisfy { $0.isDigit || "-:+., TtZz".utf8.contains($0) }
        return isDate && isPlain && text.count <= 40 ? " (\(String(decoding: text, as: UTF8.self)))" : ""
    }

    private var wrongOffset: InputFault {
        InputFault(.wrongOffset, MemberMessage.wrongOffset(came))
    }

    private var zoneName: InputFault {
        InputFault(.zoneName, MemberMessage.zoneName)
    }

    private var oneDigit: InputFault {
        InputFault(.oneDigit, MemberMessage.oneDigit)
    }

    private var isOfTwelveHours: Bool {
        guard let rest = Self.lowercased(text[index...].filter { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: " ") }[...])
        else {
            return false
        }
        let letters = Array(rest.utf8)
        // Not `String.contains(_:)`, which links Swift's regular expressions into the library.
        func has(_ word: StaticString) -> Bool {
            word.withUTF8Buffer { word in letters.indices.contains { letters[$0...].starts(with: word) } }
        }
        return has("am") && !letters.contains(UInt8(ascii: "/")) || has("pm")
    }

    /// The fault in a text that does not begin like a date of RFC 3339.
    private var unreadable: InputFault {
        let runs = text.split { !$0.isDigit }
        let marks = Set(text.prefix { $0.isDigit || "-/.: ".utf8.contains($0) }.filter { !$0.isDigit })
        let counts = runs.map(\.count)
        let slashes: Set<UInt8> = [UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-")]
        if let first = text.first, first.isDigit, counts.count >= 3, !marks.isDisjoint(with: slashes) {
            if counts[0] == 4, text.dropFirst(4).first == UInt8(ascii: "-"), text.dropFirst(5).first?.isDigit == true,
                counts[1] <= 2, counts[2] <= 2
            {
                return oneDigit
            }
            let isDate =
                counts[0] <= 2 && counts[1] <= 2 && [2, 4].contains(counts[2])
                || counts[0] == 4 && counts[1] <= 2 && text.dropFirst(5).first?.isDigit == true
            if isDate, counts[..<3].contains(4) || !marks.contains(UInt8(ascii: ":")) {
                return InputFault(.dateOrder, MemberMessage.dateOrder)
            }
        }
        if counts.count >= 2, counts[0] <= 2, counts[1] == 2, text.dropFirst(counts[0]).first == UInt8(ascii: ":") {
            return InputFault(.timeOnly, MemberMessage.timeOnly)
        }
        return InputFault(.notADate, MemberMessage.notADate)
    }

    /// Returns a short ASCII text in lower case; nil above 64 bytes.
    private static func lowercased(_ text: ArraySlice<UInt8>) -> String? {
        guard text.count <= 64 else { return nil }
        return String(decoding: text.map { $0.isLetter ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    // MARK: Reading

    private var byte: UInt8 { index < text.count ? text[index] : 0 }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard byte == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while byte == UInt8(ascii: " ") { index += 1 }
    }

    private mutating func digits(_ count: Int) -> Int? {
        guard index + count <= text.count, text[index..<index + count].allSatisfy(\.isDigit) else { return nil }
        defer { index += count }
        return text[index..<index + count].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
