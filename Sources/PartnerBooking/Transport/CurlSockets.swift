import CCurl
import CSystem
import Glibc

/// The sockets that libcurl holds open, for one thing that it does not do: to notice that a connection nobody is using was closed
/// by the other side.
///
/// Used on the transfer thread alone.
final class CurlSockets {
    /// An epoll instance: readable when a connection was closed by the other side. It listens for that alone; what an HTTP/2
    /// server may send on an idle connection is libcurl's, and stays unread until the next request.
    let descriptor: Int32
    private struct Connection {
        /// The number of the origin that it leads to.
        let origin: Int
        /// Its ends, set by the first answer over HTTP/1.1.
        var http1Ends: Ends?
    }

    /// The two ends of a connection, which identify it on this machine.
    struct Ends: Equatable {
        fileprivate let ports: Int64
        private let addresses: UInt64

        init(localPort: Int, peerPort: Int, localAddress: UnsafePointer<CChar>?, peerAddress: UnsafePointer<CChar>?) {
            ports = Int64(localPort) << 32 | Int64(UInt32(truncatingIfNeeded: peerPort))
            // FNV-1a: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for address in [localAddress, peerAddress] {
                var byte = address
                while let value = byte?.pointee, value != 0 {
                    hash = (hash ^ UInt64(UInt8(bitPattern: value))) &* 0x100_0000_01b3
                    byte = byte?.advanced(by: 1)
                }
                hash = (hash ^ 0xFF) &* 0x100_0000_01b3
            }
            addresses = hash
        }
    }

    private var connections: [curl_socket_t: Connection] = [:]
    /// By the number of the origin.
    private var isChanged: [Bool]
    /// The origins of connections that were found closed.
    private var closed: Set<Int> = []
    /// HTTP/1.1 connections by their ports. An idle one must not receive anything.
    private var http1Sockets: [Int64: [HTTP1Socket]] = [:]

    private struct HTTP1Socket {
        let ends: Ends
        let socket: curl_socket_t
    }

    /// How long what was sent may remain without the acknowledgement of the other side's kernel. A path that is dead without a
    /// word, such as a dropped NAT entry, is then known in time for another attempt.
    static let unacknowledgedMilliseconds: UInt32 = 3_000

    init(originCount: Int) throws(PartnerBookingError) {
        isChanged = Array(repeating: false, count: originCount)
        descriptor = csystem_epoll()
        guard descriptor >= 0 else { throw .resource("A file descriptor could not be had") }
        // What Swift makes for the first dictionary and the first set of a process is made here, before there is a second thread: in
        // the child of a fork two threads that want it at once would wait for ever (see TransferLoop.start).
        connections.reserveCapacity(16)
        closed.reserveCapacity(16)
        http1Sockets.reserveCapacity(16)
    }

    deinit { Glibc.close(descriptor) }

    /// Is told when connections that were made for `easy` are closed, which may be long after `easy` is gone.
    func watchClosing(_ easy: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context) == CURLE_OK
            && ccurl_set_closesocket_function(easy, closing) == CURLE_OK
    }

    func hasConnection(to origin: Int) -> Bool { connections.values.contains { $0.origin == origin } }

    /// A connection to it may be had now that could not before: one was made, has become free, or has made room for another.
    func noteChange(of origin: Int) {
        if isChanged.indices.contains(origin) { isChanged[origin] = true }
    }

    /// The origins of which that was noted since the last time.
    func drainChanged() -> [Int] {
        let changed = isChanged.indices.filter { isChanged[$0] }
        for origin in changed { isChanged[origin] = false }
        return changed
    }

    /// The origins of connections that were closed by the other side since the last time. Each is told of once.
    func drainClosed() -> Set<Int> {
        var sockets = [curl_socket_t](repeating: -1, count: 64)
        let count = csystem_epoll_take(descriptor, &sockets, 64)
        closed.removeAll(keepingCapacity: true)
        for socket in sockets.prefix(max(0, Int(count))) {
            if let connection = connections[socket] { closed.insert(connection.origin) }
        }
        return closed
    }

    func didAnswerHTTP1(_ socket: curl_socket_t, _ ends: Ends) {
        guard connections[socket] != nil else { return }
        connections[socket]?.http1Ends = ends
        http1Sockets[ends.ports, default: []].removeAll { $0.ends == ends }
        http1Sockets[ends.ports]?.append(HTTP1Socket(ends: ends, socket: socket))
    }

    /// Returns whether an idle HTTP/1.1 connection has unread bytes or was closed.
    ///
    /// libcurl 7.88 would use it and read those bytes as the answer (https://github.com/curl/curl/pull/10690). This can go
    /// when 8.0 is the oldest supported version.
    func hasUnreadBytes(_ ends: Ends) -> Bool {
        guard let socket = http1Sockets[ends.ports]?.first(where: { $0.ends == ends })?.socket else { return false }
        var byte: UInt8 = 0
        // A connection is usable if nothing has come in. An error counts like a byte.
        if recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0 { return true }
        return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR
    }

    func didOpen(_ socket: curl_socket_t, to origin: Int) {
        connections[socket] = Connection(origin: origin)
        csystem_epoll_add_hangup(descriptor, socket)
        var limit = Self.unacknowledgedMilliseconds
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    fileprivate func willClose(_ socket: curl_socket_t) {
        if let connection = connections.removeValue(forKey: socket) {
            noteChange(of: connection.origin)
            if let ports = connection.http1Ends?.ports {
                http1Sockets[ports]?.removeAll { $0.socket == socket }
                if http1Sockets[ports]?.isEmpty ?? false { http1Sockets[ports] = nil }
            }
        }
        // By hand: the kernel does it only when the last copy is closed, and the child of a fork may hold one.
        csystem_epoll_remove(descriptor, socket)
    }
}

private let closing: curl_closesocket_callback = { context, socket in
    if let context { Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().willClose(socket) }
    return Glibc.close(socket)
}
