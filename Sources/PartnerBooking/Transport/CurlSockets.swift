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
    private(set) var count = 0

    /// How long what was sent may remain without the acknowledgement of the other side's kernel. A path that is dead without a
    /// word, such as a dropped NAT entry, is then known in time for another attempt.
    static let unacknowledgedMilliseconds: UInt32 = 3_000

    init() throws(PartnerBookingError) {
        descriptor = csystem_epoll()
        guard descriptor >= 0 else { throw .resource("A file descriptor could not be had") }
    }

    deinit { Glibc.close(descriptor) }

    /// Has all connections made for `easy` come by here.
    func watch(_ easy: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let codes = [
            ccurl_set_pointer(easy, CURLOPT_SOCKOPTDATA, context), ccurl_set_sockopt_function(easy, opened),
            ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context), ccurl_set_closesocket_function(easy, closing),
        ]
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// Whether a connection was closed by the other side since the last time. Each is told of once.
    func takeClosed() -> Bool { csystem_epoll_take(descriptor) > 0 }

    fileprivate func didOpen(_ socket: curl_socket_t) {
        count += 1
        csystem_epoll_add_hangup(descriptor, socket)
        var limit = Self.unacknowledgedMilliseconds
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    fileprivate func willClose(_ socket: curl_socket_t) {
        count -= 1
        // By hand: the kernel does it only when the last copy is closed, and the child of a fork may hold one.
        csystem_epoll_remove(descriptor, socket)
    }
}

private let opened: curl_sockopt_callback = { context, socket, _ in
    if let context { Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().didOpen(socket) }
    return Int32(CURL_SOCKOPT_OK)
}

private let closing: curl_closesocket_callback = { context, socket in
    if let context { Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().willClose(socket) }
    return Glibc.close(socket)
}
