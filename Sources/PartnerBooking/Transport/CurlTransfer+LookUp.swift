import CCurl
import Glibc

/// The state of a transfer in the look-up of its server's name.
struct TransferLookUp {
    /// True when the transfer is the look-up itself and makes no connection.
    var isLookUp = false
    /// True when the transfer waits for the look-up. Then it is not in the multi handle.
    var isAwaited = false
    /// The moment when the transfer has waited as long as a connection may take.
    var until = MonotonicTime(nanoseconds: 0)
    var beganAt = MonotonicTime(nanoseconds: 0)
    var waitedMicroseconds = 0
    /// True when the transfer has waited for a look-up. It does not wait again.
    var isShared = false
}

extension CurlTransfer {
    /// The time limit of a look-up in libcurl, in effect none. Its thread would go on after a
    /// timeout.
    static let lookUpMilliseconds = 600_000

    /// Prepares the look-up of a server's name, or of the proxy's. The transfer ends with
    /// CURLE_COULDNT_CONNECT when libcurl has the addresses in its cache.
    func prepareLookUp(_ origin: HTTPOrigin) -> Bool {
        lookUp.isLookUp = true
        return prepareWarmUp(origin) && ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Self.lookUpMilliseconds) == CURLE_OK
    }

    /// Returns true to stop instead of looking up the name, because a shared look-up does it.
    func sharesLookUp() -> Bool {
        guard !lookUp.isLookUp, !lookUp.isShared, !isAddressed else { return false }
        lookUp.isAwaited = true
        return true
    }

    func awaitLookUp(_ now: MonotonicTime, atMost milliseconds: Int) {
        lookUp.beganAt = now
        lookUp.until = now.adding(milliseconds: milliseconds)
    }

    func lookUpEnded(_ now: MonotonicTime) {
        lookUp.isAwaited = false
        lookUp.isShared = true
        lookUp.waitedMicroseconds = now.microseconds(since: lookUp.beganAt)
    }

    /// True when libcurl connects without a look-up, to an address or to this machine.
    private var isAddressed: Bool {
        guard let host = proxyHost ?? Self.host(of: url) else { return false }
        return host == "localhost" || host.hasSuffix(".localhost") || IPAddress(host) != nil
    }

    /// Returns the host of a proxy, in lower case.
    static func host(ofProxy proxy: String) -> String? {
        guard let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        guard curl_url_set(url, CURLUPART_URL, proxy, UInt32(CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK
        else { return nil }
        return host(of: url)
    }

    private static func host(of url: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(url, CURLUPART_HOST, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        let host = String(cString: text).lowercased()
        return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    }
}
