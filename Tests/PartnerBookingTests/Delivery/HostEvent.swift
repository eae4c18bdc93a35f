@testable import PartnerBooking

/// What the store of the host's may tell of an exchange's key.
enum HostEvent: CaseIterable, Sendable {
    // The answer to a claim
    case held, tookOver, tookOverOwn, takeoverFailed, other, bookedAtOnce
    // The answer to a look
    case lookedLive, lookedFree, lookedBooked, lookedGivenUp
    /// Another client has taken the key over.
    case lost

    static let answersToClaim: [HostEvent] = [.held, .tookOver, .tookOverOwn, .takeoverFailed, .other, .bookedAtOnce]
    static let answersToLook: [HostEvent] = [.lookedLive, .lookedLive, .lookedFree, .lookedBooked, .lookedGivenUp]
}

extension ExchangeHarness {
    @discardableResult
    mutating func take(_ event: HostEvent) -> String {
        let moment = now
        let isRecording = exchange.phase == .recording
        let isAwaiting = exchange.phase == .awaiting
        if HostEvent.answersToClaim.contains(event) { records = 0 } else if event != .lost { looks = 0 }
        switch event {
        case .held:
            if isRecording { checker.evidence.isElsewhere = true }
            return feed("held") { exchange, _ in exchange.heldElsewhere(moment) }
        case .tookOver, .tookOverOwn:
            let isOwn = event == .tookOverOwn
            if isRecording || exchange.record == .pending { inheritKey(isOwn: isOwn) }
            return feed(isOwn ? "took over its own" : "took over") { [message] exchange, _ in
                exchange.tookOver(exchange.request, message, isOwn: isOwn, moment)
            }
        case .takeoverFailed:
            if isRecording { inheritKey(isOwn: false) }
            return feed("takeover failed") { exchange, _ in exchange.takeoverFailed(.accountChanged, moment) }
        case .other:
            if isRecording || isAwaiting { (checker.isEndedElsewhere, checker.isOfOthers) = (true, true) }
            return feed("other request") { exchange, _ in exchange.otherElsewhere(.init(state: .booked), moment) }
        case .bookedAtOnce, .lookedBooked:
            if isRecording || isAwaiting { checker.isEndedElsewhere = true }
            return feed("booked elsewhere") { exchange, _ in exchange.bookedElsewhere(Sample.bookingReply, moment) }
        case .lookedLive: return feed("live") { exchange, _ in exchange.looked(isLive: true, moment) }
        case .lookedFree: return feed("free") { exchange, _ in exchange.looked(isLive: false, moment) }
        case .lookedGivenUp: return feed("given up") { exchange, _ in exchange.givenUpElsewhere(moment) }
        case .lost:
            if exchange.record != .none, ![.claiming, .awaiting, .ended].contains(exchange.phase) {
                checker.evidence.isElsewhere = true
            }
            return feed("lost") { exchange, _ in exchange.lost(moment) }
        }
    }

    private mutating func inheritKey(isOwn: Bool) {
        checker.evidence.isElsewhere = false
        if !(isOwn && exchange.evidence.isInDoubt) { checker.evidence.fallIntoDoubt(now) }
    }
}
