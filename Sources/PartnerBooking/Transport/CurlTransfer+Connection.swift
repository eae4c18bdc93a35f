import CCurl

/// The state of the connection that libcurl has chosen for a transfer.
struct TransferConnection {
    /// The number of connections that a request skips before it fails.
    static let skipLimit = 100

    /// True when a member other than `isBooking` was set.
    var isChanged = false
    /// True when the request makes a booking, so its reply must be its own.
    var isBooking = false
    /// True when the last chosen connection cannot be used. Then nothing was sent over it.
    var isUnusable = false
    var skipped = 0
    var isWarmUp = false
    /// The sockets opened for the transfer, until the protocol is known. There can be one for
    /// each address of the server.
    var newSockets: [curl_socket_t] = []
    /// The ends of the connection, set if the head is watched.
    var ends: CurlSockets.Ends?
    /// True when the reply shows whether the server sends a body in reply to HEAD.
    var isTrial = false
    /// True when an address was refused. `admittedAddress`: true when one was accepted.
    var refusedAddress = false
    var admittedAddress = false
}

/// The head of a reply, as the callback for its lines sees it.
struct WatchedHead {
    var head = ReplyHead()
    /// The transfer, if it wants to see the lines.
    var watcher: UnsafeMutableRawPointer?
    /// The kept lines, with a libcurl that does not keep them itself.
    let kept: UnsafeMutablePointer<KeptHead>?
}

/// The connections that libcurl opens and chooses.
extension CurlTransfer {
    /// Returns true when the transfer may connect to the address. Checked at each connect,
    /// because a name's addresses may have changed since an earlier check.
    func admits(_ address: IPAddress?) -> Bool {
        let isRefused = !hasProxy && origin?.isPublicOnly ?? true && !(address?.isPublic ?? false)
        connection.isChanged = true
        if isRefused { connection.refusedAddress = true } else { connection.admittedAddress = true }
        return !isRefused && !lookUp.isLookUp
    }

    var isAddressRefused: Bool { connection.refusedAddress && !connection.admittedAddress }

    func didOpen(_ socket: curl_socket_t) {
        guard let number = origin?.number else { return }
        sockets.didOpen(socket, to: number)
        connection.isChanged = true
        connection.newSockets.append(socket)
        setWatchesHead(true)
    }

    /// Returns true when the connection that libcurl has chosen can be used.
    @inline(__always)
    func isUsable(_ ends: CurlSockets.Ends) -> Bool {
        if isHeadWatched {
            connection.isChanged = true
            connection.ends = ends
        }
        let use = sockets.use(of: ends, isBooking: connection.isBooking)
        connection.isUnusable = use == .forbidden
        guard use != .free else { return true }
        connection.isChanged = true
        connection.isTrial = use == .trial
        if use == .forbidden { connection.skipped += 1 }
        return use == .trial
    }

    /// True when the request should try another connection.
    var passesConnection: Bool { connection.isUnusable && connection.skipped < TransferConnection.skipLimit }

    /// Handles a line that has come over a new connection, or for a warm-up. The end of the
    /// transfer would be too late, because libcurl may use the connection again before that
    /// end is known.
    @inline(never)
    func watchHead(_ line: UnsafeRawBufferPointer) {
        // Lines that arrive before the request is sent are a proxy's.
        guard mayHaveBeenSent else { return }
        if ReplyHead.isStatusLine(line) { noteProtocol(line) }
        if connection.isWarmUp, head.isWhole { noteHead() }
        if !connection.isWarmUp { setWatchesHead(false) }
    }

    /// Registers a connection of HTTP/1.1, so that its next use is checked.
    private func noteProtocol(_ statusLine: UnsafeRawBufferPointer) {
        guard statusLine.count > 5, statusLine[5] == UInt8(ascii: "1"), let ends = connection.ends else { return }
        // libcurl shows the socket in use only after the transfer has ended.
        if let socket = connection.newSockets.first(where: { ends.areEnds(of: $0) }) { sockets.didAnswerHTTP1(socket, ends) }
        connection.newSockets = []
    }

    /// Notes a body that the reply to a warm-up announces. Such a reply must not have a body.
    private func noteHead() {
        guard let ends = connection.ends, isHTTP1,
            offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T) > 0 || header("Transfer-Encoding") != nil
        else { return }
        sockets.didAnnounceBody(ends)
    }

    /// Records the result of the request that shows whether the server sends bodies in reply
    /// to HEAD.
    func endTrial(_ code: CURLcode) {
        connection.isTrial = false
        guard let number = origin?.number, code == CURLE_OK || isNoReply(code) else { return }
        sockets.tried(number, isReply: code == CURLE_OK)
    }

    /// Returns true when the received data is not HTTP.
    func isNoReply(_ code: CURLcode) -> Bool { code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY }
}
