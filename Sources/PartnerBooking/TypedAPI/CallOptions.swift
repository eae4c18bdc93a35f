/// What a caller may set for one call; nil leaves it to the configuration. Ranges are those of docs/json-contract.md.
public struct CallOptions: Sendable, Equatable {
    /// Deadline of the call, 1 to 600000.
    public var timeoutMilliseconds: Int?
    /// After how long the call is told to be slow, 1 to 600000.
    public var slowAfterMilliseconds: Int?
    /// Comes back in completions and errors. At most 256 bytes.
    public var tag: String?
    /// A W3C trace context, sent as the header `traceparent`.
    public var traceparent: String?

    /// What is left out is left to the configuration.
    public init(
        timeoutMilliseconds: Int? = nil, slowAfterMilliseconds: Int? = nil, tag: String? = nil, traceparent: String? = nil
    ) {
        self.timeoutMilliseconds = timeoutMilliseconds
        self.slowAfterMilliseconds = slowAfterMilliseconds
        self.tag = tag
        self.traceparent = traceparent
    }

    func write(_ request: inout JSONWriter) {
        if let timeoutMilliseconds { request.member("timeout_ms", timeoutMilliseconds) }
        if let slowAfterMilliseconds { request.member("slow_after_ms", slowAfterMilliseconds) }
        if let tag { request.member("tag", tag) }
        if let traceparent { request.member("traceparent", traceparent) }
    }
}
