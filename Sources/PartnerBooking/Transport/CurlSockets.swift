import CCurl
import Glibc

/// The sockets that libcurl holds open, for one thing that it does not do: to look after the connections nobody is using.
///
/// Used on the transfer thread alone.
final class CurlSockets {
    private var open: Set<curl_socket_t> = []
    /// Idle sockets that had something to read, which is most often their end. They are not listened to again before they were
    /// used: they would go on waking us.
    private var noticed: Set<curl_socket_t> = []

    /// How long what was sent may remain without the acknowledgement of the other side's kernel. A path that is dead without a
    /// word, such as a dropped NAT entry, is then known in time for another attempt.
    static let unacknowledgedMilliseconds = 3_000

    var isEmpty: Bool { open.isEmpty }

    /// Has all connections made for `easy` come by here.
    func watch(_ easy: UnsafeMutableRawPointer) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let codes = [
            ccurl_set_pointer(easy, CURLOPT_SOCKOPTDATA, context), ccurl_set_sockopt_function(easy, opened),
            ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, context), ccurl_set_closesocket_function(easy, closing),
        ]
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// What to listen to while nothing is under way.
    func idleDescriptors() -> [curl_waitfd] {
        open.subtracting(noticed).map { curl_waitfd(fd: $0, events: Int16(CURL_WAIT_POLLIN), revents: 0) }
    }

    /// Whether one of those had something to say.
    func notice(_ descriptors: [curl_waitfd]) -> Bool {
        let spoke = descriptors.filter { $0.revents != 0 }
        noticed.formUnion(spoke.map(\.fd))
        return !spoke.isEmpty
    }

    /// Connections were used again.
    func forgetNoticed() {
        if !noticed.isEmpty { noticed = [] }
    }

    fileprivate func didOpen(_ socket: curl_socket_t) {
        open.insert(socket)
        var limit = UInt32(Self.unacknowledgedMilliseconds)
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<UInt32>.size))
    }

    fileprivate func willClose(_ socket: curl_socket_t) {
        open.remove(socket)
        noticed.remove(socket)
    }
}

private let opened: curl_sockopt_callback = { context, socket, purpose in
    if let context, purpose == CURLSOCKTYPE_IPCXN {
        Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().didOpen(socket)
    }
    return Int32(CURL_SOCKOPT_OK)
}

private let closing: curl_closesocket_callback = { context, socket in
    if let context { Unmanaged<CurlSockets>.fromOpaque(context).takeUnretainedValue().willClose(socket) }
    return Glibc.close(socket)
}
