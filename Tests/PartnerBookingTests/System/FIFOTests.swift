import Testing

@testable import PartnerBooking

@Suite struct FIFOTests {
    @Test func givesBackInOrder() {
        var fifo = FIFO<Int>()
        for number in 0..<1_000 { fifo.append(number) }
        var taken: [Int] = []
        while let element = fifo.popFirst() { taken.append(element) }
        #expect(taken == Array(0..<1_000))
    }

    @Test func emptyHasNothing() {
        var fifo = FIFO<String>()
        #expect(fifo.isEmpty)
        #expect(fifo.count == 0)
        #expect(fifo.first == nil)
        var taken = [fifo.popFirst()]
        fifo.append("a")
        taken.append(fifo.popFirst())
        #expect(fifo.isEmpty)
        taken.append(fifo.popFirst())
        #expect(taken == [nil, "a", nil])
    }

    /// An element that is itself optional, and nil, is an element all the same.
    @Test func nilIsAnElement() {
        var fifo = FIFO<Int?>()
        fifo.append(nil)
        fifo.append(1)
        #expect(fifo.count == 2)
        let taken: [Int??] = [fifo.popFirst(), fifo.popFirst(), fifo.popFirst()]
        #expect(taken == [.some(nil), .some(1), nil])
    }

    /// As an array does it, whatever the order of the operations: mostly filling, mostly emptying, and both.
    @Test(arguments: [UInt64](1...6), [1, 2, 3])
    func behavesAsAnArray(seed: UInt64, appendsOfFour: Int) {
        var random = SplitMix64(state: seed)
        var fifo = FIFO<Int>()
        var array: [Int] = []
        for number in 0..<3_000 {
            if Int.random(in: 0..<4, using: &random) < appendsOfFour {
                fifo.append(number)
                array.append(number)
            } else {
                let (taken, expected) = (fifo.popFirst(), array.isEmpty ? nil : array.removeFirst())
                #expect(taken == expected)
            }
            #expect(fifo.count == array.count)
            #expect(fifo.isEmpty == array.isEmpty)
            #expect(fifo.first == array.first)
        }
        var rest: [Int] = []
        while let taken = fifo.popFirst() { rest.append(taken) }
        #expect(rest == array)
    }

    /// A copy is a value of its own.
    @Test func copiesAreIndependent() {
        var fifo = FIFO<Int>()
        for number in 0..<200 { fifo.append(number) }
        let copy = fifo
        for _ in 0..<150 { _ = fifo.popFirst() }
        #expect(copy.count == 200)
        #expect(copy.first == 0)
        #expect(fifo.first == 150)
    }

    @Test func letsGoOfWhatWasTaken() {
        var fifo = FIFO<Counter>()
        weak var weakly: Counter?
        do {
            let element = Counter()
            weakly = element
            fifo.append(element)
        }
        // Others behind it, so that it is not the emptying that frees it.
        for _ in 0..<10 { fifo.append(Counter()) }
        #expect(weakly != nil)
        _ = fifo.popFirst()
        #expect(weakly == nil)
        #expect(fifo.count == 10)
    }

    /// What has gone through leaves nothing behind, also when the queue is never empty.
    @Test func doesNotGrowWithWhatWentThrough() throws {
        var fifo = FIFO<Int>()
        for number in 0..<10 { fifo.append(number) }
        var most = 0
        for number in 10..<20_000 {
            fifo.append(number)
            let taken = fifo.popFirst()
            #expect(taken == number - 10)
            if number % 100 == 0 { most = max(most, try slots(of: fifo)) }
        }
        #expect((10...300).contains(most))
    }

    private func slots(of fifo: FIFO<Int>) throws -> Int {
        Mirror(reflecting: try #require(Mirror(reflecting: fifo).descendant("elements"))).children.count
    }
}
