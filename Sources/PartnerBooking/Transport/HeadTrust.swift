/// Knows whether a server sends no body in reply to HEAD. A pure state machine, one for each server.
///
/// A warm-up is a HEAD request. A server that sends the body all the same, over HTTP/1.1 and later, would answer the next
/// request with it. So a connection whose last reply announced a body is first used for a request that cannot book.
enum HeadTrust {
    /// No request has followed a HEAD on its connection so far.
    case unknown
    /// A reply came where a body would have been.
    case trusted
    /// Something else came.
    case distrusted

    enum Use {
        case free
        /// The reply shows what the server does.
        case trial
        case forbidden
    }

    /// Returns the use of a connection whose last reply announced a body and had none.
    func use(isBooking: Bool) -> Use {
        switch self {
        case .trusted: .free
        case .unknown: isBooking ? .forbidden : .trial
        case .distrusted: .forbidden
        }
    }

    /// The trial has ended. One reply after a good one says nothing new.
    mutating func tried(isReply: Bool) {
        if self != .trusted || !isReply { self = isReply ? .trusted : .distrusted }
    }
}
