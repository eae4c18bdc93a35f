import CCurl

/// The certificates that a client trusts. A file is trusted alone. Otherwise libcurl would
/// also trust its built-in directory. And with a directory, libcurl cannot keep the
/// certificates in memory: it reads them again for each connection, 40 ms.
/// https://curl.se/libcurl/c/CURLOPT_CA_CACHE_TIMEOUT.html
enum TrustedCertificates: Equatable, Sendable {
    case file(String)
    /// A directory with certificates by their hashes.
    case directory(String)
    case fileAndDirectory(String, String)
    /// libcurl's built-in certificate file, without its directory.
    case builtInFile
    /// Everything that libcurl trusts by default.
    case builtIn

    func apply(to easy: UnsafeMutableRawPointer) -> CURLcode {
        // An HTTPS proxy is trusted by the same certificates. A libcurl without these options
        // has no HTTPS proxies.
        func set(_ option: CURLoption, _ proxyOption: CURLoption, _ path: String?) -> CURLcode {
            let code = ccurl_set_string(easy, option, path)
            guard code == CURLE_OK else { return code }
            let proxyCode = ccurl_set_string(easy, proxyOption, path)
            return proxyCode == CURLE_UNKNOWN_OPTION || proxyCode == CURLE_NOT_BUILT_IN ? CURLE_OK : proxyCode
        }
        func setDirectory(_ path: String?) -> CURLcode { set(CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH, path) }
        func set(_ file: String?, _ directory: String?) -> CURLcode {
            let code = set(CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO, file)
            return code == CURLE_OK ? setDirectory(directory) : code
        }
        switch self {
        case .file(let file): return set(file, nil)
        case .directory(let directory): return set(nil, directory)
        case .fileAndDirectory(let file, let directory): return set(file, directory)
        case .builtInFile: return setDirectory(nil)
        case .builtIn: return CURLE_OK
        }
    }
}
