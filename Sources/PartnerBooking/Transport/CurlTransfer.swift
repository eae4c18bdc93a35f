import CCurl
import Glibc

/// A reusable easy handle of libcurl, with its settings and the reply that it collects.
final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    private(set) var id = TransferID.none
    /// The sendings so far, with libcurl's own repeats. nil when no byte can have left.
    private(set) var sendings: Sendings?
    var mayHaveBeenSent: Bool { sendings != nil }
    /// True when libcurl must not repeat the request.
    private var isSentOnce = false
    private var leaseEnd: SharedNumber?
    var connection = TransferConnection()
    private let maxReplyBytes: Int
    let sockets: CurlSockets
    /// True with a proxy. It has its own addresses, and those behind it are not visible here.
    let hasProxy: Bool
    let proxyHost: String?
    var lookUp = TransferLookUp()
    /// The server of the current request.
    private(set) var origin: HTTPOrigin?
    /// The target that the handle is set up for. The next request most often has the same.
    private var target: HTTPTarget?
    /// The header lines of the target. The lines of the request alone are linked behind them.
    private var targetHeaders: UnsafeMutablePointer<curl_slist>?
    private var lastTargetHeader: UnsafeMutablePointer<curl_slist>?
    private var requestHeaders: UnsafeMutablePointer<curl_slist>?
    let url: OpaquePointer
    /// Memory that libcurl's callback reads for each line, without reference counting.
    private let watchedHead = UnsafeMutablePointer<WatchedHead>.allocate(capacity: 1)
    var head: ReplyHead { watchedHead.pointee.head }
    /// The kept headers, with a libcurl that does not keep them itself.
    var keptHead: UnsafeMutablePointer<KeptHead>? { watchedHead.pointee.kept }
    private(set) var body: [UInt8] = []
    private var pieceCount = 0
    private(set) var fault: ReplyFault?
    private(set) var firstByteAt: MonotonicTime?
    var quiet = QuietReply()

    static let bufferBytes = 4_096
    /// Pieces (chunks) allowed in any reply. Each `leastPieceBytes` of its body allow one more.
    static let pieceLimit = 4_096
    static let leastPieceBytes = 16

    /// Fails when memory or a libcurl feature is missing. `sockets` must outlive all connections.
    init?(_ settings: ConnectionSettings, _ sockets: CurlSockets) {
        guard let easy = curl_easy_init() else { return nil }
        guard let url = curl_url() else {
            curl_easy_cleanup(easy)
            return nil
        }
        self.easy = easy
        self.url = url
        self.sockets = sockets
        maxReplyBytes = settings.maxReplyBytes
        hasProxy = settings.proxy != nil
        watchedHead.initialize(to: WatchedHead(kept: ccurl_has_headers() ? nil : .allocate(capacity: 1)))
        watchedHead.pointee.kept?.initialize(to: KeptHead())
        proxyHost = settings.proxy.flatMap(Self.host(ofProxy:))
        guard configure(settings), sockets.watchClosing(easy) else { return nil }
    }

    deinit {
        curl_easy_cleanup(easy)
        freeRequestHeaders()
        curl_slist_free_all(targetHeaders)
        curl_url_cleanup(url)
        keptHead?.deinitialize(count: 1).deallocate()
        watchedHead.deallocate()
    }

    /// True when the reply's lines are read for facts about the connection.
    var isHeadWatched: Bool { watchedHead.pointee.watcher != nil }

    func setWatchesHead(_ watches: Bool) {
        watchedHead.pointee.watcher = watches ? Unmanaged.passUnretained(self).toOpaque() : nil
    }

    /// Returns the transfer of an easy handle. It is alive while the handle is in a multi handle.
    static func of(_ easy: UnsafeMutableRawPointer) -> CurlTransfer? {
        var context: UnsafeMutableRawPointer?
        guard ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK else { return nil }
        return context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func configure(_ settings: ConnectionSettings) -> Bool {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let codes: [CURLcode] = [
            // Host process: no signals, and no wait for a hanging look-up when a handle is freed.
            ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            ccurl_set_quick_exit(easy),
            // Request
            ccurl_set_long(easy, CURLOPT_POST, 1),
            ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "gzip"),
            ccurl_set_protocols(easy),
            ccurl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),  // a redirect must not get the bearer key
            ccurl_set_long(easy, CURLOPT_HTTP09_ALLOWED, 0),
            // libcurl reads at most 100 buffers from one connection before it reads the next one.
            ccurl_set_long(easy, CURLOPT_BUFFERSIZE, Self.bufferBytes),
            // Connections: HTTP/2 where TLS offers it. At first no request waits to share a
            // connection that is being made (CURLOPT_PIPEWAIT): a hanging handshake would hold up
            // all of them.
            ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
            ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1),
            ccurl_set_long(easy, CURLOPT_MAXAGE_CONN, 86_400),  // seconds of idle time, libcurl's default is 118
            ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeoutMilliseconds),
            // Empty strings keep libcurl from reading the environment, which a host may change.
            ccurl_set_string(easy, CURLOPT_PROXY, settings.proxy ?? ""),
            ccurl_set_string(easy, CURLOPT_NOPROXY, ""),
            // TLS: libcurl verifies certificate and host name by default.
            ccurl_set_long(easy, CURLOPT_SSLVERSION, CurlPool.first.tlsVersions),
            settings.certificates.apply(to: easy),
            // Callbacks
            ccurl_set_pointer(easy, CURLOPT_PRIVATE, context),
            ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context),
            ccurl_set_write_function(easy, Self.receive),
            ccurl_set_pointer(easy, CURLOPT_HEADERDATA, watchedHead),
            ccurl_set_header_function(easy, keptHead == nil ? Self.receiveHeader : Self.receiveAndKeepHeader),
            ccurl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            ccurl_set_pointer(easy, CURLOPT_RESOLVER_START_DATA, context),
            ccurl_set_resolver_start_function(easy, Self.willLookUp),
            ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context),
            ccurl_set_prereq_function(easy, Self.aboutToSend),
            ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context),
            ccurl_set_opensocket_function(easy, Self.openSocket),
            ccurl_set_pointer(easy, CURLOPT_SOCKOPTDATA, context),
            ccurl_set_sockopt_function(easy, Self.opened),
        ]
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// Prepares the handle for a request. Returns false when memory is out.
    func prepare(_ id: TransferID, _ request: HTTPRequest) -> Bool {
        self.id = id
        isSentOnce = request.isSentOnce
        leaseEnd = request.leaseEnd
        connection.isBooking = request.isBooking
        setNeedsNewConnection(request.needsNewConnection)
        guard aim(at: request) else { return false }
        // Set the size before the body, because libcurl copies the body at once.
        guard ccurl_set_long(easy, CURLOPT_POSTFIELDSIZE, request.body.count) == CURLE_OK else { return false }
        return request.body.withUnsafeBytes {
            let bytes = UnsafeMutableRawPointer(mutating: $0.baseAddress)
            return ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, bytes) == CURLE_OK
        }
    }

    private func aim(at request: HTTPRequest) -> Bool {
        freeRequestHeaders()
        guard target === request.target || aim(at: request.target) else { return false }
        for line in request.headers {
            guard let longer = curl_slist_append(requestHeaders, line) else { return false }
            requestHeaders = longer
        }
        guard let lastTargetHeader else {
            return ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, requestHeaders) == CURLE_OK
        }
        lastTargetHeader.pointee.next = requestHeaders
        return true
    }

    private func aim(at target: HTTPTarget) -> Bool {
        self.target = nil
        origin = target.origin
        ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, nil)
        curl_slist_free_all(targetHeaders)
        targetHeaders = nil
        for line in target.headers {
            guard let longer = curl_slist_append(targetHeaders, line) else { return false }
            targetHeaders = longer
        }
        lastTargetHeader = targetHeaders
        while let next = lastTargetHeader?.pointee.next { lastTargetHeader = next }
        guard ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, targetHeaders) == CURLE_OK,
            // A parsed URL costs libcurl a seventh less work for each request than a text.
            curl_url_set(url, CURLUPART_URL, target.url, 0) == CURLUE_OK,
            ccurl_set_pointer(easy, CURLOPT_CURLU, UnsafeMutableRawPointer(url)) == CURLE_OK
        else { return false }
        self.target = target
        return true
    }

    private func freeRequestHeaders() {
        guard requestHeaders != nil else { return }
        lastTargetHeader?.pointee.next = nil
        curl_slist_free_all(requestHeaders)
        requestHeaders = nil
    }

    /// True when the handle can be used again: its request succeeded with the first sending.
    /// libcurl counts the repeats after dead kept connections over all requests of a handle, and
    /// gives up at five.
    private(set) var isReusable = false

    /// Prepares the cheapest request that opens or checks a connection, without the key.
    func prepareWarmUp(_ origin: HTTPOrigin) -> Bool {
        id = .none
        connection.isWarmUp = true
        setWatchesHead(true)
        let headers = ["User-Agent: libpartnerbooking/\(partnerBookingVersion)"]
        let target = HTTPTarget(url: origin.warmUpURL, headers: headers, origin: origin)
        let request = HTTPRequest(target: target, headers: [], body: [])
        return aim(at: request) && ccurl_set_long(easy, CURLOPT_NOBODY, 1) == CURLE_OK
    }

    /// Sets whether to wait for a sharable connection that is being made, or to make another.
    func setWaitsForConnection(_ waits: Bool) {
        guard waits != waitsForConnection else { return }
        ccurl_set_long(easy, CURLOPT_PIPEWAIT, waits ? 1 : 0)
        waitsForConnection = waits
    }

    private(set) var waitsForConnection = false

    private func setNeedsNewConnection(_ needs: Bool) {
        guard needs != needsNewConnection else { return }
        ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, needs ? 1 : 0)
        needsNewConnection = needs
    }

    private var needsNewConnection = false

    /// Sets the pool of connections.
    func use(_ pool: CurlPool) {
        guard pool != self.pool else { return }
        ccurl_set_long(easy, CURLOPT_SSLVERSION, pool.tlsVersions)
        self.pool = pool
    }

    private(set) var pool = CurlPool.first

    /// True when the transfer waits for a connection, as far as libcurl shows it.
    var isWaitingForConnection: Bool { !mayHaveBeenSent && !lookUp.isAwaited && offset(CURLINFO_NAMELOOKUP_TIME_T) == 0 }

    func sendNoMore() { isSentOnce = true }

    /// Drops the request's body and the reply, which belong to a caller.
    func release() {
        ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, nil)
        body = []
        sendings = nil
        isSentOnce = false
        leaseEnd = nil
        if connection.isChanged { connection = TransferConnection() }
        watchedHead.pointee.head = ReplyHead()
        watchedHead.pointee.watcher = nil
        pieceCount = 0
        fault = nil
        firstByteAt = nil
        quiet = QuietReply()
        if lookUp.isShared { lookUp = TransferLookUp() }
        isReusable = false
    }

    /// Returns the result of the request after libcurl has ended it.
    func result(_ code: CURLcode) -> TransferResult {
        isReusable = code == CURLE_OK && sendings?.count == 1
        defer { if connection.isTrial { endTrial(code) } }
        guard code == CURLE_OK else { return .failure(failure(code)) }
        return isCut ? .failure(failure(CURLE_PARTIAL_FILE)) : .reply(reply())
    }

    /// Gives up the request, still in its multi handle. A connection that was silent until the
    /// deadline may be dead. Over HTTP/2 libcurl would keep it and use it for the next request.
    func abandon(isOverdue: Bool) -> AbandonedTransfer {
        if isOverdue && isSilent { ccurl_set_long(easy, CURLOPT_FORBID_REUSE, 1) }
        return AbandonedTransfer(sendings: sendings, partialReply: partialReply, timing: timing())
    }

    /// The part of the reply that has arrived.
    var partialReply: HTTPReply? { long(CURLINFO_RESPONSE_CODE) >= 200 && fault != .tooLarge ? reply() : nil }

    /// True when the request may have been sent and no reply has begun.
    var isSilent: Bool { mayHaveBeenSent && long(CURLINFO_RESPONSE_CODE) == 0 }

    func reply() -> HTTPReply {
        HTTPReply(status: long(CURLINFO_RESPONSE_CODE), body: body, header: header)
    }

    /// The reason why `willSend` has ended the transfer.
    private var refusalToSend: String {
        isLeaseOver
            ? TransferMessage.leaseOver
            : connection.isUnusable
                ? TransferMessage.unreadBytes(connection.skipped)
                : TransferMessage.notRepeated
    }

    private func failure(_ code: CURLcode) -> TransferFailure {
        var failure =
            if let fault = fault ?? head.fault {
                fault.failure(maxReplyBytes: maxReplyBytes)
            } else if code == CURLE_OUT_OF_MEMORY && mayHaveBeenSent {
                TransferFailure.headerLineWithoutEnd
            } else if code == CURLE_ABORTED_BY_CALLBACK {
                TransferFailure(code: .connectionLost, message: refusalToSend, isRetryable: true)
            } else if connection.isTrial && isNoReply(code) {
                TransferFailure.bodyOfHead
            } else if code == CURLE_COULDNT_CONNECT && isAddressRefused {
                TransferFailure.addressRefused
            } else {
                TransferFailure(
                    curl: code, verifyResult: long(CURLINFO_SSL_VERIFYRESULT),
                    proxyStatus: long(CURLINFO_HTTP_CONNECTCODE))
            }
        failure.curlCode = Int(code.rawValue)
        if long(CURLINFO_RESPONSE_CODE) >= 200 { failure.partialReply = reply() }
        return failure
    }

    /// Appends a piece of the body. Returns true to continue the transfer.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        pieceCount &+= 1
        guard bytes.count <= maxReplyBytes - body.count else {
            fault = .tooLarge
            return false
        }
        if body.isEmpty {
            body = Array(bytes)
            firstByteAt = .now()
            return true
        }
        body.append(contentsOf: bytes)
        guard pieceCount > Self.pieceLimit + body.count / Self.leastPieceBytes else { return true }
        fault = .tooManyPieces
        return false
    }

    /// True when the lease has run out, so another engine may have taken the booking over.
    private var isLeaseOver: Bool {
        leaseEnd.map { $0.value <= UInt64(clamping: BootClock.microseconds()) } ?? false
    }

    /// Returns true to send the request over the connection that libcurl has chosen.
    func willSend(_ ends: CurlSockets.Ends) -> Bool {
        guard isUsable(ends), !(isSentOnce && mayHaveBeenSent), !isLeaseOver else { return false }
        let now = MonotonicTime.now()
        if let earlier = sendings {
            sendings = Sendings(count: earlier.count &+ 1, firstAt: earlier.firstAt, lastAt: now)
        } else {
            sendings = Sendings(at: now)
        }
        if let number = origin?.number { sockets.noteChange(of: number) }
        return true
    }
}
