/// How a call ended: the service's reply, byte for byte, or why there is none.
public typealias Completion = Result<[UInt8], PartnerBookingError>

/// What is told of the end of a call, once and on the transfer thread: return soon, and block on nothing.
typealias CompletionHandler = @Sendable (Completion) -> Void

/// Where a blocking call waits for its completion.
final class CompletionWaiter: Sendable {
    private let completion = Monitor<Completion?>(nil)

    func complete(_ completion: Completion) { self.completion.update { $0 = completion } }

    /// nil when the moment has passed without a completion.
    func wait(until moment: MonotonicTime) -> Completion? { completion.wait(until: moment) { $0 } }
}
