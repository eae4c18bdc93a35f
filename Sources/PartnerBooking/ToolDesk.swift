/// The conversations of a client, its cache of replies, and the tool calls under way.
struct ToolDesk: Sendable {
    var conversations = ConversationTable()
    var cache = AvailabilityCache()
    var jobs: [CallTicket: ToolJob] = [:]
    /// Searches ahead. No call waits for them, so a close ends them at once.
    var prefetches: [AvailabilityCache.Key: CallTicket] = [:]
}

/// A tool call under way, with the data that the client needs to end it.
///
/// `@unchecked Sendable` is safe: variables are read and changed only under the desk's lock. When
/// the client no longer exists, only one thread still has the job.
final class ToolJob: @unchecked Sendable {
    let ticket: CallTicket
    let receiver: CompletionReceiver
    let submittedAt: MonotonicTime
    let deadline: MonotonicTime
    let slowAt: MonotonicTime?
    let request: ToolRequest
    let profile: VoiceProfile
    let now: Int
    var call: ToolCall
    var isSlowTold = false
    /// True when the host has cancelled the call. No other part begins.
    var isCancelled = false
    /// Ticket of the part that is under way.
    var part: CallTicket?
    /// True when that part is a booking, new or earlier, that a cancel does not end.
    var isDetached = false
    var isSettling = false
    var attempts = 0
    /// The end of all waits for earlier bookings: the caller waits, too. nil before the first.
    private var settlesUntil: MonotonicTime?
    /// Receipts of the bookings that the conversation had when the call began, by key.
    let receipts: [String: Receipt]

    init(
        _ ticket: CallTicket, _ call: ToolCall, _ receiver: CompletionReceiver, submittedAt: MonotonicTime,
        deadline: MonotonicTime, slowAt: MonotonicTime?, receipts: [String: Receipt]
    ) {
        self.ticket = ticket
        (request, profile, now) = (call.request, call.profile, call.now)
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

    /// Returns the library's own members of a part.
    func members() -> CallMembers { members(until: deadline, .now()) }

    /// Returns the members of a part that waits for an earlier booking. All such parts together
    /// wait at most 3 seconds.
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

    /// Delivers an event. Call it without the desk's lock. `key` is the key of the event's
    /// booking.
    func tell(_ event: CallCompletion.Event, _ receipt: Receipt?, attempts: Int, key: String? = nil) {
        let total = MonotonicTime.now().microseconds(since: submittedAt)
        let timing = CallTiming(totalMicroseconds: total, queueMicroseconds: 0, attempts: attempts)
        var event = event
        if case .done(.failure(var error)) = event {
            // The error of a part becomes the error of the tool call.
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
