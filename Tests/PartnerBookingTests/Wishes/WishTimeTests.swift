import PartnerBooking
import Testing

/// Times of wishes. The day is tomorrow.
@Suite struct WishTimeTests {
    private func tomorrow(_ time: String, opening: [[Range<Int>]]? = nil) -> String {
        let found = summary("tomorrow", time, opening: opening)
        return found.replacingPrefix("2030-01-17 ", with: "")
    }

    @Test(arguments: [
        ("morning", "06:00-12:00"), ("afternoon", "12:00-18:00"), ("in the evening", "18:00-"),
        ("lunchtime", "12:00-14:00"), ("late morning", "10:00-12:00"), ("mid-afternoon", "14:00-16:00"),
        ("morning or afternoon", "06:00-18:00"), ("morning or evening", "morning,evening"), ("after lunch", "13:00-"),
    ])
    func readsPartsOfTheDay(_ time: String, _ expected: String) {
        #expect(tomorrow(time) == expected)
    }

    @Test(arguments: [
        ("9am", "~09:00"), ("9:30 p.m.", "~21:30"), ("noon", "~12:00"), ("12 am", "~00:00"), ("15:30", "~15:30"),
        ("09:30", "~09:30"), ("15h30", "~15:30"), ("1530", "~15:30"), ("half past nine in the morning", "~09:30"),
        ("quarter to ten am", "~09:45"), ("nine oh five am", "~09:05"), ("twenty past three pm", "~15:20"),
        ("at ten to three pm", "~14:50"), ("three in the afternoon", "~15:00"),
    ])
    func readsClocks(_ time: String, _ expected: String) {
        #expect(tomorrow(time) == expected)
    }

    @Test(arguments: [
        ("three", "~15:00 ?afternoon"), ("at 9", "~09:00 ?morning"), ("nine thirty", "~09:30 ?morning"),
        ("twelve", "~12:00 ?noon"), ("at six", "~18:00 ?afternoon"), ("after three", "15:00- ?afternoon"),
        ("before eleven", "-11:00 ?morning"), ("from nine to five", "09:00-17:00 ?morning"),
        ("between ten and two", "10:00-14:00 ?morning"),
    ])
    func saysWhatABareHourAssumes(_ time: String, _ expected: String) {
        #expect(tomorrow(time) == expected)
    }

    @Test(arguments: [
        ("2-4pm", "14:00-16:00"), ("between 9am and 5", "09:00-17:00"), ("nine to two in the afternoon", "09:00-14:00"),
    ])
    func theEndOfARangeDecidesAboutItsStart(_ time: String, _ expected: String) {
        #expect(tomorrow(time) == expected)
    }

    @Test func theOpeningDecidesAboutABareHour() {
        let day = Array(repeating: [9 * 60..<17 * 60], count: 7)
        #expect(tomorrow("three", opening: day) == "~15:00")
        #expect(tomorrow("before five", opening: day) == "-17:00")
        // Neither is in it.
        #expect(tomorrow("seven", opening: day) == "~07:00 ?morning")
        let long = Array(repeating: [7 * 60..<21 * 60], count: 7)
        #expect(tomorrow("eight", opening: long) == "~08:00 / 2030-01-17 ~20:00")
        #expect(tomorrow("eight in the morning", opening: long) == "~08:00")
        #expect(tomorrow("ten", opening: long) == "~10:00")
        // Of the day that is meant, and tomorrow is a Thursday.
        var thursday = long
        thursday[3] = [12 * 60..<21 * 60]
        #expect(tomorrow("eight", opening: thursday) == "~20:00")
    }

    @Test(arguments: [
        ("after three", "15:00- ?afternoon"), ("not before 10 am", "10:00-"), ("no later than 4 pm", "-16:00"),
        ("after two but before four", "14:00-16:00 ?afternoon"), ("around 3 pm", "~15:00"),
        ("three-ish", "~15:00 ?afternoon"),
        ("3 pm or later", "15:00-"), ("by noon", "-12:00"),
    ])
    func limitsTimes(_ time: String, _ expected: String) {
        #expect(tomorrow(time) == expected)
    }

    /// "Four" is no day of the month here.
    @Test(arguments: ["until four", "by four", "not after 4", "no later than four"])
    func aNumberBehindUntilIsAnHour(_ time: String) {
        #expect(summary("tomorrow \(time)") == "2030-01-17 -16:00 ?afternoon")
        #expect(summary("the 28th \(time)") == "2030-01-28 -16:00 ?afternoon")
        #expect(summary("next week \(time)") == "2030-01-21..2030-01-27 -16:00 ?afternoon")
        #expect(summary("the 21st until the 23rd") == "2030-01-21..2030-01-23")
    }

    @Test func aPartLimitsWhatFollows() {
        #expect(summary("tomorrow afternoon", "after three") == "2030-01-17 15:00-18:00")
        #expect(summary("tomorrow morning", "at half past nine") == "2030-01-17 ~09:30")
        #expect(summary("tomorrow morning", "3 pm") == "!when contradictory")
        #expect(summary("tomorrow afternoon at ten") == "!when contradictory")
    }

    @Test func whatIsSaidTwiceCountsOnce() {
        #expect(summary("tomorrow at three", "3pm") == "2030-01-17 ~15:00")
        #expect(summary("tomorrow afternoon", "afternoon") == "2030-01-17 12:00-18:00")
        #expect(summary("next Tuesday", "Tuesday at 3pm") == "2030-01-22 ~15:00")
        #expect(summary("tomorrow at three", "four") == "!time not_understood")
    }

    @Test func theTimeOfTodayIsStillAhead() {
        #expect(summary("today at eight") == "2030-01-16 ~20:00 ?afternoon")
        #expect(summary("in an hour") == "2030-01-16 ~10:00")
        #expect(summary("this morning", now: "2030-01-16T13:00:00-05:00") == "!when past")
    }

    @Test(arguments: [
        ("Tuesday and in the morning", "2030-01-22 06:00-12:00"), ("or tomorrow morning", "2030-01-17 06:00-12:00"),
        ("this morning or this afternoon", "2030-01-16 06:00-18:00"), ("or this afternoon", "2030-01-16 12:00-18:00"),
        ("this afternoon or tonight", "2030-01-16 12:00-"), ("today, this evening", "2030-01-16 18:00-"),
    ])
    func readsADayAndAPart(_ when: String, _ expected: String) {
        #expect(summary(when) == expected)
    }

    @Test func theDigitsOfAWrittenTimeCount() {
        #expect(summary("2030-01-22T15:00:00-05:00") == "2030-01-22 ~15:00")
        #expect(summary("2030-01-22T15:00:00Z") == "2030-01-22 ~15:00 ?local_time")
        #expect(summary("2030-01-22 15:00") == "2030-01-22 ~15:00")
    }

    @Test(arguments: [
        "not Tuesday", "anything but Tuesday", "any day except Monday", "Tuesday, no, Wednesday", "I can't do Tuesday",
        "blurg", "tomorrow at two or four", "tomorrow before 9 or after 5", "Tuesday morning or Thursday",
        "Tuesday Wednesday", "Tuesday, Wednesday", "Tuesday or", "by Friday at three", "May 3 pm",
        "tomorrow ten to two pm or", "the first Monday of February", "the one on Tuesday", "Monday after the 20th",
        "Monday, Tuesday morning or afternoon", "Monday Wednesday", "my appointment was Tuesday at three",
        "14", "between two", "tomorrow 3+", "yesterday", "after work", "in a few days", "next", "the", "at", ",",
        "I would like an appointment please", "Tuesday or in the morning", "in the morning or Tuesday",
        "Tuesday or Wednesday or in the morning", "tomorrow or this afternoon", "Friday and tonight",
        "tomorrow morning or this afternoon", "at three this afternoon or tonight",
        "tomorrow at three in the afternoon or evening",
    ])
    func refusesWhatItDoesNotUnderstand(_ when: String) {
        #expect(summary(when) == "!when not_understood")
    }

    @Test func namesTheField() {
        #expect(summary("tomorrow", "not three") == "!time not_understood")
        #expect(summary("blurg", "three") == "!when not_understood")
        #expect(summary("", "at 25:00") == "!time not_understood")
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
