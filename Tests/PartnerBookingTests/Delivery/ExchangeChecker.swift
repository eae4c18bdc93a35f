@testable import PartnerBooking

/// Looks at every event and every effect of an exchange, and writes down which rules were broken: those that hold whatever
/// happens. What may have been booked it knows from the slow model of evidence, and not from the exchange.
struct ExchangeChecker {
    var evidence: EvidenceModel
    /// The ledger has given the key to the exchange.
    var isClaimed = false
    /// The store may hold the booking although it was not sent, so that an `unknown` is right.
    var mayStand = false
    /// The platform's answer to the attempt that has just ended.
    private var lastAnswer: Answer?
    /// An attempt is with the transport, and bytes of it may have left.
    private(set) var isAttempting = false
    var isSent = false
    /// The store has not taken down yet that nothing was booked.
    var isVoiding = false
    /// The end that calls get: that of this exchange, or an earlier one.
    var end: TransferID = 1
    /// The store has not answered yet to a give-up.
    private var isGivingUp = false
    /// It has failed to record it.
    private var isGiveUpLost = false
    /// The client closes.
    var isStopped = false
    /// The ledger has the end, which another client has made.
    var isEndedElsewhere = false
    /// The key is another request's, whose end is none of this booking.
    var isOfOthers = false
    var placesHeld = 0
    private(set) var violations: [String] = []

    private let isBooking: Bool
    private let givesUp: Bool
    private let settlesByItself: Bool
    private var event = ""
    private var openCalls: Set<CallTicket> = []
    private var toldCalls: Set<CallTicket> = []
    private var unwanted: Set<CallTicket> = []
    /// A call was told `unknown` by an earlier event.
    private var isOwed = false
    private var isOwedNow = false
    private var isWithdrawn = false
    /// The transport may repeat the attempt by itself.
    private var mayRepeat = true
    private var isWithoutCalls = false
    private var settlements = 0
    /// It was settled as made or as certainly not made.
    private var isSettled = false
    private var reports = 0
    private var hasEnded = false
    private var hasAbandoned = false
    private var hasGoneOn = false

    init(_ settings: ExchangeHarness.Settings) {
        evidence = EvidenceModel(settings.rules)
        isBooking = settings.operation == .createBooking
        givesUp = settings.givesUp
        settlesByItself = settings.policy.settleForMilliseconds > 0
    }

    private mutating func check(_ isRight: Bool, _ what: String) {
        if !isRight { violations.append("\(event): \(what)") }
    }

    // MARK: Events

    mutating func comes(_ name: String) {
        event = name
        isOwed = isOwed || isOwedNow
        isOwedNow = false
        (hasAbandoned, hasGoneOn) = (false, false)
    }

    mutating func accepted(_ ticket: CallTicket) {
        openCalls.insert(ticket)
        (isWithdrawn, isWithoutCalls) = (false, false)
    }

    /// The attempt is over. `sendings` is nil when no byte of it has left.
    mutating func attemptEnded(_ sendings: Sendings?, _ answer: Answer, _ now: MonotonicTime) {
        (isAttempting, isSent) = (false, false)
        lastAnswer = sendings == nil ? nil : answer
        if let sendings { evidence.add(sendings, answer, endedAt: now) }
    }

    /// The ledger has given up bookings, and the store is to record it.
    mutating func giveUpBegins() { isGivingUp = true }

    /// The store has recorded that bookings were given up, or failed to.
    mutating func giveUpEnds(isJournaled: Bool) {
        if isGivingUp { isGiveUpLost = !isJournaled }
        isGivingUp = false
    }

    /// The host of the call has cancelled it.
    mutating func isNotWanted(_ ticket: CallTicket) {
        if openCalls.contains(ticket) { unwanted.insert(ticket) }
    }

    // MARK: Effects

    mutating func wants(_ effect: Exchange.Effect) {
        check(!hasEnded, "an effect after the end")
        // The answer to it comes before the next effect is executed, and may end the exchange.
        check(!hasAbandoned, "an effect behind `abandon` or `giveUp`")
        if givesUp { checkGiveUp(effect) }
        // It may make room by ending this very exchange. A timer without an exchange does no harm.
        if case .wait = effect {} else { check(!hasGoneOn, "an effect behind `goOn`") }
        switch effect {
        case .send: checkSend()
        case .giveUp:
            check(givesUp, "gives up a booking that it was asked to make")
            hasAbandoned = true
        case .abandon:
            check(isAttempting, "abandons what it has not sent")
            hasAbandoned = true
        case .leavePlace:
            placesHeld -= 1
            check(placesHeld >= 0, "leaves a place that it has not")
        case .complete(let call, .done(let result), _): checkCall(call.ticket, result)
        case .complete: check(false, "completes a call with what is no end")
        case .settle(let ending): checkSettlement(ending)
        case .report(let result, _, _): checkReport(result)
        case .end: checkEnd()
        case .sendNoMore: mayRepeat = false
        case .resubmit(let call): checkNewBeginning(call.ticket)
        case .goOn:
            hasGoneOn = true
            let readsOnly = isWithdrawn || !settlesByItself
            check(!isAttempting || !readsOnly || !mayRepeat, "the transport may repeat what must not be sent any more")
        case .look: check(evidence.isElsewhere, "looks at a key that nobody else has")
        case .claim, .record, .revokeRecord, .void, .queue, .wait, .withdraw, .renew, .distrust: break
        }
    }

    /// Names the end that a call gets.
    mutating func namesEnd(_ id: TransferID) { check(id == end, "names the end \(id) in place of \(end)") }

    /// It sends nothing, waits for no place, and has no key of its own.
    private mutating func checkGiveUp(_ effect: Exchange.Effect) {
        switch effect {
        case .giveUp, .wait(.giveUpOverdue, _, _), .end: break
        case .complete(_, .done(.success(let json)), _):
            check(!isGivingUp, "is told as given up before the store has answered")
            check(GiveUpReply(json: json).isJournaled == !isGiveUpLost, "says of the journal what is not true")
        case .complete: check(!isGivingUp, "fails although the booking was given up")
        default: check(false, "a give-up has another effect")
        }
    }

    private mutating func checkSend() {
        check(!evidence.isElsewhere, "sends although another client has the key")
        check(!isStopped, "sends although the client closes")
        check(!isAttempting, "sends while an attempt is under way")
        check(!isWithdrawn, "sends what was withdrawn")
        check(openCalls.isEmpty || !openCalls.isSubset(of: unwanted), "sends for calls that were cancelled")
        check(!isWithoutCalls || settlesByItself, "sends by itself, although it is to read only")
        check(!isBooking || evidence.rules.keys != .none || !evidence.isInDoubt, "sends again to a platform without keys")
        isAttempting = true
        mayRepeat = true
    }

    private mutating func checkCall(_ ticket: CallTicket, _ result: CallResult) {
        check(openCalls.remove(ticket) != nil, "call \(ticket) is told an end that is not its own")
        check(toldCalls.insert(ticket).inserted, "call \(ticket) is told its end twice")
        isWithoutCalls = openCalls.isEmpty
        guard isBooking, isClaimed, case .failure(let error) = result, let outcome = error.outcome else { return }
        if error.code == .cancelled, openCalls.isEmpty { isWithdrawn = true }
        if outcome == .unknown { isOwedNow = true }
        let isOpen = evidence.isInDoubt || isAttempting
        check(outcome == .unknown || !isOpen, "\(outcome) is told while it may be booked")
        check(outcome == .unknown || !isVoiding, "\(outcome) is told before the store has taken that down")
        check(outcome == .unknown || outcome == evidence.outcome, "\(outcome) is told, and it is \(evidence.outcome)")
        check(outcome == .unknown || error.code != .inDoubt, "in_doubt is told as \(outcome)")
        let isRefusal = error.isSlotConflict || error.code == .notConfirmed
        check(!isRefusal || outcome == .rejected, "\(error.code.rawValue) is told as \(outcome)")
        check(error.code != .inDoubt || error.doubt != nil, "in_doubt without what is open")
    }

    private mutating func checkNewBeginning(_ ticket: CallTicket) {
        check(openCalls.remove(ticket) != nil, "call \(ticket) begins anew and is not its own")
        check(!unwanted.contains(ticket), "call \(ticket) begins anew although it was cancelled")
        check(!isStopped, "call \(ticket) begins anew although the client closes")
        check(settlements == (isClaimed && !isEndedElsewhere ? 1 : 0), "call \(ticket) begins anew before the key is free")
    }

    private mutating func checkSettlement(_ ending: BookingLedger.Ending) {
        settlements += 1
        check(isClaimed, "settles a key that is not its own")
        check(!isAttempting, "settles while an attempt is under way")
        if case .inDoubt = ending {} else { isSettled = true }
        switch ending {
        case .booked: check(lastAnswer == .made, "settles as booked after \(String(describing: lastAnswer))")
        case .notBooked(let outcome):
            check(!evidence.isInDoubt, "frees a key that may have a booking")
            check(outcome == evidence.outcome, "settles as \(outcome), and it is \(evidence.outcome)")
        case .inDoubt(let known, let owed):
            check(evidence.isInDoubt || mayStand, "keeps a doubt that is none")
            check(known.isInDoubt, "the ledger gets evidence without a doubt")
            check(!isOwed || owed != nil, "forgets that nobody was told the end")
        }
    }

    private mutating func checkReport(_ result: CallResult) {
        reports += 1
        check(isOwed, "reports the end of what nobody was told to be unknown")
        if case .failure(let error) = result {
            check(
                error.outcome != .unknown && error.outcome == evidence.outcome, "reports \(error.code.rawValue) as settled")
        }
    }

    private mutating func checkEnd() {
        check(openCalls.isEmpty, "ends without an end for calls \(openCalls.sorted())")
        check(placesHeld == 0, "ends with a place")
        check(!isAttempting, "ends while an attempt is under way")
        check(settlements == (isClaimed && !isEndedElsewhere ? 1 : 0), "ends after \(settlements) settlements")
        check(reports == ((isSettled || isEndedElsewhere && !isOfOthers) && isOwed ? 1 : 0), "ends after \(reports) reports")
        check(!isSettled || !isOwedNow, "unknown is told although nothing is open")
        hasEnded = true
    }
}
