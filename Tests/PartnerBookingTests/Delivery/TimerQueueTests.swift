import Testing

@testable import PartnerBooking

/// The heap against a sorted array.
@Suite struct TimerQueueTests {
    private struct Timer: Equatable {
        let id: Int
        let moment: MonotonicTime
    }

    /// What a timer queue is, written down in the plainest way.
    private struct Model {
        var timers: [Timer] = []

        var next: MonotonicTime? { timers.map(\.moment).min() }

        mutating func remove(_ timer: Timer) -> Bool {
            guard let index = timers.firstIndex(of: timer) else { return false }
            timers.remove(at: index)
            return true
        }
    }

    private func moment(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    @Test func anEmptyQueueHasNothing() {
        var queue = TimerQueue<Int>()
        #expect(queue.next == nil)
        #expect(queue.count == 0)
        #expect(queue.popDue(now: moment(.max)) == nil)
        queue.removeAll { _ in true }
        #expect(queue.count == 0)
    }

    @Test func anEventIsDueFromItsMomentOn() {
        var queue = TimerQueue<Int>()
        queue.add(7, at: moment(10))
        #expect(queue.popDue(now: moment(9)) == nil)
        #expect(queue.count == 1)
        #expect(queue.popDue(now: moment(10)) == 7)
        #expect(queue.popDue(now: moment(10)) == nil)
    }

    @Test(arguments: 0..<8)
    func allOrdersOfAFewTimersComeOutSorted(_ count: Int) {
        var orders: [[Int64]] = [[]]
        for number in 0..<Int64(count) {
            orders = orders.flatMap { order in
                (0...order.count).map { Array(order[..<$0]) + [number] + Array(order[$0...]) }
            }
        }
        var wrong: [[Int64]] = []
        for order in orders {
            var queue = TimerQueue<Int64>()
            for number in order { queue.add(number, at: moment(number)) }
            var popped: [Int64] = []
            while let number = queue.popDue(now: moment(.max)) { popped.append(number) }
            if popped != order.sorted() { wrong.append(order) }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomOperationsDoWhatASortedArrayDoes(_ seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        var queue = TimerQueue<Timer>()
        var model = Model()
        // Few moments make many equal ones; many make few.
        let latest: Int64 = seed % 2 == 0 ? 12 : 1_000_000
        for id in 0..<1_500 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<55:
                let timer = Timer(id: id, moment: moment(Int64.random(in: -latest...latest, using: &random)))
                queue.add(timer, at: timer.moment)
                model.timers.append(timer)
            case 55..<98:
                let now = moment(Int64.random(in: -latest...latest, using: &random))
                let popped = queue.popDue(now: now)
                if let popped {
                    #expect(popped.moment <= now)
                    #expect(popped.moment == model.next)
                    let wasThere = model.remove(popped)
                    try #require(wasThere, "popped twice, or never added")
                } else {
                    #expect(model.timers.allSatisfy { now < $0.moment })
                }
            default:
                let divisor = Int.random(in: 2...5, using: &random)
                queue.removeAll { $0.id % divisor == 0 }
                model.timers.removeAll { $0.id % divisor == 0 }
            }
            try #require(queue.count == model.timers.count)
            try #require(queue.next == model.next)
        }
        // What is left comes out in order, each once.
        var rest: [Timer] = []
        while let timer = queue.popDue(now: moment(.max)) { rest.append(timer) }
        #expect(rest.map(\.moment) == model.timers.map(\.moment).sorted())
        #expect(Set(rest.map(\.id)) == Set(model.timers.map(\.id)))
    }
}
