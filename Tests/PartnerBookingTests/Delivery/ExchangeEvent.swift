@testable import PartnerBooking

/// Everything that can happen to an exchange.
enum ExchangeEvent: Hashable, Sendable {
    // The ledger
    case granted
    /// An earlier process may have sent it.
    case grantedInDoubt
    /// The same, and the store has it.
    case grantedRecorded
    case replayed
    /// The booking to resume was not made.
    case notMade
    /// The key belongs to another booking.
    case refused
    /// Too many bookings of the service are in doubt or in flight.
    case full
    /// It was granted, and cannot be sent.
    case refusedInDoubt
    case record(Exchange.RecordEnd)
    case recordOverdue
    case recordRevoked(Bool)
    case voided(Bool)
    case dropped
    // The attempts
    case placeGranted
    case answered(PlatformAnswer)
    case pauseOver
    case attemptOverdue
    /// `nil`: without an answer, and perhaps unsent.
    case abandoned(PlatformAnswer?, isSent: Bool = true)
    // A person gives up
    /// The ledger has given up a booking and kept another one. `isAwaited`: the store is to record it.
    case gaveUp(isAwaited: Bool)
    /// It knows nothing of the key.
    case gaveUpNothing
    case giveUpRecorded(Bool)
    case giveUpOverdue
    // The calls
    case joined
    case cancelled(isSent: Bool)
    /// A call that has no part in it.
    case otherCancelled
    case deadline(isSent: Bool)
    case stopped

    static let all: [ExchangeEvent] =
        [
            .granted, .grantedInDoubt, .grantedRecorded, .replayed, .notMade, .refused, .full, .refusedInDoubt,
            .record(.notKept), .record(.durable), .record(.failed), .record(.undone), .recordOverdue,
            .recordRevoked(true), .recordRevoked(false), .voided(true), .voided(false), .dropped, .placeGranted,
            .pauseOver, .attemptOverdue, .abandoned(nil, isSent: false), .abandoned(nil), .abandoned(.made),
            .abandoned(.taken), .gaveUp(isAwaited: false), .gaveUp(isAwaited: true), .gaveUpNothing,
            .giveUpRecorded(true), .giveUpRecorded(false), .giveUpOverdue, .joined, .cancelled(isSent: true),
            .cancelled(isSent: false), .otherCancelled, .deadline(isSent: true), .deadline(isSent: false), .stopped,
        ] + PlatformAnswer.allCases.map { .answered($0) }
}

extension Exchange.RecordEnd: Hashable {
    static let failed = Self.failed("disk full", isUndone: false)
    static let undone = Self.failed("disk full", isUndone: true)

    public func hash(into hasher: inout Hasher) { hasher.combine(String(describing: self)) }
}

extension ExchangeHarness {
    /// Hands it an event at a moment at which it may happen, and returns what it wants done.
    @discardableResult
    mutating func take(_ event: ExchangeEvent) -> String {
        let moment = now
        switch event {
        case .granted: return grant()
        case .grantedInDoubt: return grant(inDoubt: true)
        case .grantedRecorded: return grant(inDoubt: true, isRecorded: true)
        case .replayed: return replay()
        case .notMade: return tellNotMade()
        case .refused: return refuse(.idempotencyKeyReused(.init(state: .booked)), .unknown)
        case .full: return refuse(.ledgerFull(5_000), .notSent)
        case .refusedInDoubt:
            let grant = claimed(inDoubt: true, isRecorded: false)
            return feed("refused in doubt") { exchange, _ in exchange.refused(.accountChanged, .unknown, grant, moment) }
        case .record(let end): return endRecord(end)
        case .recordOverdue: return fire(.recordOverdue)
        case .recordRevoked(let isRevoked): return revoke(isRevoked)
        case .voided(let isDone): return endVoid(isDone)
        case .dropped: return drop()
        case .placeGranted: return place()
        case .answered(let answer): return self.answer(answer)
        case .pauseOver: return fire(.pauseOver)
        case .attemptOverdue: return fire(.attemptOverdue)
        case .abandoned(let answer, let isSent): return abandon(answer, isSent: isSent)
        case .gaveUp(let isAwaited): return giveUp(isKnown: true, isAwaited: isAwaited)
        case .gaveUpNothing: return giveUp(isKnown: false)
        case .giveUpRecorded(let isDone): return endGiveUp(isDone)
        case .giveUpOverdue: return fire(.giveUpOverdue)
        case .joined: return join()
        case .cancelled(let isSent): return cancel(sentAt: isSent ? sentAt : nil)
        case .otherCancelled: return cancel(99, sentAt: nil)
        case .deadline(let isSent):
            now = max(now, exchange.deadline)
            return passDeadline(sentAt: isSent ? sentAt : nil)
        case .stopped: return stop()
        }
    }

    /// When the attempt under way was sent.
    private var sentAt: MonotonicTime { attempt?.sendings?.lastAt ?? now }

    // MARK: The ledger and its store

    @discardableResult
    mutating func replay() -> String {
        claims = 0
        if exchange.phase == .claiming { checker.end = Self.earlierEnd }
        return feed("replayed") { [now] exchange, _ in
            exchange.replayed(Sample.bookingReply, end: Self.earlierEnd, now)
        }
    }

    @discardableResult
    mutating func tellNotMade() -> String {
        claims = 0
        if exchange.phase == .claiming { checker.end = Self.earlierEnd }
        return feed("not made") { [now] exchange, _ in exchange.notMade(.rejected, end: Self.earlierEnd, now) }
    }

    @discardableResult
    mutating func refuse(_ error: PartnerBookingError, _ outcome: PartnerBookingError.Outcome) -> String {
        claims = 0
        return feed("refused") { [now] exchange, _ in exchange.refused(error, outcome, nil, now) }
    }

    @discardableResult
    mutating func giveUp(isKnown: Bool, isAwaited: Bool = false) -> String {
        giveUps = 0
        if isAwaited, exchange.phase == .claiming {
            giveUpRecords += 1
            checker.giveUpBegins()
        }
        let result = isKnown ? BookingLedger.GivenUp(givenUp: [Self.doubt("given-up")], kept: [Self.doubt("kept")]) : nil
        return feed("gave up \(isKnown ? "one" : "nothing")\(isAwaited ? ", awaited" : "")") { [now] exchange, _ in
            exchange.gaveUp(result, isAwaited: isAwaited, now)
        }
    }

    private static func doubt(_ key: String) -> BookingLedger.Pending {
        let summary = BookingSummary(
            botID: "bot_1", startAt: "2030-01-14T10:00:00Z", durationMinutes: 30, startSeconds: 1_894_615_200)
        return BookingLedger.Pending(
            key: key, summary: summary, recordedAt: 1_700_000_000_000, conversation: nil, state: .inDoubt)
    }

    @discardableResult
    mutating func endGiveUp(_ isDone: Bool) -> String {
        giveUpRecords = 0
        checker.giveUpEnds(isJournaled: isDone)
        return feed("give-up recorded: \(isDone)") { [now] exchange, _ in exchange.giveUpRecorded(isDone, now) }
    }

    @discardableResult
    mutating func endRecord(_ end: Exchange.RecordEnd) -> String {
        if end == .durable, exchange.record == .pending { checker.evidence.isElsewhere = false }
        records = 0
        if case .failed(_, isUndone: false) = end { checker.mayStand = true }
        return feed("record \(end)") { [now] exchange, _ in exchange.recordEnded(end, now) }
    }

    @discardableResult
    mutating func revoke(_ isRevoked: Bool) -> String {
        takeBacks = 0
        if isRevoked { records = 0 } else { checker.mayStand = true }
        return feed("record taken back: \(isRevoked)") { [now] exchange, _ in exchange.recordRevoked(isRevoked, now) }
    }

    @discardableResult
    mutating func endVoid(_ isDone: Bool) -> String {
        voids = 0
        if !isDone { checker.mayStand = true }
        return feed("voided: \(isDone)") { [now] exchange, _ in exchange.voided(isDone, now) }
    }

    @discardableResult
    mutating func drop() -> String {
        checker.mayStand = true
        checker.giveUpEnds(isJournaled: false)
        return feed("dropped") { [now] exchange, _ in exchange.dropped(now) }
    }

    @discardableResult
    mutating func stop(_ error: PartnerBookingError = .clientClosed) -> String {
        if error.code == .clientClosed { checker.isStopped = true }
        return feed("stopped") { [now] exchange, _ in exchange.stopped(error, now) }
    }

    // MARK: Places

    @discardableResult
    mutating func place() -> String {
        places = max(0, places - 1)
        checker.placesHeld += 1
        return feed("has a place") { [now] exchange, health in exchange.placeGranted(now, &health) }
    }

    /// The request of the attempt under way has left.
    mutating func send() {
        attempt?.sendings = Sendings(at: now)
        checker.isSent = true
    }
}
