/// The host's store of bookings, which the engines of a fleet share: docs/ledger-protocol.md.
public struct LedgerOptions: Sendable {
    /// The handler of batches: a batch's number, and its operations as JSON. It runs on the
    /// client's ledger thread, and may block.
    let handler: HostLedger.Handler?

    /// Hands each batch to `handler`. Answer the batch with `answerLedger`, in `handler` or
    /// later.
    public init(handler: @escaping @Sendable (_ batch: UInt64, _ json: [UInt8]) -> Void) { self.handler = handler }

    private init() { handler = nil }

    /// Options for a host that takes the batches itself, with `nextLedgerBatch`.
    public static let pulled = LedgerOptions()
}

/// The result of `nextLedgerBatch`.
public enum LedgerBatch: Sendable {
    /// A batch of operations as JSON, with its number.
    case batch(UInt64, [UInt8])
    /// No batch came in time.
    case timedOut
    /// The client is closed. No more batches will come.
    case closed
}

extension PartnerBookingClient {
    /// Opens a client whose bookings are in the host's store. Waits for no network and no
    /// store.
    ///
    /// - Parameters:
    ///   - json: The configuration as docs/json-contract.md describes it, UTF-8. A journal is
    ///     not allowed beside a store.
    ///   - ledger: The host's way to get the batches of operations.
    /// - Throws: `invalidJSON` or `invalidConfig`, which name the fault. `resourceUnavailable`.
    public convenience init(json: [UInt8], ledger: LedgerOptions) throws(PartnerBookingError) {
        try self.init(json: json, ledger: Optional(ledger))
    }

    /// Opens a client whose bookings are in the host's store. Waits for no network and no
    /// store.
    ///
    /// - Parameters:
    ///   - configuration: Without a `journal`. Its `ledger` has scope and lease.
    ///   - ledger: The host's way to get the batches of operations.
    /// - Throws: `invalidConfig`, which names the fault. `resourceUnavailable`.
    public convenience init(configuration: ClientConfiguration, ledger: LedgerOptions) throws(PartnerBookingError) {
        var json = configuration.json
        defer { json.withUnsafeMutableBytes(wipe) }  // it contains the API key or webhook secrets
        try self.init(json: json, ledger: ledger)
    }

    /// Answers a batch of operations, once. Any thread may call it, also inside the handler.
    ///
    /// - Parameters:
    ///   - batch: The number of the batch.
    ///   - json: The results as docs/ledger-protocol.md describes them, UTF-8. At most 64 MiB.
    /// - Throws: `invalidJSON` or `invalidArgument` for a wrong answer: the batch stays open.
    ///   `invalidArgument` also when the batch is not open, or the client has no ledger.
    ///   `clientClosed`.
    public func answerLedger(batch: UInt64, json: [UInt8]) throws(PartnerBookingError) {
        try host().answer(batch, json)
    }

    /// Waits for the next batch of operations. Answer the batch with `answerLedger`.
    ///
    /// - Parameter timeout: The longest wait. nil means no limit.
    /// - Throws: `invalidArgument` when the client hands its batches to a handler, or has no
    ///   ledger.
    @available(*, noasync, message: "It blocks its thread")
    public func nextLedgerBatch(timeout: Duration?) throws(PartnerBookingError) -> LedgerBatch {
        let host = try host()
        guard host.isPulled else { throw .argument(ErrorMessage.batchesPushed) }
        let moment = timeout.map { MonotonicTime.now().adding(milliseconds: $0.wholeMilliseconds) }
        switch host.nextBatch(until: moment) {
        case .batch(let number, let json): return .batch(number, json)
        case .timedOut: return .timedOut
        case .closed: return .closed
        }
    }

    private func host() throws(PartnerBookingError) -> HostLedger {
        guard let host = ledger.host else { throw .argument(ErrorMessage.noLedger) }
        return host
    }
}

/// The threads that must not block.
extension PartnerBookingClient {
    /// True on a thread that a close would wait for: any client's transfer thread, or this
    /// client's ledger thread.
    package var isOnOwnThread: Bool { Thread.isCallbackThread || ledger.host?.isHandling ?? false }

    /// True on the transfer thread of any client. Handlers run there: nothing may wait.
    package static var isCallbackThread: Bool { Thread.isCallbackThread }
}
