/// A timer of a call or an exchange.
enum CallTimer {
    case deadline(CallTicket)
    case slow(CallTicket)
    /// Fires only while the exchange is in this generation.
    case exchange(TransferID, Exchange.Timer, generation: Int)

    /// Returns whether the timer's call or generation is over.
    func isObsolete(_ table: ExchangeTable) -> Bool {
        switch self {
        case .deadline(let ticket), .slow(let ticket): table.call(ticket) == nil
        case .exchange(let id, _, let generation): table.generation(of: id) != generation
        }
    }
}

/// The timers of a client. The end of a call cancels no timer, but an obsolete timer does not
/// fire.
struct CallTimers {
    private var queue = TimerQueue<CallTimer>()

    var next: MonotonicTime? { queue.next }

    mutating func add(_ timer: CallTimer, at moment: MonotonicTime) { queue.add(timer, at: moment) }

    func areDue(_ now: MonotonicTime) -> Bool { queue.next.map { $0 <= now } ?? false }

    /// Removes and returns the earliest timer that is due. It may be obsolete.
    mutating func popDue(now: MonotonicTime) -> CallTimer? { queue.popDue(now: now) }

    /// Returns whether most timers are obsolete. Most calls end long before their deadline.
    /// Their timers must not pile up.
    func areMostObsolete(callCount: Int) -> Bool { queue.count > 4 * callCount + 64 }

    mutating func removeObsolete(_ table: ExchangeTable) { queue.removeAll { $0.isObsolete(table) } }
}
