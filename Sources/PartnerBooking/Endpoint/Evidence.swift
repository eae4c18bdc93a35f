/// The evidence from the sendings of one booking. The outcome depends only on this.
///
/// A sending begins when the first byte of the request may have left. It ends with its answer,
/// or when its connection or stream is gone. An answer is about its own sending only.
struct Evidence: Sendable, Equatable {
    /// The time from the first begin to the last end of sendings that may have made the
    /// booking.
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
    /// The span of sendings with an unknown 409. Cleared when a later 409 counts as a refusal.
    private var conflict: Span?
    private var firstSentAt: MonotonicTime?
    private var wasRefused = false
    /// True when the ledger had recorded the booking as made. No refusal changes that.
    private var wasMade = false
    /// True when another client may have sent the booking under the key since our first
    /// sending. The end of that sending is not known.
    private var assumesOthers = false

    /// The outcome if the booking's record is void. Set when that record is the only doubt.
    private(set) var outcomeWithoutRecord: PartnerBookingError.Outcome?

    /// Minimum time from an unknown 409 to a sending whose 409 counts as a refusal.
    static let conflictMilliseconds = 1_000

    init() {}

    /// Creates the evidence of a booking that an earlier process may have sent. `moment` is the
    /// time when this client read its record.
    init(inheritedAt moment: MonotonicTime) { addUnanswered(from: moment, to: moment) }

    /// The evidence of a booking that was made earlier, and whose reply was not kept.
    static var ofBookingMade: Evidence {
        var evidence = Evidence()
        evidence.wasMade = true
        return evidence
    }

    /// The outcome of a booking that is not known to be made.
    var outcome: PartnerBookingError.Outcome { isInDoubt ? .unknown : wasRefused ? .rejected : .notSent }

    var isInDoubt: Bool { isOfOurs || assumesOthers }

    /// True when a sending of this client may have made the booking.
    var isOfOurs: Bool { wasMade || unanswered != nil || conflict != nil }

    /// The begin of the oldest sending that may have made the booking.
    var inDoubtSince: MonotonicTime? {
        [unanswered?.begin, conflict?.begin, assumesOthers ? firstSentAt : nil].compactMap { $0 }.min()
    }

    /// Returns the time from which the refusal of a new sending ends the doubt; nil when there
    /// is none.
    func settlesAt(_ rules: BookingRules) -> MonotonicTime? {
        guard rules.keys == .first, !rules.areKeysShared, !wasMade, let unanswered else { return nil }
        return unanswered.end.adding(milliseconds: rules.platformLimitMilliseconds + BookingRules.marginMilliseconds)
    }

    /// Adds an attempt that has ended. `answer` is the answer to its last sending.
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
        // This sending did nothing. An earlier sending, or one of another client, is in
        // progress.
        case .inProgress: if unanswered == nil { addUnanswered(from: sendings.lastAt, to: end) }
        case .otherBooking, .none: addUnanswered(from: sendings.lastAt, to: end)
        }
    }

    /// Puts the booking in doubt without an answer. A record that may be on the disk can lead a
    /// later process to book.
    mutating func fallIntoDoubt(_ now: MonotonicTime) {
        if !isInDoubt { outcomeWithoutRecord = outcome }
        addUnanswered(from: now, to: now)
    }

    /// Notes that another client has the key. This client does not know its sendings.
    mutating func fallToOthers(_ now: MonotonicTime) {
        firstSentAt = firstSentAt ?? now
        assumesOthers = true
        outcomeWithoutRecord = nil
    }

    /// Notes that this client has the key again. Other clients may have sent the booking.
    mutating func inherit(_ now: MonotonicTime) {
        assumesOthers = false
        outcomeWithoutRecord = nil
        addUnanswered(from: now, to: now)
    }

    /// Notes that no sending of another client may have made the booking.
    mutating func forgetOthers() { assumesOthers = false }

    /// Drops the doubt about an earlier record. The new record will get a new end.
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
