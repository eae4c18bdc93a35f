@testable import PartnerBooking

/// What an exchange wants done on each event in each phase, and the phase that follows. An event that does not
/// stand here has no effect and changes nothing. A place that comes too late is given back in all phases.
enum ExpectedEffects {
    typealias Rows = [ExchangeEvent: String]

    static let table: [ExchangePhase: Rows] = [
        .claiming: claiming, .recording: recording, .takingBack: takingBack, .queued: queued, .queuedInDoubt: queuedInDoubt,
        .attempting: attempting, .attemptingInDoubt: attemptingInDoubt, .attemptingSettling: attemptingSettling,
        .attemptingReading: attemptingReading, .abandoningOverdue: abandoningOverdue,
        .abandoningCancelled: abandoningCancelled, .pausing: pausing, .pausingInDoubt: pausingInDoubt,
        .pausingSettling: pausingSettling, .voiding: voiding, .voidingReading: voidingReading, .ended: [:],
        .searchAttempting: searchAttempting, .searchPausing: searchPausing, .searchAbandoning: searchAbandoning,
        .givingUpClaiming: givingUpClaiming, .givingUp: givingUp,
    ]

    /// What nothing can cause: the ledger names only exchanges that go on, and a record is taken back once.
    static func isImpossible(_ event: ExchangeEvent, in phase: ExchangePhase) -> Bool {
        switch (phase, event) {
        case (.ended, .joined), (.claiming, .joined), (.searchAttempting, .joined), (.searchPausing, .joined),
            (.searchAbandoning, .joined), (.givingUpClaiming, .joined), (.givingUp, .joined),
            (.voiding, .recordRevoked), (.voidingReading, .recordRevoked):
            true
        // The ledger answers what it was asked.
        case (.claiming, .gaveUp), (.claiming, .gaveUpNothing): true
        case (.givingUpClaiming, .granted), (.givingUpClaiming, .grantedInDoubt), (.givingUpClaiming, .grantedRecorded),
            (.givingUpClaiming, .replayed), (.givingUpClaiming, .notMade), (.givingUpClaiming, .refused),
            (.givingUpClaiming, .full), (.givingUpClaiming, .refusedInDoubt):
            true
        default: false
        }
    }

    // MARK: Before the first attempt

    private static let claiming: Rows = [
        .granted: "record within 2000 -> recording",
        .grantedInDoubt: "record within 2000 -> recording",
        .grantedRecorded: "queue -> queued",
        .replayed: "call 1: booked (replayed); end -> ended",
        .notMade: "call 1: not_recorded, rejected; end -> ended",
        .refused: "call 1: idempotency_key_reused, unknown; end -> ended",
        .full: "call 1: ledger_full, not_sent; end -> ended",
        .refusedInDoubt: "settle: in doubt; call 1: account_changed, unknown; end -> ended",
        // The key is not its own yet: it waits for the answer, to give the key back.
        .cancelled(isSent: false): "call 1: cancelled, not_sent",
        .cancelled(isSent: true): "call 1: cancelled, not_sent",
        .deadline(isSent: false): "call 1: timeout, not_sent",
        .deadline(isSent: true): "call 1: timeout, not_sent",
        .stopped: "call 1: client_closed, not_sent; end -> ended",
        .dropped: "call 1: client_closed, not_sent; end -> ended",
    ]

    private static let recording: Rows = [
        .record(.notKept): "queue -> queued",
        .record(.durable): "queue -> queued",
        // What may stand in the store may be resumed some day.
        .record(.failed): "settle: in doubt; call 1: journal_unavailable, unknown; end -> ended",
        .record(.undone): "settle: not_sent; call 1: journal_unavailable, not_sent; end -> ended",
        .recordOverdue: "take back the record",
        .recordRevoked(true): "settle: not_sent; call 1: journal_unavailable, not_sent; end -> ended",
        .recordRevoked(false): "settle: in doubt; call 1: journal_unavailable, unknown; end -> ended",
        .cancelled(isSent: false): "take back the record -> voiding(cancelled)",
        .cancelled(isSent: true): "take back the record -> voiding(cancelled)",
        .deadline(isSent: false): "take back the record -> voiding(timeout)",
        .deadline(isSent: true): "take back the record -> voiding(timeout)",
        .stopped: "take back the record -> voiding(client_closed)",
        .dropped: "settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    private static let takingBack: Rows = [
        .record(.undone): "settle: not_sent; call 1: cancelled, not_sent; end -> ended",
        .recordRevoked(true): "settle: not_sent; call 1: cancelled, not_sent; end -> ended",
        .recordRevoked(false): "void within 500",
        .voided(true): "settle: not_sent; call 1: cancelled, not_sent; end -> ended",
        .voided(false): "settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .dropped: "settle: in doubt; call 1: cancelled, unknown; end -> ended",
    ]

    private static let queued: Rows = [
        .placeGranted: "send; attemptOverdue in 35000 -> attempting",
        .cancelled(isSent: false): "void within 500 -> voiding(cancelled)",
        .cancelled(isSent: true): "void within 500 -> voiding(cancelled)",
        .deadline(isSent: false): "void within 500 -> voiding(timeout)",
        .deadline(isSent: true): "void within 500 -> voiding(timeout)",
        .stopped: "void within 500 -> voiding(client_closed)",
        .dropped: "settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    private static let queuedInDoubt: Rows = [
        .placeGranted: "send; attemptOverdue in 35000 -> attempting",
        .cancelled(isSent: false): "withdraw; settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .cancelled(isSent: true): "withdraw; settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .deadline(isSent: false): "pause 0; call 1: in_doubt, unknown; go on -> pausing, settling",
        .deadline(isSent: true): "pause 0; call 1: in_doubt, unknown; go on -> pausing, settling",
        .stopped: "settle: in doubt; call 1: client_closed, unknown; end -> ended",
        .dropped: "settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    // MARK: While an attempt is made

    private static let attempting: Rows = [
        .answered(.made): "leave the place; settle: booked; call 1: booked; end -> ended",
        .answered(.declined): "leave the place; void within 500 -> voiding(not_confirmed)",
        .answered(.elsewhere): "pause 0 -> pausing",
        .answered(.taken): "leave the place; void within 500 -> voiding(slot_unavailable)",
        .answered(.conflict): "pause 1000+ -> pausing",
        .answered(.inProgress): "pause 0 -> pausing",
        .answered(.unauthorized): "pause 1000+ -> pausing",
        .answered(.forbidden): "leave the place; void within 500 -> voiding(forbidden)",
        .answered(.tooMany): "pause 0 -> pausing",
        .answered(.broken): "pause 0 -> pausing",
        .answered(.notImplemented): "pause 1000+ -> pausing",
        .answered(.gatewayTimeout): "pause 0 -> pausing",
        .answered(.lost): "pause 0 -> pausing",
        .answered(.unsent): "pause 0 -> pausing",
        .cancelled(isSent: true):
            "withdraw; no more is sent; attemptOverdue in 34900; leave the place; call 1: cancelled, unknown; go on"
            + " -> attempting, reading",
        .cancelled(isSent: false): "abandon -> abandoning(cancelled)",
        .deadline(isSent: true):
            "distrust the connection; attemptOverdue in 15000; leave the place; call 1: timeout, unknown; go on"
            + " -> attempting, settling",
        .attemptOverdue: "attemptOverdue in 34900",
        .deadline(isSent: false): "abandon as overdue -> abandoning(timeout)",
        .stopped: "abandon -> abandoning(client_closed)",
        .dropped: "leave the place; settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    private static let attemptingInDoubt: Rows = attempting.merging([
        // It is about its own sending only.
        .answered(.declined): "pause 1000+ -> pausing",
        .answered(.taken): "pause 1000+ -> pausing",
        .answered(.forbidden): "pause 1000+ -> pausing",
        .cancelled(isSent: true):
            "withdraw; no more is sent; attemptOverdue in 35000; leave the place; call 1: cancelled, unknown; go on"
            + " -> attempting, reading",
        .cancelled(isSent: false): "withdraw; abandon -> abandoning(cancelled)",
        .deadline(isSent: true):
            "distrust the connection; attemptOverdue in 35000; leave the place; call 1: in_doubt, unknown; go on"
            + " -> attempting, settling",
        .attemptOverdue: "attemptOverdue in 35000",
        .deadline(isSent: false):
            "attemptOverdue in 35000; leave the place; call 1: in_doubt, unknown; go on -> attempting, settling",
    ]) { $1 }

    /// A call was told `unknown`: the end is reported. It asks as long as there is a doubt, and not to make the booking.
    private static let attemptingSettling: Rows = [
        .answered(.made): "settle: booked; report tag-1: booked; end -> ended",
        .answered(.declined): "void within 500 -> voiding(not_confirmed), settling",
        .answered(.elsewhere): "pause 0 -> pausing, settling",
        .answered(.taken): "void within 500 -> voiding(slot_unavailable), settling",
        .answered(.conflict): "pause 1000+ -> pausing, settling",
        .answered(.inProgress): "pause 1000+ -> pausing, settling",
        .answered(.unauthorized): "void within 500 -> voiding(invalid_signature), settling",
        .answered(.forbidden): "void within 500 -> voiding(forbidden), settling",
        .answered(.tooMany): "void within 500 -> voiding(rate_limited), settling",
        .answered(.broken): "pause 1000+ -> pausing, settling",
        .answered(.notImplemented): "pause 1000+ -> pausing, settling",
        .answered(.gatewayTimeout): "pause 1000+ -> pausing, settling",
        .answered(.lost): "pause 1000+ -> pausing, settling",
        .answered(.unsent): "void within 500 -> voiding(connect_failed), settling",
        .attemptOverdue: "attemptOverdue in 15000",
        .joined: "-> attempting",
        .stopped: "abandon -> abandoning(client_closed), settling",
        .dropped: "settle: in doubt; end -> ended",
    ]

    /// It asks for nothing any more.
    private static let attemptingReading: Rows = [
        .answered(.made): "settle: booked; report tag-1: booked; end -> ended",
        .answered(.declined): "void within 500 -> voiding(not_confirmed), reading",
        .answered(.elsewhere): "settle: in doubt; end -> ended",
        .answered(.taken): "void within 500 -> voiding(slot_unavailable), reading",
        .answered(.conflict): "settle: in doubt; end -> ended",
        .answered(.inProgress): "settle: in doubt; end -> ended",
        .answered(.unauthorized): "void within 500 -> voiding(invalid_signature), reading",
        .answered(.forbidden): "void within 500 -> voiding(forbidden), reading",
        .answered(.tooMany): "void within 500 -> voiding(rate_limited), reading",
        .answered(.broken): "settle: in doubt; end -> ended",
        .answered(.notImplemented): "settle: in doubt; end -> ended",
        .answered(.gatewayTimeout): "settle: in doubt; end -> ended",
        .answered(.lost): "settle: in doubt; end -> ended",
        .answered(.unsent): "void within 500 -> voiding(connect_failed), reading",
        .attemptOverdue: "attemptOverdue in 34900",
        .joined: "renew -> attempting",
        .stopped: "abandon -> abandoning(client_closed), reading",
        .dropped: "settle: in doubt; end -> ended",
    ]

    private static let abandoningOverdue: Rows = [
        .joined: "-> abandoning(overdue)",
        .abandoned(nil, isSent: false): "void within 500 -> voiding(timeout), settling",
        .abandoned(nil): "pause 1000+ -> pausing, settling",
        .abandoned(.made): "settle: booked; report tag-1: booked; end -> ended",
        .abandoned(.taken): "void within 500 -> voiding(slot_unavailable), settling",
        .dropped: "settle: in doubt; end -> ended",
    ]

    private static let abandoningCancelled: Rows = [
        .abandoned(nil, isSent: false): "leave the place; void within 500 -> voiding(cancelled)",
        .abandoned(nil): "leave the place; settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .abandoned(.made): "leave the place; settle: booked; call 1: booked; end -> ended",
        .abandoned(.taken): "leave the place; void within 500 -> voiding(slot_unavailable)",
        .dropped: "leave the place; settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    // MARK: Between attempts

    private static let pausing: Rows = [
        .pauseOver: "send; attemptOverdue in 35000 -> attempting",
        .cancelled(isSent: false): "leave the place; void within 500 -> voiding(cancelled)",
        .cancelled(isSent: true): "leave the place; void within 500 -> voiding(cancelled)",
        .deadline(isSent: false): "leave the place; void within 500 -> voiding(rate_limited)",
        .deadline(isSent: true): "leave the place; void within 500 -> voiding(rate_limited)",
        .stopped: "leave the place; void within 500 -> voiding(client_closed)",
        .dropped: "leave the place; settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    private static let pausingInDoubt: Rows = [
        .pauseOver: "send; attemptOverdue in 35000 -> attempting",
        .cancelled(isSent: false): "withdraw; leave the place; settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .cancelled(isSent: true): "withdraw; leave the place; settle: in doubt; call 1: cancelled, unknown; end -> ended",
        .deadline(isSent: false): "leave the place; call 1: in_doubt, unknown; go on -> pausing, settling",
        .deadline(isSent: true): "leave the place; call 1: in_doubt, unknown; go on -> pausing, settling",
        .stopped: "leave the place; settle: in doubt; call 1: client_closed, unknown; end -> ended",
        .dropped: "leave the place; settle: in doubt; call 1: client_closed, unknown; end -> ended",
    ]

    private static let pausingSettling: Rows = [
        .pauseOver: "send; attemptOverdue in 35000 -> attempting, settling",
        .joined: "pause 1000+ -> pausing",
        .stopped: "settle: in doubt; end -> ended",
        .dropped: "settle: in doubt; end -> ended",
    ]

    // MARK: The end

    /// A refusal that cannot be taken down is not told as one: the booking may be resumed.
    private static let voiding: Rows = [
        .voided(true): "settle: rejected; call 1: slot_unavailable, rejected; end -> ended",
        .voided(false): "settle: in doubt; call 1: in_doubt, unknown; end -> ended",
        .dropped: "settle: in doubt; call 1: in_doubt, unknown; end -> ended",
    ]

    private static let voidingReading: Rows = [
        .voided(true): "settle: rejected; report tag-1: slot_unavailable, rejected; end -> ended",
        .voided(false): "settle: in doubt; end -> ended",
        .dropped: "settle: in doubt; end -> ended",
    ]
}
