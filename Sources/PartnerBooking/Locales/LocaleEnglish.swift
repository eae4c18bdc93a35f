extension LocaleText {
    static let americanEnglish = LocaleText(
        name: "en-US", numbers: englishNumbers, phones: englishPhones, calendar: englishCalendar,
        picks: englishPicks, speech: americanSpeech, wishes: americanWishes, tools: .english)
    static let britishEnglish = LocaleText(
        name: "en-GB", numbers: englishNumbers, phones: englishPhones, calendar: englishCalendar,
        picks: englishPicks, speech: britishSpeech, wishes: britishWishes, tools: .english)

    private static let englishNumbers = NumberText(
        digits: "zero one two three four five six seven eight nine",
        teens: "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        tens: "twenty thirty forty fifty sixty seventy eighty ninety",
        others: "nought=0 naught=0 aught=0 niner=9 fourty=40",
        hundred: "hundred", thousand: "thousand", joiner: "and", customs: .unitsFollowTens)

    private static let englishPhones = PhoneText(
        plus: "plus",
        double: "double", triple: "triple treble", quadruple: "quadruple",
        extensions: "extension ext extn x",
        oh: "oh o",
        soundsLike: "to=2 too=2 for=4 fore=4 won=1 ate=8",
        fillers: """
            uh um uhm umm er erm ah hm hmm mm well so ok okay yeah yes yep right then that's that is are it it's the this my \
            your our his her number numbers phone ph telephone tel mobile mob cell cellphone cellular home work \
            office landline area country code prefix dial call me us at on by with starts starting begins dash hyphen minus \
            dot point period comma slash space parenthesis parentheses bracket brackets open close pause again please \
            thanks thank you
            """,
        openings: "no not sorry sure hi hello hey wait actually")

    private static let englishCalendar = CalendarText(
        weekdays: "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        months: "January February March April May June July August September October November December")

    private static let englishPicks = PickText(
        ordinals: "first second third fourth fifth sixth seventh eighth ninth tenth",
        lasts: "last", suffixes: "st nd rd th", labels: "option number choice slot",
        fillers: "the that time please i'll take i'd like let's go for with", ones: "one")

    private static let americanSpeech = SpeechText(
        numbers: """
            zero,one,two,three,four,five,six,seven,eight,nine,ten,eleven,twelve,thirteen,fourteen,fifteen,sixteen,\
            seventeen,eighteen,nineteen,twenty,twenty-one,twenty-two,twenty-three,twenty-four,twenty-five,twenty-six,\
            twenty-seven,twenty-eight,twenty-nine,thirty,thirty-one,thirty-two,thirty-three,thirty-four,thirty-five,\
            thirty-six,thirty-seven,thirty-eight,thirty-nine,forty,forty-one,forty-two,forty-three,forty-four,\
            forty-five,forty-six,forty-seven,forty-eight,forty-nine,fifty,fifty-one,fifty-two,fifty-three,fifty-four,\
            fifty-five,fifty-six,fifty-seven,fifty-eight,fifty-nine,sixty,sixty-one,sixty-two,sixty-three,sixty-four,\
            sixty-five,sixty-six,sixty-seven,sixty-eight,sixty-nine,seventy,seventy-one,seventy-two,seventy-three,\
            seventy-four,seventy-five,seventy-six,seventy-seven,seventy-eight,seventy-nine,eighty,eighty-one,eighty-two,\
            eighty-three,eighty-four,eighty-five,eighty-six,eighty-seven,eighty-eight,eighty-nine,ninety,ninety-one,\
            ninety-two,ninety-three,ninety-four,ninety-five,ninety-six,ninety-seven,ninety-eight,ninety-nine
            """,
        days: """
            first,second,third,fourth,fifth,sixth,seventh,eighth,ninth,tenth,eleventh,twelfth,thirteenth,fourteenth,\
            fifteenth,sixteenth,seventeenth,eighteenth,nineteenth,twentieth,twenty-first,twenty-second,twenty-third,\
            twenty-fourth,twenty-fifth,twenty-sixth,twenty-seventh,twenty-eighth,twenty-ninth,thirtieth,thirty-first
            """,
        years: """
            20:00 two thousand
            20:01-09 two thousand {year}
            *:00 {century} hundred
            *:01-09 {century} oh-{year}
            *:* {century} {year}
            """,
        today: "today",
        tomorrow: "tomorrow, {weekday}",
        date: "{weekday}, {month} {day}",
        ofYear: ", {year}",
        hours: "twelve,one,two,three,four,five,six,seven,eight,nine,ten,eleven",
        dayParts: """
            0-5:* in the early morning
            6-11:* in the morning
            12-17:* in the afternoon
            18-20:* in the evening
            21-23:* at night
            """,
        clock: """
            0:00 midnight
            12:00 noon
            *:00 {hour} {part}
            *:01-09 {hour} oh {minute} {part}
            *:* {hour} {minute} {part}
            """,
        at: " at ",
        firstTime: ", the first time that hour comes, before the clocks go back",
        secondTime: ", the second time that hour comes, after the clocks go back",
        or: " or ", and: " and ", orDay: ", or ", andDay: ", and ",
        lengths: """
            0:01 one minute
            0:30 half an hour
            0:* {minutes} minutes
            1:00 one hour
            1:01 one hour and one minute
            1:30 an hour and a half
            1:* one hour and {minutes} minutes
            *:00 {hours} hours
            *:01 {hours} hours and one minute
            *:30 {hours} and a half hours
            *:* {hours} hours and {minutes} minutes
            """)

    private static let britishSpeech = {
        var speech = americanSpeech
        speech.date = "{weekday} the {day} of {month}"
        speech.dateOfThisMonth = "{weekday} the {day}"
        speech.clock = """
            0:00 midnight
            12:00 noon
            *:00 {hour} {part}
            *:15 quarter past {hour} {part}
            *:30 half past {hour} {part}
            *:45 quarter to {next} {part}
            *:05,10,20,25 {minute} past {hour} {part}
            *:35,40,50,55 {left} to {next} {part}
            *:01-09 {hour} oh {minute} {part}
            *:* {hour} {minute} {part}
            """
        return speech
    }()
}
