import Testing

@testable import PartnerBooking

/// The tables of each locale are complete: no time is left without words.
@Suite struct SpeechTextTests {
    @Test(arguments: VoiceLocale.all)
    func theListsAreComplete(_ locale: VoiceLocale) {
        let words = locale.speech
        #expect(words.numbers.count == 100)
        #expect(words.clockNumbers.count == 100)
        #expect(words.lengthNumbers.count == 100)
        #expect(words.days.count == 31)
        #expect(words.hours.count == 12 || words.hours.count == 24)
        #expect(words.weekdays.count == 7)
        #expect(words.months.count == 12)
        for list in [words.numbers, words.clockNumbers, words.lengthNumbers, words.days, words.hours] {
            for place in 0..<list.count { #expect(SpeechSample.isWellMade(list[place]), "\(place)") }
        }
        #expect(words.numbers[-1].isEmpty && words.numbers[100].isEmpty)
    }

    @Test(arguments: VoiceLocale.all)
    func eachMinuteAndEachLengthHasARule(_ locale: VoiceLocale) throws {
        let words = locale.speech
        for minute in 0..<1_440 {
            let (hours, minutes) = (minute / 60, minute % 60)
            let phrase = try #require(words.clock.find(hours, minutes)).phrase
            #expect(!phrase.bytes.contains(UInt8(ascii: "{")))
            #expect(
                phrase.bytes.dropLast().contains(SpeechPhrase.Place.part.rawValue) == false, "the part stands at the end")
            #expect(words.dayParts.find(hours, minutes) != nil)
        }
        for minutes in 1...Speech.maxMinutes {
            let length = try #require(Speech.words(minutes: minutes, locale: locale))
            #expect(SpeechSample.isWellMade(length.utf8), "\(minutes): \(length)")
        }
        for minutes in [0, -1, 1_441, .max, .min] { #expect(Speech.words(minutes: minutes, locale: locale) == nil) }
    }

    @Test(arguments: VoiceLocale.all)
    func differentTimesAndLengthsDiffer(_ locale: VoiceLocale) throws {
        let speech = try Speech(timeZone: "Etc/UTC", locale: locale)
        let times = (0..<1_440).map { speech.writer([$0 * 60], .or, .time, now: 0).bytes }
        #expect(Set(times).count == 1_440)
        #expect(Set((1...1_440).map { Speech.words(minutes: $0, locale: locale) }).count == 1_440)
        let days = (0..<366).map { speech.writer([$0 * 86_400], .or, .day, now: -86_400 * 40).bytes }
        #expect(Set(days).count == 366)
    }

    @Test(arguments: VoiceLocale.all)
    func everyYearHasWords(_ locale: VoiceLocale) throws {
        let speech = try Speech(timeZone: "Etc/UTC", locale: locale)
        var all: Set<[UInt8]> = []
        for year in 1...9_999 {
            let start = CalendarDate(year: year, month: 6, day: 15).daysSinceEpoch * 86_400
            let words = speech.writer([start], .or, .day, now: 1_830_340_800).bytes
            #expect(SpeechSample.isWellMade(words), "\(year)")
            all.insert(words)
        }
        #expect(all.count == 9_999)
        for instant in [Zone.instants.lowerBound, Zone.instants.upperBound, .min, .max] {
            #expect(SpeechSample.isWellMade(speech.writer([instant], .or, .full, now: -instant.signum()).bytes))
        }
    }

    @Test func aRuleIsTakenByItsFirstFit() throws {
        let rules = SpeechRules("0,12:00 a\n1-3:05,10-12 b {hour}\n*:30 c\nbad\n5: d\n:6 e\n7-6:* f\n*:* g")
        func phrase(_ major: Int, _ minor: Int) -> [UInt8]? { rules.find(major, minor)?.phrase.bytes }
        #expect(phrase(0, 0) == Array("a".utf8))
        #expect(phrase(12, 0) == Array("a".utf8))
        #expect(phrase(2, 11) == Array("b ".utf8) + [SpeechPhrase.Place.hour.rawValue])
        #expect(phrase(99, 30) == Array("c".utf8))
        #expect(phrase(7, 6) == Array("g".utf8))
        #expect(SpeechRules("").find(0, 0) == nil)
        #expect(SpeechPhrase("{hour} {our} {").bytes == [SpeechPhrase.Place.hour.rawValue] + Array(" {our} {".utf8))
    }
}
