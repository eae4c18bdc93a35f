import CCurl
import Glibc

/// The functions that libcurl calls on the transfer thread.
extension CurlTransfer {
    /// Receives a piece of the reply, which libcurl has decompressed.
    static let receive: ccurl_write_function = { data, size, count, context in
        guard let context else { return 0 }
        let (length, overflow) = size.multipliedReportingOverflow(by: count)
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let isAccepted = !overflow && transfer.append(UnsafeRawBufferPointer(start: data, count: length))
        return isAccepted ? length : 0  // a smaller number makes libcurl end the transfer
    }

    /// Receives a line of a head or of trailers, with its line end.
    static let receiveHeader: ccurl_write_function = { data, size, count, context in
        // `size` is always 1: https://curl.se/libcurl/c/CURLOPT_HEADERFUNCTION.html
        guard let context, let data, size == 1 else { return 0 }
        let head = context.assumingMemoryBound(to: WatchedHead.self)
        let line = UnsafeRawPointer(data).assumingMemoryBound(to: UInt8.self)
        if head.pointee.watcher == nil, head.pointee.head.addPlain(line, count) { return count }
        return receiveOddHeader(UnsafeRawBufferPointer(start: data, count: count), head) ? count : 0
    }

    /// Receives and keeps a line, for a libcurl that has no function for the headers of a reply.
    static let receiveAndKeepHeader: ccurl_write_function = { data, size, count, context in
        let taken = receiveHeader(data, size, count, context)
        guard taken == count, let context else { return taken }
        let head = context.assumingMemoryBound(to: WatchedHead.self)
        head.pointee.kept?.pointee.add(UnsafeRawBufferPointer(start: data, count: count))
        return taken
    }

    /// Takes a line that needs a closer look. Returns true to continue the transfer.
    @inline(never)
    private static func receiveOddHeader(_ line: UnsafeRawBufferPointer, _ head: UnsafeMutablePointer<WatchedHead>) -> Bool {
        guard head.pointee.head.add(line) else { return false }
        if let watcher = head.pointee.watcher {
            Unmanaged<CurlTransfer>.fromOpaque(watcher).takeUnretainedValue().watchHead(line)
        }
        return true
    }

    /// Stops a request that must look up a name, if a shared look-up does it. libcurl calls
    /// this when its cache does not have the addresses.
    static let willLookUp: ccurl_resolver_start_function = { _, _, context in
        guard let context else { return 0 }
        return Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().sharesLookUp() ? 1 : 0
    }

    /// Checks an address and opens a socket, when libcurl wants to connect to it:
    /// https://curl.se/libcurl/c/CURLOPT_OPENSOCKETFUNCTION.html
    static let openSocket: curl_opensocket_callback = { context, _, wanted in
        guard let context, let wanted, let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else {
            return CURL_SOCKET_BAD
        }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        // `addr` is the beginning of the address, which may be longer than the type of `addr`.
        let address = IPAddress(
            socketAddress: UnsafeRawPointer(wanted).advanced(by: offset), count: Int(wanted.pointee.addrlen))
        guard transfer.admits(address) else { return CURL_SOCKET_BAD }
        // `SOCK_CLOEXEC` keeps the socket from programs that the host may start.
        return socket(wanted.pointee.family, wanted.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), wanted.pointee.protocol)
    }

    /// Registers a socket that libcurl has made and is about to connect.
    static let opened: curl_sockopt_callback = { context, socket, _ in
        if let context { Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().didOpen(socket) }
        return Int32(CURL_SOCKOPT_OK)
    }

    /// Decides whether to send, when libcurl has a connection:
    /// https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html
    static let aboutToSend: ccurl_prereq_function = { context, peerAddress, localAddress, peerPort, localPort in
        guard let context else { return CURL_PREREQFUNC_ABORT }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let ends = CurlSockets.Ends(
            localPort: Int(localPort), peerPort: Int(peerPort), localAddress: localAddress, peerAddress: peerAddress)
        return transfer.willSend(ends) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }
}
