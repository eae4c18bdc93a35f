/// The counters and log of one client's calls, attempts and breakers, except plain successes.
/// Used on the transfer thread only.
final class CallWatch {
    private let observer: Observer
    private let statistics: CallStatistics?
    /// True when a breaker is open, or may have opened.
    private(set) var mayHaveBreakers = false
    private var openBreakers: Set<Int> = []

    init(_ observer: Observer) {
        self.observer = observer
        statistics = observer.statistics
    }

    // MARK: Calls

    /// Counts and logs a call that ends with `event`. A success is counted already.
    @inline(never)
    func ended(_ call: Call, _ event: CallCompletion.Event, _ now: MonotonicTime, attempts: Int) {
        guard case .done(let result) = event else { return }
        observer.ended(
            CallKind(call.request.operation), result, microseconds: now.microseconds(since: call.submittedAt),
            attempts: attempts, call.identify)
    }

    /// Counts and logs a slow call.
    func slow(_ call: Call) {
        statistics?.count(.slow)
        observer.log.write(.info, "call_slow") { call.identify(&$0) }
    }

    // MARK: Attempts

    /// Counts and logs an abandoned attempt: no call waits for it, or its time is over.
    func abandoned(_ id: TransferID, _ table: ExchangeTable) {
        mayHaveBreakers = true
        statistics?.attemptEnded(.abandoned)
        observer.log.write(.info, "attempt_abandoned") { line in table.reads(id) { write(id, $0, &line) } }
    }

    /// Counts and logs a retry after a pause.
    func paused(_ id: TransferID, until moment: MonotonicTime, _ now: MonotonicTime, _ table: ExchangeTable) {
        statistics?.count(.retries)
        observer.log.write(.info, "retry") { line in
            table.reads(id) { write(id, $0, &line) }
            line.member("after_ms", max(0, moment.milliseconds(since: now)))
        }
    }

    /// Counts and logs breakers that opened or closed since the last look.
    @inline(never)
    func look(at services: [ServiceHealth]) {
        for (service, health) in services.enumerated() where health.breaker.isOpen != openBreakers.contains(service) {
            let isOpened = health.breaker.isOpen
            if isOpened { openBreakers.insert(service) } else { openBreakers.remove(service) }
            statistics?.set(.breakersOpen, to: openBreakers.count)
            if isOpened { statistics?.count(.breakersOpened) }
            observer.log.write(isOpened ? .warning : .info, isOpened ? "breaker_opened" : "breaker_closed") { line in
                line.member("breakers_open", openBreakers.count)
            }
        }
        mayHaveBreakers = !openBreakers.isEmpty
    }

    /// Counts and logs an ended attempt that is not counted yet.
    @inline(never)
    func ended(_ transfer: FinishedTransfer, isSuccess: Bool, _ exchange: borrowing Exchange) {
        // A whole answer counts, even if the connection broke after it.
        let result = isSuccess ? .success : transfer.attempt
        mayHaveBreakers = mayHaveBreakers || result != .success
        statistics?.attemptEnded(result)
        if let timing = transfer.timing {
            statistics?.count(timing.isConnectionReused ? .connectionsReused : .connectionsOpened)
        }
        observer.log.write(result == .success ? .debug : .info, "attempt_ended") { line in
            write(transfer.id, exchange, &line)
            line.member("result", result.name.description)
            switch transfer.result {
            case .reply(let reply): line.member("http_status", reply.status)
            case .failure(let failure):
                line.member("curl_code", ifAny: failure.curlCode)
                line.member("message", failure.message)
            }
            if let timing = transfer.timing { write(timing, &line) }
        }
    }

    private func write(_ id: TransferID, _ exchange: borrowing Exchange, _ line: inout JSONWriter) {
        line.member("ticket", Int(clamping: id.rawValue))
        line.member("tag", ifAny: exchange.request.tag)
        line.member("operation", exchange.request.operation.rawValue)
        line.member("attempt", exchange.attempts)
    }

    private func write(_ timing: AttemptTiming, _ line: inout JSONWriter) {
        line.member("connection_reused", timing.isConnectionReused)
        line.member("http_version", ifAny: timing.httpVersion)
        if !timing.isConnectionReused {
            line.member("dns_ms", timing.dnsMicroseconds / 1_000)
            line.member("connect_ms", timing.connectMicroseconds / 1_000)
            line.member("tls_ms", timing.tlsMicroseconds / 1_000)
        }
        line.member("first_byte_ms", timing.firstByteMicroseconds / 1_000)
    }
}

extension FinishedTransfer {
    fileprivate var attempt: CallStatistics.Attempt {
        switch result {
        case .reply(let reply): .init(httpStatus: reply.status)
        case .failure(let failure): .init(failure.code)
        }
    }
}

extension Call {
    /// Writes the members that identify a call in a log line.
    func identify(_ line: inout JSONWriter) {
        line.member("ticket", Int(clamping: ticket.rawValue))
        line.member("tag", ifAny: request.tag)
        line.member("operation", request.operation.rawValue)
    }
}
