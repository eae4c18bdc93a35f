/// The reason why a phone number is unclear. A voice bot needs it to ask the caller again.
public struct PhoneProblem: Error, Sendable, Equatable {
    /// The reason.
    public enum Reason: String, Sendable, CaseIterable {
        /// Fewer digits than a number of the region has.
        case tooShort = "too_short"
        /// More digits than a number of the region has.
        case tooLong = "too_long"
        /// The text has no digits, written or as words.
        case noDigits = "no_digits"
        /// The number has no `+`, and no region was given.
        case noRegion = "no_region"
        /// A word or a sign among the digits, or next to them, is not part of a number. It may
        /// be a correction.
        case notUnderstood = "not_understood"
        /// The text has two readings, and both can be numbers.
        case ambiguous = "ambiguous"
        /// The length is right, but no number of the region begins with these digits. Or no
        /// country has the calling code.
        case noSuchNumber = "no_such_number"
    }

    /// The reason.
    public var reason: Reason
    /// Number of digits in the text, prefixes included. Set with `too_short` and `too_long`.
    public var digitsHeard: Int?
    /// Nearest possible number of digits, prefixes included. Set together with `digitsHeard`.
    public var digitsWanted: Int?

    init(_ reason: Reason, heard: Int? = nil, wanted: Int? = nil) {
        self.reason = reason
        digitsHeard = heard
        digitsWanted = wanted
    }
}

extension PartnerBookingError {
    static func phoneUnclear(_ problem: PhoneProblem) -> PartnerBookingError {
        let message =
            switch problem.reason {
            case .tooShort, .tooLong:
                ErrorMessage.digits(problem.digitsHeard ?? 0, needed: problem.digitsWanted ?? 0)
            case .noDigits: ErrorMessage.noDigits
            case .noRegion: ErrorMessage.noRegion
            case .notUnderstood: ErrorMessage.phoneNotUnderstood
            case .ambiguous: ErrorMessage.phoneAmbiguous
            case .noSuchNumber: ErrorMessage.noSuchNumber
            }
        var error = PartnerBookingError(.phoneUnclear, message, source: .caller)
        error.field = "text"
        error.phoneProblem = problem
        return error
    }
}
