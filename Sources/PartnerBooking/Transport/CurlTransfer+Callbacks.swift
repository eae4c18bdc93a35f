import CCurl
import Glibc

/// Functions that libcurl calls, on the transfer thread.
extension CurlTransfer {
    /// libcurl has decompressed a piece of the reply.
    static let receive: ccurl_write_function = { data, size, count, context in
        guard let context else { return 0 }
        let (length, overflow) = size.multipliedReportingOverflow(by: count)
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let isAccepted = !overflow && transfer.append(UnsafeRawBufferPointer(start: data, count: length))
        return isAccepted ? length : 0  // less than was offered makes libcurl end the transfer
    }

    /// libcurl wants to connect to an address: https://curl.se/libcurl/c/CURLOPT_OPENSOCKETFUNCTION.html
    static let openSocket: curl_opensocket_callback = { context, _, wanted in
        guard let context, let wanted, let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else {
            return CURL_SOCKET_BAD
        }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        // `addr` is the beginning of an address that may be longer than its type.
        let address = IPAddress(
            socketAddress: UnsafeRawPointer(wanted).advanced(by: offset), count: Int(wanted.pointee.addrlen))
        guard transfer.admits(address) else { return CURL_SOCKET_BAD }
        // Not for the programs that the host may start.
        return socket(wanted.pointee.family, wanted.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), wanted.pointee.protocol)
    }

    /// libcurl has made a socket and is about to connect it.
    static let opened: curl_sockopt_callback = { context, socket, _ in
        if let context { Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue().didOpen(socket) }
        return Int32(CURL_SOCKOPT_OK)
    }

    /// libcurl has a connection and is about to send: https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html
    static let aboutToSend: ccurl_prereq_function = { context, peerAddress, localAddress, peerPort, localPort in
        guard let context else { return CURL_PREREQFUNC_ABORT }
        let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let ends = CurlSockets.Ends(
            localPort: Int(localPort), peerPort: Int(peerPort), localAddress: localAddress, peerAddress: peerAddress)
        return transfer.willSend(ends) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }
}
