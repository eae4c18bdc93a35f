/// The time of the day, in minutes after midnight.
struct WishTime: Equatable {
    var around: Int?
    var notBefore: Int?
    var before: Int?
    /// Parts of the day with a gap between them, as bits.
    var parts: UInt8 = 0
    var assumed = WishAssumptions()
}

extension WishResolver {
    private struct Window {
        var from = 0
        var to = 1_440
        /// Parts of the day with a gap between them, as bits.
        var apart: UInt8 = 0
        var isPart = false
    }

    /// Returns the times that the words mean on some days. The result is empty when they are
    /// past.
    func times(on days: WishSpan) throws(TimeProblem) -> [WishTime] {
        let window = try window()
        var found: [WishTime] = []
        let times = parts.times
        if let clock = times.around {
            found = try candidates(clock, on: days, window, isEnd: false).map { WishTime(around: $0.0, assumed: $0.1) }
        } else if let lower = times.lower, let upper = times.upper {
            found = try ranges(lower, upper, on: days, window)
        } else if let lower = times.lower {
            found = try candidates(lower, on: days, window, isEnd: false).map { WishTime(notBefore: $0.0, assumed: $0.1) }
        } else if let upper = times.upper {
            found = try candidates(upper, on: days, window, isEnd: true).map { WishTime(before: $0.0, assumed: $0.1) }
        } else {
            found = [WishTime()]
        }
        return try found.map { time throws(TimeProblem) in try limited(time, window) }
            .filter { days.from > today || days.to > today || !isPast($0) }
    }

    private func limited(_ time: WishTime, _ window: Window) throws(TimeProblem) -> WishTime {
        var time = time
        guard time.around == nil else { return time }
        time.parts = window.apart
        if window.isPart && !parts.times.isPartOfClock {
            // People stretch a part of the day by an hour: "afternoon until seven".
            let (from, to) = (time.notBefore ?? window.from, time.before ?? window.to)
            guard from >= window.from - 60, to <= window.to + 60 else { throw problem(.contradictory) }
            (time.notBefore, time.before) = (from, to)
        }
        if let from = time.notBefore, let to = time.before, from >= to { throw problem(.contradictory) }
        if time.notBefore == 0 { time.notBefore = nil }
        if time.before == 1_440 { time.before = nil }
        return time
    }

    private func isPast(_ time: WishTime) -> Bool {
        if let around = time.around { return around <= now.minuteOfDay }
        return (time.before ?? 1_440) <= now.minuteOfDay
    }

    /// Returns the window of the parts of the day that were said.
    private func window() throws(TimeProblem) -> Window {
        let times = parts.times
        var window = Window()
        var bits = times.parts
        if bits == 0, let stretch = times.stretch {
            // "Early tomorrow", "late on Friday".
            guard stretch != 1, !times.hasClock else { throw problem(.notUnderstood) }
            bits = stretch == 0 ? 1 : 4
        }
        if bits == 0 {
            if times.isFirstThing { (window.to, window.isPart) = (720, true) }
            return window
        }
        window.isPart = true
        let first = vocabulary.part(bits.trailingZeroBitCount)
        (window.from, window.to) = (60 * first.from, 60 * first.to)
        if let stretch = times.stretch {
            guard bits.nonzeroBitCount == 1 else { throw problem(.notUnderstood) }
            switch stretch {
            case 0: window.to = 60 * first.half
            case 1: (window.from, window.to) = (60 * first.half - 60, 60 * first.half + 60)
            default: window.from = 60 * first.half
            }
        }
        for number in 0..<4 where bits & 1 << UInt8(number) != 0 {
            let part = vocabulary.part(number)
            if 60 * part.from > window.to { window.apart = bits }
            if bits.nonzeroBitCount > 1 { window.to = max(window.to, 60 * part.to) }
        }
        // The parts describe this better than a range, which would contain the gap.
        if window.apart != 0 { (window.from, window.to, window.isPart) = (0, 1_440, false) }
        return window
    }

    // MARK: - Hours without am and pm

    private typealias Candidate = (Int, WishAssumptions)

    /// Returns the times that a clock may mean, each with its assumptions.
    private func candidates(
        _ clock: WishClock, on days: WishSpan, _ window: Window, isEnd: Bool
    ) throws(TimeProblem) -> [Candidate] {
        let minute = clock.minute == 0 && isEnd ? 1_440 : clock.minute
        guard clock.isBare else {
            if parts.times.parts != 0, !fits(isEnd ? minute - 1 : minute, window) { throw problem(.contradictory) }
            return [(minute, [])]
        }
        let (early, late) = (minute % 720, minute % 720 + 720)
        if parts.times.parts != 0, window.isPart { return [(try inPart(early, late, window), [])] }
        if let opening = settings.opening {
            let open = [early, late].filter { isOpen($0, opening, on: days, isEnd: isEnd) }
            if !open.isEmpty { return open.map { ($0, []) } }
        }
        // The likely hours are seven to eleven in the morning, and one to six in the afternoon.
        var likely = (420..<720).contains(early) ? early : late
        if days.from == today, days.to == today, likely <= now.minuteOfDay, late > now.minuteOfDay { likely = late }
        return [(likely, likely < 720 ? .morning : likely < 780 ? .noon : .afternoon)]
    }

    /// Returns the time of a bare hour that lies in the part of the day, or near it.
    private func inPart(_ early: Int, _ late: Int, _ window: Window) throws(TimeProblem) -> Int {
        func distance(_ minute: Int) -> Int { max(window.from - minute, minute - window.to, 0) }
        let near = distance(early) <= distance(late) ? early : late
        // "Three in the morning" is a time. After "Tuesday morning", three has no meaning.
        let tolerance = parts.times.isPartOfClock ? 180 : 60
        guard distance(near) <= tolerance, fits(near, window) else { throw problem(.contradictory) }
        return near
    }

    private func fits(_ minute: Int, _ window: Window) -> Bool {
        guard window.isPart else { return true }
        return window.to <= 720 ? minute < 780 : minute >= 660 || window.from >= 1_080 && minute < 300
    }

    private func isOpen(_ minute: Int, _ opening: [[Range<Int>]], on days: WishSpan, isEnd: Bool) -> Bool {
        for step in 0..<min(7, days.to - days.from + 1) {
            let bit = WishParser.weekdayBit(days.from + step)
            guard days.weekdays == 0 || days.weekdays & bit != 0 else { continue }
            for range in opening[bit.trailingZeroBitCount]
            where isEnd ? range.lowerBound < minute && minute <= range.upperBound : range.contains(minute) {
                return true
            }
        }
        return false
    }

    private func ranges(
        _ lower: WishClock, _ upper: WishClock, on days: WishSpan, _ window: Window
    ) throws(TimeProblem) -> [WishTime] {
        func both(_ clock: WishClock) -> [Int] {
            let minute = clock.minute
            return clock.isBare ? [minute % 720, minute % 720 + 720] : [minute]
        }
        func range(_ from: Int, _ to: Int, _ assumed: WishAssumptions) -> WishTime {
            WishTime(notBefore: from, before: to, assumed: assumed)
        }
        if lower.isBare, upper.isBare, parts.times.isPartOfClock {
            // In "from nine to two in the afternoon", the part belongs to the end.
            let end = try candidates(upper, on: days, window, isEnd: true).first?.0 ?? 0
            guard let start = both(lower).last(where: { $0 < end }) else { throw problem(.contradictory) }
            return [range(start, end, [])]
        }
        let ends = both(upper).map { $0 == 0 ? 1_440 : $0 }.sorted()
        if lower.isBare, !upper.isBare, let end = ends.first {
            guard let start = both(lower).last(where: { $0 < end }) else { throw problem(.contradictory) }
            return [range(start, end, [])]
        }
        let found: [WishTime] = try candidates(lower, on: days, window, isEnd: false).compactMap { start, assumed in
            ends.first { $0 > start }.map { range(start, $0, assumed) }
        }
        if found.isEmpty { throw problem(.contradictory) }
        return found
    }
}
