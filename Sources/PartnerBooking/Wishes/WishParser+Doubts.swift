// Numbers with more than one meaning. The caller is asked about them.

extension WishParser {
    /// Returns true if hours are a length of time: "an hour on Tuesday". In Spanish and French,
    /// "14 horas" and "deux heures" are times.
    func isLength(_ number: WishNumber, _ place: Place, _ article: WishWord.Kind?) -> Bool {
        let isHour = unit(at: number.end) == .hour
        guard isHour || kind(at: number.end) == .oClock, place == .free || place == .open, article != .hourArticle,
            number.digits < 3
        else { return false }
        if vocabulary.text.daysAreCardinals, number.isAfterFiller, number.value <= 4 {
            // "Un rendez-vous de deux heures", but "de 2h à 4h".
            return !isConnector(at: number.end + 1)
        }
        guard isHour else { return false }
        guard vocabulary.text.daysAreCardinals, !number.isWeak else { return true }
        return vocabulary.hasHourArticles && number.value <= 12
    }

    /// Returns true if a number behind a weekday may be a date or an hour: "martes 10 a 12",
    /// "viernes 8 de la tarde".
    func isDayOrHour(_ number: WishNumber, _ place: Place, _ article: WishWord.Kind?) -> Bool {
        guard isAfterWeekday, article == nil, place == .free || place == .open, !number.isAfterFiller,
            vocabulary.text.daysAreCardinals || number.value >= 13, number.digits < 3, !sharesMonth(number)
        else { return false }
        if vocabulary.text.daysAreCardinals, number.value <= 12, kind(at: number.end) == .part { return true }
        return isConnector(at: number.end) && isNumber(at: skipFillers(from: number.end + 1))
    }

    /// Returns true if a second number may be a day, an hour or the minutes. Examples are "el 22
    /// y 23", "martes 22 10" and "at 3 30 minutes".
    func isTwoNumbers(_ number: WishNumber, _ article: WishWord.Kind?) -> Bool {
        guard number.digits < 3 else { return false }
        let isDay = article == .dayArticle || isAfterWeekday && article == nil
        let joiner = kind(at: number.end)
        if let second = self.number(at: number.end) {
            if unit(at: second.end) == .minute { return true }
            let isLate = number.value >= 13 || article == .dayArticle && vocabulary.text.daysAreCardinals
            return isDay && isLate && !number.isOrdinal && !isDayOrCount(second) && !second.isOrdinal
        }
        guard let second = self.number(at: number.end + 1), vocabulary.text.daysAreCardinals,
            kind(at: skipFillers(from: second.end)) != .month
        else { return false }
        switch joiner {
        case .to: return article != .dayArticle
        case .and:
            guard vocabulary.text.minutesFollowAnd, !second.isWeak else { return false }
            return isDay || kind(at: index - 1) == .unit
                || second.value == number.value + 1 && article != .hourArticle
        default: return false
        }
    }
}
