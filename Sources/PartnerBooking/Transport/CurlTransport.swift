import CCurl

/// HTTP through libcurl: one multi handle, owned by the transfer thread, with its pool of connections.
///
/// An instance is made on one thread and then handed to the transfer thread; only `wake` is called from others. It writes to
/// an eventfd of ours rather than calling curl_multi_wakeup: that takes fewer system calls, and is safe also after `close`.
final class CurlTransport: Transport {
    private let multi: UnsafeMutableRawPointer
    private let settings: ConnectionSettings
    private let wakeUp: EventDescriptor
    private let sockets: CurlSockets
    private var running = CounterTable<TransferID, CurlTransfer>()
    /// Transfers whose results were taken and are being looked at.
    private var ended: [CurlTransfer] = []
    /// Easy handles are kept: setting one up costs more than a request.
    private var idle: [CurlTransfer] = []
    private static let idleLimit = 512
    private var nextLook = MonotonicTime.now()
    private var isClosed = false

    /// What is known of each server.
    private let origins: [Origin]
    /// Those that connections are made ready to.
    private let warmOrigins: ArraySlice<Origin>
    /// Transfers that wait for the connection in the making, and until when.
    private var connectionWaiters = FIFO<(id: TransferID, until: MonotonicTime)>()
    /// There may be more connections for a while than a service with HTTP/2 should need.
    private var isLimitLifted = false

    private final class Origin {
        let origin: HTTPOrigin
        /// The pool of new requests.
        var pool = CurlPool.first
        var warmUpSchedule: WarmUpSchedule
        var warmUp: (transfer: CurlTransfer, deadline: MonotonicTime, hadConnection: Bool)?
        /// Whether it speaks HTTP/2, once that is known.
        var isMultiplexed: Bool?
        /// How many of those who wait for a connection in the making have last got one of their own, and how many more may now.
        var lastReleaseCount = 0
        var releasesLeft = 0
        var nextReleaseAt = MonotonicTime(nanoseconds: 0)

        init(_ origin: HTTPOrigin, keepWarmMilliseconds: Int, seed: UInt64) {
            self.origin = origin
            warmUpSchedule = WarmUpSchedule(intervalMilliseconds: keepWarmMilliseconds, seed: seed)
            warmUpSchedule.lost(now: .now())
        }
    }

    /// Beyond so many servers connections are made when they are needed: nobody is helped by thousands of handshakes at the start.
    static let warmOriginLimit = 64
    /// Warm-ups under way at once: each handshake takes a millisecond or two of this thread, and calls come first.
    static let warmUpLimit = 4
    /// How long a warm-up's request may go without an answer before its connection counts as dead.
    static let silenceMilliseconds = 2_000
    /// How long a request waits for a connection in the making before it makes its own.
    static let connectionWaitMilliseconds = 250

    /// Starts libcurl in this process, once. It is never ended: others may use it too, and our threads may outlive `main`.
    private static let isLibraryReady: Bool = {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else { return false }
        ExitGate.install()
        return true
    }()

    init(_ settings: ConnectionSettings) throws(PartnerBookingError) {
        wakeUp = try PartnerBookingError.resources(EventDescriptor.init)
        sockets = try CurlSockets(originCount: settings.origins.count)
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw .resource("libcurl could not be started")
        }
        self.multi = multi
        self.settings = settings
        var seed = SystemRandomNumberGenerator()
        origins = settings.origins.enumerated().map { place, origin in
            let interval = place < Self.warmOriginLimit ? settings.keepWarmMilliseconds : 0
            return Origin(origin, keepWarmMilliseconds: interval, seed: seed.next())
        }
        warmOrigins = origins.prefix(Self.warmOriginLimit)
        // libcurl's own measure, four for each handle added, throws connections away at the end of every burst of calls. Those kept
        // warm to other servers come on top, else they would push each other out.
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(2, settings.maxConnections) + max(0, warmOrigins.count - 1))
        limitConnections(to: settings.maxConnections)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, settings.maxStreamsPerConnection)
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        if idle.isEmpty { recycle() }
        guard let transfer = idle.popLast() ?? CurlTransfer(settings, sockets) else { return .resource("A transfer handle") }
        let origin = origins[request.target.origin.number]
        transfer.setWaitsForConnection(shouldWaitForConnection(to: origin))
        transfer.use(origin.pool)
        guard transfer.prepare(id, request), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            return .resource("Memory for a transfer")
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
        // Its connection may be gone with it (HTTP/1.1), or dead (it has not said a word).
        if transfer.isSilent { origin(of: transfer)?.warmUpSchedule.lost(now: .now()) }
        let abandoned = transfer.abandon(isOverdue: isOverdue)
        end(transfer)
        return abandoned
    }

    private func end(_ transfer: CurlTransfer) {
        curl_multi_remove_handle(multi, transfer.easy)
        ended.append(transfer)
        if let origin = transfer.origin { sockets.noteChange(of: origin.number) }
    }

    func partialReply(_ id: TransferID) -> HTTPReply? { running[id]?.partialReply }

    func distrust(_ id: TransferID) {
        guard let transfer = running[id] else { return }
        if transfer.isSilent { origin(of: transfer)?.warmUpSchedule.lost(now: .now()) }
        distrust(transfer)
    }

    /// Moves new requests to another pool, if possible one without a silent transfer. libcurl reuses an HTTP/2 connection
    /// as long as a transfer is open on it, even if it is dead.
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

    private func origin(of transfer: CurlTransfer) -> Origin? {
        transfer.origin.flatMap { origins.indices.contains($0.number) ? origins[$0.number] : nil }
    }

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        recycle()
        let now = MonotonicTime.now()
        var warmUps = warmOrigins.count { $0.warmUp != nil }
        for origin in warmOrigins { tendWarmUp(origin, &warmUps, now) }
        releaseOverdue(now)
        var stillRunning: Int32 = 0
        curl_multi_perform(multi, &stillRunning)
        var endedAt: MonotonicTime?
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)  // read before the handle is removed: the message goes with it
            guard let transfer = CurlTransfer.of(easy) else { continue }
            if let origin = origin(of: transfer), transfer === origin.warmUp?.transfer {
                endWarmUp(origin, isWarm: code == CURLE_OK, now)
                continue
            }
            if code == CURLE_ABORTED_BY_CALLBACK, transfer.passesUnreadBytes, running[transfer.id] != nil {
                // Nothing was sent, and libcurl has closed this HTTP/1.1 connection. Try the next one.
                curl_multi_remove_handle(multi, easy)
                curl_multi_add_handle(multi, easy)
                continue
            }
            guard running.removeValue(under: transfer.id) != nil else { continue }
            let moment = endedAt ?? .now()
            endedAt = moment
            finished.append(
                FinishedTransfer(
                    id: transfer.id, result: transfer.result(code), sendings: transfer.sendings, endedAt: moment,
                    timing: transfer.timing()))
            if code == CURLE_OK, let origin = origin(of: transfer) { noteUse(of: origin, by: transfer, now) }
            end(transfer)
        }
        if stillRunning > 0 { collectUnendedReplies(&finished, now) }
        if origins.count > 1 { wakeWaiting() }
    }

    /// Restarts transfers that wait for a connection to a server whose connections have changed: the oldest one, or all of
    /// them if they can share it.
    ///
    /// libcurl keeps one list of waiting transfers for all servers and wakes only its first one, so transfers to a server
    /// that hangs would hold up all others (https://github.com/curl/curl/pull/2383). This can go when libcurl wakes by host.
    private func wakeWaiting() {
        for number in sockets.drainChanged() where origins.indices.contains(number) {
            let waiting = running.values.filter { $0.origin?.number == number && $0.isWaitingForConnection }
            let isShared = origins[number].isMultiplexed ?? true  // as long as nobody knows, they wait in the hope of that
            for transfer in isShared ? waiting : waiting.min(by: { $0.id < $1.id }).map({ [$0] }) ?? [] {
                curl_multi_remove_handle(multi, transfer.easy)
                curl_multi_add_handle(multi, transfer.easy)
            }
        }
    }

    /// Ends transfers that have a whole reply and stay silent.
    ///
    /// A service may answer in full before it has read the request, for example with 401 or 429. Over HTTP/2 libcurl 7.88
    /// may then never end the transfer (https://github.com/curl/curl/issues/10433). This can go when 8.0 is the oldest
    /// supported version.
    private func collectUnendedReplies(_ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime) {
        guard now >= nextLook else { return }
        nextLook = now.adding(milliseconds: CurlTransfer.quietMilliseconds)
        for transfer in running.values where transfer.hasWholeReply(now) {
            let id = transfer.id
            if let abandoned = cancel(id, isOverdue: false), let reply = abandoned.partialReply {
                finished.append(
                    FinishedTransfer(
                        id: id, result: .reply(reply), sendings: abandoned.sendings, endedAt: now,
                        timing: abandoned.timing))
            }
        }
    }

    func wait(until moment: MonotonicTime?) {
        // libcurl shortens the wait to its own timers. An hour stands for "until something happens".
        let now = MonotonicTime.now()
        var longest = running.isEmpty ? 3_600_000 : CurlTransfer.quietMilliseconds
        var isIdle = running.isEmpty
        func wait(for moment: MonotonicTime?) {
            if let moment { longest = min(longest, moment.milliseconds(since: now)) }
        }
        wait(for: moment)
        // At the limit those that are due wait for one of them to end.
        let isAtLimit = warmOrigins.count { $0.warmUp != nil } >= Self.warmUpLimit
        for origin in warmOrigins {
            if let warmUp = origin.warmUp {
                isIdle = false
                wait(for: warmUp.deadline)
            } else if !isAtLimit {
                wait(for: origin.warmUpSchedule.next)
            }
        }
        let input = Int16(CURL_WAIT_POLLIN)
        var descriptors = (
            curl_waitfd(fd: wakeUp.descriptor, events: input, revents: 0),
            curl_waitfd(fd: sockets.descriptor, events: input, revents: 0)
        )
        // Connections are watched over while nothing is under way; else libcurl finds out as it uses them, if there is no other
        // server that it may be busy with.
        withUnsafeMutableBytes(of: &descriptors) {
            let first = $0.assumingMemoryBound(to: curl_waitfd.self).baseAddress
            ExitGate.leave()
            let count: UInt32 = isIdle || origins.count > 1 ? 2 : 1
            _ = curl_multi_poll(multi, first, count, Int32(clamping: longest), nil)
            ExitGate.enter()
        }
        if descriptors.0.revents != 0 { wakeUp.clear() }
        guard descriptors.1.revents != 0 else { return }
        for number in sockets.drainClosed() where origins.indices.contains(number) {
            origins[number].warmUpSchedule.lost(now: .now())
        }
    }

    func wake() { wakeUp.signal() }

    func close() {
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.easy) }
        for origin in origins {
            if let warmUp = origin.warmUp { curl_multi_remove_handle(multi, warmUp.transfer.easy) }
            origin.warmUp = nil
        }
        running = CounterTable()
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
        while let transfer = ended.popLast() {
            guard transfer.isReusable && idle.count < Self.idleLimit else { continue }
            transfer.release()
            idle.append(transfer)
        }
    }
}

// MARK: - Warm connections

extension CurlTransport {
    /// Starts a warm-up when one is due, and ends one that was left without an answer.
    ///
    /// A HEAD request, because nothing else will do with libcurl 7.88: CURLOPT_CONNECT_ONLY leaves no connection for others to
    /// use, and curl_easy_upkeep, which would send an HTTP/2 ping, does nothing for the connections of a multi handle.
    private func tendWarmUp(_ origin: Origin, _ warmUps: inout Int, _ now: MonotonicTime) {
        if let current = origin.warmUp, current.deadline <= now {
            _ = current.transfer.abandon(isOverdue: true)
            endWarmUp(origin, isWarm: false, now)
            warmUps -= 1
        }
        guard warmUps < Self.warmUpLimit, origin.warmUpSchedule.begin(now: now) else { return }
        guard let transfer = CurlTransfer(settings, sockets), transfer.prepareWarmUp(origin.origin) else {
            origin.warmUpSchedule.ended(isWarm: false, now: now)
            return
        }
        transfer.use(origin.pool)
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            origin.warmUpSchedule.ended(isWarm: false, now: now)
            return
        }
        // A connection that is there is proved soon; one that is not has all the time to be made.
        let isConnected = sockets.hasConnection(to: origin.origin.number)
        let limit = (isConnected ? 0 : settings.connectTimeoutMilliseconds) + Self.silenceMilliseconds
        origin.warmUp = (transfer, now.adding(milliseconds: limit), isConnected)
        warmUps += 1
    }

    private func endWarmUp(_ origin: Origin, isWarm: Bool, _ now: MonotonicTime) {
        guard let (transfer, _, hadConnection) = origin.warmUp else { return }
        origin.warmUp = nil
        if isWarm { noteUse(of: origin, by: transfer, now) }
        origin.warmUpSchedule.ended(isWarm: isWarm, now: now)
        // What failed is the connection: the service may be well.
        if !isWarm && hadConnection { origin.warmUpSchedule.lost(now: now) }
        curl_multi_remove_handle(multi, transfer.easy)
    }

    private func noteUse(of origin: Origin, by transfer: CurlTransfer, _ now: MonotonicTime) {
        origin.warmUpSchedule.used(now: now)
        transfer.noteProtocol()
        origin.lastReleaseCount = 0
        guard transfer.isMultiplexed != origin.isMultiplexed || isLimitLifted else { return }
        origin.isMultiplexed = transfer.isMultiplexed
        isLimitLifted = false
        // Left to itself libcurl 7.88 makes hundreds of connections for a burst of calls that a handful could carry. It has one
        // limit for all servers, so that each of them has to do with it.
        let streams = settings.maxStreamsPerConnection
        let enough = (settings.maxInFlight + streams - 1) / streams + 1
        let areMultiplexed = origins.allSatisfy { $0.isMultiplexed ?? false }
        limitConnections(to: areMultiplexed ? min(enough, settings.maxConnections) : settings.maxConnections)
    }

    /// At least two: a booking in the background must not take the only one.
    private func limitConnections(to count: Int) {
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max(2, count))
    }

    /// Whether a request that finds no free connection waits for one in the making, which others could share, too. With a
    /// handshake half done it is the quickest to be had; and a burst of calls over HTTP/2 does not make a connection for each.
    private func shouldWaitForConnection(to origin: Origin) -> Bool {
        origin.isMultiplexed ?? origin.warmUp.map { !$0.transfer.mayHaveBeenSent } ?? false
    }

    /// One handshake that hangs must not hold up every call: who has waited for it long enough gets a connection of its own. Of many
    /// who wait it is one at first, then two, then four: most often the handshakes are slow because everybody makes one.
    private func releaseOverdue(_ now: MonotonicTime) {
        while let first = connectionWaiters.first, first.until <= now {
            _ = connectionWaiters.popFirst()
            guard let transfer = running[first.id], transfer.isWaitingForConnection, let origin = origin(of: transfer)
            else { continue }
            if origin.nextReleaseAt <= now {
                origin.lastReleaseCount = min(max(1, 2 * origin.lastReleaseCount), settings.maxInFlight)
                origin.releasesLeft = origin.lastReleaseCount
                origin.nextReleaseAt = now.adding(milliseconds: Self.connectionWaitMilliseconds)
            }
            guard origin.releasesLeft > 0 else {
                connectionWaiters.append((first.id, origin.nextReleaseAt))
                continue
            }
            origin.releasesLeft -= 1
            limitConnections(to: settings.maxConnections)  // the service may allow fewer streams than we thought
            isLimitLifted = true
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.setWaitsForConnection(false)
            curl_multi_add_handle(multi, transfer.easy)
        }
    }
}

extension TransferFailure {
    static var addressRefused: TransferFailure {
        let message = "The webhook's host has no public address, and \"private_hosts\" does not name it"
        return TransferFailure(code: .addressRefused, message: message, isRetryable: false)
    }

    static func resource(_ what: String) -> TransferFailure {
        TransferFailure(
            code: .resourceUnavailable, message: "\(what) could not be had", isRetryable: true)
    }
}
