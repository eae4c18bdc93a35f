/// The sandbox behind the transport's seam: a reply takes as long as the configuration says, and no network.
final class SandboxTransport: Transport {
    private var sandbox: Sandbox
    private let clinic: SandboxConfiguration
    private let openedAt = MonotonicTime.now()
    /// Replies on their way, in the order they were started, which is the order they are due.
    private var pending: [(id: TransferID, due: MonotonicTime, reply: HTTPReply)] = []
    private let isAwake = Monitor(false)

    init(_ clinic: SandboxConfiguration, searchPath: String, bookingPath: String) {
        self.clinic = clinic
        sandbox = Sandbox(clinic, searchPath: searchPath, bookingPath: bookingPath)
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        let now = MonotonicTime.now()
        let reply = sandbox.answer(request, now: clock(now))
        pending.append((id, now.adding(milliseconds: clinic.latencyMilliseconds), reply))
        return nil
    }

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return .none }
        pending.remove(at: index)
        return AbandonedTransfer(mayHaveBeenSent: true)
    }

    func prewarm() {}

    func finished() -> [FinishedTransfer] {
        let now = MonotonicTime.now()
        let count = pending.firstIndex { $0.due > now } ?? pending.count
        defer { pending.removeFirst(count) }
        return pending.prefix(count).map { FinishedTransfer(id: $0.id, result: .reply($0.reply)) }
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

    /// The clinic's clock, in seconds since 1970.
    private func clock(_ now: MonotonicTime) -> Int {
        guard let start = clinic.now else { return WallClock.seconds() }
        return start + now.milliseconds(since: openedAt) / 1_000
    }
}
