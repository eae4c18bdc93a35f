@testable import PartnerBooking

/// One client's way to the simulated service: a connection that carries all requests at once, as HTTP/2 does, made ahead and kept in
/// use as the library's own is.
final class SimulatedTransport: Transport {
    private enum Transfer {
        /// Until there is a connection.
        case waits(until: MonotonicTime, key: String?)
        /// Sent; without a result it has no end.
        case sent(at: MonotonicTime, (result: TransferResult, at: MonotonicTime)?)
        /// It failed, and perhaps never left.
        case failed(TransferFailure, at: MonotonicTime, wasSent: Bool = false)

        /// When something becomes of it by itself.
        var next: MonotonicTime? {
            switch self {
            case .waits(let moment, _), .failed(_, let moment, _): moment
            case .sent(_, let end): end?.at
            }
        }

        var sendings: Sendings? {
            switch self {
            case .sent(let moment, _): Sendings(at: moment)
            case .failed(_, let moment, let wasSent): wasSent ? Sendings(at: moment) : nil
            case .waits: nil
            }
        }

        /// How it has ended.
        func result(_ now: MonotonicTime) -> TransferResult? {
            switch self {
            case .sent(_, let end?) where end.at <= now: end.result
            case .failed(let failure, let moment, _) where moment <= now: .failure(failure)
            default: nil
            }
        }
    }

    /// The time, as whoever drives the client has it.
    var now: MonotonicTime
    private let service: SimulatedService
    private var schedule: WarmUpSchedule
    /// When the connection was there or will be; nil without one.
    private var isConnectedAt: MonotonicTime?
    private var transfers: [TransferID: Transfer] = [:]
    private var warmUp: (transfer: Transfer, deadline: MonotonicTime, hadConnection: Bool)?

    init(_ service: SimulatedService, seed: UInt64, _ now: MonotonicTime) {
        self.service = service
        self.now = now
        schedule = WarmUpSchedule(intervalMilliseconds: 30_000, seed: seed)
        schedule.lost(now: now)
    }

    /// When it has to be asked again.
    var next: MonotonicTime? {
        let warmUps = warmUp.map { [$0.transfer.next, $0.deadline] } ?? [schedule.next]
        return (transfers.values.map(\.next) + warmUps).compactMap { $0 }.min()
    }

    /// The service is gone, and what was under way with it.
    func connectionLost() {
        isConnectedAt = nil
        for (id, transfer) in transfers {
            transfers[id] = .failed(.simulated(.connectionLost), at: now, wasSent: transfer.sendings != nil)
        }
        schedule.lost(now: now)
    }

    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure? {
        transfers[id] = transfer(key: request.header("Idempotency-Key"))
        return nil
    }

    private func transfer(key: String?) -> Transfer {
        if isConnectedAt == nil { isConnectedAt = service.connect(now) }
        guard let ready = isConnectedAt else {
            let moment = now.adding(milliseconds: SimulatedService.roundTripMilliseconds)
            return .failed(.simulated(.connectFailed), at: moment)
        }
        return sending(.waits(until: ready, key: key))
    }

    /// Sends what has waited long enough.
    private func sending(_ transfer: Transfer) -> Transfer {
        guard case .waits(let ready, let key) = transfer, ready <= now else { return transfer }
        return .sent(at: now, service.take(key: key, now))
    }

    func perform(_ finished: inout FIFO<FinishedTransfer>) {
        tendWarmUp()
        for id in transfers.keys.sorted() {
            guard let transfer = transfers[id].map(sending) else { continue }
            transfers[id] = transfer
            guard let result = transfer.result(now) else { continue }
            transfers[id] = nil
            switch result {
            case .reply: schedule.used(now: now)
            case .failure: isConnectedAt = nil
            }
            finished.append(FinishedTransfer(id: id, result: result, sendings: transfer.sendings, endedAt: now))
        }
    }

    private func tendWarmUp() {
        if let current = warmUp {
            let transfer = sending(current.transfer)
            let result = transfer.result(now)
            guard result != nil || current.deadline <= now else {
                return warmUp = (transfer, current.deadline, current.hadConnection)
            }
            let isWarm = if case .reply = result { true } else { false }
            if !isWarm { isConnectedAt = nil }
            warmUp = nil
            schedule.ended(isWarm: isWarm, now: now)
            if !isWarm && current.hadConnection { schedule.lost(now: now) }
        }
        guard schedule.begin(now: now) else { return }
        let isConnected = isConnectedAt != nil
        let limit = (isConnected ? 0 : Self.connectMilliseconds) + CurlTransport.silenceMilliseconds
        warmUp = (transfer(key: nil), now.adding(milliseconds: limit), isConnected)
    }

    /// The default of `connect_timeout_ms`.
    private static let connectMilliseconds = 4_000

    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer? {
        guard let transfer = transfers.removeValue(forKey: id) else { return nil }
        if isOverdue {
            isConnectedAt = nil
            schedule.lost(now: now)
        }
        return AbandonedTransfer(sendings: transfer.sendings)
    }

    func sendings(_ id: TransferID) -> Sendings? { transfers[id]?.sendings }

    func partialReply(_ id: TransferID) -> HTTPReply? { nil }

    func distrust(_ id: TransferID) {
        isConnectedAt = nil
        schedule.lost(now: now)
    }

    func sendNoMore(_ id: TransferID) {}

    func prewarm() { schedule.wanted(now: now) }

    /// Nobody waits under a clock that is moved by hand.
    func wait(until moment: MonotonicTime?) {}
    func wake() {}
    func close() {}
}

extension HTTPRequest {
    fileprivate func header(_ name: String) -> String? {
        headers.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.utf8.count + 2)) }
    }
}
