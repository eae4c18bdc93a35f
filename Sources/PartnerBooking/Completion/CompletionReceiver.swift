/// The receiver of a call's completions.
enum CompletionReceiver: Sendable {
    case handler(CompletionHandler)
    /// Another call that this one is a part of. May be called by any thread.
    case relay(CompletionHandler)
    /// A blocking call.
    case waiter(CompletionWaiter)
    /// The client's queue, together with a number of the submitter's own.
    case queue(CompletionQueue, context: UInt)
    /// None: the call is the library's own.
    case none

    /// `completion` makes all of it, for receivers that need more than a blocking call does.
    func receive(_ event: CallCompletion.Event, _ receipt: Receipt?, _ completion: () -> CallCompletion) {
        switch self {
        case .handler(let handler), .relay(let handler): handler(completion())
        case .waiter(let waiter): waiter.complete(event, receipt)
        case .queue(let queue, let context): queue.append(completion(), context: context)
        case .none: break
        }
    }
}
