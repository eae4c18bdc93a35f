import PartnerBooking
import Testing

/// Days of wishes. Today is Wednesday, 16 January 2030.
@Suite struct WishDayTests {
    @Test(arguments: [
        ("today", "2030-01-16"), ("tomorrow", "2030-01-17"), ("the day after tomorrow", "2030-01-18"),
        ("in three days", "2030-01-19"), ("ten days from today", "2030-01-26"), ("tonight", "2030-01-16 18:00-"),
        ("this afternoon", "2030-01-16 12:00-18:00"), ("a week from tomorrow", "2030-01-24"),
    ])
    func countsFromToday(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test(arguments: [
        // A Friday is ahead in this week, a Tuesday is not.
        ("next Friday", "2030-01-18 / 2030-01-25"), ("next Tuesday", "2030-01-22"), ("next Wednesday", "2030-01-23"),
        ("next weekend", "2030-01-19..2030-01-20 / 2030-01-26..2030-01-27"), ("this Friday", "2030-01-18"),
        ("this Tuesday", "2030-01-22"),
    ])
    func nextHasTwoReadingsWhileOneIsAhead(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test func aWeekdayOnItsOwnDayHasTwoReadings() {
        #expect(summary("Wednesday") == "2030-01-16 / 2030-01-23")
        #expect(summary("Tuesday") == "2030-01-22")
        // Its time today is past.
        #expect(summary("Wednesday at 8 am") == "2030-01-23 ~08:00")
    }

    @Test(arguments: [
        ("Tuesday or Thursday", "2030-01-17..2030-01-22 tue,thu"), ("Tuesdays", "2030-01-16..2030-03-17 tue"),
        ("Monday to Wednesday", "2030-01-21..2030-01-23"), ("weekdays", "2030-01-16..2030-03-17 mon,tue,wed,thu,fri"),
        ("Tuesday next week", "2030-01-22"), ("next week", "2030-01-21..2030-01-27"),
        ("this week", "2030-01-16..2030-01-20"), ("the week after next", "2030-01-28..2030-02-03"),
        ("in two weeks", "2030-01-28..2030-02-03"), ("early next week", "2030-01-21..2030-01-22"),
        ("the weekend", "2030-01-19..2030-01-20"), ("within two weeks", "2030-01-16..2030-01-30"),
        ("next month", "2030-02-01..2030-02-28"), ("late January", "2030-01-21..2030-01-31"),
        ("a week from Tuesday", "2030-01-29"), ("tomorrow or the day after", "2030-01-17..2030-01-18"),
        ("Monday Tuesday or Wednesday", "2030-01-16..2030-01-22 mon,tue,wed"),
    ])
    func namesSeveralDays(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test(arguments: [
        ("the 14th", "2030-02-14"), ("the 16th", "2030-01-16"), ("January 14", "2031-01-14"),
        ("February fourteenth", "2030-02-14"), ("14 February", "2030-02-14"), ("2/14", "2030-02-14"),
        ("14/2", "2030-02-14"), ("2030-02-14", "2030-02-14"), ("the 31st", "2030-01-31"),
        ("January 21 to 23", "2030-01-21..2030-01-23"), ("the 21st or the 23rd", "2030-01-21..2030-01-23 mon,wed"),
        ("2030-01-21/2030-01-23", "2030-01-21..2030-01-23"),
        ("the 28th of this month", "2030-01-28"), ("the 3rd of next month", "2030-02-03"),
    ])
    func readsDates(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test func theOrderOfDayAndMonthIsThatOfTheLocale() {
        #expect(summary("3/2", locale: .americanEnglish) == "2030-03-02")
        for locale in [VoiceLocale.britishEnglish, .spanish, .french] {
            #expect(summary("3/2", locale: locale) == "2030-02-03")
        }
    }

    @Test func aWeekdayBeatsADateThatDisagrees() {
        #expect(summary("Tuesday 2030-01-22") == "2030-01-22")
        #expect(summary("Tuesday 2030-01-21") == "2030-01-22 !weekday")
        #expect(summary("Tuesday 2030-01-25") == "2030-01-22 !weekday")
        #expect(summary("Friday, January 22") == "2030-01-25 !weekday")
        // The nearest one is past.
        #expect(summary("Tuesday 2030-01-16") == "2030-01-22 !weekday")
        #expect(summary("tomorrow, Monday") == "!when contradictory")
    }

    @Test func aWeekdayChoosesTheMonthOfADayWithoutOne() {
        #expect(summary("Friday the 15th") == "2030-02-15")
        #expect(summary("Tuesday the 22nd") == "2030-01-22")
    }

    @Test func aPastDateIsTheSameDayWithinTwelveMonths() {
        #expect(summary("2029-01-22") == "2030-01-22 !year")
        #expect(summary("2030-01-15") == "2031-01-15 !year")
        #expect(summary("January 22, 2024") == "2030-01-22 !year")
        #expect(summary("Monday 2029-01-22") == "2030-01-21 !weekday !year")
        #expect(summary("2028-02-29") == "!when no_such_time")
    }

    @Test(arguments: [
        ("after tomorrow", "2030-01-18..2030-03-17"), ("before January 22", "2030-01-16..2030-01-21"),
        ("by January 22", "2030-01-16..2030-01-22"), ("from January 22 on", "2030-01-22..2030-03-17"),
        ("after Friday", "2030-01-19..2030-03-17"), ("no later than Friday", "2030-01-16..2030-01-18"),
    ])
    func limitsDays(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test(arguments: ["", "any day", "whenever", "no preference", "I'm flexible"])
    func withoutADayAllCount(_ when: String) {
        #expect(summary(when) == "2030-01-16..2030-03-17")
    }

    @Test func asSoonAsPossibleIsTheFirstSlot() {
        #expect(summary("as soon as possible") == "2030-01-16..2030-03-17 first")
        #expect(summary("first thing tomorrow") == "2030-01-17 -12:00 first")
        #expect(summary("now") == "2030-01-16 first")
    }

    @Test(arguments: [
        ("Monday this week", "past"), ("today at 8 am", "past"), ("the 14th of this month", "past"),
        ("before today", "past"), ("February 30", "no_such_time"), ("the 32nd", "no_such_time"),
        ("2030-02-30", "no_such_time"),
    ])
    func namesTheReason(_ when: String, _ reason: String) {
        #expect(summary(when) == "!when \(reason)")
    }
}
