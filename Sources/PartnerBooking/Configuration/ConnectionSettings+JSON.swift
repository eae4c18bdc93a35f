extension ConnectionSettings {
    init(_ root: ObjectReader, origins: [HTTPOrigin], maxInFlight: Int) throws(PartnerBookingError) {
        // Over HTTP/1.1 every call in flight needs its own connection.
        maxConnections = try root.optionalInteger("max_connections", in: 1...100_000) ?? maxInFlight
        self.maxInFlight = maxInFlight
        maxStreamsPerConnection = try root.optionalInteger("max_streams_per_connection", in: 1...10_000) ?? 100
        keepWarmMilliseconds = try root.optionalInteger("keep_warm_ms", in: 0...3_600_000) ?? 30_000
        self.origins = origins
        connectTimeoutMilliseconds = try root.optionalInteger("connect_timeout_ms", in: 1...600_000) ?? 4_000
        maxReplyBytes = try root.optionalInteger("max_reply_bytes", in: 1_024...67_108_864) ?? 1_048_576

        let tls = try root.optionalObject("tls")
        try tls?.refuseMembers(except: ["ca_file"])
        // Checked at opening, so that a wrong file does not fail the first call of the night.
        let named = try tls?.optionalString("ca_file", maxBytes: 4_096, Form.certificateFile) {
            !$0.contains(0) && TrustedCertificates.holdsCertificate(String(decoding: $0, as: UTF8.self))
        }
        certificates = named.map { .file($0) } ?? .ofThisMachine()

        proxy = try root.optionalString("proxy", maxBytes: 2_048, Form.proxyURL) {
            guard let url = URLParts(String(decoding: $0, as: UTF8.self)) else { return false }
            return ["http", "https", "socks5", "socks5h"].contains(url.scheme)
        }
    }
}
