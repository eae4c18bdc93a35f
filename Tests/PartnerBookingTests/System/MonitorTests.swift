import Testing

@testable import PartnerBooking

@Suite struct MonitorTests {
    private struct Refusal: Error {}

    @Test func oneThreadAtATime() {
        // Two numbers that only a broken lock can drive apart, and no atomic addition can hide.
        let monitor = Monitor((first: 0, second: 0))
        onThreads(16) { _ in
            for _ in 0..<2_000 {
                monitor.withLock { state in
                    #expect(state.first == state.second)
                    state.first += 1
                    state.second = state.first
                }
            }
        }
        #expect(monitor.withLock { $0 } == (32_000, 32_000))
    }

    @Test func givesTheResultOfTheBody() {
        let monitor = Monitor([1, 2, 3])
        #expect(monitor.withLock { $0.removeLast() } == 3)
        #expect(monitor.withLock { $0 } == [1, 2])
    }

    @Test func unlocksWhenTheBodyThrows() {
        let monitor = Monitor(0)
        for round in 1...3 {
            #expect(throws: Refusal.self) {
                try monitor.withLock { state throws(Refusal) in
                    state += 1
                    throw Refusal()
                }
            }
            #expect(monitor.withLock { $0 } == round)
        }
        // Another thread gets it, too: a lock that this thread still held would hold it up.
        onThreads(1) { _ in monitor.withLock { $0 = -1 } }
        #expect(monitor.withLock { $0 } == -1)
    }

    @Test func waitGivesWhatIsThereAlready() {
        let monitor = Monitor<Int?>(7)
        #expect(monitor.wait(until: nil) { $0 } == 7)
        #expect(monitor.wait(until: .now()) { $0 } == 7)
        // Also when the deadline has passed long ago.
        #expect(monitor.wait(until: MonotonicTime(nanoseconds: 0)) { $0 } == 7)
    }

    @Test(arguments: [nil, 60_000])
    func updateWakesAWaitingThread(_ milliseconds: Int?) {
        let monitor = Monitor<Int?>(nil)
        let thread = background {
            sleep(milliseconds: 20)
            monitor.update { $0 = 42 }
        }
        #expect(monitor.wait(until: milliseconds.map { MonotonicTime.now().adding(milliseconds: $0) }) { $0 } == 42)
        thread.join()
    }

    @Test func updateWakesAllThreads() {
        let monitor = Monitor(false)
        let woken = Counter()
        let waiting = background {
            onThreads(16) { _ in
                if monitor.becomes({ $0 }) { woken.increment() }
            }
        }
        sleep(milliseconds: 20)
        monitor.update { $0 = true }
        waiting.join()
        #expect(woken.value == 16)
    }

    @Test func waitEndsAtTheDeadline() {
        let monitor = Monitor(0)
        let deadline = MonotonicTime.now().adding(milliseconds: 30)
        #expect(monitor.wait(until: deadline) { $0 == 0 ? nil : $0 } == nil)
        #expect(MonotonicTime.now() >= deadline)
    }

    /// Woken for nothing, it goes on waiting, and not beyond its deadline.
    @Test func otherUpdatesDoNotEndTheWait() {
        let monitor = Monitor(0)
        let isOver = Monitor(false)
        let thread = background {
            while !isOver.withLock({ $0 }) {
                monitor.update { $0 += 1 }
                sleep(milliseconds: 1)
            }
        }
        let deadline = MonotonicTime.now().adding(milliseconds: 50)
        #expect(monitor.wait(until: deadline) { $0 < 0 ? $0 : nil } == nil)
        #expect(MonotonicTime.now() >= deadline)
        isOver.withLock { $0 = true }
        thread.join()
    }

    @Test func bodyOfAWaitMayChangeTheState() {
        let monitor = Monitor([1, 2, 3])
        let taken = Monitor<[Int]>([])
        onThreads(3) { _ in
            let value = monitor.wait(until: nil) { $0.isEmpty ? nil : $0.removeLast() }
            if let value { taken.withLock { $0.append(value) } }
        }
        #expect(taken.withLock { $0.sorted() } == [1, 2, 3])
    }
}
