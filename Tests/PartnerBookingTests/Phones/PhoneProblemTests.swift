import Testing

@testable import PartnerBooking

/// Texts that are no number, and the reason.
@Suite struct PhoneProblemTests {
    private func problem(
        _ text: String, _ region: String? = "US", _ locale: VoiceLocale = .americanEnglish
    ) -> PhoneProblem? {
        do {
            _ = try PhoneNumber(text, region: region, locale: locale)
            return nil
        } catch {
            return error.phoneProblem
        }
    }

    @Test(arguments: [
        ("555 1234", "US", PhoneProblem.Reason.tooShort, 7, 10), ("five five five one two three", "US", .tooShort, 6, 10),
        ("1 555 123 456", "US", .tooShort, 10, 11), ("+1 555 123 456", "US", .tooShort, 10, 11),
        ("oh seven four oh oh one two three four five", "GB", .tooShort, 10, 11), ("7400 12345", "GB", .tooShort, 9, 10),
        ("555 123 45678", "US", .tooLong, 11, 10), ("1 555 123 4567 8", "US", .tooLong, 12, 11),
        ("011 44 7400 12345", "US", .tooShort, 14, 15), ("+44 7400 1234567", "US", .tooLong, 13, 12),
        ("zero", "US", .tooShort, 1, 10), ("+44", "US", .tooShort, 2, 9), ("06 12 34 56", "FR", .tooShort, 8, 10),
        (String(repeating: "5", count: 1_000), "US", .tooLong, 1_000, 10),
    ])
    func countsDigits(_ text: String, _ region: String, _ reason: PhoneProblem.Reason, _ heard: Int, _ wanted: Int) {
        #expect(problem(text, region) == PhoneProblem(reason, heard: heard, wanted: wanted))
    }

    @Test(arguments: [
        "", " ", "null", "unknown", "I don't have any", "my number is", "um", "plus", "+", "oh", "oh no", "...", "not sure",
        "the area code is", "\u{0}", "\u{1F4DE}", "hundred",
    ])
    func needsDigits(_ text: String) {
        let reason: PhoneProblem.Reason = text == "hundred" ? .notUnderstood : .noDigits
        #expect(problem(text) == PhoneProblem(reason))
    }

    @Test func needsARegionOrAPlus() {
        #expect(problem("555 123 4567", nil) == PhoneProblem(.noRegion))
        #expect(problem("five five five", nil) == PhoneProblem(.noRegion))
        #expect(problem("011 44 7400 123456", nil) == PhoneProblem(.noRegion))
        #expect(problem("+1 555 123 4567", nil) == nil)
        #expect(problem("plus one five five five one two three four five six seven", nil) == nil)
    }

    /// A word among the digits, or next to them, may be a digit that was misheard, or take something back.
    @Test(arguments: [
        "555 123 4567 no", "five five five, no wait, five five six, one two three four", "555 123 4567 or 555 123 4568",
        "fife five five one two three four five six seven", "five five five one two tree four five six seven",
        "five five five one two three four five six sevn", "five five five sorry one two three four five six seven",
        "I mean 555 123 4567 actually", "Johnny 5551234567", "1-800-FLOWERS", "555-123-4567@example.com", "*67 555 123 4567",
        "double", "five double", "double fifty five", "double 512 345 6789", "double double five five one two three four",
        "double um five", "five double and six", "+1 +1 555 123 4567", "555+1234567", "5551234567 plus", "555 123 4567 ext",
        "555 123 4567 x",
        "555 123 4567 ext 123456789", "555 123 4567 x1 x2", "5 x", "number two: 555 123 4567 5 thousand 5",
        "555 123 4567 thanks I am 42", "five hundred hundred", "twenty and hundred",
    ])
    func refusesWordsBesideDigits(_ text: String) {
        #expect(problem(text) == PhoneProblem(.notUnderstood))
    }

    @Test(arguments: [
        ("0551234567", "US"), ("+999 123 456 789", "US"), ("+0 44 7400 123456", "US"),
        ("+210 12345678", "US"), ("1234567890", "FR"),
    ])
    func refusesWhatNoNumberBeginsWith(_ text: String, _ region: String) {
        let problem = problem(text, region)
        #expect(problem?.reason == .noSuchNumber || problem?.reason == .tooShort || problem?.reason == .tooLong)
        #expect(problem != nil)
    }

    /// Both readings can be numbers, so neither is taken.
    @Test(arguments: [
        // Without its zero it is no German number that anybody would say, and with a plus sign it is one of Berlin.
        ("4930 123456", "DE", "en-US"), ("39 398 395 5371", "IT", "en-US"),
        // 800 5 or 805.
        ("eight hundred five, one two three four", "DE", "en-US"),
        // 30 1 or 31.
        ("cero treinta uno, dos tres cuatro cinco seis", "DE", "es"),
        // A sigh or a zero.
        ("oh, three one two three four five six seven eight nine", "IT", "en-US"),
    ])
    func refusesTwoReadings(_ text: String, _ region: String, _ locale: String) throws {
        #expect(problem(text, region, try #require(VoiceLocale(locale))) == PhoneProblem(.ambiguous))
    }

    @Test func anErrorSaysWhatToAskAndNoDigit() throws {
        for text in ["555 1234", "x", "5551234567 no", "0551234567"] {
            let error = try #require(throws: PartnerBookingError.self) { try PhoneNumber(text, region: "US") }
            #expect(error.code == .phoneUnclear)
            #expect(error.code.rawValue == "phone_unclear")
            #expect(error.source == .caller)
            #expect(!error.isRetryable)
            #expect(error.field == "text")
            #expect(!error.message.contains("555"))
        }
    }

    @Test(arguments: ["XX", "us", "USA", "", "U", "UK", "Ü", "U\u{0}"])
    func refusesAnUnknownRegion(_ region: String) throws {
        let error = try #require(throws: PartnerBookingError.self) { try PhoneNumber("+15551234567", region: region) }
        #expect(error.code == .invalidField)
        #expect(error.field == "region")
    }

    @Test func refusesALongText() throws {
        let text = String(repeating: "um ", count: 341) + "5"
        #expect(text.utf8.count == 1_024)
        #expect(problem(text)?.reason == .tooShort)
        let error = try #require(throws: PartnerBookingError.self) { try PhoneNumber(text + "5", region: "US") }
        #expect(error.field == "text")
    }
}
