/// Days since 1970-01-01, one or more.
struct WishSpan: Equatable {
    enum Kind {
        /// Counted from today: no weekday can move it.
        case counted
        /// A week, a month, or another time of several days. A weekday chooses days from it.
        case period
        /// A date: a weekday that disagrees moves it.
        case date
        /// A day of a month that was not said.
        case dayOfMonth
    }

    var from: Int
    var to: Int
    var kind: Kind
    /// The weekdays that count, from Monday in the lowest bit; all of them when it is zero.
    var weekdays: UInt8 = 0
    /// The year was said, and moved.
    var isOfOtherYear = false

    /// "Next weekend", while one is ahead in this week: it may be meant as well.
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
    /// From Monday in the lowest bit.
    var weekdays: UInt8 = 0
    var mode = Mode.plain
    /// `Monday to Wednesday`; then `weekdays` has them all.
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
    /// Parts of the day, by their bits.
    var parts: UInt8 = 0
    /// The part belongs to the time before it: `three in the afternoon`. It limits nothing else.
    var isPartOfClock = false
    /// Which stretch of the part: 0 for the early one, 1 for the middle, 2 for the late one.
    var stretch: Int?
    var isEarliest = false
    var isFirstThing = false

    var hasClock: Bool { around != nil || lower != nil || upper != nil }
}

/// Everything that was said.
struct WishParts {
    var days = WishDays()
    var times = WishTimes()
    /// The offset that was written behind a date and a time, in minutes.
    var offset: Int?
}
