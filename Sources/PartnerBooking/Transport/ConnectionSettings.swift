/// The settings of the transport.
struct ConnectionSettings: Sendable {
    var connectTimeoutMilliseconds: Int
    var maxReplyBytes: Int
    /// The most connections at once to one server, and the most idle connections kept.
    var maxConnections: Int
    var maxStreamsPerConnection: Int
    var maxInFlight: Int
    /// The longest idle time of a connection before it is used. With 0, connections are made
    /// ahead only on request.
    var keepWarmMilliseconds: Int
    /// The servers, each at the place of its number.
    var origins: [HTTPOrigin]
    var certificates: TrustedCertificates
    var proxy: String?
}
