/// Chooses the slots to offer a caller. The same slots give the same choice.
enum SlotChoice {
    /// Returns a choice that is spread over days and parts of the day: the first slot, and then again and again the one
    /// that has the fewest of its day and of its part of the day in the choice, the most hours to its neighbours, up to
    /// four, and a round minute. The slots are in order, and so is the choice.
    static func spread(_ slots: [SlotStart], count: Int) -> [SlotStart] {
        guard slots.count > count, let first = slots.first else { return slots }
        var chosen = [first]
        while chosen.count < count {
            var best: (place: Rank, slot: SlotStart)?
            for slot in slots where !chosen.contains(slot) {
                let place = rank(slot, chosen)
                if best.map({ place < $0.place }) ?? true { best = (place, slot) }
            }
            guard let best else { break }
            chosen.append(best.slot)
        }
        return chosen.sorted { $0.instant < $1.instant }
    }

    private typealias Rank = (onDay: Int, inPart: Int, nearness: Int, minute: Int)

    private static func rank(_ slot: SlotStart, _ chosen: [SlotStart]) -> Rank {
        var (onDay, inPart, gap) = (0, 0, Int.max)
        for other in chosen {
            if other.local.day == slot.local.day { onDay += 1 }
            if other.part == slot.part { inPart += 1 }
            gap = min(gap, abs(other.instant - slot.instant))
        }
        let minute = slot.local.minuteOfDay % 60
        let roundness = minute == 0 ? 0 : minute == 30 ? 1 : minute == 15 || minute == 45 ? 2 : 3
        return (onDay, inPart, -min(4, gap / 3_600), roundness)
    }

    /// Returns the slot at a time that was asked for. If it is not free: its neighbours on that day, and then the slots of
    /// other days that are nearest to that time of day.
    static func around(_ target: Int, _ slots: [SlotStart], in zone: Zone, count: Int) -> [SlotStart] {
        guard slots.count > count else { return slots }
        if let slot = slots.first(where: { $0.instant == target }) { return [slot] }
        let local = zone.local(at: target)
        let sameDay = slots.filter { $0.local.day == local.day }
        var chosen = [sameDay.last { $0.instant < target }, sameDay.first { $0.instant > target }].compactMap { $0 }
        let others = slots.filter { $0.local.day != local.day }.map { slot in
            (abs(slot.local.minuteOfDay - local.minuteOfDay), abs(slot.instant - target), slot)
        }
        chosen += others.sorted { ($0.0, $0.1, $0.2.instant) < ($1.0, $1.1, $1.2.instant) }.map(\.2)
        return chosen.prefix(count).sorted { $0.instant < $1.instant }
    }
}
