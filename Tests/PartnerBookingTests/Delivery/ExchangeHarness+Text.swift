@testable import PartnerBooking

// What a harness writes down.

extension ExchangeHarness {
    /// The phase, and why the exchange goes on when no call waits for it.
    var state: String {
        let phase =
            switch exchange.phase {
            case .abandoning(.overdue): "abandoning(overdue)"
            case .abandoning(.leaving(let error)): "abandoning(\(error.code.rawValue))"
            case .voiding(let result): "voiding(\(result.failure?.code.rawValue ?? "booked"))"
            case .givingUp: "givingUp"
            default: "\(exchange.phase)"
            }
        return switch exchange.purpose {
        case .answering: phase
        case .settling: isOver ? phase : phase + ", settling"
        case .reading: isOver ? phase : phase + ", reading"
        }
    }

    func describe(_ effect: Exchange.Effect) -> String {
        switch effect {
        case .claim: "claim"
        case .record(let moment): "record within \(moment.milliseconds(since: now))"
        case .revokeRecord: "take back the record"
        case .void(let moment): "void within \(moment.milliseconds(since: now))"
        case .queue: "queue"
        case .leavePlace: "leave the place"
        case .send(let attempt): describe(attempt)
        case .giveUp(.booking(let key)): "give up \(key)"
        case .giveUp(.bookings(let botID, let startBefore)): "give up \(botID) before \(startBefore)"
        case .abandon(let isOverdue): isOverdue ? "abandon as overdue" : "abandon"
        case .wait(.pauseOver, let moment, _): "pause \(describePause(moment))"
        case .wait(let timer, let moment, _): "\(timer) in \(moment.milliseconds(since: now))"
        case .goOn: "go on"
        case .complete(let call, .done(let result), _):
            "call \(call.ticket): \(describe(result))\(exchange.isReplayed ? " (replayed)" : "")"
        case .complete(let call, let event, _): "call \(call.ticket): \(event)"
        case .settle(.booked): "settle: booked"
        case .settle(.notBooked(let outcome)): "settle: \(outcome.rawValue)"
        case .settle(.inDoubt): "settle: in doubt"
        case .withdraw: "withdraw"
        case .look: "look"
        case .renew: "renew"
        case .sendNoMore: "no more is sent"
        case .distrust: "distrust the connection"
        case .resubmit(let call): "call \(call.ticket) begins anew"
        case .report(let result, _, let tag): "report \(tag ?? "nil"): \(describe(result))"
        case .end: "end"
        }
    }

    private func describe(_ attempt: Exchange.Attempt) -> String {
        "send" + (attempt.signingKey > 0 ? " with secret \(attempt.signingKey)" : "") + (attempt.isSentOnce ? " once" : "")
            + (attempt.needsNewConnection ? " on a new connection" : "")
    }

    private func describe(_ result: CallResult) -> String {
        switch result {
        case .success(let json) where exchange.request.givesUp != nil: describe(GiveUpReply(json: json))
        case .success: "booked"
        case .failure(let error): error.code.rawValue + (error.outcome.map { ", \($0.rawValue)" } ?? "")
        }
    }

    private func describe(_ reply: GiveUpReply) -> String {
        "gave up \(reply.givenUp.count), kept \(reply.kept.count)\(reply.isJournaled ? "" : ", not journaled")"
    }

    /// The pauses between questions have a jitter of an eighth.
    private func describePause(_ moment: MonotonicTime) -> String {
        let pause = moment.milliseconds(since: now)
        let asked = RetrySchedule.askMilliseconds.first { ($0...$0 + $0 / 8).contains(pause) }
        return asked.map { "\($0)+" } ?? "\(pause)"
    }
}
