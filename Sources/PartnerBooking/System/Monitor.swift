import Glibc

/// A value behind a lock, with a condition to wait on: the one synchronisation primitive of the library.
///
/// pthread rather than the standard library's `Mutex`, for two reasons: a wait with a deadline is needed, and
/// ThreadSanitizer knows pthread locks while it reports every use of `Mutex` on Linux as a race.
///
/// `@unchecked Sendable` is safe because `state` is touched only with the lock held.
package final class Monitor<State>: @unchecked Sendable {
    private struct Primitives {
        var mutex = pthread_mutex_t()
        var condition = pthread_cond_t()
    }

    /// In memory of their own, which does not move: pthread objects are their address.
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
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)  // so that a change of the wall clock moves no deadline
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

    /// Runs `body` with the lock held. Keep it short, and call nothing that takes another lock.
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body(&state)
    }

    /// Before a fork: no other thread may be in the middle of a change when the process is copied.
    package func lockForFork() { lock() }

    /// The same, once the state is as wanted, or the moment has come.
    func lockForFork(waitingUntil moment: MonotonicTime, for condition: (State) -> Bool) {
        lock()
        var time = moment.timespec
        while !condition(state) {
            if pthread_cond_timedwait(&primitives.pointee.condition, &primitives.pointee.mutex, &time) != 0 { return }
        }
    }

    /// After a fork, in parent and child, on the thread that forked. Wakes those in `wait`, who in the child are gone: a condition
    /// that still counts on them would wait for them.
    package func unlockAfterFork(inChild: Bool, _ body: (inout State) -> Void = { _ in }) {
        body(&state)
        if inChild { initializeCondition() }
        unlock()
        if !inChild { pthread_cond_broadcast(&primitives.pointee.condition) }
    }

    /// Changes the state and wakes the threads in `wait`: after unlocking, so that none wakes only to wait for the lock.
    package func update(_ body: (inout State) -> Void) {
        lock()
        body(&state)
        unlock()
        pthread_cond_broadcast(&primitives.pointee.condition)
    }

    /// Waits until `body` gives a value.
    package func wait<Result>(for body: (inout State) -> Result?) -> Result {
        while true {
            if let result = wait(until: nil, for: body) { return result }
        }
    }

    /// Waits until `body` gives a value or the deadline (`nil`: none) has passed; then gives nil.
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
