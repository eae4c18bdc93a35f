/// Chooses the slots to offer a caller. The same slots always give the same choice.
enum SlotChoice {
    /// Returns a choice that is spread over days and parts of the day. `slots` must be in
    /// order, and so is the choice.
    ///
    /// Takes the first slot, then repeatedly adds the best other slot by these criteria in
    /// order:
    /// - fewest chosen slots on the same day
    /// - fewest chosen slots in the same part of the day
    /// - most hours to the nearest chosen slot, up to 4
    /// - roundest minute
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

    /// Returns the slot at the requested time `target`, if it is free. Otherwise returns its
    /// neighbours on that day, then slots of other days that are nearest to that time of day.
    /// Returns all slots when there are at most `count`.
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
