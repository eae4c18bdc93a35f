/// A reply that is given up while it arrives. All are the server's faults.
enum ReplyFault {
    /// The body is longer than `max_reply_bytes`.
    case tooLarge
    /// The body comes in thousands of tiny pieces.
    case tooManyPieces
    /// The lines of head and trailers are too long together.
    case headTooLong
    /// A header line goes on in the next line. libcurl copies the whole value for each such line. RFC 9112 forbids them.
    case foldedLine
    /// The body or its transfer has an encoding that was not asked for.
    case encoding

    func failure(maxReplyBytes: Int) -> TransferFailure {
        switch self {
        case .tooLarge:
            TransferFailure(
                code: .replyTooLarge, message: "The reply is longer than max_reply_bytes, \(maxReplyBytes)",
                isRetryable: false)
        case .tooManyPieces: .invalidReply("The reply came in too many tiny pieces")
        case .headTooLong: .invalidReply("The headers and trailers of the reply are longer than \(ReplyHead.maxBytes) bytes")
        case .foldedLine: .invalidReply("The reply has a folded header line, which HTTP forbids")
        case .encoding: .invalidReply("The reply has a content or transfer encoding that was not asked for")
        }
    }
}

extension TransferFailure {
    static func invalidReply(_ message: String) -> TransferFailure {
        TransferFailure(code: .invalidReply, message: message, isRetryable: false)
    }

    static var flooded: TransferFailure {
        let message = "The service flooded the connection, and it was cut"
        return TransferFailure(code: .connectionLost, message: message, isRetryable: true)
    }

    static var banned: TransferFailure {
        let message = "The service flooded a connection a moment ago: no new one is made for now"
        return TransferFailure(code: .connectFailed, message: message, isRetryable: true)
    }

    /// A server has sent a body in reply to HEAD, and it stood where the reply should have been.
    static var bodyOfHead: TransferFailure {
        let message = "The body of an earlier reply came, to a HEAD request: another connection will do"
        return TransferFailure(code: .connectionLost, message: message, isRetryable: true)
    }

    /// libcurl reports a header line over its limit of 100 KB as a lack of memory.
    static var headerLineWithoutEnd: TransferFailure {
        invalidReply("The reply has a status or header line that is too long or has no end")
    }
}
