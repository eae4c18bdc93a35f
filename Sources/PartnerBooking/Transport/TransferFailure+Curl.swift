import CCurl

extension TransferFailure {
    /// libcurl's codes (https://curl.se/libcurl/c/libcurl-errors.html) in the library's terms.
    init(curl code: CURLcode, verifyResult: Int, proxyStatus: Int) {
        let reason = String(cString: curl_easy_strerror(code))
        func failure(_ code: PartnerBookingError.Code, _ message: String, isRetryable: Bool) -> TransferFailure {
            TransferFailure(code: code, message: message, isRetryable: isRetryable)
        }
        if proxyStatus >= 300 {
            self = failure(.proxyFailed, "The proxy refused with HTTP \(proxyStatus)", isRetryable: true)
            return
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            self = failure(.dnsFailed, "The service's host name did not resolve", isRetryable: true)
        case CURLE_COULDNT_CONNECT:
            self = failure(.connectFailed, "No connection could be made, to the service or to the proxy", isRetryable: true)
        case CURLE_OPERATION_TIMEDOUT:
            // The only time limit libcurl is given is that of connecting; the call's deadline is the delivery's.
            self = failure(.connectFailed, "No connection within connect_timeout_ms", isRetryable: true)
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            self = failure(.proxyFailed, "The proxy failed: \(reason)", isRetryable: true)
        case CURLE_PEER_FAILED_VERIFICATION:
            self = failure(.tlsFailed, Self.certificateMessage(verifyResult), isRetryable: false)
        case CURLE_SSL_CACERT_BADFILE:
            self = failure(.tlsFailed, "The file of trusted certificates could not be read", isRetryable: false)
        case CURLE_SSL_CONNECT_ERROR:
            self = failure(.tlsFailed, "The TLS handshake failed: no common ground, or broken off", isRetryable: true)
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            self = failure(.tlsFailed, "TLS failed: \(reason)", isRetryable: false)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
            self = failure(.resourceUnavailable, "libcurl failed: \(reason)", isRetryable: true)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            self = failure(
                .invalidReply, "What came back is not the reply of an HTTP service: \(reason)", isRetryable: false)
        default:
            self = failure(.connectionLost, "The connection broke: \(reason)", isRetryable: true)
        }
    }

    /// Numbers of OpenSSL's X509_V_ERR_…. libcurl compares the host name itself, and leaves 0 or 1 there when it differs.
    private static func certificateMessage(_ verifyResult: Int) -> String {
        switch verifyResult {
        case 0, 1, 62: "The service's certificate is for another host"
        case 9: "The service's certificate is not valid yet"
        case 10: "The service's certificate has expired"
        case 18, 19, 20, 21: "The service's certificate is from an unknown authority"
        default: "The service's certificate was not accepted (OpenSSL verify result \(verifyResult))"
        }
    }
}

extension TransferFailure {
    static var addressRefused: TransferFailure {
        let message = "The webhook's host has no public address, and \"private_hosts\" does not name it"
        return TransferFailure(code: .addressRefused, message: message, isRetryable: false)
    }

    static func resource(_ what: String) -> TransferFailure {
        TransferFailure(
            code: .resourceUnavailable, message: "\(what) could not be had", isRetryable: true)
    }
}
