/// Turns the items of a search reply into slots: reads, merges, cuts, filters and sorts them.
///
/// The result depends only on the reply, the options and the current time. Unusable items are
/// not dropped silently: `skipped` contains each with its reason.
struct SlotSearch {
    /// All matching slots in order, at most `maxSlots`.
    private(set) var slots: [SlotStart] = []
    /// True when more than `maxSlots` slots match.
    private(set) var isCut = false
    private(set) var itemCount = 0
    private(set) var skipped: [(index: Int, problem: AvailabilityItem.Problem)] = []

    /// The possible starts of one item: from `first` to `last`. The grid selects among them.
    private struct Opening {
        let first: Int
        let last: Int
        let item: Int
    }

    /// Limit for hostile replies, which may list years of windows.
    static let maxSlots = 20_000

    private let filter: SlotFilter
    private let grid: SlotGrid
    private let seconds: Int
    private let mode: SlotOptions.Items

    init(_ items: JSONElements, _ filter: SlotFilter, _ options: SlotOptions) {
        self.filter = filter
        grid = SlotGrid(zone: filter.zone, stepMinutes: options.step)
        seconds = options.durationMinutes * 60
        mode = options.items
        var openings = self.openings(of: items)
        openings.sort { ($0.first, $0.item) < ($1.first, $1.item) }
        cut(openings)
        slots.sort { ($0.instant, $0.item) < ($1.instant, $1.item) }
        removeDoubles()
    }

    // MARK: - Items

    private mutating func openings(of items: JSONElements) -> [Opening] {
        var openings: [Opening] = []
        var parts: [(item: AvailabilityItem, rest: [UInt8])] = []
        for value in items {
            defer { itemCount += 1 }
            do throws(AvailabilityItem.Problem) {
                let item = try AvailabilityItem(value, index: itemCount, zone: filter.zone)
                let isPart = mode == .windows || mode == .automatic && item.isShorter(than: seconds)
                if isPart, item.end != nil {
                    parts.append((item, value.membersBesidesTimes))
                } else if let opening = opening(item) {
                    openings.append(opening)
                } else {
                    throw .tooShort
                }
            } catch {
                skipped.append((itemCount, error))
            }
        }
        for window in Self.merged(parts.sorted { $0.item.start < $1.item.start }) {
            if let opening = opening(window.item) {
                openings.append(opening)
            } else {
                skipped += window.indices.map { ($0, .tooShort) }
            }
        }
        skipped.sort { $0.index < $1.index }
        return openings
    }

    /// Returns the possible starts in an item, or nil when the appointment does not fit.
    private func opening(_ item: AvailabilityItem) -> Opening? {
        let last = (item.end ?? item.start + seconds) - seconds
        guard last >= item.start else { return nil }
        return Opening(first: item.start, last: mode == .slots ? item.start : last, item: item.index)
    }

    /// Merges items that touch into one window, if all their other members are equal. Two
    /// halves of one doctor's hour are merged, those of two doctors are not. `parts` must be
    /// in order.
    private static func merged(
        _ parts: [(item: AvailabilityItem, rest: [UInt8])]
    ) -> [(item: AvailabilityItem, indices: [Int])] {
        var windows: [(item: AvailabilityItem, indices: [Int])] = []
        /// Index of the window with this end and these other members.
        var open: [WindowEnd: Int] = [:]
        for (item, rest) in parts {
            let end = item.end ?? item.start
            if let place = open.removeValue(forKey: WindowEnd(instant: item.start, rest: rest)) {
                let window = windows[place].item
                windows[place].item = AvailabilityItem(index: window.index, start: window.start, end: end)
                windows[place].indices.append(item.index)
                open[WindowEnd(instant: end, rest: rest)] = place
            } else {
                open[WindowEnd(instant: end, rest: rest)] = windows.count
                windows.append((item, [item.index]))
            }
        }
        return windows
    }

    private struct WindowEnd: Hashable {
        let instant: Int
        let rest: [UInt8]
    }

    // MARK: - Starts

    /// Makes the slots of the openings, which must be in order. Where openings overlap, the
    /// opening that begins first gets the start.
    private mutating func cut(_ openings: [Opening]) {
        var done = Int.min
        for opening in openings {
            let aligned = grid.start(notBefore: opening.first)
            guard aligned <= opening.last else {
                // An item with enough room always gives a slot, even off the grid.
                add(opening.first, opening.item)
                continue
            }
            let end = min(opening.last, filter.latest)
            var start = max(aligned, filter.earliest, done == .min ? done : done + 1)
            if start > aligned { start = grid.start(notBefore: start) }
            while start <= end, !isCut {
                add(start, opening.item)
                start = grid.start(notBefore: start + 1)
            }
            done = max(done, opening.last)
        }
    }

    private mutating func add(_ instant: Int, _ item: Int) {
        guard filter.earliest <= instant, instant <= filter.latest else { return }
        let local = filter.zone.local(at: instant)
        guard filter.allows(local) else { return }
        guard slots.count < Self.maxSlots else {
            isCut = true
            return
        }
        slots.append(
            SlotStart(
                instant: instant, local: local, endOffset: filter.zone.offset(at: instant + seconds), item: item))
    }

    /// Removes slots that start in the same minute, because nobody can distinguish them. All
    /// slots have the same length.
    private mutating func removeDoubles() {
        var last = Int.min
        slots.removeAll { slot in
            let minute = slot.instant.flooringDivision(by: 60)
            defer { last = minute }
            return minute == last
        }
    }
}

extension AvailabilityItem {
    fileprivate func isShorter(than seconds: Int) -> Bool { end.map { $0 - start < seconds } ?? false }
}

extension JSONValue {
    /// The members except those with times, as written, in the order of their names.
    fileprivate var membersBesidesTimes: [UInt8] {
        let times = [
            "start_at", "start", "start_time", "startAt", "end_at", "end", "end_time", "endAt", "duration_minutes",
        ]
        var others: [String] = []
        for member in members {
            guard let name = member.key.string, !times.contains(name) else { continue }
            others.append(member.key.text + member.value.text)
        }
        return Array(others.sorted().joined(separator: ",").utf8)
    }
}
