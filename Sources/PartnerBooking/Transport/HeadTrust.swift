/// The trust that a server sends no body in reply to HEAD. A pure state machine, one for each
/// server.
///
/// A warm-up is a HEAD request. Over HTTP/1.1, a server may wrongly send the body, and send it
/// late. The next request would then get that body as its reply. So a connection whose last
/// reply announced a body is first used for a request that cannot book.
enum HeadTrust {
    /// Not known. No request has followed a HEAD on its connection so far.
    case unknown
    /// A reply came in the place where a body would have been.
    case trusted
    /// Something other than a reply came in that place.
    case distrusted

    enum Use {
        case free
        /// For a request whose reply shows what the server does.
        case trial
        case forbidden
    }

    /// Returns the permitted use of a connection whose last reply announced a body and had none.
    func use(isBooking: Bool) -> Use {
        switch self {
        case .trusted: .free
        case .unknown: isBooking ? .forbidden : .trial
        case .distrusted: .forbidden
        }
    }

    /// Records the result of the trial. A good reply after another good one changes nothing.
    mutating func tried(isReply: Bool) {
        if self != .trusted || !isReply { self = isReply ? .trusted : .distrusted }
    }
}
