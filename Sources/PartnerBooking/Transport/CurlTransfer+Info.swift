import CCurl

/// The information that libcurl has about a transfer.
extension CurlTransfer {
    /// Returns libcurl's measurements, or nil when no byte can have been sent.
    func timing() -> AttemptTiming? {
        guard let sendings else { return nil }
        let isReused = long(CURLINFO_NUM_CONNECTS) == 0
        let dns = isReused ? 0 : offset(CURLINFO_NAMELOOKUP_TIME_T)
        let connected = isReused ? 0 : offset(CURLINFO_CONNECT_TIME_T)
        let secured = isReused ? 0 : offset(CURLINFO_APPCONNECT_TIME_T)
        return AttemptTiming(
            dnsMicroseconds: isReused ? 0 : dns &+ lookUp.waitedMicroseconds, connectMicroseconds: max(0, connected &- dns),
            tlsMicroseconds: max(0, secured &- connected),
            // Our own measurement: over HTTP/2, libcurl 7.88 counts bytes that are no part of
            // the reply.
            firstByteMicroseconds: firstByteAt?.microseconds(since: sendings.lastAt) ?? 0,
            isConnectionReused: isReused, version: version,
            sentBytes: offset(CURLINFO_SIZE_UPLOAD_T), receivedBytes: offset(CURLINFO_SIZE_DOWNLOAD_T))
    }

    private var version: HTTPVersion? {
        switch long(CURLINFO_HTTP_VERSION) {
        case Int(CURL_HTTP_VERSION_1_0): .v1_0
        case Int(CURL_HTTP_VERSION_1_1): .v1_1
        case Int(CURL_HTTP_VERSION_2_0): .v2
        default: nil
        }
    }

    /// True when several requests at once can share the connection that was used.
    var isMultiplexed: Bool { long(CURLINFO_HTTP_VERSION) == Int(CURL_HTTP_VERSION_2_0) }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        return ccurl_get_long(easy, info, &value) == CURLE_OK ? value : 0
    }

    func offset(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        return ccurl_get_offset(easy, info, &value) == CURLE_OK ? Int(value) : 0
    }

    func header(_ name: String) -> String? {
        if let keptHead { return keptHead.pointee.value(of: name) }
        return ccurl_header(easy, name).map { String(cString: $0) }
    }

    var isHTTP1: Bool {
        let version = long(CURLINFO_HTTP_VERSION)
        return version == Int(CURL_HTTP_VERSION_1_0) || version == Int(CURL_HTTP_VERSION_1_1)
    }
}
