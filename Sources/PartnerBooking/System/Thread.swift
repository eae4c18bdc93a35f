import CSystem
import Glibc

/// A thread of the library in the host's process.
struct Thread {
    private let handle: pthread_t

    /// Starts a thread that runs `body` with signals blocked. Then the host's handlers run on
    /// the host's threads, and SIGPIPE reaches no thread of the library. Crash signals stay
    /// open: blocked, they would hide the crash from the host's crash reporter.
    ///
    /// `name` has at most 15 bytes, and appears in `ps -L` and in debuggers. `stackBytes`: nil
    /// for the system's default.
    init(name: String, stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        final class Start {
            let name: String
            let body: @Sendable () -> Void
            init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
        }
        var blocked = sigset_t()
        var before = sigset_t()
        sigfillset(&blocked)
        for crash in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] { sigdelset(&blocked, crash) }

        let start = Unmanaged.passRetained(Start(name, body))
        var handle = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
        pthread_sigmask(SIG_SETMASK, &blocked, &before)
        let result = pthread_create(
            &handle, &attributes,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                csystem_set_thread_name(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        pthread_attr_destroy(&attributes)
        guard result == 0 else {
            start.release()
            throw SystemError(message: TransferMessage.noThread)
        }
        self.handle = handle
    }

    /// Marks this thread: handlers run on it from now on.
    static func markAsCallbackThread() { csystem_set_runs_callbacks() }

    /// True when handlers run on this thread. A blocking call that waits for such a thread must
    /// not run on one.
    static var isCallbackThread: Bool { csystem_runs_callbacks() != 0 }

    /// Waits for the thread's end. Call either this or `detach`, once.
    func join() { pthread_join(handle, nil) }

    func detach() { pthread_detach(handle) }
}
