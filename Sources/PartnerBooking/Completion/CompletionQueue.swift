/// The queue that keeps completions of calls without a handler until the host takes them. Its
/// descriptor is readable while the queue has completions.
///
/// Each call reserves a place before it is accepted. The place is free again when the host
/// takes the call's last completion. A host that takes none gets `queue_full` and does not
/// fill its memory.
package final class CompletionQueue: Sendable {
    package struct Entry: Sendable {
        package let completion: CallCompletion
        /// A value that the submitter chose. For a C host it is a pointer.
        package let context: UInt
    }

    package enum Taken: Sendable {
        case entry(Entry)
        /// No completion came in time.
        case timeout
        /// No completion is left, and none will come.
        case closed
    }

    private struct State {
        var waiting = FIFO<Entry>()
        var reserved = 0
        /// Number of waiting settlement reports. They do not use the place of a call.
        var settlements = 0
        var descriptor: EventDescriptor?
        var isClosed = false

        mutating func pop() -> Entry? {
            guard let entry = waiting.popFirst() else { return nil }
            if waiting.isEmpty { descriptor?.clear() }
            switch entry.completion.event {
            case .done: reserved -= 1
            case .settled: settlements -= 1
            case .slow: break
            }
            return entry
        }
    }

    private let state = Monitor(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Returns the descriptor, which is readable while a completion waits. It stays the same
    /// for the life of the queue.
    package func descriptor() throws(PartnerBookingError) -> Int32 {
        try state.withLock { state throws(PartnerBookingError) in
            guard !state.isClosed else { throw .clientClosed }
            if let descriptor = state.descriptor { return descriptor.descriptor }
            let descriptor = try PartnerBookingError.resources(EventDescriptor.init)
            if !state.waiting.isEmpty { descriptor.signal() }
            state.descriptor = descriptor
            return descriptor.descriptor
        }
    }

    /// Takes the oldest completion. Waits at most `timeoutMilliseconds` for it.
    package func next(timeoutMilliseconds: Int) -> Taken {
        state.wait(until: .now().adding(milliseconds: timeoutMilliseconds)) { state in
            if let entry = state.pop() { return .entry(entry) }
            return state.isClosed ? .closed : nil
        } ?? .timeout
    }

    /// True when the client's close is done with the queue. No more events may follow.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// True when the queue is empty and no more events will come.
    package var isDrained: Bool { state.withLock { $0.isClosed && $0.waiting.isEmpty } }

    func reserve() throws(PartnerBookingError) {
        try state.withLock { state throws(PartnerBookingError) in
            guard state.reserved < limit else { throw .queueFull(limit) }
            state.reserved += 1
        }
    }

    /// Gives the place back, because the call was refused after all.
    func unreserve() { state.withLock { $0.reserved -= 1 } }

    func append(_ completion: CallCompletion, context: UInt) {
        state.update { state in
            if state.waiting.isEmpty { state.descriptor?.signal() }
            state.waiting.append(Entry(completion: completion, context: context))
        }
    }

    /// Reports the end of a booking whose call ended `unknown`. Drops the report when the
    /// client is closed or too many reports wait. A dropped end counts as not heard.
    func append(_ settlement: Settlement) {
        state.update { state in
            guard !state.isClosed, state.settlements < Self.settlementLimit else { return }
            state.settlements += 1
            if state.waiting.isEmpty { state.descriptor?.signal() }
            let completion = CallCompletion(
                ticket: nil, kind: .createBooking, idempotencyKey: settlement.idempotencyKey, tag: settlement.tag,
                event: .settled(settlement.result), timing: settlement.timing, receipt: settlement.receipt)
            state.waiting.append(Entry(completion: completion, context: 0))
        }
    }

    /// The most waiting reports.
    static let settlementLimit = 1_000

    /// Closes the queue and its descriptor. Waiting threads return, because no more
    /// completions will come.
    func close() {
        state.update { state in
            state.isClosed = true
            state.descriptor = nil
        }
    }
}
