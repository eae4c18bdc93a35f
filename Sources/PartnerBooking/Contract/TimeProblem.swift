/// Why a wish for a time is unclear: what a voice bot needs to ask the caller again.
public struct TimeProblem: Error, Sendable, Equatable {
    /// The reason.
    public enum Reason: String, Sendable, CaseIterable {
        /// Something in it is no known word, or no known order of words. A "not" is one of them.
        case notUnderstood = "not_understood"
        /// There is no such day or time: the 30th of February.
        case noSuchTime = "no_such_time"
        /// All of it is past.
        case past
        /// Its parts exclude each other: tomorrow morning at 3 pm.
        case contradictory
    }

    /// The reason.
    public var reason: Reason
    /// The member of the request: `when` or `time`.
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
