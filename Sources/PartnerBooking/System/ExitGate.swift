import Glibc

/// Keeps transfer threads out of libcurl while the process exits, and while it forks.
///
/// `exit` runs OpenSSL's clean-up with all threads still alive, and a handshake that is under way then crashes the host in its
/// last moment. So a transfer thread passes this gate on its way into the transport; at exit the gate is shut before OpenSSL's
/// turn comes, and who comes to it stays there until the process is gone. A fork copies the locks that OpenSSL or Swift's runtime
/// happen to hold in a transfer thread, and the child would wait for them for ever; so the gate is shut while the process is copied.
enum ExitGate {
    private struct State {
        var inside = 0
        var isShut = false
        var isForking = false
        var isAwaited: Bool { isShut || isForking }
    }

    private static let state = Monitor(State())

    /// Call once, after the libraries to be kept from have set up their own clean-up: handlers run in reverse order.
    static func install() {
        atexit { ExitGate.shut() }
        // In the child of a fork nobody is inside: the threads that were have stayed behind.
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

    /// Passes the gate, or never returns.
    static func enter() {
        while !tryToEnter() { sleep(1_000) }
    }

    /// Passes the gate, for this thread or for one that is about to start. False when the process exits.
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

    /// Waits for those inside, who are there for milliseconds, but not for long: nor must a fork hang, should a callback. It may
    /// be a callback that forks.
    private static func prepareForFork() {
        let own = Thread.isCallbackThread ? 1 : 0
        state.update { $0.isForking = true }
        state.lockForFork(waitingUntil: .now().adding(milliseconds: 200)) { $0.inside <= own }
    }

    /// Waits for those inside, who are there for milliseconds, but not for long: exit must not hang.
    private static func shut() {
        state.update { $0.isShut = true }
        _ = state.wait(until: .now().adding(milliseconds: 1_000)) { $0.inside == 0 ? () : nil }
    }
}
