/// The times of the steps of a call. Contains no personal data.
public struct CallTiming: Sendable, Equatable {
    let totalMicroseconds: Int
    var queueMicroseconds: Int
    /// Number of HTTP attempts.
    public internal(set) var attempts: Int
    /// The last attempt, once it has ended. nil in the sandbox, which has no network.
    public internal(set) var lastAttempt: AttemptTiming?
    /// True for a replay of an earlier reply to the same key. Nothing was sent.
    public internal(set) var isReplayed = false
    /// True when the booking was sent without a record in the journal or the host's store.
    public internal(set) var isUnprotected = false

    /// Time from the submission to this completion.
    public var total: Duration { .microseconds(totalMicroseconds) }
    /// Time from the submission to the first attempt, or to the end if there was none.
    public var queue: Duration { .microseconds(queueMicroseconds) }
}

/// The steps of one attempt on the network, in order. With a reused connection, `dns`,
/// `connect` and `tls` are 0.
public struct AttemptTiming: Sendable, Equatable {
    let dnsMicroseconds: Int
    let connectMicroseconds: Int
    let tlsMicroseconds: Int
    let firstByteMicroseconds: Int
    /// True when the connection was open before the attempt.
    public let isConnectionReused: Bool
    /// The HTTP version: `"1.0"`, `"1.1"` or `"2"`. nil when no reply came.
    public var httpVersion: String? { version?.rawValue }
    let version: HTTPVersion?
    /// Bytes of the request's body on the wire.
    public let sentBytes: Int
    /// Bytes of the reply's body on the wire, compressed if it was.
    public let receivedBytes: Int

    /// Time of the name look-up.
    public var dns: Duration { .microseconds(dnsMicroseconds) }
    /// Time of the TCP connect, and of the proxy if there is one.
    public var connect: Duration { .microseconds(connectMicroseconds) }
    /// Time of the TLS handshake.
    public var tls: Duration { .microseconds(tlsMicroseconds) }
    /// Time from the request to the first byte of the reply's body. 0 when none came.
    public var firstByte: Duration { .microseconds(firstByteMicroseconds) }
}

/// An HTTP version, with its name.
enum HTTPVersion: String, Sendable {
    case v1_0 = "1.0"
    case v1_1 = "1.1"
    case v2 = "2"
}

extension CallTiming {
    /// The JSON object `timing` of docs/json-contract.md.
    package var json: [UInt8] { JSONWriter.object(write) }

    func write(_ timing: inout JSONWriter) {
        timing.member("total_us", totalMicroseconds)
        timing.member("queue_us", queueMicroseconds)
        timing.member("attempts", attempts)
        if isReplayed { timing.member("replayed", true) }
        if isUnprotected { timing.member("journaled", false) }
        guard let lastAttempt else { return }
        timing.member("dns_us", lastAttempt.dnsMicroseconds)
        timing.member("connect_us", lastAttempt.connectMicroseconds)
        timing.member("tls_us", lastAttempt.tlsMicroseconds)
        timing.member("first_byte_us", lastAttempt.firstByteMicroseconds)
        timing.member("connection_reused", lastAttempt.isConnectionReused)
        timing.member("http_version", lastAttempt.httpVersion)
        timing.member("sent_bytes", lastAttempt.sentBytes)
        timing.member("received_bytes", lastAttempt.receivedBytes)
    }
}
