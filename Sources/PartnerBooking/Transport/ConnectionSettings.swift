/// Settings of the transport.
struct ConnectionSettings: Sendable {
    var connectTimeoutMilliseconds: Int
    var maxReplyBytes: Int
    /// Connections at once, and idle ones kept.
    var maxConnections: Int
    var maxStreamsPerConnection: Int
    var maxInFlight: Int
    /// Longest idle time of a connection before it is used; 0: none is made ready ahead unless asked for.
    var keepWarmMilliseconds: Int
    /// The servers there are, by their numbers.
    var origins: [HTTPOrigin]
    var certificates: TrustedCertificates
    var proxy: String?
}
