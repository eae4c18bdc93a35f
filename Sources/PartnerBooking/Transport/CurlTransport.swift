import CCurl

/// HTTP through libcurl: one multi handle, owned by the transfer thread, with its pool of connections.
///
/// `@unchecked Sendable` is not needed: an instance is made on one thread and then handed to the transfer thread, and only
/// `wake` is called from others, which libcurl allows (https://curl.se/libcurl/c/curl_multi_wakeup.html).
final class CurlTransport: Transport {
    private let multi: UnsafeMutableRawPointer
    private let settings: ConnectionSettings
    private var running: [TransferID: CurlTransfer] = [:]
    /// Easy handles are kept: setting one up costs more than a request.
    private var idle: [CurlTransfer] = []
    private static let idleLimit = 64

    /// Starts libcurl in this process, once. It is never ended: others may use it too, and our threads may outlive `main`.
    private static let isLibraryReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ settings: ConnectionSettings) throws(PartnerBookingError) {
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw .resource("libcurl could not be started")
        }
        self.multi = multi
        self.settings = settings
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        guard let transfer = idle.popLast() ?? CurlTransfer(settings) else { return .resource("A transfer handle") }
        guard transfer.prepare(id, request), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            return .resource("Memory for a transfer")
        }
        running[id] = transfer
        return nil
    }

    func cancel(_ id: TransferID) -> Bool {
        guard let transfer = running.removeValue(forKey: id) else { return false }
        curl_multi_remove_handle(multi, transfer.easy)
        let mayHaveBeenSent = transfer.mayHaveBeenSent
        keep(transfer)
        return mayHaveBeenSent
    }

    func finished() -> [(id: TransferID, result: TransferResult)] {
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
            keep(transfer)
        }
        return results
    }

    func wait(until moment: MonotonicTime?) {
        // libcurl shortens the wait to its own timers. An hour stands for "until something happens".
        let milliseconds = moment.map { $0.milliseconds(since: .now()) } ?? 3_600_000
        curl_multi_poll(multi, nil, 0, Int32(clamping: milliseconds), nil)
    }

    func wake() { curl_multi_wakeup(multi) }

    func close() {
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.easy) }
        running.removeAll()
        idle.removeAll()
        curl_multi_cleanup(multi)
    }

    private func keep(_ transfer: CurlTransfer) {
        transfer.release()
        if idle.count < Self.idleLimit { idle.append(transfer) }
    }
}

extension TransferFailure {
    static func resource(_ what: String) -> TransferFailure {
        TransferFailure(
            code: .resourceUnavailable, message: "\(what) could not be had", isRetryable: true, mayHaveBeenSent: false)
    }
}
