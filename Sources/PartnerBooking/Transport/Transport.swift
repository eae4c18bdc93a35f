/// An HTTP request, ready to go: always a POST of JSON.
struct HTTPRequest: Sendable {
    let target: HTTPTarget
    /// Header lines of this request alone.
    let headers: [String]
    let body: [UInt8]
    /// The transport must not repeat it by itself.
    var isSentOnce = false
    /// It makes a booking.
    var isBooking = false
    /// Use a new connection.
    var needsNewConnection = false
    /// It is not sent from that moment on, on the boot clock in microseconds. nil: at any time.
    var leaseEnd: SharedNumber?
}

/// The common part of all requests of one kind. A transport may cache data for it, by its identity.
final class HTTPTarget: Sendable {
    let url: String
    /// `Name: value`. No value holds CR or LF: each was validated before it came here.
    let headers: [String]
    let origin: HTTPOrigin

    init(url: String, headers: [String], origin: HTTPOrigin) {
        self.url = url
        self.headers = headers
        self.origin = origin
    }
}

/// A server: all targets with the same one can share its connections.
struct HTTPOrigin: Sendable {
    /// Its place among the servers of the client.
    let number: Int
    /// The URL of a request that only opens a connection.
    let warmUpURL: String
    /// No connection is made to an address that the public internet does not have.
    let isPublicOnly: Bool
}

/// A reply, decompressed.
struct HTTPReply {
    let status: Int
    let body: [UInt8]
    /// The value of a header, looked up when asked for: a good reply needs none. To be called before the transport is called
    /// again.
    var header: (_ name: String) -> String? = { _ in nil }

    /// Bytes of a byte order mark that were taken off.
    private(set) var markBytes = 0

    /// The length of the body as it came.
    var byteCount: Int { markBytes + body.count }

    /// RFC 8259 forbids the mark and lets a reader ignore it. Without it the host's reader has no trouble either.
    var withoutByteOrderMark: HTTPReply {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        guard body.starts(with: mark) else { return self }
        var reply = HTTPReply(status: status, body: Array(body.dropFirst(mark.count)), header: header)
        reply.markBytes = mark.count
        return reply
    }
}

/// Why no whole reply came.
struct TransferFailure {
    var code: PartnerBookingError.Code
    var message: String
    var isRetryable: Bool
    var curlCode: Int?
    /// The received part of a reply when the transfer broke. A server may answer in full and then
    /// break the connection.
    var partialReply: HTTPReply?
}

/// The sendings of one attempt. There are several when libcurl repeats a request by itself, because a kept connection turned
/// out dead.
struct Sendings: Sendable, Equatable {
    var count: Int
    /// When the first byte of the first one may have left.
    var firstAt: MonotonicTime
    var lastAt: MonotonicTime

    init(count: Int, firstAt: MonotonicTime, lastAt: MonotonicTime) {
        self.count = count
        self.firstAt = firstAt
        self.lastAt = lastAt
    }

    /// One sending.
    init(at moment: MonotonicTime) { self.init(count: 1, firstAt: moment, lastAt: moment) }
}

/// A transfer that was ended before its end.
struct AbandonedTransfer {
    /// nil: no byte of the request can have reached the service.
    var sendings: Sendings?
    var partialReply: HTTPReply?
    var timing: AttemptTiming?
}

enum TransferResult {
    case reply(HTTPReply)
    /// Indirect, so that a reply, by far the more frequent, is moved about as the small value it is.
    indirect case failure(TransferFailure)
}

final class FinishedTransfer {
    let id: TransferID
    let result: TransferResult
    /// nil: no byte of the request can have reached the service.
    let sendings: Sendings?
    let endedAt: MonotonicTime
    /// nil where there is no network.
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

/// The mechanism below the policy: carries one request to a service and its reply back. All members
/// but `wake` and `openConnections` are called on the transfer thread only. None of them blocks,
/// apart from `wait`.
protocol Transport: AnyObject {
    /// The connections that are open, in use or not.
    var openConnections: Int { get }

    /// Starts a transfer; its result comes from `perform()`. nil, or why it could not be started at all.
    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure?

    /// Ends a transfer and returns its state, nil for an unknown ID. `isOverdue`: do not reuse its connection if it
    /// stayed silent.
    func cancel(_ id: TransferID, isOverdue: Bool) -> AbandonedTransfer?

    /// Returns the part of the reply that has arrived for a transfer under way.
    func partialReply(_ id: TransferID) -> HTTPReply?

    /// Keeps other requests off this transfer's connection if it has been silent.
    func distrust(_ id: TransferID)

    /// Keeps the transport from repeating the request of a transfer under way.
    func sendNoMore(_ id: TransferID)

    /// Returns the sendings of a transfer so far; nil as long as no byte of its request can have left.
    func sendings(_ id: TransferID) -> Sendings?

    /// Gets a connection ready for the next transfer, where there are connections.
    func prewarm()

    /// Performs all pending I/O, and adds the transfers that have finished.
    func perform(_ finished: inout FIFO<FinishedTransfer>)

    /// Waits until a transfer can be moved on, `wake` was called, or the time has come. May return early. Outside `ExitGate` for
    /// as long as it waits, and no longer.
    func wait(until moment: MonotonicTime?)

    /// From any thread: ends the wait under way, or else the next one at once.
    func wake()

    /// Once, before all others: has `tend` called now and then on another thread, as long as it returns true. Where nothing can keep
    /// `perform` from coming back it is never called.
    func watch(_ tend: @escaping @Sendable (MonotonicTime) -> Bool)

    /// Frees everything, without waiting for anyone. No member is called afterwards.
    func close()
}

extension Transport {
    func watch(_ tend: @escaping @Sendable (MonotonicTime) -> Bool) {}
}

extension Transport {
    /// A transport without a network.
    var openConnections: Int { 0 }
}
