import CCurl

extension TransferFailure {
    /// Translates libcurl's codes (https://curl.se/libcurl/c/libcurl-errors.html) into the
    /// library's terms.
    init(curl code: CURLcode, verifyResult: Int, proxyStatus: Int) {
        let reason = String(cString: curl_easy_strerror(code))
        func failure(_ code: PartnerBookingError.Code, _ message: String, isRetryable: Bool) -> TransferFailure {
            TransferFailure(code: code, message: message, isRetryable: isRetryable)
        }
        if proxyStatus >= 300 {
            self = failure(.proxyFailed, TransferMessage.proxyRefused(proxyStatus), isRetryable: true)
            return
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            self = failure(.dnsFailed, TransferMessage.dns, isRetryable: true)
        case CURLE_COULDNT_CONNECT:
            self = failure(.connectFailed, TransferMessage.noConnection, isRetryable: true)
        case CURLE_OPERATION_TIMEDOUT:
            // libcurl gets a time limit for connecting only. The delivery watches the call's
            // deadline.
            self = failure(.connectFailed, TransferMessage.connectTimeout, isRetryable: true)
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
            self = failure(.proxyFailed, TransferMessage.proxy(reason), isRetryable: true)
        case CURLE_PEER_FAILED_VERIFICATION:
            self = failure(.tlsFailed, Self.certificateMessage(verifyResult), isRetryable: false)
        case CURLE_SSL_CACERT_BADFILE:
            self = failure(.tlsFailed, TransferMessage.unreadableCertificates, isRetryable: false)
        case CURLE_SSL_CONNECT_ERROR:
            self = failure(.tlsFailed, TransferMessage.handshake, isRetryable: true)
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            self = failure(.tlsFailed, TransferMessage.tls(reason), isRetryable: false)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT:
            self = failure(.resourceUnavailable, TransferMessage.libcurl(reason), isRetryable: true)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            self = failure(.invalidReply, TransferMessage.notHTTP(reason), isRetryable: false)
        default:
            self = failure(.connectionLost, TransferMessage.broken(reason), isRetryable: true)
        }
    }

    /// Returns the message for a number of OpenSSL's X509_V_ERR_…. libcurl compares the host
    /// name itself, and leaves 0 or 1 there when it differs.
    private static func certificateMessage(_ verifyResult: Int) -> String {
        switch verifyResult {
        case 0, 1, 62: TransferMessage.otherHost
        case 9: TransferMessage.notYetValid
        case 10: TransferMessage.expired
        case 18, 19, 20, 21: TransferMessage.unknownAuthority
        default: TransferMessage.certificate(verifyResult)
        }
    }
}

extension TransferFailure {
    static var addressRefused: TransferFailure {
        TransferFailure(code: .addressRefused, message: TransferMessage.addressRefused, isRetryable: false)
    }

    static func resource(_ message: String) -> TransferFailure {
        TransferFailure(code: .resourceUnavailable, message: message, isRetryable: true)
    }
}
