import Glibc
import Testing

@testable import PartnerBooking

/// Runs `body` on so many threads at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (_ number: Int) -> Void) {
    let threads = (0..<count).map { number in background { body(number) } }
    for thread in threads { thread.join() }
}

/// Runs `body` on a thread of its own, to be joined.
func background(_ body: @escaping @Sendable () -> Void) -> PartnerBooking.Thread {
    do {
        return try PartnerBooking.Thread(name: "test", body)
    } catch {
        fatalError("No thread for a test: \(error)")
    }
}

func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1_000) }

func elapsedMilliseconds(_ body: () throws -> Void) rethrows -> Int {
    let start = MonotonicTime.now()
    try body()
    return MonotonicTime.now().milliseconds(since: start)
}

extension Monitor {
    /// Waits until the value is as wanted, or for very long: for the tests a failure, told by `false`.
    func becomes(within milliseconds: Int = 20_000, _ condition: (State) -> Bool) -> Bool {
        wait(until: .now().adding(milliseconds: milliseconds)) { condition($0) ? true : nil } ?? false
    }
}

/// A number that several threads count.
final class Counter: Sendable {
    private let count = Monitor(0)

    var value: Int { count.withLock { $0 } }

    @discardableResult
    func increment() -> Int {
        var result = 0
        count.update { count in
            count += 1
            result = count
        }
        return result
    }

    func reaches(_ value: Int) -> Bool { count.becomes { $0 >= value } }
}

/// Asks again and again until it is true, or for very long: for the tests a failure. For what tells nobody when it changes.
func eventually(_ condition: () -> Bool) -> Bool {
    let patience = MonotonicTime.now().adding(milliseconds: 20_000)
    while !condition() {
        guard MonotonicTime.now() < patience else { return false }
        sleep(milliseconds: 1)
    }
    return true
}

/// The same without blocking a thread of Swift concurrency. Other tests do block these threads, and each of the waits here may
/// take as long as all of them: so it is also the asking that is counted.
func becomesTrue(_ condition: () -> Bool) async -> Bool {
    let patience = MonotonicTime.now().adding(milliseconds: 20_000)
    var count = 0
    while !condition() {
        count += 1
        if count > 1_000, MonotonicTime.now() >= patience { return false }
        try? await Task.sleep(nanoseconds: 1_000_000)
    }
    return true
}

/// Holds up whoever comes to it until it is opened.
final class Gate: Sendable {
    private let state = Monitor((visitors: 0, isOpen: false))

    func pass() {
        state.update { $0.visitors += 1 }
        _ = state.becomes { $0.isOpen }
    }

    func open() { state.update { $0.isOpen = true } }

    /// Waits for the first to come.
    func hasVisitor() -> Bool { state.becomes { $0.visitors > 0 } }
}
