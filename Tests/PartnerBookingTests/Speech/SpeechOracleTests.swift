import Testing

@testable import PartnerBooking

/// Numbers as ICU spells them, names and parts of the day as Babel has them: Tests/voice/oracle_words.txt. Tests/voice/say.py
/// compares whole sentences.
@Suite struct SpeechOracleTests {
    struct Row {
        let kind: Substring
        let number: Int
        let words: String
    }

    private static func rows(_ locale: VoiceLocale) -> [Row] {
        Repository.lines(of: "Tests/voice/oracle_words.txt").compactMap { line in
            let fields = line.split(separator: "\t")
            guard fields.count == 4, fields[0] == locale.name, let number = Int(fields[2]) else { return nil }
            return Row(kind: fields[1], number: number, words: String(fields[3]))
        }
    }

    private func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

    private func said(_ row: Row, _ locale: VoiceLocale) throws -> String {
        let words = locale.speech
        switch row.kind {
        case "number": return text(words.numbers[row.number])
        case "clock": return text(words.clockNumbers[row.number])
        case "length": return text(words.lengthNumbers[row.number])
        case "day": return text(words.days[row.number - 1])
        case "weekday": return text(words.weekdays[row.number])
        case "month": return text(words.months[row.number - 1])
        case "part":
            let clock = try #require(words.clock.find(row.number / 60, row.number % 60)).phrase
            // Noon and midnight are words of their own.
            if !clock.hasPart { return try time(row.number, locale) }
            return text(try #require(words.dayParts.find(row.number / 60, row.number % 60)).phrase.bytes)
        case "year": return try year(row.number, locale)
        default: return "an unknown kind: \(row.kind)"
        }
    }

    private func time(_ minute: Int, _ locale: VoiceLocale) throws -> String {
        let speech = try Speech(timeZone: "Etc/UTC", locale: locale)
        return text(speech.writer([minute * 60], .or, .time, now: 0).bytes)
    }

    /// The end of a date in that year, without what stands before the year.
    private func year(_ year: Int, _ locale: VoiceLocale) throws -> String {
        let speech = try Speech(timeZone: "Etc/UTC", locale: locale)
        func date(_ year: Int) -> Int { CalendarDate(year: year, month: 6, day: 15).daysSinceEpoch * 86_400 }
        let words = text(speech.writer([date(year)], .or, .day, now: date(year - 1)).bytes)
        let own = words.split(separator: " ", omittingEmptySubsequences: false)
        let place = locale.name == "es" ? 6 : locale.name == "en-GB" ? 5 : locale.name == "fr" ? 4 : 3
        return own.dropFirst(place).joined(separator: " ")
    }

    @Test(arguments: VoiceLocale.all)
    func numbersAndNamesAreThoseOfTheOracles(_ locale: VoiceLocale) throws {
        let rows = Self.rows(locale)
        #expect(rows.count > 390)
        for row in rows {
            var words = row.words
            switch (row.kind, row.number, locale.name) {
            // "One in the morning" may be meant for a later hour.
            case ("part", 1..<360, "en-US"), ("part", 1..<360, "en-GB"): words = "in the early morning"
            // Babel has no word for midnight, and twelve o'clock would have two readings.
            case ("part", 0, "es"): words = "medianoche"
            case ("part", 720, "es"): words = "las doce del mediodía"
            // "Midi cinq" needs no part of the day.
            case ("part", 1, "fr"): words = "minuit une"
            case ("part", 721, "fr"): words = "midi une"
            default: break
            }
            #expect(try said(row, locale) == words, "\(row.kind) \(row.number)")
        }
    }

    @Test(arguments: VoiceLocale.all)
    func noMinuteHasADigit(_ locale: VoiceLocale) throws {
        let zone = "Australia/Lord_Howe"
        let speech = try Speech(timeZone: zone, locale: locale)
        // The year 2028. Each minute of the day comes about ten times, and each day.
        let first = CalendarDate(year: 2028, month: 1, day: 1).daysSinceEpoch * 1_440
        for minute in stride(from: first, to: first + 527_040, by: 37) {
            let words = speech.writer([minute * 60], .or, .full, now: 1_830_340_800).bytes
            guard SpeechSample.isWellMade(words) else {
                Issue.record("\(minute): \(text(words))")
                return
            }
        }
    }

    @Test func whatIsNotWellMadeWouldBeSeen() {
        for words in ["", " a", "a ", "a  b", "a,b", "a, b,", "9", "a.b", "a -b", "{day}", "a,, b", "'a", "a\tb"] {
            #expect(!SpeechSample.isWellMade(words.utf8), "\(words)")
        }
        for words in ["a", "a b", "a, b", "a-b", "l'après-midi"] { #expect(SpeechSample.isWellMade(words.utf8), "\(words)") }
    }
}
