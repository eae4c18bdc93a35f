extension SlotOptions {
    /// Makes options for appointments of 30 minutes at the times of a reading.
    ///
    ///     let wish = try TimeWish(
    ///         when: "tomorrow", time: "after three", timeZone: "America/New_York")
    ///     var options = SlotOptions(timeZone: "America/New_York", reading: wish.readings[0])
    public init(timeZone: String, reading: TimeWish.Reading) {
        self.init(timeZone: timeZone)
        from = reading.from
        to = reading.to
        weekdays = Set(reading.weekdays ?? [])
        notBefore = reading.notBeforeMinute
        before = reading.beforeMinute
        parts = Set((reading.parts ?? []).compactMap { Part(rawValue: $0.rawValue) })
        isEarliest = reading.isEarliest
        around = reading.around
    }
}
