/// One request with all its attempts, and the calls that wait for its end. Repeats of a key
/// share an exchange, and so do equal searches.
///
/// A pure state machine without thread, clock or disk. Each event is a method that returns the
/// effects to execute, in order. Ledger operations are effects. Their results are events, even
/// when they are immediate.
struct Exchange {
    enum Phase: Sendable, Equatable {
        /// Waits for the ledger's decision about the booking's key.
        case claiming
        /// Waits until the store has recorded the booking.
        case recording
        /// Waits for the end that another client of the store finds.
        case awaiting
        /// Waits for a place among the exchanges in flight.
        case queued
        /// An attempt is with the transport.
        case attempting
        /// The transport must give up the attempt.
        case abandoning(Abandonment)
        /// Waits for the next attempt.
        case pausing
        /// Waits until the store has recorded that nothing was booked.
        indirect case voiding(CallResult)
        /// Waits until the store has recorded that a person gave bookings up.
        indirect case givingUp(BookingLedger.GivenUp)
        case ended
    }

    enum Abandonment: Sendable, Equatable {
        /// The attempt's time limit is over.
        case overdue
        /// A call has left, or the exchange was stopped. The error applies without an answer.
        indirect case leaving(PartnerBookingError)
    }

    /// The reason why the exchange continues.
    enum Purpose: Sendable, Equatable {
        /// Calls wait for the end.
        case answering
        /// The calls ended at their deadline. The exchange asks the service until the doubt is
        /// settled.
        case settling(until: MonotonicTime)
        /// The calls ended. The exchange reads the outstanding answer and sends nothing.
        case reading
    }

    /// The state of the booking's record in the store.
    enum Record: Sendable, Equatable {
        case none
        case pending
        case durable
    }

    enum Timer: Sendable, Equatable {
        case recordOverdue
        case pauseOver
        case attemptOverdue
        case voidOverdue
        case giveUpOverdue
        case lookDue
    }

    /// The options of one attempt.
    struct Attempt: Sendable, Equatable {
        var signingKey = 0
        var isSentOnce = false
        var needsNewConnection = false
    }

    /// The transport's state of the attempt under way.
    struct UnderWay: Sendable, Equatable {
        /// Time of the last sending. nil: no byte of the request can have left.
        var sentAt: MonotonicTime?
        /// True when the whole answer has arrived, but the transfer has not ended.
        var hasAnswer = false
    }

    /// An instruction to the coordinator. Indirect cases keep the enum small, because effects
    /// are passed by value.
    enum Effect {
        /// Asks the ledger for the key. Answered by `granted`, `replayed`, `refused`, `notMade`
        /// or `lookAsked`, unless the call joins another exchange.
        case claim
        /// Gives up bookings in doubt. Answered by `gaveUp`, or first by `giveUpAsked`.
        case giveUp(GiveUp)
        /// Records the booking in the store. Answered by `recordEnded`. A host's store may
        /// answer `tookOver`, `heldElsewhere` or `otherElsewhere`.
        case record(overdueAt: MonotonicTime)
        /// Takes the record back. Answered by `recordRevoked`.
        case revokeRecord
        /// Records in the store that nothing was booked. Answered by `voided`.
        case void(overdueAt: MonotonicTime)
        /// Asks the store about a key that another client has. Answered by `looked`,
        /// `bookedElsewhere`, `givenUpElsewhere` or `otherElsewhere`.
        case look
        /// Queues for a place. Answered by `placeGranted`.
        case queue
        case leavePlace
        /// Starts an attempt. Answered by `attemptEnded`.
        case send(Attempt)
        /// Abandons the attempt. Answered by `abandoned`.
        case abandon(isOverdue: Bool)
        /// Fires a timer if the generation is still the same.
        case wait(Timer, until: MonotonicTime, generation: Int)
        /// Continues in the background, without calls.
        case goOn
        /// Keeps the transport from repeating the request.
        case sendNoMore
        /// Keeps other requests off the attempt's connection if it was silent until the
        /// deadline.
        case distrust
        /// Completes a call, with the timing of the moment. `end` names the end of its booking.
        case complete(Call, CallCompletion.Event, end: TransferID)
        /// Records the end of the booking in the ledger.
        indirect case settle(BookingLedger.Ending)
        /// Records that the call was cancelled. Nothing is sent for the key until the host
        /// repeats it.
        case withdraw
        /// Records that the host has repeated a cancelled booking.
        case renew
        /// Reports the end of a booking whose call ended `unknown`.
        indirect case report(CallResult, CallTiming, tag: String?)
        /// Starts a new exchange for a call that came too late for this one.
        case resubmit(Call)
        case end
    }

    /// Time to wait for the store to record that nothing was booked. It may exceed the calls'
    /// deadlines.
    static let voidingMilliseconds = 500
    /// Added to the platform's limit to get the time limit of a booking's attempt.
    static let readingMarginMilliseconds = 5_000
    /// The shortest pause between two background requests for a booking in doubt.
    static let leastAskMilliseconds = 1_000

    /// The ticket of the first call.
    let id: TransferID
    let policy: DeliveryPolicy
    var request: Request
    var message: Message?
    var calls: [Call]
    var phase = Phase.claiming { didSet { generation &+= 1 } }
    var purpose = Purpose.answering
    var evidence = Evidence()
    /// Number of phase changes.
    private(set) var generation = 0

    var record = Record.none
    /// True when the booking is sent without a record.
    var isUnprotected = false
    /// True when the ledger had the reply and nothing was sent.
    var isReplayed = false
    var isWithdrawn = false
    /// True when another client has taken over the key. No attempts follow.
    var isElsewhere = false
    /// True when the ledger took the booking over, without a call of the host.
    var isTakeover = false
    /// True when the store was asked for a key that the ledger does not know.
    var hasLooked = false
    /// The pause before the next look at another client's key.
    var lookMilliseconds = 0
    var hasPlace = false
    /// True between the request for a place and its grant.
    var isInQueue = false
    /// The latest deadline of the calls.
    var deadline: MonotonicTime
    /// End of the pause under way.
    var pauseEndsAt = MonotonicTime(nanoseconds: 0)
    /// Earliest next attempt that the service allows.
    var notBefore = MonotonicTime(nanoseconds: 0)
    /// Calls that came in phase `voiding`. Each starts a new exchange after this one.
    var lateCalls: [Call] = []
    var schedule: RetrySchedule
    var attempts = 0
    var startedAt: MonotonicTime?
    /// Begin and end of the last attempt.
    var attemptedAt: MonotonicTime?
    var endedAt: MonotonicTime?
    var lastFailure: Failure?
    var lastTiming: AttemptTiming?
    /// The report that is owed after a call ended `unknown`.
    var owedReport: BookingLedger.OwedReport?
    /// The end that the calls get.
    var end: TransferID
    var authorization = Authorization()
    var hasMetOtherBooking = false
    /// Number of sendings of the request.
    var sendingCount = 0
    var needsNewConnection = false
    /// True when the attempt under way started without a call.
    var isAsk = false

    init(_ call: Call, _ policy: DeliveryPolicy) {
        id = TransferID(firstCall: call.ticket)
        end = id
        self.policy = policy
        request = call.request
        calls = [call]
        deadline = call.deadline
        schedule = RetrySchedule(policy.retry, seed: call.seed)
    }

    /// A box for an attempt's error, which is large and rare.
    final class Failure: Sendable {
        let error: PartnerBookingError

        init(_ error: PartnerBookingError) { self.error = error }
    }

    var lastError: PartnerBookingError? { lastFailure?.error }

    var isBooking: Bool { request.operation == .createBooking }
    var rules: BookingRules { message?.rules ?? BookingRules() }
    var isInDoubt: Bool { isBooking && evidence.isInDoubt }

    /// The request's number for the circuit breaker. All attempts at one booking share it, in
    /// all calls. Other requests have a new number for each attempt.
    var subject: UInt64 {
        request.idempotencyKey.map { UInt64(truncatingIfNeeded: $0.hashValue) } ?? id.rawValue &<< 8
            | UInt64(truncatingIfNeeded: attempts)
    }

    func question(_ source: PartnerBookingError.Source) -> AttemptResult.Question {
        AttemptResult.Question(
            operation: request.operation, source: source, startSeconds: rules.checksStart ? request.startSeconds : nil)
    }

    /// Returns whether an answer settles the request for all its calls.
    func isSettled(by attempt: AttemptResult) -> Bool {
        switch attempt.answer {
        case .made: true
        case .bookingRefused, .notConfirmed: !isInDoubt && !rules.areKeysShared
        case .conflict, .inProgress, .callerRefused, .otherBooking, .none: !isBooking
        }
    }

    @inline(__always)
    func httpRequest(_ attempt: Attempt) -> HTTPRequest? {
        var request = message?.httpRequest(signingKey: attempt.signingKey)
        request?.isSentOnce = attempt.isSentOnce
        request?.isBooking = isBooking
        request?.needsNewConnection = attempt.needsNewConnection
        return request
    }

    func timing(_ call: Call, _ now: MonotonicTime) -> CallTiming {
        var timing = CallTiming(call, now)
        if let startedAt { timing.queueMicroseconds = startedAt.microseconds(since: call.submittedAt) }
        timing.attempts = attempts
        timing.lastAttempt = lastTiming
        timing.isReplayed = isReplayed
        timing.isUnprotected = isUnprotected
        return timing
    }
}
