/// Keeps the completions of calls without a handler until the host takes them. Its descriptor is
/// readable while it has some.
///
/// Each call reserves a place before it is accepted, and gives it back when the host takes its last
/// completion. A host that takes none gets `queue_full` and does not fill its memory.
package final class CompletionQueue: Sendable {
    package struct Entry: Sendable {
        package let completion: CallCompletion
        /// A number of the submitter's own: a C host's pointer.
        package let context: UInt
    }

    package enum Taken: Sendable {
        case entry(Entry)
        /// None came in time.
        case timeout
        /// None is left, and none will come.
        case closed
    }

    private struct State {
        var waiting = FIFO<Entry>()
        var reserved = 0
        /// Waiting reports. They take no place of a call.
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

    /// The descriptor that is readable as long as a completion waits. The same one for the life of the queue.
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

    /// Takes the oldest completion, waited for so long.
    package func next(timeoutMilliseconds: Int) -> Taken {
        state.wait(until: .now().adding(milliseconds: timeoutMilliseconds)) { state in
            if let entry = state.pop() { return .entry(entry) }
            return state.isClosed ? .closed : nil
        } ?? .timeout
    }

    /// The client's close has returned: no more events may follow.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The queue is empty, and no more events will come.
    package var isDrained: Bool { state.withLock { $0.isClosed && $0.waiting.isEmpty } }

    func reserve() throws(PartnerBookingError) {
        try state.withLock { state throws(PartnerBookingError) in
            guard state.reserved < limit else { throw .queueFull(limit) }
            state.reserved += 1
        }
    }

    /// The call was refused after all.
    func unreserve() { state.withLock { $0.reserved -= 1 } }

    func append(_ completion: CallCompletion, context: UInt) {
        state.update { state in
            if state.waiting.isEmpty { state.descriptor?.signal() }
            state.waiting.append(Entry(completion: completion, context: context))
        }
    }

    /// Reports the end of a booking whose call ended `unknown`, unless too many reports wait, or the client is closed. The end
    /// is then not heard.
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

    /// Most reports that wait.
    static let settlementLimit = 1_000

    /// No more completions will come: those who wait for one need not, and the descriptor is closed.
    func close() {
        state.update { state in
            state.isClosed = true
            state.descriptor = nil
        }
    }
}
