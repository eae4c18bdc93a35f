/// The reason why a wish for a time is unclear. A voice bot needs it to ask the caller again.
public struct TimeProblem: Error, Sendable, Equatable {
    /// The reason.
    public enum Reason: String, Sendable, CaseIterable {
        /// The wish has an unknown word, such as "not", or an unknown order of words.
        case notUnderstood = "not_understood"
        /// The day or the time does not exist: the 30th of February.
        case noSuchTime = "no_such_time"
        /// The whole wish is in the past.
        case past
        /// The parts of the wish exclude each other: tomorrow morning at 3 pm.
        case contradictory
    }

    /// The reason.
    public var reason: Reason
    /// The member of the request with the wish: `when` or `time`.
    public var field: String

    init(_ reason: Reason, field: String) {
        self.reason = reason
        self.field = field
    }
}

extension PartnerBookingError {
    static func timeUnclear(_ problem: TimeProblem) -> PartnerBookingError {
        let message =
            switch problem.reason {
            case .notUnderstood: ErrorMessage.timeNotUnderstood(problem.field)
            case .noSuchTime: ErrorMessage.noSuchTime(problem.field)
            case .past: ErrorMessage.past(problem.field)
            case .contradictory: ErrorMessage.contradictory(problem.field)
            }
        var error = PartnerBookingError(.timeUnclear, message, source: .caller)
        error.field = problem.field
        error.timeProblem = problem
        return error
    }
}
