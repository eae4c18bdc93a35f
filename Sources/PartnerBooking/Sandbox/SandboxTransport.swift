/// The transport of the sandbox. It uses no network, and a reply takes the configured time.
final class SandboxTransport: Transport {
    /// A request on its way to the clinic.
    private struct Arrival {
        let id: TransferID
        let request: HTTPRequest
        let fault: SandboxFault.Kind?
        let due: MonotonicTime
    }

    /// The sandbox, behind a lock because other threads read its bookings.
    let sandbox: Monitor<Sandbox>
    let clock: ServiceClock
    private let latencyMilliseconds: Int
    private var faults: [CallOperation: SandboxFaults] = [:]
    /// Transfers that have not ended.
    private var sent: [TransferID: Sendings] = [:]
    /// Requests on their way, in the order of their due times. They reach the clinic even if no
    /// call waits for the reply any more.
    private var arrivals: [Arrival] = []
    /// Results on their way, in the order of their due times.
    private var pending: [(id: TransferID, due: MonotonicTime, result: TransferResult)] = []
    private let isAwake = Monitor(false)

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        clock = ServiceClock(startingAt: clinic.now)
        latencyMilliseconds = clinic.latencyMilliseconds
        for (number, operation) in [CallOperation.createBooking, .searchAvailability, .lookupCustomer].enumerated() {
            let own = clinic.faults.filter { $0.operation == operation }
            // Each operation has its own random numbers, so that searches do not change bookings.
            faults[operation] = SandboxFaults(own, seed: UInt64(clinic.seed) &+ UInt64(number) << 32)
        }
        sandbox = Monitor(Sandbox(clinic, settings))
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        let now = MonotonicTime.now()
        sent[id] = Sendings(at: now)
        let fault = sandbox.withLock { $0.operation(of: request) }.flatMap { faults[$0]?.next() }
        if case .queues(let milliseconds) = fault {
            add(Arrival(id: id, request: request, fault: nil, due: now.adding(milliseconds: milliseconds)))
        } else {
            receive(Arrival(id: id, request: request, fault: fault, due: now))
        }
        return nil
    }

    /// Delivers a request to the clinic. The time there is the due time.
    private func receive(_ arrival: Arrival) {
        let moment = arrival.due
        let time = clock.seconds(at: moment)
        let outcome: SandboxOutcome? = sandbox.withLock { sandbox in
            if let end = sandbox.workEnd(for: arrival.request, at: moment) {
                add(Arrival(id: arrival.id, request: arrival.request, fault: arrival.fault, due: end))
                return nil
            }
            return SandboxOutcome(of: arrival.request, in: &sandbox, now: time, at: moment, arrival.fault)
        }
        guard let outcome, sent[arrival.id] != nil else { return }
        let due = moment.adding(milliseconds: latencyMilliseconds + outcome.delayMilliseconds)
        let place = pending.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        pending.insert((arrival.id, due, outcome.result), at: place)
    }

    private func add(_ arrival: Arrival) {
        let place = arrivals.lastIndex { $0.due <= arrival.due }.map { $0 + 1 } ?? 0
        arrivals.insert(arrival, at: place)
    }

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer? {
        guard let sendings = sent.removeValue(forKey: id) else { return nil }
        pending.removeAll { $0.id == id }
        return AbandonedTransfer(sendings: sendings)
    }

    func sendings(_ id: TransferID) -> Sendings? { sent[id] }

    func partialReply(_ id: TransferID) -> HTTPReply? { nil }

    func distrust(_ id: TransferID) {}

    func sendNoMore(_ id: TransferID) {}

    func prewarm() {}

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        let now = MonotonicTime.now()
        while let next = arrivals.first, next.due <= now {
            arrivals.removeFirst()
            receive(next)
        }
        let count = pending.firstIndex { $0.due > now } ?? pending.count
        for transfer in pending.prefix(count) {
            finished.append(
                FinishedTransfer(
                    id: transfer.id, result: transfer.result, sendings: sent.removeValue(forKey: transfer.id), endedAt: now))
        }
        pending.removeFirst(count)
    }

    func wait(until moment: MonotonicTime?) {
        let earliest = [moment, pending.first?.due, arrivals.first?.due].compactMap { $0 }.min()
        ExitGate.leave()
        _ = isAwake.wait(until: earliest) { isAwake in
            defer { isAwake = false }
            return isAwake ? () : nil
        }
        ExitGate.enter()
    }

    func wake() { isAwake.update { $0 = true } }

    func close() { (sent, arrivals, pending) = ([:], [], []) }
}
