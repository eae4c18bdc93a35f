extension SpeechWriter {
    /// Writes one time, or several in the given order. A day is said once for neighbouring
    /// times of that day.
    mutating func times(_ times: [LocalTime], now: LocalTime, _ style: Speech.Style, _ joiner: Speech.Joiner) {
        var start = 0
        while start < times.count {
            let end = style == .time ? times.count : Self.endOfDay(times, from: start)
            if start > 0 { append(end < times.count ? ", " : joiner == .or ? text.orDay : text.andDay) }
            if style != .time { day(times[start], now: now) }
            if style == .full { append(text.at) }
            if style != .day { timesOfDay(times, start..<end, style, joiner) }
            start = end
        }
    }

    private static func endOfDay(_ times: [LocalTime], from start: Int) -> Int {
        var end = start + 1
        while end < times.count && times[end].day == times[start].day { end += 1 }
        return end
    }

    private mutating func timesOfDay(
        _ times: [LocalTime], _ range: Range<Int>, _ style: Speech.Style, _ joiner: Speech.Joiner
    ) {
        let shared = sharedParts(times, range)
        for place in range {
            let turn = Self.turn(times, place)
            clock(times[place], hasPart: !shared.contains(place))
            switch turn {
            case .first: append(text.firstTime)
            case .second: append(text.secondTime)
            case nil: break
            }
            let others = range.upperBound - place - 1
            guard others > 0 else { continue }
            // After a clause, the last time needs a comma too.
            switch (others, joiner) {
            case (2..., _): append(", ")
            case (_, .or): append(turn == nil ? text.or : text.orDay)
            case (_, .and): append(turn == nil ? text.and : text.andDay)
            }
            if style == .full { append(text.alsoAt) }
        }
    }

    /// Returns the places of times without their part of the day, because a later time says it:
    /// `nine, nine thirty or ten in the morning`.
    private func sharedParts(_ times: [LocalTime], _ range: Range<Int>) -> Range<Int> {
        let last = range.upperBound - 1
        guard let part = part(times[last]), Self.turn(times, last) == nil else { return last..<last }
        var start = last
        while start > range.lowerBound, self.part(times[start - 1]) == part, Self.turn(times, start - 1) == nil {
            start -= 1
        }
        return start..<last
    }

    private enum Turn {
        case first, second
    }

    /// Returns `second` when the clock shows the time again, and `first` when that repeat is in
    /// the list, too.
    private static func turn(_ times: [LocalTime], _ place: Int) -> Turn? {
        let time = times[place]
        if time.isRepeated { return .second }
        let minute = time.wall.flooringDivision(by: 60)
        let isTwice = times.contains { $0.isRepeated && $0.wall.flooringDivision(by: 60) == minute }
        return isTwice ? .first : nil
    }
}
