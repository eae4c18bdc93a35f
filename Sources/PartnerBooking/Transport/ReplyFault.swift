/// The reason to give up a reply while it arrives. Each is a fault of the server.
enum ReplyFault {
    /// The body is longer than `max_reply_bytes`.
    case tooLarge
    /// The body comes in thousands of tiny pieces.
    case tooManyPieces
    /// The lines of head and trailers are too long together.
    case headTooLong
    /// A header line continues in the next line. libcurl copies the whole value for each such
    /// line. RFC 9112 forbids them.
    case foldedLine
    /// The body or its transfer has an encoding that was not asked for.
    case encoding

    func failure(maxReplyBytes: Int) -> TransferFailure {
        switch self {
        case .tooLarge:
            TransferFailure(
                code: .replyTooLarge, message: TransferMessage.tooLarge(maxReplyBytes),
                isRetryable: false)
        case .tooManyPieces: .invalidReply(TransferMessage.tooManyPieces)
        case .headTooLong: .invalidReply(TransferMessage.headTooLong(ReplyHead.maxBytes))
        case .foldedLine: .invalidReply(TransferMessage.foldedLine)
        case .encoding: .invalidReply(TransferMessage.encoding)
        }
    }
}

extension TransferFailure {
    static func invalidReply(_ message: String) -> TransferFailure {
        TransferFailure(code: .invalidReply, message: message, isRetryable: false)
    }

    static var flooded: TransferFailure {
        TransferFailure(code: .connectionLost, message: TransferMessage.flooded, isRetryable: true)
    }

    static var banned: TransferFailure {
        TransferFailure(code: .connectFailed, message: TransferMessage.banned, isRetryable: true)
    }

    /// A server has sent a body in reply to HEAD, and it stood in the place of the next reply.
    static var bodyOfHead: TransferFailure {
        TransferFailure(code: .connectionLost, message: TransferMessage.bodyOfHead, isRetryable: true)
    }

    /// The failure for a header line over libcurl's limit of 100 KB. libcurl reports it as a
    /// lack of memory.
    static var headerLineWithoutEnd: TransferFailure {
        invalidReply(TransferMessage.endlessLine)
    }
}
