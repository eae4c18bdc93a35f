@testable import PartnerBooking

/// The evidence of one booking: a list of all sendings, which is read as a whole for each question. Slow, and written without a
/// look at `Evidence`, so that both are unlikely to be wrong in the same way.
struct EvidenceModel {
    /// When the tests begin.
    static let start = MonotonicTime(nanoseconds: 7_000_000_123)

    struct Sending {
        var begin: MonotonicTime
        var end: MonotonicTime
        var answer: Answer
        /// Sent by this client, not inherited from an earlier process.
        var isOurs = true
        /// None at all: a record may stand from which it can be sent.
        var isRecord = false
    }

    private(set) var sendings: [Sending] = []
    let rules: BookingRules
    /// Another client has the key.
    var isElsewhere = false

    init(_ rules: BookingRules, inheritedAt moment: MonotonicTime? = nil) {
        self.rules = rules
        if let moment { fallIntoDoubt(moment) }
    }

    mutating func add(_ attempt: Sendings, _ answer: Answer, endedAt end: MonotonicTime) {
        // Where the repetitions in the middle began is not known, and makes no difference: their neighbours enclose them.
        for number in 0..<attempt.count - 1 {
            let begin = number == 0 ? attempt.firstAt : attempt.lastAt
            sendings.append(Sending(begin: begin, end: attempt.lastAt, answer: .none))
        }
        sendings.append(Sending(begin: attempt.lastAt, end: end, answer: answer))
    }

    /// `isRecord`: a record may stand, and not: an earlier process may have sent it.
    mutating func fallIntoDoubt(_ now: MonotonicTime, isRecord: Bool = false) {
        sendings.append(Sending(begin: now, end: now, answer: .none, isOurs: false, isRecord: isRecord))
    }

    // MARK: Questions

    var outcome: PartnerBookingError.Outcome {
        if sendings.isEmpty && !isElsewhere { return .notSent }
        return isInDoubt ? .unknown : .rejected
    }

    var isInDoubt: Bool { sendings.indices.contains(where: isOpen) || foreign != nil || isElsewhere }

    /// The outcome if the records do not stand. nil: there is another doubt, or none.
    var outcomeWithoutRecord: PartnerBookingError.Outcome? {
        let records = sendings.reversed().prefix { $0.isRecord }.count
        let earlier = before(sendings.count - records)
        return records == 0 || earlier.isInDoubt ? nil : earlier.outcome
    }

    /// When the oldest sending began that may have made the booking.
    var inDoubtSince: MonotonicTime? {
        (sendings.indices.filter(isOpen).map { sendings[$0].begin } + [foreign].compactMap { $0 }).min()
    }

    /// From when on a refusal ends the doubt about what got no answer.
    var settlesAt: MonotonicTime? {
        guard rules.keys == .first, !rules.areKeysShared else { return nil }
        return sendings.indices.filter { isOpen($0) && sendings[$0].answer != .conflict }.map { limit(sendings[$0].end) }
            .max()
    }

    // MARK: One sending

    private func limit(_ end: MonotonicTime) -> MonotonicTime {
        end.adding(milliseconds: rules.platformLimitMilliseconds + 1_000)
    }

    /// Returns whether the sending may have made the booking.
    private func isOpen(_ index: Int) -> Bool {
        let later = sendings.indices.dropFirst(index + 1)
        if later.contains(where: { sendings[$0].answer == .made }) { return false }
        switch sendings[index].answer {
        case .made, .notConfirmed, .bookingRefused, .callerRefused: return false
        case .conflict: return !isRefusal(index) && !later.contains(where: isRefusal)
        // It did nothing itself. Unless it was an earlier one of ours that is at work, it is one that nobody here knows.
        case .inProgress where before(index).isWorkKnown: return false
        case .inProgress, .otherBooking, .none:
            return rules.keys != .first
                || !later.contains { isRefusal($0) && sendings[$0].begin >= limit(sendings[index].end) }
        }
    }

    private func before(_ index: Int) -> EvidenceModel {
        var model = self
        model.sendings.removeSubrange(index...)
        return model
    }

    /// A sending is known that may still be worked on.
    private var isWorkKnown: Bool {
        foreign != nil || sendings.indices.contains { sendings[$0].answer != .conflict && isOpen($0) }
    }

    /// Returns whether its answer counts as a refusal of the booking. An unknown 409 does, after a second ask.
    private func isRefusal(_ index: Int) -> Bool {
        switch sendings[index].answer {
        case .bookingRefused, .notConfirmed: return true
        case .conflict where rules.keys == .none: return true
        case .conflict:
            guard let earlier = sendings[..<index].lastIndex(where: { $0.answer == .conflict }), !isRefusal(earlier),
                !sendings.indices[(earlier + 1)..<index].contains(where: { isRefusal($0) || sendings[$0].answer == .made })
            else { return false }
            return sendings[index].begin >= sendings[earlier].end.adding(milliseconds: 1_000)
        default: return false
        }
    }

    /// Since when a sending of another client is open, if one has to be assumed. Nobody here knows when it ends. Any refusal
    /// of ours leaves room for it: the issue names those of the booking, but one of the caller says as little of others.
    private var foreign: MonotonicTime? {
        let settled = sendings.lastIndex { $0.answer == .made } ?? -1
        let later = sendings.indices.dropFirst(settled + 1)
        guard rules.areKeysShared, later.contains(where: { isRefusal($0) || sendings[$0].answer == .callerRefused }) else {
            return nil
        }
        return sendings.first(where: \.isOurs)?.begin
    }
}
