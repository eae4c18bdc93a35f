/// Options of one call. nil leaves them to the configuration. docs/json-contract.md lists the
/// ranges.
public struct CallOptions: Sendable, Equatable {
    /// Deadline of the call, 1 ms to 10 minutes.
    public var timeout: Duration?
    /// Time after which the call counts as slow, 1 ms to 10 minutes.
    public var slowAfter: Duration?
    /// A text that completions and errors repeat. At most 256 bytes.
    public var tag: String?
    /// A W3C trace context, sent as the header `traceparent`.
    public var traceparent: String?

    /// Creates options.
    public init(
        timeout: Duration? = nil, slowAfter: Duration? = nil, tag: String? = nil, traceparent: String? = nil
    ) {
        self.timeout = timeout
        self.slowAfter = slowAfter
        self.tag = tag
        self.traceparent = traceparent
    }

    func write(_ request: inout JSONWriter) {
        request.member("timeout_ms", ifAny: timeout?.wholeMilliseconds)
        request.member("slow_after_ms", ifAny: slowAfter?.wholeMilliseconds)
        request.member("tag", ifAny: tag)
        request.member("traceparent", ifAny: traceparent)
    }
}
