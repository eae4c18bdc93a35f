import CSystem
import Glibc

/// The object on which a blocking call waits for its end.
///
/// It is a semaphore and not a `Monitor`, because one thread waits, once. A condition would
/// cost that thread another system call. `@unchecked Sendable` is safe because POSIX
/// semaphores are thread-safe and the pointer to the semaphore never changes.
final class CompletionWaiter: @unchecked Sendable {
    /// The end of a call.
    struct End {
        let event: CallCompletion.Event
        let receipt: Receipt?
    }

    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let end = Monitor<End?>(nil)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func complete(_ event: CallCompletion.Event, _ receipt: Receipt?) {
        guard case .done = event else { return }
        end.withLock { $0 = End(event: event, receipt: receipt) }
        sem_post(semaphore)
    }

    /// Waits for the end. `end` is nil when `moment` has passed without it. `isOver` is true
    /// when nothing more will come, so the waiter can be used again.
    fileprivate func wait(until moment: MonotonicTime) -> (end: End?, isOver: Bool) {
        var time = moment.timespec
        let isPosted = csystem_semaphore_wait(semaphore, &time) == 0
        return (end.withLock { $0.take() }, isPosted)
    }
}

/// The waiters of a client. Their number grows to the highest number of blocking calls at once.
final class CompletionWaiters: Sendable {
    /// The unused waiters. One exists from the start, because making the first waiter takes
    /// more stack than the rest of a call.
    private let idle = Monitor([CompletionWaiter()])

    func borrow() -> CompletionWaiter { idle.withLock { $0.popLast() } ?? CompletionWaiter() }

    /// Waits for a call's end. Returns nil when `moment` has passed without it.
    func wait(_ waiter: CompletionWaiter, until moment: MonotonicTime) -> CompletionWaiter.End? {
        let (end, isOver) = waiter.wait(until: moment)
        if isOver { idle.withLock { $0.append(waiter) } }
        return end
    }
}
