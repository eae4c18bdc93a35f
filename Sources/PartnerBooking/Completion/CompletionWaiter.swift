import CSystem
import Glibc

/// Where a blocking call waits for its completion.
///
/// A semaphore rather than a `Monitor`: one thread waits, once, and a condition would cost it another system call. `@unchecked
/// Sendable` is safe because POSIX makes semaphores so, and the pointer to it never changes.
final class CompletionWaiter: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let completion = Monitor<Completion?>(nil)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func complete(_ completion: Completion) {
        self.completion.withLock { $0 = completion }
        sem_post(semaphore)
    }

    /// nil when the moment has passed without a completion.
    func wait(until moment: MonotonicTime) -> Completion? {
        var time = moment.timespec
        csystem_semaphore_wait(semaphore, &time)
        return completion.withLock { $0 }
    }
}
