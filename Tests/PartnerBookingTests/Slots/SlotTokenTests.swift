import Testing

@testable import PartnerBooking

/// Names of slots: readable, distinct, and not to be made up.
@Suite struct SlotTokenTests {
    private static let lengths = [10, 15, 20, 30, 45, 60, 90, 120]

    private func token(_ wall: Int, _ minutes: Int, isRepeated: Bool = false) -> String {
        SlotToken(LocalTime(wall: wall, offset: 0, isRepeated: isRepeated), durationMinutes: minutes).text
    }

    private func reading(_ text: String) -> (token: String, isChecked: Bool)? {
        var text = text
        return text.withUTF8 { SlotToken.read(UnsafeRawBufferPointer($0)) }.map { ($0.token.text, $0.isChecked) }
    }

    @Test func eachStartOfFourYearsHasItsOwn() {
        let first = CalendarDate(year: 2027, month: 1, day: 1).daysSinceEpoch * 86_400
        for minutes in Self.lengths {
            var seen = Set<String>()
            for start in 0..<(1_461 * 96) { seen.insert(token(first + start * 900, minutes)) }
            #expect(seen.count == 1_461 * 96, "lengths of \(minutes) minutes")
        }
    }

    @Test func lengthsAtOneStartDiffer() {
        let first = CalendarDate(year: 2027, month: 1, day: 1).daysSinceEpoch * 86_400
        for hour in 0..<(1_461 * 24) {
            let tokens = Self.lengths.map { token(first + hour * 3_600, $0) }
            #expect(Set(tokens).count == tokens.count)
        }
    }

    @Test func theSecondTimeOfAnHourHasItsOwn() {
        let wall = CalendarDate(year: 2030, month: 11, day: 3).daysSinceEpoch * 86_400 + 3_600
        #expect(token(wall, 60) != token(wall, 60, isRepeated: true))
    }

    @Test func aWrongDigitOrASwapChangesTheLetter() {
        let first = CalendarDate(year: 2030, month: 1, day: 1).daysSinceEpoch * 86_400
        let tokens = (0..<(31 * 288)).map { Array(token(first + $0 * 300, 30).utf8) }
        let known = Set(tokens)
        let digits = [3, 4, 6, 7, 8, 9]
        for token in tokens {
            for place in digits {
                for digit in UInt8(ascii: "0")...UInt8(ascii: "9") where digit != token[place] {
                    var wrong = token
                    wrong[place] = digit
                    #expect(!known.contains(wrong))
                }
            }
            for (place, next) in zip(digits, digits.dropFirst()) where token[place] != token[next] {
                var wrong = token
                wrong.swapAt(place, next)
                #expect(!known.contains(wrong))
            }
        }
    }

    @Test(arguments: [
        "tue15-0930u", "TUE15-0930U", " tue15 - 09:30 u ", "[tue15-0930u]", "slot tue15-0930u", "Slot: \"tue15-0930u\".",
        "tue150930u",
        "(tue15 0930 u)", "**tue15-0930u**",
    ])
    func readsNearForms(_ text: String) throws {
        let read = try #require(reading(text))
        #expect(read.token == "tue15-0930u")
        #expect(read.isChecked)
    }

    @Test(arguments: ["tue15-0930", "Tue15 09:30"])
    func readsItWithoutItsLetter(_ text: String) throws {
        let read = try #require(reading(text))
        #expect(!read.isChecked)
    }

    @Test(arguments: [
        "", "slot", "tue", "tue15", "tue15-093u", "tue15-09300", "tue15-0930uu", "15-0930u", "tue15-0930ü",
        "tuesday15-0930u",
        String(repeating: "t", count: 65),
    ])
    func refusesOthers(_ text: String) { #expect(reading(text) == nil) }
}
