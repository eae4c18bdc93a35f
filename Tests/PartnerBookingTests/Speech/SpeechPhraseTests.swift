import Testing

@testable import PartnerBooking

/// The tables of one hundred phrases that native speakers correct: Tests/voice/phrases.
@Suite struct SpeechPhraseTests {
    static let locales = VoiceLocale.all.map(\.name)

    private static func rows(_ locale: String) -> [(said: String, words: String)] {
        Repository.lines(of: "Tests/voice/phrases/\(locale).txt").filter { !$0.hasPrefix("#") }.map { line in
            let said = line.prefix { $0 != "|" }
            return (String(said.dropLast()), String(line.dropFirst(said.count + 2)))
        }
    }

    private func say(_ row: String, _ locale: String) throws(PartnerBookingError) -> String {
        let parts = row.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = parts.last ?? ""
        switch parts.first {
        case "minutes":
            return SpeechSample.words(
                try SpeechSample.reply(#"{"duration_minutes":\#(rest),"locale":"\#(locale)"}"#))
        case "phone":
            return SpeechSample.words(
                try SpeechSample.reply(#"{"phone":"\#(rest)","region":"US","locale":"\#(locale)"}"#))
        case "day": return try SpeechSample.say(times(rest), locale, #","style":"day""#)
        case "time": return try SpeechSample.say(times(rest), locale, #","style":"time""#)
        case "and": return try SpeechSample.say(times(rest), locale, #","joiner":"and""#)
        default: return try SpeechSample.say(times(row), locale)
        }
    }

    private func times(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.drop { $0 == " " }) }
    }

    @Test(arguments: locales)
    func eachPhraseIsSaidAsItStandsThere(_ locale: String) throws {
        let rows = Self.rows(locale)
        #expect(rows.count == 100)
        for (said, words) in rows { #expect(try say(said, locale) == words, "\(said)") }
    }

    @Test func allLocalesSayTheSame() {
        for locale in Self.locales { #expect(Self.rows(locale).map(\.said) == Self.rows("en-US").map(\.said)) }
    }
}
