import Testing

@testable import PartnerBooking

/// A box for one completion, which tells when it came and whether it came once.
final class Ending: Sendable {
    private struct State {
        var results: [CallResult] = []
        var completions: [CallCompletion] = []
        var slow = 0
        var settled = 0
    }

    private let state = Monitor(State())

    var handler: CompletionHandler {
        { [state] completion in
            state.update { state in
                state.completions.append(completion)
                switch completion.event {
                case .done(let result): state.results.append(result)
                case .slow: state.slow += 1
                case .settled: state.settled += 1
                }
            }
        }
    }

    func end(_ result: CallResult) { state.update { $0.results.append(result) } }

    /// How often an end was told.
    var count: Int { state.withLock { $0.results.count } }

    /// How often the call was told to be slow.
    var slowCount: Int { state.withLock { $0.slow } }

    /// How often a settled booking was reported: never, because reports go to the queue.
    var settledCount: Int { state.withLock { $0.settled } }

    func isSlow() -> Bool { state.becomes { $0.slow > 0 } }

    /// All that was told, in order.
    var completions: [CallCompletion] { state.withLock { $0.completions } }

    /// Tells the client that the host has heard all of it.
    func acknowledge() { for completion in completions { completion.receipt?.acknowledge() } }

    /// The end, waited for.
    func result() throws -> CallResult {
        try #require(state.becomes { !$0.results.isEmpty }, "no completion came")
        return try #require(state.withLock { $0.results.first })
    }

    func error() throws -> PartnerBookingError { try #require(result().failure) }

    var isEmpty: Bool { count == 0 }
}

extension Result {
    var failure: Failure? {
        guard case .failure(let error) = self else { return nil }
        return error
    }

    var success: Success? { try? get() }
}
