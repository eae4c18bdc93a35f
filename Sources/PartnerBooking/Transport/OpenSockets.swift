import CSystem
import Glibc

/// The open sockets of libcurl, with the numbers of their servers. The watchdog may cut them
/// at any time, so they are registered and closed under a lock. A closed descriptor may at
/// once belong to somebody else.
final class OpenSockets: Sendable {
    private struct State {
        var servers: [Int32: Int] = [:]
        /// The servers whose connections were cut, until the transfer thread takes them.
        var cut: Set<Int> = []
    }

    private let state: Monitor<State>

    init() {
        var empty = State()
        empty.servers.reserveCapacity(16)
        empty.cut.reserveCapacity(1)
        state = Monitor(empty)
    }

    var count: Int { state.withLock { $0.servers.count } }

    func opened(_ socket: Int32, to server: Int) { state.withLock { $0.servers[socket] = server } }

    func close(_ socket: Int32) -> Int32 {
        state.withLock { state in
            state.servers[socket] = nil
            return Glibc.close(socket)
        }
    }

    /// Returns the number of bytes read from each server, over its open connections.
    func bytesRead() -> [Int: UInt64] {
        state.withLock { state in
            var bytes: [Int: UInt64] = [:]
            for (socket, server) in state.servers { bytes[server, default: 0] += csystem_bytes_read(socket) }
            return bytes
        }
    }

    /// Cuts all connections to a server, and removes them from `epoll`.
    func cut(_ server: Int, _ epoll: Int32) {
        state.withLock { state in
            for (socket, itsServer) in state.servers where itsServer == server {
                csystem_epoll_remove(epoll, socket)
                csystem_cut(socket)
            }
            state.cut.insert(server)
        }
    }

    func takeCut() -> Set<Int> {
        state.withLock { state in
            defer { state.cut = [] }
            return state.cut
        }
    }
}
