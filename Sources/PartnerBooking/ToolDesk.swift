/// The conversations of a client, its cache of replies, and the tool calls under way.
struct ToolDesk: Sendable {
    var conversations = ConversationTable()
    var cache = AvailabilityCache()
    var jobs: [CallTicket: ToolJob] = [:]
    /// Searches ahead, for nobody in particular: a close does not wait for them.
    var prefetches: [AvailabilityCache.Key: CallTicket] = [:]
}

/// A tool call under way, and what the client needs to end it.
///
/// `@unchecked Sendable` is safe because what changes is used under the lock of the desk alone, and
/// after the end of the job not at all.
final class ToolJob: @unchecked Sendable {
    let ticket: CallTicket
    let receiver: CompletionReceiver
    let submittedAt: MonotonicTime
    let deadline: MonotonicTime
    let slowAt: MonotonicTime?
    var call: ToolCall
    var isSlowTold = false
    /// The host has taken it back: no other part begins.
    var isCancelled = false
    /// The part that is under way.
    var part: CallTicket?
    /// That part is a booking which a cancel does not end: its own, or one from before.
    var isDetached = false
    var isSettling = false
    var attempts = 0
    /// When bookings from before are waited for no longer: the caller waits, too. nil: none was.
    private var settlesUntil: MonotonicTime?
    /// The receipts of the bookings that the call's conversation had at its beginning.
    let receipts: [String: Receipt]

    var request: ToolRequest { call.request }

    init(
        _ ticket: CallTicket, _ call: ToolCall, _ receiver: CompletionReceiver, submittedAt: MonotonicTime,
        deadline: MonotonicTime, slowAt: MonotonicTime?, receipts: [String: Receipt]
    ) {
        self.ticket = ticket
        self.call = call
        self.receiver = receiver
        self.submittedAt = submittedAt
        self.deadline = deadline
        self.slowAt = slowAt
        self.receipts = receipts
    }

    /// A part of a tool call: a call of the pipeline.
    enum Part: Sendable {
        case search(AvailabilityCache.Key, durationMinutes: Int, askedAt: MonotonicTime)
        case settle
        indirect case book(BookingWish, key: String)
        case lookUp

        var operation: CallOperation {
            switch self {
            case .search: .searchAvailability
            case .settle, .book: .createBooking
            case .lookUp: .lookupCustomer
            }
        }
    }

    /// The library's own members of a part.
    func members() -> CallMembers { members(until: deadline, .now()) }

    /// The members of all parts that wait for bookings from before: at most 3 seconds together.
    func settleMembers() -> CallMembers {
        let now = MonotonicTime.now()
        let until = settlesUntil ?? now.adding(milliseconds: 3_000)
        settlesUntil = until
        return members(until: min(until, deadline), now)
    }

    private func members(until end: MonotonicTime, _ now: MonotonicTime) -> CallMembers {
        CallMembers(
            timeoutMilliseconds: max(1, end.milliseconds(since: now)),
            slowAfterMilliseconds: isSlowTold ? nil : slowAt.map { max(1, $0.milliseconds(since: now)) }, tag: request.tag,
            traceparent: request.traceparent)
    }

    /// Tells the receiver. Not under the lock of the desk. `key`: of the booking that this is
    /// about.
    func tell(_ event: CallCompletion.Event, _ receipt: Receipt?, key: String? = nil) {
        let total = MonotonicTime.now().microseconds(since: submittedAt)
        let timing = CallTiming(totalMicroseconds: total, queueMicroseconds: 0, attempts: attempts)
        var event = event
        if case .done(.failure(var error)) = event {
            // The error of a part becomes that of the tool call.
            (error.timing, error.tag) = (timing, request.tag)
            event = .done(.failure(error))
        }
        receiver.receive(event, receipt) { [event] in
            CallCompletion(
                ticket: ticket, kind: .callTool, idempotencyKey: key, tag: request.tag, event: event, timing: timing,
                receipt: receipt)
        }
    }
}
