/// The host's store of bookings, which the engines of a fleet share: docs/ledger-protocol.md.
public struct LedgerOptions: Sendable {
    /// Takes a batch of operations as JSON, with its number. Runs on the client's ledger thread. It
    /// may block.
    let handler: HostLedger.Handler?

    /// The client hands each batch to `handler`. Answer it with `answerLedger`, in `handler` or
    /// later.
    public init(handler: @escaping @Sendable (_ batch: UInt64, _ json: [UInt8]) -> Void) { self.handler = handler }

    private init() { handler = nil }

    /// The host takes the batches by itself, with `nextLedgerBatch`.
    public static let pulled = LedgerOptions()
}

/// The result of `nextLedgerBatch`.
public enum LedgerBatch: Sendable {
    /// A batch of operations as JSON, with its number.
    case batch(UInt64, [UInt8])
    /// None came in time.
    case timedOut
    /// The client is closed. No more batches will come.
    case closed
}

extension PartnerBookingClient {
    /// Opens a client whose bookings are in a store of the host's. Waits for neither network nor
    /// store.
    ///
    /// - Parameters:
    ///   - json: The configuration as docs/json-contract.md describes it, UTF-8. A journal is not possible beside a store.
    ///   - ledger: Takes the batches of operations.
    /// - Throws: `invalidJSON` or `invalidConfig` naming what is wrong; `resourceUnavailable`.
    public convenience init(json: [UInt8], ledger: LedgerOptions) throws(PartnerBookingError) {
        try self.init(json: json, ledger: Optional(ledger))
    }

    /// Opens a client whose bookings are in a store of the host's. Waits for neither network nor
    /// store.
    ///
    /// - Parameters:
    ///   - configuration: Without a `journal`. Its `ledger` has scope and lease.
    ///   - ledger: Takes the batches of operations.
    /// - Throws: `invalidConfig` naming what is wrong; `resourceUnavailable`.
    public convenience init(configuration: ClientConfiguration, ledger: LedgerOptions) throws(PartnerBookingError) {
        var json = configuration.json
        defer { json.withUnsafeMutableBytes(wipe) }  // it holds the API key, or the webhooks' secrets
        try self.init(json: json, ledger: ledger)
    }

    /// Answers a batch of operations, once. Any thread may call it, also inside the handler.
    ///
    /// - Parameters:
    ///   - batch: The number of the batch.
    ///   - json: The results as docs/ledger-protocol.md describes them, UTF-8. At most 64 MiB.
    /// - Throws: `invalidJSON` or `invalidArgument` for an answer that is not one: the batch stays open. `invalidArgument`, too,
    ///   for a batch that is not open, and for a client without a ledger. `clientClosed`.
    public func answerLedger(batch: UInt64, json: [UInt8]) throws(PartnerBookingError) {
        try host().answer(batch, json)
    }

    /// Waits for the next batch of operations. Answer it with `answerLedger`.
    ///
    /// - Parameter timeout: nil: for ever.
    /// - Throws: `invalidArgument` for a client that hands its batches to a handler, and for one without a ledger.
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

/// Threads on which nothing may wait.
extension PartnerBookingClient {
    /// This is a thread that a close would wait for: the transfer thread of some client, or the
    /// thread of this one's ledger.
    package var isOnOwnThread: Bool { Thread.isCallbackThread || ledger.host?.isHandling ?? false }

    /// This is the transfer thread of some client, on which handlers run: nothing may wait here.
    package static var isCallbackThread: Bool { Thread.isCallbackThread }
}
