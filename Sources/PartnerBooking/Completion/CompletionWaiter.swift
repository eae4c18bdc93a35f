import CSystem
import Glibc

/// Where a blocking call waits for its end.
///
/// A semaphore rather than a `Monitor`: one thread waits, once, and a condition would cost it another system call. `@unchecked
/// Sendable` is safe because POSIX makes semaphores so, and the pointer to it never changes.
final class CompletionWaiter: @unchecked Sendable {
    typealias End = (result: CallResult, receipt: Receipt?)

    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let end = Monitor<End?>(nil)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func complete(_ completion: CallCompletion) {
        guard case .done(let result) = completion.event else { return }
        let receipt = completion.receipt
        end.withLock { $0 = (result, receipt) }
        sem_post(semaphore)
    }

    /// nil when the moment has passed without a result.
    func wait(until moment: MonotonicTime) -> End? {
        var time = moment.timespec
        csystem_semaphore_wait(semaphore, &time)
        return end.withLock { $0 }
    }
}
