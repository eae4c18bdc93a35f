/// An HTTP request, ready to go: always a POST of JSON.
struct HTTPRequest: Sendable {
    var url: String
    /// `Name: value` lines. No value holds CR or LF: each was validated before it came here.
    var headers: [String]
    var body: [UInt8]
}

/// What came back, decompressed.
struct HTTPReply: Sendable {
    var status: Int
    var body: [UInt8]
    var contentType: String?
    var requestID: String?
    var retryAfter: String?

    init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why no whole reply came.
struct TransferFailure: Sendable {
    var code: PartnerBookingError.Code
    var message: String
    var isRetryable: Bool
    /// A byte of the request may have reached the service. When in doubt: true.
    var mayHaveBeenSent: Bool
    var curlCode: Int?
    /// What had come of a reply when the transfer broke. A server may answer in full and then break the connection.
    var partialReply: HTTPReply?
}

enum TransferResult: Sendable {
    case reply(HTTPReply)
    case failure(TransferFailure)
}

typealias TransferID = UInt64

/// The mechanism below the policy: carries one request to a service and its reply back. All members but `wake` are called on
/// the transfer thread only. None of them blocks, apart from `wait`.
protocol Transport: AnyObject {
    /// Starts a transfer; its result comes from `finished()`. nil, or why it could not be started at all.
    func start(_ id: TransferID, _ request: HTTPRequest) -> TransferFailure?

    /// Ends a transfer without a result. Tells whether a byte of its request may have reached the service.
    func cancel(_ id: TransferID) -> Bool

    /// Moves all transfers on as far as they go now, and takes the results of those that have ended.
    func finished() -> [(id: TransferID, result: TransferResult)]

    /// Waits until a transfer can be moved on, `wake` was called, or the time has come. May return early.
    func wait(until moment: MonotonicTime?)

    /// From any thread: ends the wait under way, or else the next one at once.
    func wake()

    /// Frees everything, without waiting for anyone. No member is called afterwards.
    func close()
}
