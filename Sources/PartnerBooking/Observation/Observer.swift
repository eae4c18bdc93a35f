/// The counters and log of one client. No line contains a key, a secret or the words of a caller.
final class Observer: Sendable {
    /// The counters. nil when the configuration sets `stats` to false.
    let statistics: CallStatistics?
    let log: Log

    /// Takes ownership of `statistics`.
    init(_ statistics: CallStatistics?) {
        self.statistics = statistics
        log = Log(statistics)
    }

    deinit { statistics?.free() }

    /// Counts a failed call, and logs the end of any call. A success is counted already.
    func ended(_ kind: CallKind, _ result: CallResult, microseconds: Int, attempts: Int?, _ name: (inout JSONWriter) -> Void)
    {
        if case .failure(let error) = result { count(error, of: kind, microseconds) }
        log.write(Self.level(of: result), "call_ended") { line in
            name(&line)
            line.member("status", CallStatus(result).name.description)
            if case .failure(let error) = result { line.member("outcome", ifAny: error.outcome?.rawValue) }
            line.member("total_ms", microseconds / 1_000)
            line.member("attempts", ifAny: attempts)
        }
    }

    /// Counts and logs the error that `body` throws. The call was then not accepted.
    func counting<Result>(
        _ kind: CallKind, _ body: () throws(PartnerBookingError) -> Result
    ) throws(PartnerBookingError) -> Result {
        do throws(PartnerBookingError) { return try body() } catch {
            refused(kind, error, tag: error.tag)
            throw error
        }
    }

    /// Counts and logs a call that was not accepted.
    func refused(_ kind: CallKind, _ error: PartnerBookingError, tag: String?) {
        count(error, of: kind, 0)
        log.write(Self.level(of: .failure(error)), "call_refused") { line in
            line.member("tag", ifAny: tag)
            line.member("operation", kind.rawValue)
            line.member("status", error.callStatus.name.description)
        }
    }

    private func count(_ error: PartnerBookingError, of kind: CallKind, _ microseconds: Int) {
        statistics?.ended(kind, error.callStatus, microseconds: microseconds)
        if kind == .createBooking, let outcome = error.outcome { statistics?.failed(outcome) }
    }

    /// Counts and logs the end of a tool call. `answer` is nil when the call failed.
    func toolEnded(
        _ tool: ToolRequest.Tool?, _ answer: ToolReply.Result?, _ result: CallResult, _ microseconds: Int, attempts: Int,
        ticket: CallTicket, tag: String?
    ) {
        if case .success = result { statistics?.ended(.callTool, .ok, microseconds: microseconds) }
        if let answer { statistics?.answered(tool, answer) }
        ended(.callTool, result, microseconds: microseconds, attempts: attempts) { line in
            line.member("ticket", Int(clamping: ticket.rawValue))
            line.member("tag", ifAny: tag)
            line.member("operation", CallKind.callTool.rawValue)
            line.member("tool", ifAny: tool?.rawValue)
            line.member("result", ifAny: answer?.rawValue)
        }
    }

    /// Counts and logs a booking that is settled after its call ended `unknown`.
    func settled(_ result: CallResult, tag: String?) {
        let status = CallStatus(result)
        statistics?.settled(status)
        log.write(.info, "settled") { line in
            line.member("tag", ifAny: tag)
            line.member("status", status.name.description)
        }
    }

    /// Counts and logs a record that the journal did not take.
    func journalFailed(_ message: String) {
        statistics?.count(.journalFailures)
        log.write(.error, "journal_failed") { $0.member("message", message) }
    }

    /// Counts and logs a failure of the host's store: no answer, or an error.
    func ledgerFailed(_ message: String) {
        statistics?.count(.ledgerFailures)
        log.write(.error, "ledger_failed") { $0.member("message", message) }
    }

    /// Counts and logs a booking that this client has taken over from a dead engine.
    func tookOver() {
        statistics?.count(.ledgerTakeovers)
        log.write(.info, "ledger_took_over") { _ in }
    }

    /// Counts and logs a booking that another engine has taken over.
    func leaseLost() {
        statistics?.count(.ledgerLeasesLost)
        log.write(.warning, "ledger_lease_lost") { _ in }
    }

    private static func level(of result: CallResult) -> LogLevel {
        guard case .failure(let error) = result else { return .debug }
        if error.outcome == .unknown { return .warning }
        switch error.code {
        case .journalUnavailable, .resourceUnavailable, .queueFull, .ledgerFull: return .error
        default: return .info
        }
    }
}
