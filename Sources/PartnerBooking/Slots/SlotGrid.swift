/// The starts that the clinic's wall clock allows. Their local minute of the day is a multiple
/// of the step.
struct SlotGrid {
    let zone: Zone
    /// 1 to 1440.
    let stepMinutes: Int

    /// Returns the first start at or after an instant.
    func start(notBefore instant: Int) -> Int {
        var start = Self.wholeMinute(instant)
        while true {
            let period = zone.period(at: start)
            let minute = (start + period.offset).flooringDivision(by: 60)
            let minuteOfDay = minute - minute.flooringDivision(by: 1_440) * 1_440
            let next = (minuteOfDay + stepMinutes - 1) / stepMinutes * stepMinutes
            // The grid starts again at midnight.
            let candidate = start + (min(next, 1_440) - minuteOfDay) * 60
            if candidate < period.end { return candidate }
            start = Self.wholeMinute(period.end)
        }
    }

    private static func wholeMinute(_ instant: Int) -> Int { (instant + 59).flooringDivision(by: 60) * 60 }
}
