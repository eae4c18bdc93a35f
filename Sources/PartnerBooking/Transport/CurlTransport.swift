import CCurl

/// HTTP through libcurl: one multi handle, owned by the transfer thread, with its pool of connections.
///
/// An instance is made on one thread and then handed to the transfer thread; only `wake` is called from others. It writes to
/// an eventfd of ours rather than calling curl_multi_wakeup: that takes fewer system calls, and is safe also after `close`.
final class CurlTransport: Transport {
    private let multi: UnsafeMutableRawPointer
    private let settings: ConnectionSettings
    private let wakeUp: EventDescriptor
    private var running: [TransferID: CurlTransfer] = [:]
    /// Transfers whose results were taken and are being looked at.
    private var ended: [CurlTransfer] = []
    /// Easy handles are kept: setting one up costs more than a request.
    private var idle: [CurlTransfer] = []
    private static let idleLimit = 64
    private var nextLook = MonotonicTime.now()
    private var isClosed = false

    /// Starts libcurl in this process, once. It is never ended: others may use it too, and our threads may outlive `main`.
    private static let isLibraryReady: Bool = {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else { return false }
        ExitGate.install()
        return true
    }()

    init(_ settings: ConnectionSettings) throws(PartnerBookingError) {
        wakeUp = try EventDescriptor()
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw .resource("libcurl could not be started")
        }
        self.multi = multi
        self.settings = settings
        // libcurl's own measure, four for each handle added, throws connections away at the end of every burst of calls.
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maxConnections)
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        if idle.isEmpty { recycle() }
        guard let transfer = idle.popLast() ?? CurlTransfer(settings) else { return .resource("A transfer handle") }
        guard transfer.prepare(id, request), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            return .resource("Memory for a transfer")
        }
        running[id] = transfer
        return nil
    }

    func cancel(_ id: TransferID) -> AbandonedTransfer {
        guard let transfer = running.removeValue(forKey: id) else { return .none }
        let abandoned = transfer.abandon()
        curl_multi_remove_handle(multi, transfer.easy)
        ended.append(transfer)
        return abandoned
    }

    func finished() -> [(id: TransferID, result: TransferResult)] {
        recycle()
        var stillRunning: Int32 = 0
        curl_multi_perform(multi, &stillRunning)
        var results: [(id: TransferID, result: TransferResult)] = []
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)  // read before the handle is removed: the message goes with it
            guard let transfer = CurlTransfer.of(easy), running.removeValue(forKey: transfer.id) != nil else { continue }
            results.append((transfer.id, transfer.result(code)))
            curl_multi_remove_handle(multi, easy)
            ended.append(transfer)
        }
        if stillRunning > 0 { takeUnendedReplies(&results) }
        return results
    }

    /// A service may answer in full before it has read the request, a 401 or 429 for instance. Over HTTP/2 libcurl 7.88 then
    /// may never see the end of the transfer, and the caller would hear of the answer at the deadline or not at all. So now and
    /// then the transfers are asked that have a whole reply and wait in silence.
    private func takeUnendedReplies(_ results: inout [(id: TransferID, result: TransferResult)]) {
        let now = MonotonicTime.now()
        guard now >= nextLook else { return }
        nextLook = now.adding(milliseconds: CurlTransfer.quietMilliseconds)
        for (id, transfer) in running where transfer.hasWholeReply(now) {
            if let reply = cancel(id).partialReply { results.append((id, .reply(reply))) }
        }
    }

    func wait(until moment: MonotonicTime?) {
        // libcurl shortens the wait to its own timers. An hour stands for "until something happens".
        let longest = running.isEmpty ? 3_600_000 : CurlTransfer.quietMilliseconds
        let milliseconds = min(moment?.milliseconds(since: .now()) ?? longest, longest)
        var descriptor = curl_waitfd(fd: wakeUp.descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        curl_multi_poll(multi, &descriptor, 1, Int32(clamping: milliseconds), nil)
        if descriptor.revents != 0 { wakeUp.clear() }
    }

    func wake() { wakeUp.signal() }

    func close() {
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.easy) }
        running = [:]
        ended = []
        idle = []
        curl_multi_cleanup(multi)
        isClosed = true
    }

    /// For a transport that never got its thread.
    deinit {
        if !isClosed { close() }
    }

    /// Makes the handles of the results that were taken before ready for new requests.
    private func recycle() {
        for transfer in ended where transfer.isReusable && idle.count < Self.idleLimit {
            transfer.release()
            idle.append(transfer)
        }
        ended.removeAll(keepingCapacity: true)
    }
}

extension TransferFailure {
    static func resource(_ what: String) -> TransferFailure {
        TransferFailure(
            code: .resourceUnavailable, message: "\(what) could not be had", isRetryable: true, mayHaveBeenSent: false)
    }
}
