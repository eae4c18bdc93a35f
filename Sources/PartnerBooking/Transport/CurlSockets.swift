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
    /// The number of the origin that each is connected to.
    private var origins: [curl_socket_t: Int] = [:]
    private var changed: Set<Int> = []

    /// How long what was sent may remain without the acknowledgement of the other side's kernel. A path that is dead without a
    /// word, such as a dropped NAT entry, is then known in time for another attempt.
    static let unacknowledgedMilliseconds: UInt32 = 3_000

    init() throws(PartnerBookingError) {
        descriptor = csystem_epoll()
        guard descriptor >= 0 else { throw .resource("A file descriptor could not be had") }
        // What Swift makes for the first dictionary and the first set of a process is made here, before there is a second thread: in
        // the child of a fork two threads that want it at once would wait for ever (see TransferLoop.start).
        origins.reserveCapacity(16)
        changed.reserveCapacity(16)
    }

    deinit { Glibc.close(descriptor) }

    /// Is told when connections that were made for `easy` are closed, which may be long after `easy` is gone.
    func watchClosing(_ easy: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context) == CURLE_OK
            && ccurl_set_closesocket_function(easy, closing) == CURLE_OK
    }

    func hasConnection(to origin: Int) -> Bool { origins.values.contains(origin) }

    /// A connection to it may be had now that could not before: one was made, has become free, or has made room for another.
    func noteChange(of origin: Int) { changed.insert(origin) }

    /// The origins of which that was noted since the last time.
    func takeChanged() -> Set<Int> {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// The origins of connections that were closed by the other side since the last time. Each is told of once.
    func takeClosed() -> Set<Int> {
        var sockets = [curl_socket_t](repeating: -1, count: 64)
        let count = csystem_epoll_take(descriptor, &sockets, 64)
        return Set(sockets.prefix(max(0, Int(count))).compactMap { origins[$0] })
    }

    func didOpen(_ socket: curl_socket_t, to origin: Int) {
        origins[socket] = origin
        csystem_epoll_add_hangup(descriptor, socket)
        var limit = Self.unacknowledgedMilliseconds
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    fileprivate func willClose(_ socket: curl_socket_t) {
        if let origin = origins.removeValue(forKey: socket) { noteChange(of: origin) }
        // By hand: the kernel does it only when the last copy is closed, and the child of a fork may hold one.
        csystem_epoll_remove(descriptor, socket)
    }
}

private let closing: curl_closesocket_callback = { context, socket in
    if let context { Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().willClose(socket) }
    return Glibc.close(socket)
}
