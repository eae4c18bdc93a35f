import CCurl

/// The pools of connections to one server. A request never uses a connection of another pool,
/// because libcurl compares the allowed TLS versions as they are written. These three mean the
/// same. https://curl.se/libcurl/c/CURLOPT_SSLVERSION.html
enum CurlPool: CaseIterable {
    case first
    case second
    case third

    /// The allowed TLS versions: 1.2 or later.
    var tlsVersions: Int {
        let latest =
            switch self {
            case .first: 0
            case .second: Int(CURL_SSLVERSION_MAX_DEFAULT)
            case .third: Int(CURL_SSLVERSION_MAX_TLSv1_3)
            }
        return Int(CURL_SSLVERSION_TLSv1_2) | latest
    }
}
