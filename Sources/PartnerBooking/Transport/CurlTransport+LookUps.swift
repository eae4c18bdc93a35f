import CCurl

/// The look-ups of names, which requests share.
extension CurlTransport {
    final class LookUp {
        let number: LookUpSchedule.LookUp
        let transfer: CurlTransfer

        init(_ number: LookUpSchedule.LookUp, _ transfer: CurlTransfer) { (self.number, self.transfer) = (number, transfer) }
    }

    /// The look-ups of names, kept by the transport. Each waiting request records its own wait.
    struct LookUps {
        var schedule = LookUpSchedule()
        var underWay: [LookUp] = []
        /// True when a request may wait for a look-up.
        var areAwaited = false
        var nextLook = MonotonicTime(nanoseconds: 0)
    }

    /// The interval between checks for due look-ups and overdue requests.
    private static let lookMilliseconds = 50

    /// Returns the number of the name to look up. A proxy has one name for all servers.
    private func name(_ transfer: CurlTransfer) -> Int { transfer.proxyHost == nil ? transfer.origin?.number ?? 0 : 0 }

    /// Takes a transfer that failed because of a look-up. Returns false for all others.
    func takeLookUp(
        _ transfer: CurlTransfer, _ code: CURLcode, _ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime
    ) -> Bool {
        if transfer.lookUp.isLookUp {
            endLookUp(transfer, code, &finished, now)
        } else if transfer.lookUp.isAwaited {
            curl_multi_remove_handle(multi, transfer.easy)
            transfer.awaitLookUp(now, atMost: settings.connectTimeoutMilliseconds)
            lookUps.areAwaited = true
            lookUps.nextLook = now
        } else {
            return false
        }
        return true
    }

    private func waiting(for name: Int? = nil) -> [CurlTransfer] {
        let warmUps = origins.compactMap { $0.warmUp?.transfer }
        return (running.values + warmUps).filter { $0.lookUp.isAwaited && (name == nil || self.name($0) == name) }
    }

    /// Starts look-ups that are due, and fails requests that have waited too long.
    func tendLookUps(_ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime) {
        guard now >= lookUps.nextLook else { return }
        lookUps.nextLook = now.adding(milliseconds: Self.lookMilliseconds)
        let waiting = waiting()
        for transfer in waiting where transfer.lookUp.until <= now {
            fail(transfer, CURLE_OPERATION_TIMEDOUT, &finished, now)
        }
        let left = waiting.filter { $0.lookUp.until > now }.sorted { $0.lookUp.until < $1.lookUp.until }
        lookUps.areAwaited = !left.isEmpty
        var names: [Int] = []
        for name in left.map(name) where !names.contains(name) { names.append(name) }
        for number in lookUps.schedule.begin(names, now: now) {
            if begin(number) { continue }
            lookUps.schedule.ended(number)
            for transfer in left where name(transfer) == number.name { fail(transfer, CURLE_OUT_OF_MEMORY, &finished, now) }
        }
    }

    private func begin(_ number: LookUpSchedule.LookUp) -> Bool {
        guard origins.indices.contains(number.name), let transfer = CurlTransfer(settings, sockets),
            transfer.prepareLookUp(origins[number.name].origin), curl_multi_add_handle(multi, transfer.easy) == CURLM_OK
        else { return false }
        lookUps.underWay.append(LookUp(number, transfer))
        return true
    }

    private func endLookUp(
        _ transfer: CurlTransfer, _ code: CURLcode, _ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime
    ) {
        curl_multi_remove_handle(multi, transfer.easy)
        guard let place = lookUps.underWay.firstIndex(where: { $0.transfer === transfer }) else { return }
        let number = lookUps.underWay.remove(at: place).number
        lookUps.schedule.ended(number)
        lookUps.nextLook = now
        // A look-up opens no socket, so this error means that the addresses are known.
        let isResolved = code == CURLE_COULDNT_CONNECT
        guard isResolved || !lookUps.schedule.isUnderWay(number.name) else { return }
        for transfer in waiting(for: number.name) {
            if isResolved { resume(transfer, now) } else { fail(transfer, code, &finished, now) }
        }
    }

    private func resume(_ transfer: CurlTransfer, _ now: MonotonicTime) {
        transfer.lookUpEnded(now)
        curl_multi_add_handle(multi, transfer.easy)
        if transfer.waitsForConnection {
            connectionWaiters.append((transfer.id, now.adding(milliseconds: Self.connectionWaitMilliseconds)))
        }
    }

    private func fail(
        _ transfer: CurlTransfer, _ code: CURLcode, _ finished: inout FIFO<FinishedTransfer>, _ now: MonotonicTime
    ) {
        transfer.lookUpEnded(now)
        if let origin = origin(of: transfer), transfer === origin.warmUp?.transfer {
            endWarmUp(origin, isWarm: false, now)
        } else if running.removeValue(under: transfer.id) != nil {
            finished.append(FinishedTransfer(id: transfer.id, result: transfer.result(code), endedAt: now))
            end(transfer)
        }
    }
}
