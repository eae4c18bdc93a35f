import CCurl

/// Keeps the connections that libcurl chose for a transfer.
struct TransferConnection {
    /// Connections that a request skips before it fails.
    static let skipLimit = 100

    /// Something but `isBooking` was set.
    var isChanged = false
    /// The request books, so its reply must be its own.
    var isBooking = false
    /// The last chosen connection cannot be used, so nothing was sent over it.
    var isUnusable = false
    var skipped = 0
    var isWarmUp = false
    /// Sockets that were opened for it, until the protocol is known. There can be one for each address of the server.
    var newSockets: [curl_socket_t] = []
    /// Set if its head is watched.
    var ends: CurlSockets.Ends?
    /// The reply shows whether the server sends a body in reply to HEAD.
    var isTrial = false
    /// True: an address was turned down for it, and another one was not.
    var refusedAddress = false
    var admittedAddress = false
}

/// The head of a reply, as the callback for its lines sees it.
struct WatchedHead {
    var head = ReplyHead()
    /// The transfer, if it wants to see the lines.
    var watcher: UnsafeMutableRawPointer?
    /// The lines, with a libcurl that does not keep them itself.
    let kept: UnsafeMutablePointer<KeptHead>?
}

/// Connections, as libcurl opens and chooses them.
extension CurlTransfer {
    /// A name's addresses are looked at where the connection is made: whatever was found before, they may be others now.
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

    /// Returns whether libcurl's choice can be used.
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

    /// Returns whether to try another connection.
    var passesConnection: Bool { connection.isUnusable && connection.skipped < TransferConnection.skipLimit }

    /// A line has come over a new connection, or for a warm-up. Here and not at the end of the transfer: libcurl may use the
    /// connection again before that is known.
    @inline(never)
    func watchHead(_ line: UnsafeRawBufferPointer) {
        // What comes before the request is sent is a proxy's.
        guard mayHaveBeenSent else { return }
        if ReplyHead.isStatusLine(line) { noteProtocol(line) }
        if connection.isWarmUp, head.isWhole { noteHead() }
        if !connection.isWarmUp { setWatchesHead(false) }
    }

    /// Registers a connection of HTTP/1.1, so that its next use is checked.
    private func noteProtocol(_ statusLine: UnsafeRawBufferPointer) {
        guard statusLine.count > 5, statusLine[5] == UInt8(ascii: "1"), let ends = connection.ends else { return }
        // libcurl does not say which socket it uses before the transfer has ended.
        if let socket = connection.newSockets.first(where: { ends.areEnds(of: $0) }) { sockets.didAnswerHTTP1(socket, ends) }
        connection.newSockets = []
    }

    /// The reply to a warm-up has come. It may announce a body, which it must not have.
    private func noteHead() {
        guard let ends = connection.ends, isHTTP1,
            offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T) > 0 || header("Transfer-Encoding") != nil
        else { return }
        sockets.didAnnounceBody(ends)
    }

    /// The request that shows whether the server sends bodies in reply to HEAD has ended.
    func endTrial(_ code: CURLcode) {
        connection.isTrial = false
        guard let number = origin?.number, code == CURLE_OK || isNoReply(code) else { return }
        sockets.tried(number, isReply: code == CURLE_OK)
    }

    /// Returns whether what came is no HTTP.
    func isNoReply(_ code: CURLcode) -> Bool { code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY }
}
