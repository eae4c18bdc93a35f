import CCurl
import CSystem
import Glibc

/// The sockets that libcurl has open. libcurl does not notice when the peer closes an unused
/// connection. This class does.
///
/// Only the transfer thread uses it.
final class CurlSockets {
    /// The epoll instance, which is readable when a peer has closed a connection. It listens
    /// for nothing else. An HTTP/2 server may also send data on an idle connection. libcurl
    /// reads that data at the next request.
    let descriptor: Int32
    private struct Connection {
        /// The number of the connection's origin.
        let origin: Int
        /// The connection's ends, set by its first answer over HTTP/1.1.
        var http1Ends: Ends?
    }

    /// The two ends of a connection. They identify it on this machine.
    struct Ends: Equatable {
        private let ports: Int64
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

        /// Returns true when the socket has the local port of these ends.
        func areEnds(of socket: curl_socket_t) -> Bool {
            var address = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let result = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
            }
            // The port is at the same place in IPv4 and IPv6 addresses.
            return result == 0 && Int64(UInt16(bigEndian: address.sin6_port)) == ports >> 32
        }

        fileprivate var bucket: Int { Int(ports >> 32) & (CurlSockets.bucketCount - 1) }
    }

    /// The same sockets, for the watchdog.
    let open = OpenSockets()
    private var connections: [curl_socket_t: Connection] = [:]
    /// True for origins whose connections have changed, by the number of the origin.
    private var isChanged: [Bool]
    /// The origins of connections that their peers have closed.
    private var closed: Set<Int> = []
    /// The HTTP/1.1 connections, by the last bits of their local port. An idle connection must
    /// not receive anything.
    private var http1Sockets: [[HTTP1Socket]]
    private static let bucketCount = 64

    private struct HTTP1Socket {
        let ends: Ends
        let socket: curl_socket_t
        let origin: Int
        /// True when the last reply announced a body that must not come, because its request
        /// was HEAD.
        var mayOweBody = false
    }

    /// The trust in each origin's replies to HEAD, by the number of the origin.
    private var trusts: [HeadTrust]

    /// The longest time without the peer's TCP acknowledgement of sent bytes. It detects a dead
    /// path, such as a dropped NAT entry, in time for another attempt.
    static let unacknowledgedMilliseconds: UInt32 = 3_000

    init(originCount: Int) throws(PartnerBookingError) {
        isChanged = Array(repeating: false, count: originCount)
        http1Sockets = Array(repeating: [], count: Self.bucketCount)
        trusts = Array(repeating: .unknown, count: originCount)
        descriptor = csystem_epoll()
        guard descriptor >= 0 else { throw .resource(TransferMessage.noDescriptor) }
        // Swift initializes data for the first dictionary and the first set of a process. Do
        // this here, before there is a second thread. In the child of a fork, two threads that
        // need the data at once would hang (see `TransferLoop.start`).
        connections.reserveCapacity(16)
        closed.reserveCapacity(16)
    }

    deinit { Glibc.close(descriptor) }

    /// Registers the callback for closing connections that were made for `easy`. They may
    /// close long after `easy` is gone.
    func watchClosing(_ easy: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context) == CURLE_OK
            && ccurl_set_closesocket_function(easy, closing) == CURLE_OK
    }

    func hasConnection(to origin: Int) -> Bool { connections.values.contains { $0.origin == origin } }

    /// Notes that a request may now get a connection to the origin. One was made, has become
    /// free, or has made room for another.
    func noteChange(of origin: Int) {
        if isChanged.indices.contains(origin) { isChanged[origin] = true }
    }

    /// Returns the origins noted by `noteChange` since the last call.
    func drainChanged() -> [Int] {
        let changed = isChanged.indices.filter { isChanged[$0] }
        for origin in changed { isChanged[origin] = false }
        return changed
    }

    /// Returns the origins of connections that their peers have closed since the last call.
    /// Each closing is reported once.
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
        guard let origin = connections[socket]?.origin else { return }
        connections[socket]?.http1Ends = ends
        http1Sockets[ends.bucket].removeAll { $0.ends == ends }
        http1Sockets[ends.bucket].append(HTTP1Socket(ends: ends, socket: socket, origin: origin))
    }

    /// Notes that the last reply on this connection, to a HEAD request, announced a body.
    func didAnnounceBody(_ ends: Ends) { setMayOweBody(true, ends) }

    private func setMayOweBody(_ mayOweBody: Bool, _ ends: Ends) {
        guard let place = http1Sockets[ends.bucket].firstIndex(where: { $0.ends == ends }) else { return }
        http1Sockets[ends.bucket][place].mayOweBody = mayOweBody
    }

    /// Records the result of a request that shows what a server sends after a HEAD.
    func tried(_ origin: Int, isReply: Bool) {
        if trusts.indices.contains(origin) { trusts[origin].tried(isReply: isReply) }
    }

    /// Returns the permitted use of a connection. An idle HTTP/1.1 connection must not have
    /// unread bytes, be closed, or owe a body.
    ///
    /// libcurl 7.88 would use it and read those bytes as the answer
    /// (https://github.com/curl/curl/pull/10690). This check can go when libcurl 8.0 is the
    /// oldest supported version.
    func use(of ends: Ends, isBooking: Bool) -> HeadTrust.Use {
        guard let entry = http1Sockets[ends.bucket].first(where: { $0.ends == ends }) else { return .free }
        var byte: UInt8 = 0
        // The connection is usable if nothing has come in. An error counts like a byte.
        if recv(entry.socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0 { return .forbidden }
        guard errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR else { return .forbidden }
        guard entry.mayOweBody, trusts.indices.contains(entry.origin) else { return .free }
        setMayOweBody(false, ends)
        return trusts[entry.origin].use(isBooking: isBooking)
    }

    func didOpen(_ socket: curl_socket_t, to origin: Int) {
        connections[socket] = Connection(origin: origin)
        open.opened(socket, to: origin)
        csystem_epoll_add_hangup(descriptor, socket)
        var limit = Self.unacknowledgedMilliseconds
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    private func willClose(_ socket: curl_socket_t) {
        if let connection = connections.removeValue(forKey: socket) {
            noteChange(of: connection.origin)
            if let bucket = connection.http1Ends?.bucket { http1Sockets[bucket].removeAll { $0.socket == socket } }
        }
        // Removed by hand, because the kernel does it only when the last copy is closed. The
        // child of a fork may have a copy.
        csystem_epoll_remove(descriptor, socket)
    }

    fileprivate func close(_ socket: curl_socket_t) -> Int32 {
        willClose(socket)
        return open.close(socket)
    }
}

private let closing: curl_closesocket_callback = { context, socket in
    guard let context else { return Glibc.close(socket) }
    return Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().close(socket)
}
