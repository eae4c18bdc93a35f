/// The evidence from the sendings of one booking. Its outcome follows from this and from nothing else.
///
/// A sending begins when the first byte of the request may have left. It ends with its answer, or when its connection or
/// stream is gone. An answer is about its own sending only.
struct Evidence: Sendable, Equatable {
    /// Sendings that may have made the booking: when the first of them began, and when the last of them ended.
    private struct Span: Sendable, Equatable {
        var begin: MonotonicTime
        var end: MonotonicTime

        static func joining(_ left: Span?, _ right: Span) -> Span {
            guard let left else { return right }
            return Span(begin: min(left.begin, right.begin), end: max(left.end, right.end))
        }
    }

    /// Sendings without a usable answer.
    private var unanswered: Span?
    /// A sending that got an unknown 409, until the second one.
    private var conflict: Span?
    private var firstSentAt: MonotonicTime?
    private var wasRefused = false
    /// An earlier process was told that it was made. No refusal changes that.
    private var wasMade = false
    /// Assumes that another client has sent the booking under the same key since our first sending. The end of that is
    /// not known.
    private var assumesOthers = false

    /// Set when the only doubt is a record that may stand: the outcome if it does not.
    private(set) var outcomeWithoutRecord: PartnerBookingError.Outcome?

    /// Least time between two unknown 409s for the second one to count as a refusal.
    static let conflictMilliseconds = 1_000

    init() {}

    /// The evidence of a booking that an earlier process may have sent: dated at the moment when its journal was opened.
    init(inheritedAt moment: MonotonicTime) { addUnanswered(from: moment, to: moment) }

    /// The evidence of a booking that was made before, and whose reply nobody has kept.
    static var ofBookingMade: Evidence {
        var evidence = Evidence()
        evidence.wasMade = true
        return evidence
    }

    /// The outcome of a booking that is not known to be made.
    var outcome: PartnerBookingError.Outcome { isInDoubt ? .unknown : wasRefused ? .rejected : .notSent }

    var isInDoubt: Bool { isOfOurs || assumesOthers }

    /// A sending of this client may have made the booking.
    var isOfOurs: Bool { wasMade || unanswered != nil || conflict != nil }

    /// The begin of the oldest sending that may have made the booking.
    var inDoubtSince: MonotonicTime? {
        [unanswered?.begin, conflict?.begin, assumesOthers ? firstSentAt : nil].compactMap { $0 }.min()
    }

    /// Returns when a new sending's refusal ends the doubt, or nil.
    func settlesAt(_ rules: BookingRules) -> MonotonicTime? {
        guard rules.keys == .first, !rules.areKeysShared, !wasMade, let unanswered else { return nil }
        return unanswered.end.adding(milliseconds: rules.platformLimitMilliseconds + BookingRules.marginMilliseconds)
    }

    /// Adds an attempt that has ended. `answer` is the one to its last sending.
    mutating func add(_ sendings: Sendings, _ answer: Answer, endedAt end: MonotonicTime, _ rules: BookingRules) {
        firstSentAt = firstSentAt ?? sendings.firstAt
        outcomeWithoutRecord = nil
        let end = max(end, sendings.lastAt)
        // The connection of an earlier sending was gone before the next one began.
        if sendings.count > 1 { addUnanswered(from: sendings.firstAt, to: sendings.lastAt) }
        switch answer {
        case .made:
            wasMade = false
            unanswered = nil
            conflict = nil
            assumesOthers = false
        case .callerRefused:
            wasRefused = true
            assumesOthers = rules.areKeysShared
        case .bookingRefused, .notConfirmed: refuse(sentAt: sendings.lastAt, rules)
        case .conflict where rules.keys == .none: refuse(sentAt: sendings.lastAt, rules)
        case .conflict:
            if let conflict, sendings.lastAt >= conflict.end.adding(milliseconds: Self.conflictMilliseconds) {
                refuse(sentAt: sendings.lastAt, rules)
            } else {
                conflict = .joining(conflict, Span(begin: sendings.lastAt, end: end))
            }
        // This sending did nothing. An earlier sending is in progress, or another client's.
        case .inProgress: if unanswered == nil { addUnanswered(from: sendings.lastAt, to: end) }
        case .otherBooking, .none: addUnanswered(from: sendings.lastAt, to: end)
        }
    }

    /// Puts the booking in doubt without an answer: a record that may be on the disk can make it later.
    mutating func fallIntoDoubt(_ now: MonotonicTime) {
        if !isInDoubt { outcomeWithoutRecord = outcome }
        addUnanswered(from: now, to: now)
    }

    /// Another client has the key: its sendings are not known here.
    mutating func fallToOthers(_ now: MonotonicTime) {
        firstSentAt = firstSentAt ?? now
        assumesOthers = true
        outcomeWithoutRecord = nil
    }

    /// The key is this client's again, and with it what others may have sent.
    mutating func inherit(_ now: MonotonicTime) {
        assumesOthers = false
        outcomeWithoutRecord = nil
        addUnanswered(from: now, to: now)
    }

    /// Others have sent nothing that may have made the booking.
    mutating func forgetOthers() { assumesOthers = false }

    /// The booking has a new record, and with it a new end. An earlier record is no doubt any more.
    mutating func forgetRecord() {
        guard outcomeWithoutRecord != nil else { return }
        outcomeWithoutRecord = nil
        unanswered = nil
    }

    private mutating func addUnanswered(from begin: MonotonicTime, to end: MonotonicTime) {
        unanswered = .joining(unanswered, Span(begin: begin, end: end))
    }

    private mutating func refuse(sentAt moment: MonotonicTime, _ rules: BookingRules) {
        wasRefused = true
        conflict = nil
        assumesOthers = rules.areKeysShared
        if let settlesAt = settlesAt(rules), settlesAt <= moment { unanswered = nil }
    }
}
