import Glibc

/// A gate that keeps the library's threads out of libcurl while the process exits or forks.
///
/// `exit` runs OpenSSL's clean-up while all threads are alive. A handshake under way would then
/// crash the host at its very end. So a thread passes this gate on its way into the transport.
/// At exit the gate is shut before OpenSSL's clean-up. A thread that comes later stays until
/// the process is gone.
///
/// A fork copies the locks that a transfer thread holds in OpenSSL or in Swift's runtime. The
/// child would wait for them without end. So the gate is shut while the process is copied.
enum ExitGate {
    private struct State {
        var inside = 0
        var isShut = false
        var isForking = false
        var isAwaited: Bool { isShut || isForking }
    }

    private static let state = Monitor(State())

    /// Installs the gate. Call it once, after the guarded libraries have set up their own
    /// clean-up, because exit handlers run in reverse order.
    static func install() {
        atexit { ExitGate.shut() }
        // In the child of a fork no thread is inside. The threads inside exist only in the
        // parent.
        pthread_atfork(
            { ExitGate.prepareForFork() },
            { ExitGate.state.unlockAfterFork(inChild: false) { $0.isForking = false } },
            {
                ExitGate.state.unlockAfterFork(inChild: true) { state in
                    state.isForking = false
                    state.inside = 0
                }
            })
    }

    static var isShut: Bool { state.withLock { $0.isShut } }

    /// Passes the gate. Never returns when the process exits.
    static func enter() {
        while !tryToEnter() { sleep(1_000) }
    }

    /// Passes the gate, for this thread or for a thread that is about to start. Returns false
    /// when the process exits.
    static func tryToEnter() -> Bool {
        state.wait(until: nil) { state in
            if state.isForking { return nil }
            if !state.isShut { state.inside += 1 }
            return !state.isShut
        } ?? false
    }

    static func leave() {
        let isAwaited = state.withLock { state in
            state.inside -= 1
            return state.isAwaited
        }
        if isAwaited { state.update { _ in } }
    }

    /// Waits for the threads inside, which usually leave within milliseconds. Waits at most 200
    /// ms: if a callback hangs, the fork must not. The fork may come from a callback.
    private static func prepareForFork() {
        let own = Thread.isCallbackThread ? 1 : 0
        state.update { $0.isForking = true }
        state.lockForFork(waitingUntil: .now().adding(milliseconds: 200)) { $0.inside <= own }
    }

    /// Waits for the threads inside, which usually leave within milliseconds. Waits at most 1
    /// s, because exit must not hang.
    private static func shut() {
        state.update { $0.isShut = true }
        _ = state.wait(until: .now().adding(milliseconds: 1_000)) { $0.inside == 0 ? () : nil }
    }
}
