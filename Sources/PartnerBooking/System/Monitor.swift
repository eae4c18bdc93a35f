import Glibc

/// A value behind a lock, with a condition to wait for. The only lock of the library.
///
/// The lock is a pthread mutex instead of the standard library's `Mutex`, for two reasons. A
/// wait with a deadline is needed. ThreadSanitizer knows pthread locks, but reports every use
/// of `Mutex` on Linux as a race.
///
/// `@unchecked Sendable` is safe because `state` is used only with the lock held.
package final class Monitor<State>: @unchecked Sendable {
    private struct Primitives {
        var mutex = pthread_mutex_t()
        var condition = pthread_cond_t()
    }

    /// Memory that does not move. A pthread object must stay at its address.
    private let primitives = UnsafeMutablePointer<Primitives>.allocate(capacity: 1)
    private var state: State

    package init(_ state: State) {
        self.state = state
        primitives.initialize(to: Primitives())
        pthread_mutex_init(&primitives.pointee.mutex, nil)
        initializeCondition()
    }

    private func initializeCondition() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)  // a change of the wall clock moves no deadline
        pthread_cond_init(&primitives.pointee.condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(&primitives.pointee.condition)
        pthread_mutex_destroy(&primitives.pointee.mutex)
        primitives.deallocate()
    }

    private func lock() { pthread_mutex_lock(&primitives.pointee.mutex) }
    private func unlock() { pthread_mutex_unlock(&primitives.pointee.mutex) }

    /// Runs `body` with the lock held. Keep it short, and take no other lock in it.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body(&state)
    }

    /// Takes the lock before a fork. Then no other thread is changing the state during the
    /// copy.
    package func lockForFork() { lock() }

    /// Takes the lock before a fork, once `condition` is true or `moment` has come.
    func lockForFork(waitingUntil moment: MonotonicTime, for condition: (State) -> Bool) {
        lock()
        var time = moment.timespec
        while !condition(state) {
            if pthread_cond_timedwait(&primitives.pointee.condition, &primitives.pointee.mutex, &time) != 0 { return }
        }
    }

    /// Releases the lock after a fork, on the thread that forked. In the parent, wakes the
    /// threads in `wait`. In the child they are gone. A new condition replaces the old
    /// condition, which would wait for them.
    package func unlockAfterFork(inChild: Bool, _ body: (inout State) -> Void = { _ in }) {
        body(&state)
        if inChild { initializeCondition() }
        unlock()
        if !inChild { pthread_cond_broadcast(&primitives.pointee.condition) }
    }

    /// Changes the state, unlocks, and then wakes the threads in `wait`. In this order no
    /// thread wakes only to wait for the lock.
    package func update(_ body: (inout State) -> Void) {
        lock()
        body(&state)
        unlock()
        pthread_cond_broadcast(&primitives.pointee.condition)
    }

    /// Waits until `body` returns a value.
    package func wait<Result>(for body: (inout State) -> Result?) -> Result {
        while true {
            if let result = wait(until: nil, for: body) { return result }
        }
    }

    /// Waits until `body` returns a value, and returns it. Returns nil when the deadline has
    /// passed. A nil deadline means no limit.
    func wait<Result>(until deadline: MonotonicTime?, for body: (inout State) -> Result?) -> Result? {
        lock()
        defer { unlock() }
        while true {
            if let result = body(&state) { return result }
            guard let deadline else {
                pthread_cond_wait(&primitives.pointee.condition, &primitives.pointee.mutex)
                continue
            }
            var time = deadline.timespec
            let result = pthread_cond_timedwait(&primitives.pointee.condition, &primitives.pointee.mutex, &time)
            if result == ETIMEDOUT { return body(&state) }
        }
    }
}
