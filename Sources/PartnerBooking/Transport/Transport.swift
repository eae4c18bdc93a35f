/// An HTTP request that is ready to send, always a POST of JSON.
struct HTTPRequest: Sendable {
    let target: HTTPTarget
    /// Header lines of this request alone.
    let headers: [String]
    let body: [UInt8]
    /// True when the transport must not repeat the request by itself.
    var isSentOnce = false
    var isBooking = false
    var needsNewConnection = false
    /// The time from which the request must not be sent, in microseconds of the boot clock.
    /// nil means no limit.
    var leaseEnd: SharedNumber?
}

/// The common part of all requests of one kind. A transport may cache data for it, by its identity.
final class HTTPTarget: Sendable {
    let url: String
    /// Lines of the form `Name: value`. No value contains CR or LF, because each was validated
    /// earlier.
    let headers: [String]
    let origin: HTTPOrigin

    init(url: String, headers: [String], origin: HTTPOrigin) {
        self.url = url
        self.headers = headers
        self.origin = origin
    }
}

/// A server. All targets with the same origin can share its connections.
struct HTTPOrigin: Sendable {
    /// The server's place among the servers of the client.
    let number: Int
    /// The URL of a request that only opens a connection.
    let warmUpURL: String
    /// True when connections are made only to addresses of the public internet.
    let isPublicOnly: Bool
}

/// A decompressed reply.
struct HTTPReply {
    let status: Int
    let body: [UInt8]
    /// A function that returns the value of a header, on demand because a good reply needs
    /// none. Call it before the next call of the transport.
    var header: (_ name: String) -> String? = { _ in nil }

    /// Number of bytes of a removed byte order mark.
    private(set) var markBytes = 0

    /// The length of the body as received.
    var byteCount: Int { markBytes + body.count }

    /// The reply without a byte order mark. RFC 8259 forbids the mark and lets a reader ignore
    /// it. So the host's reader does not have to handle it.
    var withoutByteOrderMark: HTTPReply {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard body.starts(with: mark) else { return self }
        var reply = HTTPReply(status: status, body: Array(body.dropFirst(mark.count)), header: header)
        reply.markBytes = mark.count
        return reply
    }
}

/// The reason why no whole reply came.
struct TransferFailure {
    var code: PartnerBookingError.Code
    var message: String
    var isRetryable: Bool
    var curlCode: Int?
    /// The received part of a reply when the transfer broke. A server may answer in full and then
    /// break the connection.
    var partialReply: HTTPReply?
}

/// The sendings of one attempt. There are several when libcurl repeats a request by itself,
/// because a kept connection was dead.
struct Sendings: Sendable, Equatable {
    var count: Int
    /// The time when the first byte of the first sending may have left.
    var firstAt: MonotonicTime
    var lastAt: MonotonicTime

    init(count: Int, firstAt: MonotonicTime, lastAt: MonotonicTime) {
        self.count = count
        self.firstAt = firstAt
        self.lastAt = lastAt
    }

    init(at moment: MonotonicTime) { self.init(count: 1, firstAt: moment, lastAt: moment) }
}

/// A transfer that was cancelled before its end.
struct AbandonedTransfer {
    /// The sendings. nil when no byte of the request can have reached the service.
    var sendings: Sendings?
    var partialReply: HTTPReply?
    var timing: AttemptTiming?
}

enum TransferResult {
    case reply(HTTPReply)
    /// Indirect, to keep the result small: a reply is much more frequent, and is moved often.
    indirect case failure(TransferFailure)
}

final class FinishedTransfer {
    let id: TransferID
    let result: TransferResult
    /// The sendings. nil when no byte of the request can have reached the service.
    let sendings: Sendings?
    let endedAt: MonotonicTime
    /// The measured times. nil without a network, or when nothing can have been sent.
    let timing: AttemptTiming?

    init(
        id: TransferID, result: TransferResult, sendings: Sendings? = nil, endedAt: MonotonicTime,
        timing: AttemptTiming? = nil
    ) {
        self.id = id
        self.result = result
        self.sendings = sendings
        self.endedAt = endedAt
        self.timing = timing
    }
}

/// The mechanism below the policy. It carries a request to a service and the reply back. Only
/// the transfer thread calls the members, except `wake`, `openConnections` and `watch`. Only
/// `wait` blocks.
protocol Transport: AnyObject {
    /// Number of open connections, in use or idle.
    var openConnections: Int { get }

    /// Starts a transfer, whose result comes from `perform`. Returns the failure if the start
    /// is impossible, otherwise nil.
    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure?

    /// Ends a transfer and returns its state, or nil for an unknown ID. If `isOverdue`, its
    /// connection is not used again if it stayed silent.
    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer?

    /// Returns the part of the reply that has arrived for a transfer under way.
    func partialReply(_ id: TransferID) -> HTTPReply?

    /// Keeps other requests off this transfer's connection if it has been silent.
    func distrust(_ id: TransferID)

    /// Stops the transport from repeating the request of a transfer under way.
    func sendNoMore(_ id: TransferID)

    /// Returns the sendings of a transfer so far, or nil while no byte of its request can have
    /// left.
    func sendings(_ id: TransferID) -> Sendings?

    /// Gets a connection ready for the next transfer, if the transport has connections.
    func prewarm()

    /// Performs all pending I/O, and appends the finished transfers.
    func perform(_ finished: inout FIFO<FinishedTransfer>)

    /// Waits until a transfer can continue, `wake` is called, or `moment` comes. May return
    /// early. The thread is outside `ExitGate` exactly while it waits.
    func wait(until moment: MonotonicTime?)

    /// Ends the wait under way, or else the next one at once. Any thread may call it.
    func wake()

    /// Makes another thread call `tend` now and then, as long as it returns true. Call this
    /// once, before all other members. `tend` is never called if nothing can keep `perform`
    /// from returning.
    func watch(_ tend: @escaping @Sendable (MonotonicTime) -> Bool)

    /// Frees everything, without waiting. No member is called afterwards.
    func close()
}

extension Transport {
    func watch(_ tend: @escaping @Sendable (MonotonicTime) -> Bool) {}
}

extension Transport {
    /// The value for a transport without a network.
    var openConnections: Int { 0 }
}
