/// One request with all its attempts, and the calls that wait for its end. A booking can have several calls: one for each
/// repeat of its key.
///
/// A pure state machine without thread, clock or disk. Each event is a method that returns the effects to execute, in
/// order. Ledger operations are effects. Their results are events, even when they are immediate.
struct Exchange {
    /// The state of the exchange.
    enum Phase: Sendable, Equatable {
        /// Waits for the ledger to answer for the booking's key.
        case claiming
        /// Waits until the store has recorded the booking.
        case recording
        /// Waits for the end that another client of the store finds out.
        case awaiting
        /// Waits for a place among the exchanges in flight.
        case queued
        /// An attempt is with the transport.
        case attempting
        /// The transport is told to give up the attempt.
        case abandoning(Abandonment)
        /// Waits for the next attempt.
        case pausing
        /// Waits until the store has recorded that nothing was booked.
        indirect case voiding(CallResult)
        /// Waits until the store has recorded that a person gave bookings up.
        indirect case givingUp(BookingLedger.GivenUp)
        case ended
    }

    /// The reason to give up an attempt.
    enum Abandonment: Sendable, Equatable {
        /// Its time limit is over.
        case overdue
        /// Its last call has left.
        indirect case leaving(PartnerBookingError)
    }

    /// The reason why the exchange continues.
    enum Purpose: Sendable, Equatable {
        /// Calls wait for its end.
        case answering
        /// Its calls have ended at their deadline. It asks until the doubt is settled.
        case settling(until: MonotonicTime)
        /// Its calls have ended. It reads the open answer and sends nothing.
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
        /// The time of its last sending. nil: no byte of it can have left.
        var sentAt: MonotonicTime?
        /// The whole answer has arrived, but the transfer has not ended.
        var hasAnswer = false
    }

    /// An instruction to the coordinator. Indirect cases keep the enum small, because effects are passed by value.
    enum Effect {
        /// Asks the ledger for the key. Answered by `granted`, `replayed`, `refused` or `notMade`, unless the call joins
        /// another exchange.
        case claim
        /// Gives up bookings in doubt. Answered by `gaveUp`.
        case giveUp(GiveUp)
        /// Records the booking in the store. Answered by `recordEnded`.
        case record(overdueAt: MonotonicTime)
        /// Takes the record back. Answered by `recordRevoked`.
        case revokeRecord
        /// Records in the store that nothing was booked. Answered by `voided`.
        case void(overdueAt: MonotonicTime)
        /// Asks the store what has become of the key at another client. Answered by `looked` or
        /// `bookedElsewhere`.
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
        /// Keeps other requests off the attempt's connection if it has been silent until the deadline.
        case distrust
        /// Completes a call, with the timing of the moment. `end` names the end of its booking.
        case complete(Call, CallCompletion.Event, end: TransferID)
        /// Records the booking's ending in the ledger.
        indirect case settle(BookingLedger.Ending)
        /// Records that the call was cancelled. Nothing is sent for the key until the host repeats it.
        case withdraw
        /// Records that the host has repeated a cancelled booking.
        case renew
        /// Reports the end of a booking whose call ended `unknown`.
        indirect case report(CallResult, CallTiming, tag: String?)
        /// Starts a new exchange for a call that came too late for this one.
        case resubmit(Call)
        case end
    }

    /// Time to wait for the store to record that nothing was booked. May exceed the calls' deadlines.
    static let voidingMilliseconds = 500
    /// Added to the platform's limit: how long the attempt of a booking may take.
    static let readingMarginMilliseconds = 5_000
    /// The shortest pause between two asks for a booking in doubt.
    static let leastAskMilliseconds = 1_000

    /// The ticket of its first call.
    let id: TransferID
    let policy: DeliveryPolicy
    var request: Request
    var message: Message?
    var calls: [Call]
    var phase = Phase.claiming { didSet { generation &+= 1 } }
    var purpose = Purpose.answering
    var evidence = Evidence()
    /// Counts the changes of phase.
    private(set) var generation = 0

    var record = Record.none
    /// It is sent without a record in the store.
    var isUnprotected = false
    /// The ledger had the reply, and nothing was sent.
    var isReplayed = false
    var isWithdrawn = false
    /// Another client has taken its key over. It makes no more attempts.
    var isElsewhere = false
    /// The ledger has begun it to take it over, without a call of the host.
    var isTakeover = false
    /// The store was asked for a key that the ledger does not know.
    var hasLooked = false
    /// The pause before the next look at a key of another client.
    var lookMilliseconds = 0
    var hasPlace = false
    /// It has asked for a place, and was not granted one yet.
    var isInQueue = false
    /// The latest of its calls' deadlines.
    var deadline: MonotonicTime
    /// When the pause under way is over.
    var pauseEndsAt = MonotonicTime(nanoseconds: 0)
    /// The service has asked for a pause until then.
    var notBefore = MonotonicTime(nanoseconds: 0)
    /// Calls that came in phase `voiding`. Each starts a new exchange after this one.
    var lateCalls: [Call] = []
    var schedule: RetrySchedule
    var attempts = 0
    var startedAt: MonotonicTime?
    /// When the last attempt began, and when it ended.
    var attemptedAt: MonotonicTime?
    var endedAt: MonotonicTime?
    var lastFailure: Failure?
    var lastTiming: AttemptTiming?
    /// Set when a call ended `unknown`.
    var owedReport: BookingLedger.OwedReport?
    /// Names the end that its calls get.
    var end: TransferID
    var authorization = Authorization()
    var hasMetOtherBooking = false
    /// Number of sendings of the request.
    var sendingCount = 0
    var needsNewConnection = false
    /// The attempt under way was made without a call.
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

    /// Boxes the error of an attempt. It is large, and few exchanges have one.
    final class Failure: Sendable {
        let error: PartnerBookingError

        init(_ error: PartnerBookingError) { self.error = error }
    }

    var lastError: PartnerBookingError? { lastFailure?.error }

    var isBooking: Bool { request.operation == .createBooking }
    var rules: BookingRules { message?.rules ?? BookingRules() }
    var isInDoubt: Bool { isBooking && evidence.isInDoubt }

    /// The same for all attempts at one booking, in all its calls. Other requests have a new one for each attempt.
    var subject: UInt64 {
        request.idempotencyKey.map { UInt64(truncatingIfNeeded: $0.hashValue) } ?? id.rawValue &<< 8
            | UInt64(truncatingIfNeeded: attempts)
    }

    /// Returns the question that its attempts ask.
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

    /// Returns the HTTP request of an attempt.
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
