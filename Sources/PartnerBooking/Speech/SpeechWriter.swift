/// A writer of days, times of a clock, and lists of them. It writes only letters, blanks,
/// commas, apostrophes and hyphens.
struct SpeechWriter {
    private(set) var bytes: [UInt8] = []
    private let words: SpeechWords

    init(_ words: SpeechWords) {
        self.words = words
        bytes.reserveCapacity(256)
    }

    /// The fixed words of the locale.
    var text: SpeechText { words.text }

    /// The values for the places of a phrase. Most are places in the lists of the locale.
    private struct Fillings {
        var time: LocalTime?
        var date = CalendarDate(year: 0, month: 0, day: 0)
        var hours = 0
        var minutes = 0
        var hasPart = true
    }

    mutating func append(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    // MARK: - Days

    /// Writes a day, as people say it on the day of `now`. The year is said if it differs.
    mutating func day(_ time: LocalTime, now: LocalTime) {
        let (date, today) = (time.date, now.date)
        let fillings = Fillings(time: time, date: date)
        switch time.day - now.day {
        case 0: append(words.today, fillings)
        case 1: append(words.tomorrow, fillings)
        default:
            let isThisMonth = date.month == today.month && date.year == today.year
            append(isThisMonth ? words.dateOfThisMonth ?? words.date : words.date, fillings)
            if date.year != today.year { append(words.ofYear, fillings) }
        }
    }

    private mutating func year(_ year: Int) {
        let year = abs(year)
        if year < 10_000, let (phrase, _) = words.years.find(year / 100, year % 100) {
            return append(phrase, Fillings(date: CalendarDate(year: year, month: 1, day: 1)))
        }
        digits(year)
    }

    private mutating func digits(_ number: Int) {
        if number >= 10 {
            digits(number / 10)
            append(" ")
        }
        bytes += words.numbers[number % 10]
    }

    // MARK: - Times

    /// Writes the time that a clock shows. `hasPart` is false when the part of the day is said
    /// later.
    mutating func clock(_ time: LocalTime, hasPart: Bool = true) {
        let minute = time.minuteOfDay
        guard let (phrase, _) = words.clock.find(minute / 60, minute % 60) else { return }
        append(phrase, Fillings(time: time, hours: minute / 60, minutes: minute % 60, hasPart: hasPart))
    }

    /// Writes a length of time, up to a day.
    mutating func length(minutes: Int) {
        guard let (phrase, _) = words.lengths.find(minutes / 60, minutes % 60) else { return }
        append(phrase, Fillings(hours: minutes / 60, minutes: minutes % 60))
    }

    /// Returns the part of the day that is said with a time. nil for a time without one, such
    /// as noon.
    func part(_ time: LocalTime) -> Int? {
        let minute = time.minuteOfDay
        guard let (phrase, _) = words.clock.find(minute / 60, minute % 60), phrase.hasPart else { return nil }
        return words.dayParts.find(minute / 60, minute % 60)?.rule
    }

    // MARK: - Phrases

    private mutating func append(_ phrase: SpeechPhrase, _ fillings: Fillings) {
        for byte in phrase.bytes {
            if byte >= 0x20 {
                bytes.append(byte)
            } else if let place = SpeechPhrase.Place(rawValue: byte) {
                fill(place, fillings)
            }
        }
    }

    private mutating func fill(_ place: SpeechPhrase.Place, _ fillings: Fillings) {
        let (date, hours, minutes) = (fillings.date, fillings.hours, fillings.minutes)
        switch place {
        case .weekday: bytes += words.weekdays[fillings.time?.weekday ?? 0]
        case .month: bytes += words.months[date.month - 1]
        case .day: bytes += words.days[date.day - 1]
        case .century: bytes += words.numbers[date.year / 100]
        // In a rule for years: the last two digits. At the end of a date: the whole year.
        case .year: fillings.time == nil ? bytes += words.numbers[date.year % 100] : year(date.year)
        case .hour: bytes += words.hours[hours % max(words.hours.count, 1)]
        case .next: bytes += words.hours[(hours + 1) % max(words.hours.count, 1)]
        case .minute: bytes += words.clockNumbers[minutes]
        case .left: bytes += words.clockNumbers[60 - minutes]
        case .hours: bytes += words.lengthNumbers[hours]
        case .minutes: bytes += words.lengthNumbers[minutes]
        case .part:
            guard fillings.hasPart, let (phrase, _) = words.dayParts.find(hours, minutes) else {
                if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
                return
            }
            // A part of the day has no places.
            bytes += phrase.bytes
        }
    }
}
