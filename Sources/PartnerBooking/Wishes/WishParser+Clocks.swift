/// A number of one or more words.
struct WishNumber {
    var value: Int
    /// Number of written digits, or 0 if the number was spoken.
    var digits: Int
    var isOrdinal: Bool
    /// True for "a", which may be no number.
    var isWeak = false
    /// True behind a word such as "de", which does not stand before a date.
    var isAfterFiller = false
    /// The place behind the number.
    var end: Int
}

// Times of the day.

extension WishParser {
    func isNumber(at place: Int) -> Bool { number(at: place) != nil }

    func number(at place: Int) -> WishNumber? {
        guard place < tokens.count else { return nil }
        switch tokens[place] {
        case .number(let value, let digits):
            let isOrdinal = kind(at: place + 1) == .ordinalSuffix
            return WishNumber(value: value, digits: digits, isOrdinal: isOrdinal, end: place + (isOrdinal ? 2 : 1))
        case .word(let word):
            let value = Int(word.value)
            if word.kind == .ordinal { return WishNumber(value: value, digits: 0, isOrdinal: true, end: place + 1) }
            guard word.kind == .number else { return nil }
            if value == 101 { return WishNumber(value: 1, digits: 0, isOrdinal: false, isWeak: true, end: place + 1) }
            return compound(value, at: place)
        default: return nil
        }
    }

    /// Reads numbers of several words: "twenty one", "twenty-first", "treinta y uno", "dix-sept".
    private func compound(_ value: Int, at place: Int) -> WishNumber {
        let alone = WishNumber(value: value, digits: 0, isOrdinal: false, end: place + 1)
        let isTens = (20...50).contains(value) && value % 10 == 0
        guard isTens || value == 10 && vocabulary.customs.contains(.countsByTwenties) else { return alone }
        var next = place + 1
        if next < tokens.count, tokens[next] == .dash { next += 1 }
        let hasJoiner = kind(at: next) == .and && vocabulary.customs.contains(.joinerFollowsTens)
        if hasJoiner { next += 1 }
        if next < tokens.count, tokens[next] == .dash { next += 1 }
        guard hasJoiner || vocabulary.customs.contains(.unitsFollowTens) else { return alone }
        let unit = self.value(at: next)
        guard (isTens ? 1...9 : 7...9).contains(unit) || isTens && unit == 101 else { return alone }
        switch kind(at: next) {
        case .number: return WishNumber(value: value + (unit == 101 ? 1 : unit), digits: 0, isOrdinal: false, end: next + 1)
        case .ordinal: return WishNumber(value: value + unit, digits: 0, isOrdinal: true, end: next + 1)
        default: return alone
        }
    }

    /// Reads a time or a date. The place of a plain number decides which of them it is.
    func numericPoint(
        _ place: Place, _ article: WishWord.Kind?, like first: Point?
    ) throws(TimeProblem) -> Point? {
        if article != .dayArticle, let clock = try minutesAndHour(place) { return .clock(clock) }
        switch tokens[index] {
        case .clock(let clock):
            // "Le 14.02" is a day, "dans 1h30" a length of time.
            guard article != .in, article != .dayArticle || !vocabulary.text.daysAreCardinals else { throw problem }
            index += 1
            return .clock(try finish(clock))
        case .word(let word) where word.kind == .noon || word.kind == .midnight:
            index += 1
            return .clock(word.kind == .noon ? takeMinutes(of: 720) : WishClock(1_440, isBare: false))
        default: break
        }
        if let counted = try countedPoint(from: index, hasIn: false) { return counted }
        guard var number = number(at: index) else { return nil }
        number.isAfterFiller = kind(at: index - 1) == .filler
        if number.isOrdinal { return try dayPoint(number, like: first) }
        let next = skipFillers(from: number.end)
        if kind(at: next) == .month, !number.isWeak, number.digits < 3 { return try dayPoint(number, like: first) }
        if isLength(number, place, article) || isDayOrHour(number, place, article) || isTwoNumbers(number, article) {
            throw problem
        }
        let start = index
        if let (clock, isMarked) = try clock(number, place) {
            // "In 2 h" is a length of time.
            guard article != .in, article != .dayArticle || kind != .orLater else { throw problem }
            if isMarked || article == .hourArticle || isHour(number, place, article, like: first) {
                return number.isWeak && !isMarked && article != .hourArticle ? nil : .clock(clock)
            }
        }
        index = start
        return isDay(number, place, article, like: first) ? try dayPoint(number, like: first) : nil
    }

    /// Returns true if an unmarked number is an hour. If it is not a day either, it is not
    /// understood.
    private func isHour(_ number: WishNumber, _ place: Place, _ article: WishWord.Kind?, like first: Point?) -> Bool {
        if isDay(number, place, article, like: first) { return false }
        return place != .free || field == .time
    }

    private func isDay(_ number: WishNumber, _ place: Place, _ article: WishWord.Kind?, like first: Point?) -> Bool {
        guard number.digits < 3, !number.isWeak else { return false }
        let isCardinal = vocabulary.text.daysAreCardinals
        // "The one on Tuesday" does not mean the first of the month.
        if article == .dayArticle { return isCardinal || number.digits > 0 }
        switch first {
        case .span(let span):
            // "Tomorrow until four" ends at an hour, "the 14th until 18" on a day.
            guard span.kind == .date || span.kind == .dayOfMonth else { return false }
            return isCardinal || number.value > 12 || kind(at: index - 1) != .until
        case .clock: return false
        default: break
        }
        if isAfterOr, last == .day, lastDate != nil { return true }
        if sharesMonth(number) { return true }
        if isAfterWeekday, place == .free || place == .open {
            // "Martes de 10 a 12" are hours.
            return !number.isAfterFiller && article == nil && (isCardinal || number.value >= 13)
        }
        return false
    }

    /// Returns true if the number shares the month of a second day, as in "14 to 18 April".
    func sharesMonth(_ number: WishNumber) -> Bool {
        guard isConnector(at: number.end) || kind(at: number.end) == .or,
            let second = self.number(at: skipFillers(from: number.end + 1))
        else { return false }
        return kind(at: skipFillers(from: second.end)) == .month
    }

    // MARK: - Before the hour

    /// Reads "half past nine", "quarter to three", "ten past four", "cuarto para las nueve" or
    /// "half nine".
    private func minutesAndHour(_ place: Place) throws(TimeProblem) -> WishClock? {
        var (minutes, next) = (0, index + 1)
        let isHalf = kind == .half
        if isHalf {
            minutes = 30
        } else if kind == .quarter {
            minutes = 15
        } else if let number = number(at: index), !number.isOrdinal, (1...59).contains(number.value) {
            (minutes, next) = (number.value, number.end)
            if unit(at: next) == .minute { next += 1 }
        } else {
            return nil
        }
        let sign: Int
        switch kind(at: next) {
        case .past: sign = 1
        case .toHour where !isHalf && [5, 10, 15, 20, 25].contains(minutes) && !isAfterWeekday: sign = -1
        case .to where !isHalf, .until where kind == .quarter:
            guard kind == .quarter || isMinutesTo(minutes, next: next, place) else {
                // "Ten to nine" may also be a range of hours.
                if [5, 10].contains(minutes), place == .free || place == .open, case .word = tokens[index],
                    next + 1 < tokens.count, case .word = tokens[next + 1], isNumber(at: next + 1)
                {
                    throw problem
                }
                return nil
            }
            sign = -1
        case .number where isHalf, .noon where isHalf:
            (sign, next) = (1, next - 1)
        default:
            guard isHalf, next < tokens.count, case .number = tokens[next] else { return nil }
            (sign, next) = (1, next - 1)
        }
        let hour: Int
        var end: Int
        if kind(at: next + 1) == .noon || kind(at: next + 1) == .midnight {
            (hour, end) = (kind(at: next + 1) == .noon ? 12 : 24, next + 2)
            index = end
            return WishClock((hour * 60 + sign * minutes) % 1_440, isBare: false)
        }
        guard let number = number(at: next + 1), !number.isOrdinal, !number.isWeak || sign < 0,
            (1...23).contains(number.value)
        else { return nil }
        (hour, end) = (number.value, number.end)
        if kind(at: end) == .oClock || unit(at: end) == .hour { end += 1 }
        index = end
        return try finish(WishClock(hour * 60 + sign * minutes, isBare: hour <= 12))
    }

    /// Returns true if "ten to nine" is a time, not a range. Behind a word such as "at" it is a
    /// time. Alone, it is a time from "twenty" on, because people do not say "twenty" for an
    /// hour.
    private func isMinutesTo(_ minutes: Int, next: Int, _ place: Place) -> Bool {
        guard case .word = tokens[index], [5, 10, 20, 25].contains(minutes) else { return false }
        switch place {
        case .at, .around, .limit: return true
        case .between: return false
        case .free, .open: return minutes >= 20
        }
    }

    // MARK: - From the hour on

    /// Reads the time that begins with a number. `isMarked` is true if it can be nothing else.
    private func clock(
        _ number: WishNumber, _ place: Place
    ) throws(TimeProblem) -> (WishClock, isMarked: Bool)? {
        let hasLeadingZero = number.digits == 2 && number.value < 10 || number.digits == 4 && number.value < 1_000
        if number.digits > 2 {
            guard number.digits <= 4 else { return nil }
            let clock = WishClock(
                hour: number.value / 100, minute: number.value % 100, hasLeadingZero: hasLeadingZero)
            guard let clock else { throw noSuchTime }
            index = number.end
            if kind == .oClock || unit(at: index) == .hour { index += 1 }
            return (try finish(clock), place != .free || kind == .am || kind == .pm)
        }
        guard var clock = WishClock(hour: number.value, minute: 0, hasLeadingZero: hasLeadingZero) else { return nil }
        index = number.end
        if number.value == 12, kind == .noon { return (takeNoon(), true) }
        var isMarked = false
        if kind == .oClock || unit(at: index) == .hour {
            index += 1
            isMarked = true
        }
        let before = index
        let minute = takeMinutes(of: clock.minute, isOpen: place != .between, hour: number).minute
        isMarked = isMarked || index > before
        clock.minute = minute
        let behind = index
        let finished = try finish(clock)
        return (finished, isMarked || index > behind || kind == .orLater)
    }

    private func takeNoon() -> WishClock {
        index += 1
        return WishClock(720, isBare: false)
    }

    /// Reads minutes behind an hour: `thirty`, `oh five`, `y media`, `et quart`, `moins le
    /// quart`.
    private func takeMinutes(of hour: Int, isOpen: Bool = true, hour number: WishNumber? = nil) -> WishClock {
        var minute = hour
        // "Three-thirty", but not "nine-twelve".
        if index + 1 < tokens.count, tokens[index] == .dash, number?.digits == 0, let minutes = self.number(at: index + 1),
            minutes.digits == 0, (13...59).contains(minutes.value)
        {
            index += 1
        }
        switch kind {
        case .and where kind(at: index + 1) == .half && vocabulary.text.daysAreCardinals:
            (minute, index) = (hour + 30, index + 2)
        case .and where kind(at: index + 1) == .quarter && vocabulary.text.daysAreCardinals:
            (minute, index) = (hour + 15, index + 2)
        case .and:
            guard isOpen, vocabulary.text.minutesFollowAnd, let minutes = self.number(at: index + 1), !minutes.isOrdinal,
                (1...59).contains(minutes.value), !isDayOrCount(minutes)
            else { break }
            (minute, index) = (hour + minutes.value, minutes.end)
        case .minus:
            if kind(at: index + 1) == .quarter {
                (minute, index) = (hour - 15, index + 2)
            } else if let minutes = self.number(at: index + 1), (1...59).contains(minutes.value) {
                (minute, index) = (hour - minutes.value, minutes.end)
            }
        case .oh:
            guard let digit = self.number(at: index + 1), (1...9).contains(digit.value), digit.digits < 2 else { break }
            (minute, index) = (hour + digit.value, digit.end)
        default:
            guard let minutes = self.number(at: index), !minutes.isOrdinal, (1...59).contains(minutes.value),
                minutes.digits == 2 || minutes.digits == 0 && minutes.value >= 10 || isAfterHourWord && !minutes.isWeak,
                !isDayOrCount(minutes)
            else { break }
            (minute, index) = (hour + minutes.value, minutes.end)
        }
        if unit(at: index) == .minute, minute != hour { index += 1 }
        return WishClock((minute + 1_440) % 1_440, isBare: false)
    }

    /// True behind an hour word, as in "neuf heures cinq".
    private var isAfterHourWord: Bool { index > 0 && unit(at: index - 1) == .hour }

    /// Returns true if the number belongs to the next word, as in `nine 14 April`.
    func isDayOrCount(_ number: WishNumber) -> Bool {
        let next = kind(at: skipFillers(from: number.end))
        // "15 10 h" is a day and an hour.
        if next == .oClock { return number.digits > 0 || vocabulary.text.daysAreCardinals }
        return next == .month || next == .unit && unit(at: number.end) != .minute
    }

    /// Reads the words behind a time: am, pm, o'clock, ish.
    private func finish(_ clock: WishClock) throws(TimeProblem) -> WishClock {
        var clock = clock
        if clock.minute != 1_440 { clock.minute = (clock.minute + 1_440) % 1_440 }
        if kind == .oClock || unit(at: index) == .hour { index += 1 }
        if kind == .am || kind == .pm {
            let isAfternoon = kind == .pm
            // "15:00 pm" also occurs in writing, but "15:00 am" is a mistake.
            if clock.minute >= 780 && !isAfternoon { throw noSuchTime }
            if clock.minute < 780 { clock.minute = clock.minute % 720 + (isAfternoon ? 720 : 0) }
            clock.isBare = false
            index += 1
        }
        if kind == .oClock { index += 1 }
        if index < tokens.count, tokens[index] == .dash, kind(at: index + 1) == .roughly { index += 1 }
        _ = take(.roughly)
        return clock
    }
}
