import Testing

@testable import PartnerBooking

private typealias Table<Value> = CounterTable<TransferID, Value>

extension CounterTable<TransferID, UInt64> {
    fileprivate subscript(number: UInt64) -> UInt64? { self[TransferID(number)] }
}

/// The table against a dictionary.
@Suite struct CounterTableTests {
    @Test func anEmptyTableHasNothing() {
        var table = Table<String>()
        #expect(table.isEmpty && table.count == 0 && table.values.isEmpty && table.sortedNames.isEmpty)
        #expect(table[0] == nil && table[1] == nil && table[TransferID(UInt64.max)] == nil)
        #expect(table.removeValue(under: 1) == nil)
        #expect(table.change(1) { $0 += "!" } == nil && table.read(1) { $0 } == nil)
    }

    @Test func aValueIsChangedInItsPlace() {
        var table = Table<[Int]>()
        table.insert([1], under: 7)
        #expect(table.change(7) { $0.append(2) } != nil)
        #expect(table.read(7) { $0.count } == 2 && table[7] == [1, 2])
        #expect(table.removeValue(under: 7) == [1, 2] && table.isEmpty)
    }

    /// Numbers in a row, most of them gone soon and some of them never: those come to share slots.
    @Test(arguments: [UInt64](1...8), [0, 1, 30, 90])
    func itBehavesAsADictionary(seed: UInt64, percentToStay: Int) {
        var random = SplitMix64(state: seed)
        var (table, model): (Table<UInt64>, [UInt64: UInt64]) = (Table(), [:])
        var number = seed &* 1_000
        for _ in 0..<3_000 {
            number += 1
            table.insert(number &* 3, under: TransferID(number))
            model[number] = number &* 3
            while Int.random(in: 0..<100, using: &random) >= percentToStay,
                let gone = model.keys.randomElement(using: &random)
            {
                #expect(table.removeValue(under: TransferID(gone)) == model.removeValue(forKey: gone))
                #expect(table[gone] == nil && table.removeValue(under: TransferID(gone)) == nil)
            }
            guard let some = model.keys.randomElement(using: &random) else { continue }
            #expect(table.change(TransferID(some)) { $0 += 1 } != nil)
            model[some, default: 0] += 1
            #expect(table[some] == model[some] && table[some &+ 1_000_000] == nil)
        }
        #expect(table.count == model.count && table.isEmpty == model.isEmpty)
        #expect(table.sortedNames.map(\.rawValue) == model.keys.sorted())
        #expect(table.values.sorted() == model.values.sorted())
        #expect(model.allSatisfy { table[$0.key] == $0.value })
    }

    /// Numbers that all end alike.
    @Test func numbersWithOneSlotAreFoundToo() {
        var table = Table<Int>()
        let numbers = (0..<500).map { TransferID(UInt64($0) << 32 | 5) }
        for (place, number) in numbers.enumerated() { table.insert(place, under: number) }
        #expect(numbers.enumerated().allSatisfy { table[$1] == $0 })
        for (place, number) in numbers.enumerated() where place % 2 == 0 {
            #expect(table.removeValue(under: number) == place)
        }
        #expect(numbers.enumerated().allSatisfy { table[$1] == ($0 % 2 == 0 ? nil : $0) })
        #expect(table.first { $0 > 100 && $0 < 102 } == 101 && table.first { $0 == 100 } == nil)
    }
}
