/// The times of the steps of a call. Contains no personal data.
public struct CallTiming: Sendable, Equatable {
    let totalMicroseconds: Int
    var queueMicroseconds: Int
    /// HTTP attempts made.
    public internal(set) var attempts: Int
    /// The last attempt, once it has ended; nil also in the sandbox, which has no network.
    public internal(set) var lastAttempt: AttemptTiming?
    /// The reply is the recorded one of an earlier call with the same key; nothing was sent.
    public internal(set) var isReplayed = false
    /// The booking was sent although the journal did not take it.
    public internal(set) var isUnprotected = false

    /// From the submission to now.
    public var total: Duration { .microseconds(totalMicroseconds) }
    /// From the submission to the first attempt.
    public var queue: Duration { .microseconds(queueMicroseconds) }
}

/// The steps of one attempt on the network, in order. On a connection that was open before, the
/// times of connecting are 0.
public struct AttemptTiming: Sendable, Equatable {
    let dnsMicroseconds: Int
    let connectMicroseconds: Int
    let tlsMicroseconds: Int
    let firstByteMicroseconds: Int
    /// The connection was there before the attempt.
    public let isConnectionReused: Bool
    /// `"1.1"` or `"2"`; nil when no reply came.
    public var httpVersion: String? { version?.rawValue }
    let version: HTTPVersion?
    /// The request's body as it travelled.
    public let sentBytes: Int
    /// The reply's body as it travelled, compressed if it was.
    public let receivedBytes: Int

    /// Name look-up.
    public var dns: Duration { .microseconds(dnsMicroseconds) }
    /// TCP, and the proxy if there is one.
    public var connect: Duration { .microseconds(connectMicroseconds) }
    /// TLS handshake.
    public var tls: Duration { .microseconds(tlsMicroseconds) }
    /// From the request on its way to the first byte of the reply's body; 0 when none came.
    public var firstByte: Duration { .microseconds(firstByteMicroseconds) }
}

/// A version of HTTP, as it is called.
enum HTTPVersion: String, Sendable {
    case v1_0 = "1.0"
    case v1_1 = "1.1"
    case v2 = "2"
}

extension CallTiming {
    /// The object `timing` of docs/json-contract.md.
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
