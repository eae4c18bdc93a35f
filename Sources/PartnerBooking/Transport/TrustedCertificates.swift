import CCurl

/// The certificates that a client trusts. A file is trusted alone: beside it libcurl would still
/// trust the directory that it was built for. And with a directory libcurl cannot keep the
/// certificates in memory: it reads them again for each connection, 40 ms.
/// https://curl.se/libcurl/c/CURLOPT_CA_CACHE_TIMEOUT.html
enum TrustedCertificates: Equatable, Sendable {
    case file(String)
    /// Certificates by their hashes.
    case directory(String)
    case fileAndDirectory(String, String)
    /// The file that libcurl was built for.
    case builtInFile
    /// Anything that libcurl was built for.
    case builtIn

    func apply(to easy: UnsafeMutableRawPointer) -> CURLcode {
        func set(_ file: String?, _ directory: String?) -> CURLcode {
            let code = ccurl_set_string(easy, CURLOPT_CAINFO, file)
            return code == CURLE_OK ? ccurl_set_string(easy, CURLOPT_CAPATH, directory) : code
        }
        switch self {
        case .file(let file): return set(file, nil)
        case .directory(let directory): return set(nil, directory)
        case .fileAndDirectory(let file, let directory): return set(file, directory)
        case .builtInFile: return ccurl_set_string(easy, CURLOPT_CAPATH, nil)
        case .builtIn: return CURLE_OK
        }
    }
}
