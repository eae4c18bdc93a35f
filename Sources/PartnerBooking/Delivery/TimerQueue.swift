/// A queue of future events, earliest first: a binary heap. Events are not cancelled. The
/// receiver checks whether an event still matters.
struct TimerQueue<Event> {
    private var heap: [(moment: MonotonicTime, event: Event)] = []

    var next: MonotonicTime? { heap.first?.moment }
    var count: Int { heap.count }

    mutating func removeAll(where isObsolete: (Event) -> Bool) {
        let rest = heap.filter { !isObsolete($0.event) }
        heap.removeAll(keepingCapacity: true)
        for timer in rest { add(timer.event, at: timer.moment) }
    }

    mutating func add(_ event: Event, at moment: MonotonicTime) {
        heap.append((moment, event))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].moment < heap[parent].moment else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Removes and returns the earliest event that is due.
    mutating func popDue(now: MonotonicTime) -> Event? {
        guard let first = heap.first, first.moment <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].moment < heap[least].moment { least = child }
            }
            guard least != parent else { return first.event }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
