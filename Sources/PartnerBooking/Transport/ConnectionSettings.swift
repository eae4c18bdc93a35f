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
    var caFile: String?
    /// Switch off the directory of certificates that Debian's libcurl has by default. Beside a file of the host's it would
    /// still trust the system's certificates. And with a directory libcurl cannot keep the certificates in memory: it reads
    /// them again for each connection, 40 ms. https://curl.se/libcurl/c/CURLOPT_CA_CACHE_TIMEOUT.html
    var usesCAFileOnly: Bool
    var proxy: String?
}
