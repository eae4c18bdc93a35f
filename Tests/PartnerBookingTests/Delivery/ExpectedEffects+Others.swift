// What an exchange wants done that does not book: one that gives up, and a search.

extension ExpectedEffects {
    // MARK: A person gives up

    static let givingUpClaiming: Rows = [
        .gaveUp(isAwaited: false): "call 1: gave up 1, kept 1; end -> ended",
        .gaveUp(isAwaited: true): "giveUpOverdue in 2000 -> givingUp",
        .gaveUpNothing: "call 1: not_recorded, unknown; end -> ended",
        .cancelled(isSent: false): "call 1: cancelled, not_sent",
        .cancelled(isSent: true): "call 1: cancelled, not_sent",
        .deadline(isSent: false): "call 1: timeout, not_sent",
        .deadline(isSent: true): "call 1: timeout, not_sent",
        .stopped: "call 1: client_closed, not_sent; end -> ended",
        .dropped: "call 1: client_closed, not_sent; end -> ended",
    ]

    /// It is done in memory: a cancel, a deadline or a close does not make a failure of it.
    static let givingUp: Rows = [
        .cancelled(isSent: false): "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .cancelled(isSent: true): "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .deadline(isSent: false): "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .deadline(isSent: true): "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .giveUpRecorded(true): "call 1: gave up 1, kept 1; end -> ended",
        .giveUpRecorded(false): "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .giveUpOverdue: "call 1: gave up 1, kept 1, not journaled; end -> ended",
        .dropped: "call 1: gave up 1, kept 1, not journaled; end -> ended",
    ]

    // MARK: Searches

    static let searchAttempting: Rows = [
        .answered(.made): "leave the place; call 1: booked; end -> ended",
        .answered(.declined): "leave the place; call 1: invalid_reply; end -> ended",
        .answered(.elsewhere): "leave the place; call 1: invalid_reply; end -> ended",
        .answered(.taken): "leave the place; call 1: slot_unavailable; end -> ended",
        .answered(.conflict): "leave the place; call 1: conflict; end -> ended",
        .answered(.inProgress): "leave the place; call 1: idempotency_key_in_use; end -> ended",
        .answered(.unauthorized): "pause 1000+ -> pausing",
        .answered(.forbidden): "leave the place; call 1: forbidden; end -> ended",
        .answered(.tooMany): "pause 0 -> pausing",
        .answered(.broken): "pause 0 -> pausing",
        .answered(.notImplemented): "leave the place; call 1: not_implemented; end -> ended",
        .answered(.gatewayTimeout): "pause 0 -> pausing",
        .answered(.lost): "pause 0 -> pausing",
        .answered(.unsent): "pause 0 -> pausing",
        .cancelled(isSent: true): "abandon -> abandoning(cancelled)",
        .cancelled(isSent: false): "abandon -> abandoning(cancelled)",
        .deadline(isSent: true): "abandon as overdue -> abandoning(timeout)",
        .deadline(isSent: false): "abandon as overdue -> abandoning(timeout)",
        .stopped: "abandon -> abandoning(client_closed)",
        .dropped: "leave the place; call 1: client_closed; end -> ended",
    ]

    static let searchPausing: Rows = [
        .pauseOver: "send -> attempting",
        .cancelled(isSent: true): "leave the place; call 1: cancelled; end -> ended",
        .cancelled(isSent: false): "leave the place; call 1: cancelled; end -> ended",
        .deadline(isSent: true): "leave the place; call 1: gateway_timeout; end -> ended",
        .deadline(isSent: false): "leave the place; call 1: gateway_timeout; end -> ended",
        .stopped: "leave the place; call 1: client_closed; end -> ended",
        .dropped: "leave the place; call 1: client_closed; end -> ended",
    ]

    static let searchAbandoning: Rows = [
        .abandoned(nil, isSent: false): "leave the place; call 1: cancelled; end -> ended",
        .abandoned(nil): "leave the place; call 1: cancelled; end -> ended",
        .abandoned(.made): "leave the place; call 1: booked; end -> ended",
        .abandoned(.taken): "leave the place; call 1: slot_unavailable; end -> ended",
        .dropped: "leave the place; call 1: client_closed; end -> ended",
    ]
}
