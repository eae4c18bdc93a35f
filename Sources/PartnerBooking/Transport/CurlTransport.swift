import CCurl

/// HTTP through libcurl: one multi handle with its connection pool, owned by the transfer thread.
///
/// One thread makes an instance for the transfer thread. Others call only `wake`. Its eventfd takes
/// fewer system calls than curl_multi_wakeup, and is safe after `close`.
final class CurlTransport: Transport {
    let multi: UnsafeMutableRawPointer
    let settings: ConnectionSettings
    private let wakeUp: EventDescriptor
    let sockets: CurlSockets
    var openConnections: Int { sockets.open.count }
    let watchdog: Watchdog
    var running = CounterTable<TransferID, CurlTransfer>()
    /// Ended transfers whose results are still being read.
    private var ended: [CurlTransfer] = []
    /// Easy handles for reuse, because setting one up costs more than a request.
    private var idle: [CurlTransfer] = []
    private static let idleLimit = 512
    private var nextLook = MonotonicTime.now()
    private var isClosed = false

    /// The state of each server.
    let origins: [Origin]
    /// The servers that get warm-ups.
    private let warmOrigins: [Origin]
    /// Transfers that wait for a connection that is being made, with the end of each wait.
    var connectionWaiters = FIFO<(id: TransferID, until: MonotonicTime)>()
    /// True when there may be more connections for a while than HTTP/2 should need.
    var isLimitLifted = false
    var warmUpCount = 0
    var lookUps = LookUps()
    /// Ended transfers with large replies, for later turns.
    private var heldBack = FIFO<(id: TransferID, code: CURLcode)>()

    final class Origin {
        let origin: HTTPOrigin
        /// The pool for new requests.
        var pool = CurlPool.first
        var warmUpSchedule: WarmUpSchedule
        var warmUp: (transfer: CurlTransfer, deadline: MonotonicTime, hadConnection: Bool)?
        /// True when the server speaks HTTP/2. nil when not known yet.
        var isMultiplexed: Bool?
        /// Number of waiting requests in the last release round, and the number left in it.
        var lastReleaseCount = 0
        var releasesLeft = 0
        var nextReleaseAt = MonotonicTime(nanoseconds: 0)
        /// The ban, set when the server has kept this thread busy.
        var ban: FloodBan?

        /// Returns false when no warm-up needs work, which is most often the case.
        @inline(__always)
        func mayNeedWarmUp(_ now: MonotonicTime) -> Bool {
            warmUp != nil || warmUpSchedule.next.map { $0 <= now } ?? false
        }

        init(_ origin: HTTPOrigin, keepWarmMilliseconds: Int, seed: UInt64) {
            self.origin = origin
            warmUpSchedule = WarmUpSchedule(intervalMilliseconds: keepWarmMilliseconds, seed: seed)
            warmUpSchedule.lost(now: .now())
        }
    }

    /// The most servers with warm-ups. Others connect on demand, to avoid thousands of handshakes.
    static let warmOriginLimit = 64
    /// The most warm-ups at once. A handshake takes 1 to 2 ms of this thread, and calls come first.
    static let warmUpLimit = 4
    /// The longest time without an answer to a warm-up. After it, the connection counts as dead.
    static let silenceMilliseconds = 2_000
    /// The longest wait for a connection that is being made. After it, a request makes its own.
    static let connectionWaitMilliseconds = 250

    /// True when libcurl has started. No clean-up: others may use it, threads may outlive `main`.
    private static let isLibraryReady: Bool = {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else { return false }
        ExitGate.install()
        return true
    }()

    init(_ settings: ConnectionSettings) throws(PartnerBookingError) {
        wakeUp = try PartnerBookingError.resources(EventDescriptor.init)
        sockets = try CurlSockets(originCount: settings.origins.count)
        watchdog = Watchdog(sockets.open, epoll: sockets.descriptor)
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw .resource(TransferMessage.noLibcurl)
        }
        self.multi = multi
        self.settings = settings
        var seed = SystemRandomNumberGenerator()
        origins = settings.origins.enumerated().map { place, origin in
            let interval = place < Self.warmOriginLimit ? settings.keepWarmMilliseconds : 0
            return Origin(origin, keepWarmMilliseconds: interval, seed: seed.next())
        }
        warmOrigins = Array(origins.prefix(Self.warmOriginLimit))
        // libcurl's default, four per handle, closes connections after each burst of calls. Warm
        // connections to other servers come on top. Otherwise they would push each other out.
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(2, settings.maxConnections) + max(0, warmOrigins.count - 1))
        limitConnections(to: settings.maxConnections)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, settings.maxStreamsPerConnection)
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        if idle.isEmpty { recycle() }
        guard let transfer = idle.popLast() ?? CurlTransfer(settings, sockets) else {
            return .resource(TransferMessage.noHandle)
        }
        let origin = origins[request.target.origin.number]
        if let ban = origin.ban, ban.isActive(.now()) {
            idle.append(transfer)
            return .banned
        }
        transfer.setWaitsForConnection(shouldWaitForConnection(to: origin))
        transfer.use(origin.pool)
        guard transfer.prepare(id, request), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            return .resource(TransferMessage.noTransferMemory)
        }
        if transfer.waitsForConnection {
            connectionWaiters.append((id, .now().adding(milliseconds: Self.connectionWaitMilliseconds)))
        }
        running.insert(transfer, under: id)
        return nil
    }

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer? {
        guard let transfer = running.removeValue(under: id) else { return nil }
        if isOverdue { distrust(transfer) }
        // Its connection may be closed with it (HTTP/1.1), or dead (no byte of a reply came).
        if transfer.isSilent { origin(of: transfer)?.warmUpSchedule.lost(now: .now()) }
        let abandoned = transfer.abandon(isOverdue: isOverdue)
        end(transfer)
        return abandoned
    }

    func end(_ transfer: CurlTransfer) {
        curl_multi_remove_handle(multi, transfer.easy)
        ended.append(transfer)
        if let number = transfer.origin?.number { sockets.noteChange(of: number) }
    }

    func partialReply(_ id: TransferID) -> HTTPReply? { running[id]?.partialReply }

    func distrust(_ id: TransferID) {
        guard let transfer = running[id] else { return }
        if transfer.isSilent { origin(of: transfer)?.warmUpSchedule.lost(now: .now()) }
        distrust(transfer)
    }

    /// Moves new requests to another pool, if possible to one without a silent transfer. libcurl
    /// reuses an HTTP/2 connection as long as a transfer is open on it, even if it is dead.
    private func distrust(_ transfer: CurlTransfer) {
        guard transfer.isSilent, let origin = origin(of: transfer), origin.isMultiplexed ?? true,
            transfer.pool == origin.pool
        else { return }
        let silent = running.values.filter { $0.origin?.number == origin.origin.number && $0.isSilent }.map(\.pool)
        let others = CurlPool.allCases.filter { $0 != origin.pool }
        origin.pool = others.first { !silent.contains($0) } ?? others.first ?? .first
    }

    func sendNoMore(_ id: TransferID) { running[id]?.sendNoMore() }

    func sendings(_ id: TransferID) -> Sendings? { running[id]?.sendings }

    func prewarm() { for origin in warmOrigins { origin.warmUpSchedule.wanted(now: .now()) } }

    func origin(of transfer: CurlTransfer) -> Origin? {
        guard let number = transfer.origin?.number, origins.indices.contains(number) else { return nil }
        return origins[number]
    }

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        recycle()
        let now = MonotonicTime.now()
        for origin in warmOrigins where origin.mayNeedWarmUp(now) { tendWarmUp(origin, now) }
        if !connectionWaiters.isEmpty { releaseOverdue(now) }
        var stillRunning: Int32 = 0
        if watchdog.enterLibcurl() { banFlooders(&finished, now) }
        curl_multi_perform(multi, &stillRunning)
        watchdog.leaveLibcurl()
        var harvest = Harvest(now: now)
        if !heldBack.isEmpty { finishHeldBack(&harvest, &finished) }
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)  // read first: removing the handle invalidates the message
            guard let transfer = CurlTransfer.of(easy) else { continue }
            if code != CURLE_OK, takeLookUp(transfer, code, &finished, now) { continue }
            let origin = origin(of: transfer)
            if let origin, transfer === origin.warmUp?.transfer {
                if transfer.connection.isTrial { transfer.endTrial(code) }
                endWarmUp(origin, isWarm: code == CURLE_OK, now)
                continue
            }
            if code == CURLE_ABORTED_BY_CALLBACK, transfer.passesConnection, running[transfer.id] != nil {
                // Nothing was sent. libcurl has closed this HTTP/1.1 connection. Try the next one.
                curl_multi_remove_handle(multi, easy)
                curl_multi_add_handle(multi, easy)
                continue
            }
            finish(transfer, of: origin, code, &harvest, &finished)
        }
        if stillRunning > 0 { collectUnendedReplies(&finished, now) }
        if lookUps.areAwaited { tendLookUps(&finished, now) }
        if origins.count > 1 { wakeWaiting() }
    }

    @inline(never)
    private func finishHeldBack(_ harvest: inout Harvest, _ finished: inout FIFO<FinishedTransfer>) {
        while let (id, code) = heldBack.popFirst() {
            guard let transfer = running[id] else { continue }
            finish(transfer, of: origin(of: transfer), code, &harvest, &finished)
            return
        }
    }

    /// The results of one turn.
    private struct Harvest {
        let now: MonotonicTime
        var endedAt: MonotonicTime?
        var hasLarge = false
    }

    /// Takes a transfer that has ended. Takes only one large reply in a turn, because reading it
    /// takes milliseconds while other calls wait.
    @inline(__always)
    private func finish(
        _ transfer: CurlTransfer, of origin: Origin?, _ code: CURLcode, _ harvest: inout Harvest,
        _ finished: inout FIFO<FinishedTransfer>
    ) {
        if transfer.isLarge {
            guard !harvest.hasLarge else {
                heldBack.append((transfer.id, code))
                return
            }
            harvest.hasLarge = true
        }
        guard running.removeValue(under: transfer.id) != nil else { return }
        let moment = harvest.endedAt ?? .now()
        harvest.endedAt = moment
        finished.append(
            FinishedTransfer(
                id: transfer.id, result: transfer.result(code), sendings: transfer.sendings, endedAt: moment,
                timing: transfer.timing()))
        if code == CURLE_OK, let origin { noteUse(of: origin, by: transfer, harvest.now) }
        end(transfer)
    }

    /// Restarts transfers that wait for a connection to a server whose connections have changed.
    /// Restarts the oldest one, or all if they can share the connection.
    ///
    /// libcurl wakes only the first of all waiting transfers, so a hanging server would block the
    /// others (https://github.com/curl/curl/pull/2383). This can go when libcurl wakes by host.
    private func wakeWaiting() {
        for number in sockets.drainChanged() where origins.indices.contains(number) {
            let waiting = running.values.filter { $0.origin?.number == number && $0.isWaitingForConnection }
            let isShared = origins[number].isMultiplexed ?? true  // while unknown, they wait in the hope of HTTP/2
            for transfer in isShared ? waiting : waiting.min(by: { $0.id < $1.id }).map({ [$0] }) ?? [] {
                curl_multi_remove_handle(multi, transfer.easy)
                curl_multi_add_handle(multi, transfer.easy)
            }
        }
    }

    /// Ends transfers that have a whole reply and stay silent.
    ///
    /// A service may answer fully before it has read the request, for example with 401 or 429.
    /// libcurl 7.88 may then never end an HTTP/2 transfer
    /// (https://github.com/curl/curl/issues/10433). This can go when 8.0 is the oldest supported
    /// version.
    private func collectUnendedReplies(_ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime) {
        guard now >= nextLook else { return }
        nextLook = now.adding(milliseconds: QuietReply.milliseconds)
        while let id = running.first(where: { $0.hasWholeReply(now) })?.id, let abandoned = cancel(id, isOverdue: false) {
            guard let reply = abandoned.partialReply else { continue }
            finished.append(
                FinishedTransfer(
                    id: id, result: .reply(reply), sendings: abandoned.sendings, endedAt: now, timing: abandoned.timing))
        }
    }

    func wait(until moment: MonotonicTime?) {
        // libcurl shortens the wait to its own timers. An hour means "until something happens".
        let now = MonotonicTime.now()
        let longest = now.adding(milliseconds: running.isEmpty ? 3_600_000 : QuietReply.milliseconds)
        var end = heldBack.isEmpty ? min(longest, moment ?? longest) : now
        for origin in warmOrigins {
            // At the limit, due warm-ups wait until another one ends.
            let next = origin.warmUp?.deadline ?? (warmUpCount < Self.warmUpLimit ? origin.warmUpSchedule.next : nil)
            if let next, next < end { end = next }
        }
        let isIdle = running.isEmpty && warmUpCount == 0
        let input = Int16(CURL_WAIT_POLLIN)
        var descriptors = (
            curl_waitfd(fd: wakeUp.descriptor, events: input, revents: 0),
            curl_waitfd(fd: sockets.descriptor, events: input, revents: 0)
        )
        // Watches the connections if nothing is under way, or if libcurl may be busy with another
        // server. Otherwise libcurl notices a closed connection when it uses it.
        withUnsafeMutableBytes(of: &descriptors) {
            let first = $0.assumingMemoryBound(to: curl_waitfd.self).baseAddress
            ExitGate.leave()
            let count: UInt32 = isIdle || origins.count > 1 ? 2 : 1
            _ = curl_multi_poll(multi, first, count, Int32(clamping: end.milliseconds(since: now)), nil)
            ExitGate.enter()
        }
        if descriptors.0.revents != 0 { wakeUp.clear() }
        guard descriptors.1.revents != 0 else { return }
        for number in sockets.drainClosed() where origins.indices.contains(number) {
            origins[number].warmUpSchedule.lost(now: .now())
        }
    }

    func wake() { wakeUp.signal() }

    func watch(_ tend: @escaping @Sendable (MonotonicTime) -> Bool) {
        watchdog.tend = tend
        watchdog.rehearse()
    }

    func close() {
        if watchdog.hasStarted { _ = watchdog.enterLibcurl() }
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.easy) }
        for origin in origins {
            if let warmUp = origin.warmUp { curl_multi_remove_handle(multi, warmUp.transfer.easy) }
            origin.warmUp = nil
        }
        for lookUp in lookUps.underWay { curl_multi_remove_handle(multi, lookUp.transfer.easy) }
        lookUps = LookUps()
        running = CounterTable()
        ended = []
        idle = []
        curl_multi_cleanup(multi)
        watchdog.stop()
        isClosed = true
    }

    /// Closes a transport that never got its thread.
    deinit {
        if !isClosed { close() }
    }

    /// Prepares handles whose results are no longer read for new requests.
    private func recycle() {
        while let transfer = ended.popLast() {
            guard transfer.isReusable && idle.count < Self.idleLimit else { continue }
            transfer.release()
            idle.append(transfer)
        }
    }
}
