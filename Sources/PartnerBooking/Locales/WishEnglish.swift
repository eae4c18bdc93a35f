extension LocaleText {
    static let americanWishes: WishText = {
        var text = britishWishes
        text.monthComesFirst = true
        return text
    }()

    static let britishWishes = WishText(
        today: "today, later today",
        tomorrow: "tomorrow, tmrw, tomorow",
        dayAfterTomorrow: "day after tomorrow, overmorrow",
        dayAfter: "day after, day after that",
        weekAfter: "week after, week after that",
        tonight: "tonight, this night",
        weekdays: "mon, tue tues, wed weds wednes, thu thur thurs, fri, sat, sun",
        everyWeekday: "mondays, tuesdays, wednesdays, thursdays, fridays, saturdays, sundays",
        workdays: "weekday, weekdays, working day, workday, workdays, business day",
        weekend: "weekend", weekends: "weekends",
        months: "jan, feb, mar, apr, , jun, jul, aug, sep sept, oct, nov, dec",
        next: "next", this: "this, this coming, coming, later this, the coming",
        afterNext: "after next",
        within: "within, within the next, in the next, over the next, during the next, inside",
        in: "in", fromNow: "from now, time, hence",
        minutes: "minute, minutes, mins", hours: "hour, hours", days: "day, days", weeks: "week, weeks",
        fortnight: "fortnight, fortnights", monthUnits: "month, months",
        every: "every, each, any, on any",
        numbers: "an=101 a=101 couple=2",
        ordinals: """
            first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth \
            fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
            """,
        otherOrdinals: "twentieth=20 thirtieth=30",
        ordinalSuffixes: "st, nd, rd, th",
        dayArticles: "the",
        morning: PartOfDay(from: 6, half: 10, to: 12, words: "morning, the morning, forenoon"),
        everyPart: "mornings, lunchtimes, afternoons, evenings nights",
        lunch: PartOfDay(
            from: 12, half: 13, to: 14,
            words: """
                lunchtime, lunch time, lunch, lunch hour, lunch break
                """),
        afternoon: PartOfDay(from: 12, half: 15, to: 18, words: "afternoon, arvo"),
        evening: PartOfDay(from: 18, half: 20, to: 24, words: "evening, night"),
        noon: "noon, midday, noontime", midnight: "midnight",
        early: "early, beginning of, start of, the beginning of, the start of, early in",
        middle: "mid, middle of, the middle of",
        late: "late, end of, the end of, late in",
        am: "am, a m", pm: "pm, p m",
        oClock: "oclock, o clock, h, hrs, hundred hours",
        half: "half, half a", quarter: "quarter, a quarter", past: "past, after the hour",
        after: "after, any time after, anytime after, later than, but after, past",
        before: "before, earlier than, but before, prior to",
        until: """
            until, till, til, by, up to, no later than, not later than, not after, at the latest by, but not after, \
            on or before
            """,
        from: """
            from, since, starting, starting from, starting at, beginning, not before, no earlier than, \
            not earlier than, but not before, at the earliest from, on or after
            """,
        around: """
            around, about, approximately, roughly, at around, at about, close to, near, circa, some time around
            """,
        roughly: "ish",
        orLater: "or later, or after that, or thereafter, and later, onwards, onward",
        orEarlier: "or earlier, or sooner",
        between: "between, in between",
        at: "at",
        to: "to, through, thru",
        and: "and", or: "or, either, or maybe, or even, or on",
        earliest: """
            earliest, earliest possible, as soon as possible, asap, as early as possible, soonest, \
            first available, next available, next available appointment, next opening, soon as possible, \
            earliest available, soonest available, as soon as you can, as early as you can, soonest possible, \
            sooner the better, next open, next slot, next appointment, first opening, first available opening
            """,
        now: "now, right now, immediately, right away",
        firstThing: "first thing, first thing in, first slot, first appointment",
        any: """
            anytime, any time, any day, whenever, flexible, any time at all, doesnt matter, does not matter, \
            no preference, i dont mind, dont mind, i dont care, whatever, whichever, all day, whole day, any slot, \
            any date, whatever you have, any appointment, anything
            """,
        fillers: """
            please, um, uh, er, erm, hm, hmm, ok, okay, yes, yeah, yep, so, then, maybe, perhaps, possibly, \
            hi, hello, hey, i, id, im, ill, we, wed like, me, my, you, it, its, it is, is, are, be, do, does, can, \
            could, would, will, like, want, need, prefer, love, have, get, got, see, come, come in, book, make, \
            take, try, lets, let us, an, of, for, on, during, some, sometime, some time, something, one, \
            day, date, appointment, appointments, slot, slots, opening, available, availability, free, good, \
            great, best, fine, nice, works, work, if possible, ideally, preferably, how about, what about, thanks, \
            thank you, for me, only, just, there, that, looking, hoping, thinking, say, anytime on, \
            id like to come, time, may i, if you have, if you can, possible, in for, with, what do you have, \
            what have you got, want to, like to, need to, love to, prefer to, to come, to come in, to book, \
            to make, to see, what, whats, your, i was hoping, i was thinking, guess, perfect, preferred, squeeze, fit, me in, over the, \
            any chance of, can i have, could i have, can we have, could we have, can i please have, i am, i am free, \
            i am available, just a second, just a minute, one second, one moment, just a moment, \
            good morning, good afternoon, good evening, have a good day, have a nice day, have a great day, \
            have a good evening, have a good night, wed prefer, wed love, wed need, wed want, wed be, wed take, \
            wed come, wed have
            """,
        secondThoughts: "well",
        refused: """
            i work, i have work, my work, at work, from work, after work, before work, until work, come by, \
            i may, we may, may be, with april, with may, with june, with august, im april, im may, im june, \
            im august, i have an appointment, i have appointments, i have one appointment, my appointment, \
            my next appointment, my first appointment, the earliest i, the soonest i, is the earliest, \
            is the soonest, earliest is, earliest would, soonest would, earliest for me, soonest for me, \
            earliest that works, soonest that works, earliest i, soonest i, good night, nice morning, nice evening, \
            may work, may we, may want, may need, may have, may do, may suit, may come, it may, that may, they may, \
            got work, have work, ill work, we work, do work, only work, just work, got an appointment, \
            we have an appointment, have got an appointment, coming week, coming month, this coming week, \
            this coming month, the coming week, the coming month, this is april, this is may, this is june, \
            this is august, see april, see june, its june, its april
            """)
}
