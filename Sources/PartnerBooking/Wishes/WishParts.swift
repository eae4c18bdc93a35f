/// One or more days, in days since 1970-01-01.
struct WishSpan: Equatable {
    enum Kind {
        /// A day counted from today. No weekday can move it.
        case counted
        /// A week, a month or another period of several days. A weekday selects days from it.
        case period
        /// A date. A weekday that disagrees moves it.
        case date
        /// A day of the month, said without its month.
        case dayOfMonth
    }

    var from: Int
    var to: Int
    var kind: Kind
    /// The weekdays that count, with Monday in the lowest bit. Zero means all of them.
    var weekdays: UInt8 = 0
    /// True when the year was said, and was changed.
    var isOfOtherYear = false

    /// True for "next weekend" while a weekend is ahead in this week, which may be meant, too.
    var hasEarlierReading = false

    var isDay: Bool { from == to }
}

/// The words about the day, in pieces.
struct WishDays {
    enum Mode {
        case plain, next, this, every
    }

    enum Bound {
        case none, after, before, until, from
    }

    var span: WishSpan?
    var spanBound = Bound.none
    /// Weekdays, with Monday in the lowest bit.
    var weekdays: UInt8 = 0
    var mode = Mode.plain
    /// The first day of `Monday to Wednesday`. Then `weekdays` contains all days of the range.
    var firstOfRun: Int?
    var weekdayBound = Bound.none
    var weeksLater = 0

    var isEmpty: Bool { span == nil && weekdays == 0 }
    var isBounded: Bool { spanBound != .none || weekdayBound != .none }
}

/// The words about the time of the day, in pieces.
struct WishTimes {
    var around: WishClock?
    var lower: WishClock?
    var upper: WishClock?
    /// Parts of the day, as bits.
    var parts: UInt8 = 0
    /// True when the part belongs to the time before it, as in `three in the afternoon`. Then it
    /// limits nothing else.
    var isPartOfClock = false
    /// The stretch of the part: 0 for early, 1 for the middle, 2 for late.
    var stretch: Int?
    var isEarliest = false
    var isFirstThing = false

    var hasClock: Bool { around != nil || lower != nil || upper != nil }
}

/// Everything that the caller said.
struct WishParts {
    var days = WishDays()
    var times = WishTimes()
    /// The offset in minutes that was written behind a date and a time.
    var offset: Int?
}
