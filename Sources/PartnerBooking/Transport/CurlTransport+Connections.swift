import CCurl

/// Connections that are made and kept before requests need them.
extension CurlTransport {
    /// Starts a warm-up when one is due, and ends one that was left without an answer.
    ///
    /// A warm-up is a HEAD request, because libcurl 7.88 has nothing better.
    /// CURLOPT_CONNECT_ONLY leaves no connection for others to use. curl_easy_upkeep would
    /// send an HTTP/2 ping, but does nothing for the connections of a multi handle.
    func tendWarmUp(_ origin: Origin, _ now: MonotonicTime) {
        if let current = origin.warmUp, current.deadline <= now {
            _ = current.transfer.abandon(isOverdue: true)
            endWarmUp(origin, isWarm: false, now)
        }
        guard warmUpCount < Self.warmUpLimit, !(origin.ban?.isActive(now) ?? false), origin.warmUpSchedule.begin(now: now)
        else { return }
        guard let transfer = CurlTransfer(settings, sockets), transfer.prepareWarmUp(origin.origin) else {
            origin.warmUpSchedule.ended(isWarm: false, now: now)
            return
        }
        transfer.use(origin.pool)
        guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
            origin.warmUpSchedule.ended(isWarm: false, now: now)
            return
        }
        // An open connection must answer soon. A new one also gets the time to be made.
        let isConnected = sockets.hasConnection(to: origin.origin.number)
        let limit = (isConnected ? 0 : settings.connectTimeoutMilliseconds) + Self.silenceMilliseconds
        origin.warmUp = (transfer, now.adding(milliseconds: limit), isConnected)
        warmUpCount += 1
    }

    func endWarmUp(_ origin: Origin, isWarm: Bool, _ now: MonotonicTime) {
        guard let (transfer, _, hadConnection) = origin.warmUp else { return }
        origin.warmUp = nil
        warmUpCount -= 1
        if isWarm {
            noteUse(of: origin, by: transfer, now)
        }
        origin.warmUpSchedule.ended(isWarm: isWarm, now: now)
        // The connection has failed, but the service may be well.
        if !isWarm && hadConnection { origin.warmUpSchedule.lost(now: now) }
        curl_multi_remove_handle(multi, transfer.easy)
    }

    func noteUse(of origin: Origin, by transfer: CurlTransfer, _ now: MonotonicTime) {
        origin.warmUpSchedule.used(now: now)
        origin.lastReleaseCount = 0
        guard transfer.isMultiplexed != origin.isMultiplexed || isLimitLifted else { return }
        origin.isMultiplexed = transfer.isMultiplexed
        isLimitLifted = false
        // Without a limit, libcurl 7.88 makes hundreds of connections for a burst of calls that a
        // handful could carry. libcurl has one limit for all servers, so it must suit each of them.
        let streams = settings.maxStreamsPerConnection
        let enough = (settings.maxInFlight + streams - 1) / streams + 1
        let areMultiplexed = origins.allSatisfy { $0.isMultiplexed ?? false }
        limitConnections(to: areMultiplexed ? min(enough, settings.maxConnections) : settings.maxConnections)
    }

    /// Ends the transfers to servers that have flooded this client, and makes no connection to
    /// them for a while. Otherwise each new connection would be flooded again, and all other
    /// calls would wait.
    func banFlooders(_ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime) {
        for number in sockets.open.takeCut() where origins.indices.contains(number) {
            let origin = origins[number]
            origin.ban = origin.ban ?? FloodBan()
            origin.ban?.flooded(now: now)
            if origin.warmUp != nil { endWarmUp(origin, isWarm: false, now) }
            for transfer in running.values where transfer.origin?.number == number {
                running.removeValue(under: transfer.id)
                finished.append(
                    FinishedTransfer(
                        id: transfer.id, result: .failure(.flooded), sendings: transfer.sendings, endedAt: now,
                        timing: transfer.timing()))
                end(transfer)
            }
        }
    }

    /// Limits the connections to each server, to at least two. A booking in the background
    /// must not take the only one.
    func limitConnections(to count: Int) {
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, max(2, count))
    }

    /// Returns true when a request without a free connection should wait for a sharable
    /// connection that is being made. Waiting for a half-done handshake is fastest. A burst of
    /// calls over HTTP/2 then does not make a connection for each call.
    func shouldWaitForConnection(to origin: Origin) -> Bool {
        origin.isMultiplexed ?? origin.warmUp.map { !$0.transfer.mayHaveBeenSent } ?? false
    }

    /// Gives requests that have waited long enough for a handshake a connection of their own.
    /// So a hanging handshake does not hold up every call. Releases one request at first, then
    /// two, then four, because handshakes are mostly slow when there are many.
    func releaseOverdue(_ now: MonotonicTime) {
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
            limitConnections(to: settings.maxConnections)  // the service may allow fewer streams than expected
            isLimitLifted = true
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.setWaitsForConnection(false)
            curl_multi_add_handle(multi, transfer.easy)
        }
    }
}
