@testable import PartnerBooking

/// What a platform answers to one attempt, or what becomes of the attempt in its place.
enum PlatformAnswer: String, CaseIterable, Sendable {
    case made
    /// 201 with the status `declined`.
    case declined
    /// 201 with another start.
    case elsewhere
    /// 409 `slot_unavailable`.
    case taken
    /// 409 with a code that nobody knows.
    case conflict
    /// 409 that says so.
    case inProgress
    /// 401 `invalid_signature`.
    case unauthorized
    /// 403.
    case forbidden
    /// 429.
    case tooMany
    /// 500.
    case broken
    /// 501, which is not tried again at once.
    case notImplemented
    /// 504.
    case gatewayTimeout
    /// The connection is lost after the request was sent.
    case lost
    /// No connection is made.
    case unsent

    var isSent: Bool { self != .unsent }

    /// What it says of the booking, if it was sent. Who asks for another try later, with whatever conflict, is at work.
    func meaning(retryAfter: Int? = nil) -> Answer {
        switch self {
        case .made: .made
        case .declined: .notConfirmed
        case .elsewhere: .otherBooking
        case .taken: .bookingRefused
        case .conflict: retryAfter == nil ? .conflict : .inProgress
        case .inProgress: .inProgress
        case .unauthorized, .forbidden, .tooMany: .callerRefused
        case .broken, .notImplemented, .gatewayTimeout, .lost, .unsent: .none
        }
    }

    /// As the endpoint reads it. `retryAfter`: the header, in seconds.
    func attempt(_ operation: PartnerBooking.CallOperation = .createBooking, retryAfter: Int? = nil) -> AttemptResult {
        let start = operation == .createBooking ? Self.startSeconds : nil
        let question = AttemptResult.Question(operation: operation, startSeconds: start)
        func reply(_ status: Int, _ body: [UInt8]) -> AttemptResult {
            let header: (String) -> String? = { $0 == "Retry-After" ? retryAfter.map(String.init) : nil }
            return AttemptResult(.reply(HTTPReply(status: status, body: body, header: header)), to: question)
        }
        func failure(_ code: PartnerBookingError.Code) -> AttemptResult {
            AttemptResult(.failure(TransferFailure(code: code, message: "Scripted", isRetryable: true)), to: question)
        }
        return switch self {
        case .made: reply(201, Sample.reply(to: operation))
        case .declined: reply(201, Self.booking(#""status":"declined""#))
        case .elsewhere: reply(201, Self.booking(#""start_at":"2030-01-14T11:00:00Z""#))
        case .taken: reply(409, Sample.refusal("slot_unavailable"))
        case .conflict: reply(409, Sample.refusal("conflict"))
        case .inProgress: reply(409, Sample.refusal("idempotency_key_in_use"))
        case .unauthorized: reply(401, Sample.refusal("invalid_signature"))
        case .forbidden: reply(403, Sample.refusal("forbidden"))
        case .tooMany: reply(429, Sample.refusal("rate_limited"))
        case .broken: reply(500, Sample.refusal("internal"))
        case .notImplemented: reply(501, Sample.refusal("not_implemented"))
        case .gatewayTimeout: reply(504, Sample.refusal("gateway_timeout"))
        case .lost: failure(.connectionLost)
        case .unsent: failure(.connectFailed)
        }
    }

    /// 2030-01-14T10:00:00Z, which `Sample.booking` asks for.
    private static let startSeconds = 1_894_615_200

    private static func booking(_ members: String) -> [UInt8] { Array(#"{"booking":{"id":"bkg_2",\#(members)}}"#.utf8) }
}
