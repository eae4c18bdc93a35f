/// A name that a counter gave out.
protocol CounterName: Comparable {
    var rawValue: UInt64 { get }
}

/// Values by names that a counter gave out, found without hashing: the last bits of a name's number are its slot.
///
/// Numbers in a row have slots of their own. A number whose slot an older one still has is in a dictionary instead. These are
/// few, since at most half of the slots are taken.
struct CounterTable<Name: CounterName, Value> {
    /// In any order.
    private(set) var values: [Value] = []
    /// The names of the values.
    private var names: [Name] = []
    /// By the last bits of a number: where its value is, or `none`.
    private var slots = [Self.none, Self.none]
    private var others: [UInt64: Int] = [:]

    private static var none: Int { -1 }

    var isEmpty: Bool { values.isEmpty }
    var count: Int { values.count }

    var sortedNames: [Name] { names.sorted() }

    subscript(name: Name) -> Value? { place(of: name.rawValue).map { values[$0] } }

    /// Adds a value under a name that has none.
    mutating func insert(_ value: consuming Value, under name: Name) {
        values.append(value)
        names.append(name)
        if 2 * count > slots.count { grow() } else { link(name.rawValue, to: count - 1) }
    }

    /// Changes a value in its place, or reads it without a copy; nil when there is none.
    @inline(__always)
    mutating func change<Result>(_ name: Name, _ body: (inout Value) -> Result) -> Result? {
        guard let place = place(of: name.rawValue) else { return nil }
        return body(&values[place])
    }

    @discardableResult
    mutating func removeValue(under name: Name) -> Value? {
        let number = name.rawValue
        guard let place = place(of: number), let last = names.last?.rawValue else { return nil }
        if slots[slot(of: number)] == place { slots[slot(of: number)] = Self.none } else { others[number] = nil }
        if place < count - 1 {  // the last one takes the free place
            if slots[slot(of: last)] == count - 1 { slots[slot(of: last)] = place } else { others[last] = place }
            names.swapAt(place, count - 1)
            values.swapAt(place, count - 1)
        }
        names.removeLast()
        return values.removeLast()
    }

    @inline(__always)
    private func slot(of number: UInt64) -> Int { Int(truncatingIfNeeded: number) & (slots.count - 1) }

    @inline(__always)
    private func place(of number: UInt64) -> Int? {
        let place = slots[slot(of: number)]
        if place != Self.none && names[place].rawValue == number { return place }
        return others.isEmpty ? nil : others[number]
    }

    private mutating func link(_ number: UInt64, to place: Int) {
        if slots[slot(of: number)] == Self.none { slots[slot(of: number)] = place } else { others[number] = place }
    }

    private mutating func grow() {
        slots = Array(repeating: Self.none, count: 2 * slots.count)
        others = [:]
        for (place, name) in names.enumerated() { link(name.rawValue, to: place) }
    }
}
