/// The sandbox behind the transport's seam: a reply takes as long as the configuration says, and no network.
final class SandboxTransport: Transport {
    /// Its books are read by others, too.
    let sandbox: Monitor<Sandbox>
    private let clinic: SandboxSettings
    private var faults: SandboxFaults
    private let openedAt = MonotonicTime.now()
    /// Results on their way, in the order in which they are due.
    private var pending: [(id: TransferID, sendings: Sendings, due: MonotonicTime, result: TransferResult)] = []
    private let isAwake = Monitor(false)

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        faults = SandboxFaults(clinic.faults, seed: UInt64(clinic.seed))
        sandbox = Monitor(Sandbox(clinic, settings))
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        let now = MonotonicTime.now()
        let time = clock(now)
        let (result, delay): (TransferResult, Int) = sandbox.withLock { sandbox in
            func answer(after delay: Int = 0, madeAt: MonotonicTime? = nil) -> (TransferResult, Int) {
                (.reply(sandbox.answer(request, now: time, madeAt: madeAt ?? now)), delay)
            }
            guard sandbox.isBooking(request), let fault = faults.next() else { return answer() }
            switch fault {
            case .loseRequest: return (Self.connectionLost, 0)
            case .loseReply:
                _ = answer()
                return (Self.connectionLost, 0)
            case .late(let milliseconds): return answer(after: milliseconds)
            case .error(let status, let code): return (Self.failed(status, code), 0)
            case .errorAfter(let status):
                _ = answer()
                return (Self.failed(status), 0)
            case .ownConflict:
                _ = answer()
                return (Self.failed(409, "slot_unavailable"), 0)
            case .works(let milliseconds, let status):
                let result = answer(after: milliseconds, madeAt: now.adding(milliseconds: milliseconds))
                return status.map { (Self.failed($0), 0) } ?? result
            case .declined: return (Self.booking("declined", startAt: nil), 0)
            case .otherBooking:
                _ = answer()
                return (Self.booking("confirmed", startAt: "2001-01-01T00:00:00Z"), 0)
            case .emptyBooking:
                _ = answer()
                return (.reply(HTTPReply(status: 201, body: Array(#"{"booking":{}}"#.utf8))), 0)
            case .slowDuplicate(let milliseconds):
                _ = answer()
                return answer(after: milliseconds)
            case .inProgress(let milliseconds):
                _ = answer()
                sandbox.hold(request, until: now.adding(milliseconds: milliseconds))
                return answer()
            }
        }
        let due = now.adding(milliseconds: clinic.latencyMilliseconds + delay)
        let place = pending.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        pending.insert((id, Sendings(at: now), due, result), at: place)
        return nil
    }

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer? {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return nil }
        return AbandonedTransfer(sendings: pending.remove(at: index).sendings)
    }

    func sendings(_ id: TransferID) -> Sendings? { pending.first { $0.id == id }?.sendings }

    func partialReply(_ id: TransferID) -> HTTPReply? { nil }

    func distrust(_ id: TransferID) {}

    func sendNoMore(_ id: TransferID) {}

    func prewarm() {}

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        let now = MonotonicTime.now()
        let count = pending.firstIndex { $0.due > now } ?? pending.count
        for transfer in pending.prefix(count) {
            finished.append(
                FinishedTransfer(
                    id: transfer.id, result: transfer.result, sendings: transfer.sendings, endedAt: now))
        }
        pending.removeFirst(count)
    }

    func wait(until moment: MonotonicTime?) {
        let due = pending.first?.due
        let earliest = [moment, due].compactMap { $0 }.min()
        ExitGate.leave()
        _ = isAwake.wait(until: earliest) { isAwake in
            defer { isAwake = false }
            return isAwake ? () : nil
        }
        ExitGate.enter()
    }

    func wake() { isAwake.update { $0 = true } }

    func close() { pending = [] }

    private static var connectionLost: TransferResult {
        .failure(
            TransferFailure(
                code: .connectionLost, message: "The sandbox broke the connection", isRetryable: true))
    }

    private static func booking(_ status: String, startAt: String?) -> TransferResult {
        let body = JSONWriter.object {
            $0.object("booking") { booking in
                booking.member("id", "bkg_scripted")
                booking.member("status", status)
                if let startAt { booking.member("start_at", startAt) }
            }
        }
        return .reply(HTTPReply(status: 201, body: body))
    }

    private static func failed(_ status: Int, _ code: String = "scripted_error") -> TransferResult {
        let body = JSONWriter.object {
            $0.object("error") { error in
                error.member("code", code)
                error.member("message", "The sandbox was told to answer this")
            }
        }
        return .reply(HTTPReply(status: status, body: body))
    }

    /// The clinic's clock, in seconds since 1970.
    private func clock(_ now: MonotonicTime) -> Int {
        guard let start = clinic.now else { return WallClock.seconds() }
        return start + now.milliseconds(since: openedAt) / 1_000
    }
}
