/// Counters and log of one client. No line holds a key, a secret
/// or what callers told.
final class Observer: Sendable {
    /// nil: the configuration has `stats` false.
    let statistics: CallStatistics?
    let log: Log

    /// `statistics`: its own from now on.
    init(_ statistics: CallStatistics?) {
        self.statistics = statistics
        log = Log(statistics)
    }

    deinit { statistics?.free() }

    /// Counts and logs the end of a call. A success is counted already.
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

    /// Counts what `body` throws: the call was not accepted.
    func counting<Result>(
        _ kind: CallKind, _ body: () throws(PartnerBookingError) -> Result
    ) throws(PartnerBookingError) -> Result {
        do throws(PartnerBookingError) { return try body() } catch {
            refused(kind, error, tag: error.tag)
            throw error
        }
    }

    /// A call was not accepted.
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

    /// A tool call has ended. `answer`: nil when it failed.
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

    /// A booking whose call ended `unknown` is settled.
    func settled(_ result: CallResult, tag: String?) {
        let status = CallStatus(result)
        statistics?.settled(status)
        log.write(.info, "settled") { line in
            line.member("tag", ifAny: tag)
            line.member("status", status.name.description)
        }
    }

    /// The journal did not take a record.
    func journalFailed(_ message: String) {
        statistics?.count(.journalFailures)
        log.write(.error, "journal_failed") { $0.member("message", message) }
    }

    /// The host's store did not answer, or answered with an error.
    func ledgerFailed(_ message: String) {
        statistics?.count(.ledgerFailures)
        log.write(.error, "ledger_failed") { $0.member("message", message) }
    }

    /// A booking of an engine that has died is this client's now.
    func tookOver() {
        statistics?.count(.ledgerTakeovers)
        log.write(.info, "ledger_took_over") { _ in }
    }

    /// Another engine has taken a booking over.
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
