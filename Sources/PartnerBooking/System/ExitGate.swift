import Glibc

/// Keeps transfer threads out of libcurl while the process exits.
///
/// `exit` runs OpenSSL's clean-up with all threads still alive, and a handshake that is under way then crashes the host in its
/// last moment. So a transfer thread passes this gate on its way into the transport; at exit the gate is shut before OpenSSL's
/// turn comes, and who comes to it stays there until the process is gone.
enum ExitGate {
    private struct State {
        var inside = 0
        var isShut = false
    }

    private static let state = Monitor(State())

    /// Call once, after the libraries to be kept from have set up their own clean-up: handlers run in reverse order.
    static func install() {
        atexit { ExitGate.shut() }
        // In the child of a fork nobody is inside: the threads that were have stayed behind.
        pthread_atfork(
            { ExitGate.state.lockForFork() },
            { ExitGate.state.unlockAfterFork { _ in } },
            { ExitGate.state.unlockAfterFork { $0.inside = 0 } })
    }

    static var isShut: Bool { state.withLock { $0.isShut } }

    /// Passes the gate, or never returns.
    static func enter() {
        let isOpen = state.withLock { state in
            if !state.isShut { state.inside += 1 }
            return !state.isShut
        }
        while !isOpen { sleep(1_000) }
    }

    static func leave() {
        let isAwaited = state.withLock { state in
            state.inside -= 1
            return state.isShut
        }
        if isAwaited { state.update { _ in } }
    }

    /// Waits for those inside, who are there for milliseconds, but not for long: exit must not hang.
    private static func shut() {
        state.update { $0.isShut = true }
        _ = state.wait(until: .now().adding(milliseconds: 1_000)) { $0.inside == 0 ? () : nil }
    }
}
