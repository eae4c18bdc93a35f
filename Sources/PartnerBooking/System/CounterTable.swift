/// A name that a counter has given out.
protocol CounterName: Comparable {
    var rawValue: UInt64 { get }
}

/// Values by names that a counter has given out, found without hashing. The last bits of a
/// name's number are its slot.
///
/// Consecutive numbers have different slots. If an older number still has the slot, the new
/// number goes into a dictionary. This is rare, because at most half of the slots are taken.
struct CounterTable<Name: CounterName, Value> {
    private struct Entry {
        let name: Name
        var value: Value
    }

    /// In any order.
    private var entries: [Entry] = []
    /// The index of each number's entry, or `none`, by the last bits of the number.
    private var slots = [Self.none, Self.none]
    private var others: [UInt64: Int] = [:]

    private static var none: Int { -1 }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// In any order.
    var values: [Value] { entries.map(\.value) }

    func first(where isWanted: (Value) -> Bool) -> Value? { entries.first { isWanted($0.value) }?.value }

    var sortedNames: [Name] { entries.map(\.name).sorted() }

    subscript(name: Name) -> Value? { place(of: name.rawValue).map { entries[$0].value } }

    /// Adds a value under a name that has none.
    mutating func insert(_ value: consuming Value, under name: Name) {
        entries.append(Entry(name: name, value: value))
        if 2 * count > slots.count { grow() } else { link(name.rawValue, to: count - 1) }
    }

    /// Reads a value without a copy. Returns nil when there is none.
    func read<Result>(_ name: Name, _ body: (Value) -> Result) -> Result? {
        place(of: name.rawValue).map { body(entries[$0].value) }
    }

    /// Changes a value in place. Returns nil when there is none.
    @inline(__always)
    mutating func change<Result>(_ name: Name, _ body: (inout Value) -> Result) -> Result? {
        guard let place = place(of: name.rawValue) else { return nil }
        return body(&entries[place].value)
    }

    @discardableResult
    mutating func removeValue(under name: Name) -> Value? {
        let number = name.rawValue
        guard let place = place(of: number) else { return nil }
        let (slot, last) = (slot(of: number), count - 1)
        if slots[slot] == place { slots[slot] = Self.none } else { others[number] = nil }
        if place < last {  // the last entry takes the free place
            let moved = entries[last].name.rawValue
            if slots[self.slot(of: moved)] == last { slots[self.slot(of: moved)] = place } else { others[moved] = place }
            entries.swapAt(place, last)
        }
        return entries.removeLast().value
    }

    @inline(__always)
    private func slot(of number: UInt64) -> Int { Int(truncatingIfNeeded: number) & (slots.count - 1) }

    @inline(__always)
    private func place(of number: UInt64) -> Int? {
        let place = slots[slot(of: number)]
        if place != Self.none && entries[place].name.rawValue == number { return place }
        return others.isEmpty ? nil : others[number]
    }

    private mutating func link(_ number: UInt64, to place: Int) {
        if slots[slot(of: number)] == Self.none { slots[slot(of: number)] = place } else { others[number] = place }
    }

    private mutating func grow() {
        slots = Array(repeating: Self.none, count: 2 * slots.count)
        others = [:]
        for (place, entry) in entries.enumerated() { link(entry.name.rawValue, to: place) }
    }
}
