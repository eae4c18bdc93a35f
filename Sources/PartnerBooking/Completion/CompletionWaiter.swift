import CSystem
import Glibc

/// Lets a blocking call wait for its end.
///
/// A semaphore rather than a `Monitor`: one thread waits, once, and a condition would cost it another system call. `@unchecked
/// Sendable` is safe because POSIX makes semaphores so, and the pointer to it never changes.
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

    /// Waits for the end; nil when the moment has passed without one. `isOver`: nothing more will come, so the waiter can be
    /// used again.
    fileprivate func wait(until moment: MonotonicTime) -> (end: End?, isOver: Bool) {
        var time = moment.timespec
        let isPosted = csystem_semaphore_wait(semaphore, &time) == 0
        return (end.withLock { $0.take() }, isPosted)
    }
}

/// The waiters of a client. There are as many as it has had blocking calls at once.
final class CompletionWaiters: Sendable {
    /// One from the start: to make the first one takes more stack than all the rest of a call.
    private let idle = Monitor([CompletionWaiter()])

    func borrow() -> CompletionWaiter { idle.withLock { $0.popLast() } ?? CompletionWaiter() }

    /// nil when the moment has passed without a result.
    func wait(_ waiter: CompletionWaiter, until moment: MonotonicTime) -> CompletionWaiter.End? {
        let (end, isOver) = waiter.wait(until: moment)
        if isOver { idle.withLock { $0.append(waiter) } }
        return end
    }
}
