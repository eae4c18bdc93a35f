/// The receiver of a call's completions.
enum CompletionReceiver: Sendable {
    case handler(CompletionHandler)
    /// The handler of another call, which this call is a part of. Any thread may call it.
    case relay(CompletionHandler)
    /// A blocking call.
    case waiter(CompletionWaiter)
    /// The client's queue, with a value that the submitter chose.
    case queue(CompletionQueue, context: UInt)
    /// No receiver. The call is the library's own.
    case none

    /// Delivers an event. `completion` makes the whole completion, which a blocking call does
    /// not need.
    func receive(_ event: CallCompletion.Event, _ receipt: Receipt?, _ completion: () -> CallCompletion) {
        switch self {
        case .handler(let handler), .relay(let handler): handler(completion())
        case .waiter(let waiter): waiter.complete(event, receipt)
        case .queue(let queue, let context): queue.append(completion(), context: context)
        case .none: break
        }
    }
}
