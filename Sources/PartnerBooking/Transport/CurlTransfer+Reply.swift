import CCurl

/// A detector of replies that have ended although libcurl does not report it.
struct QuietReply {
    /// The time after which a whole reply that does not grow has ended, whatever libcurl reports.
    static let milliseconds = 50

    private var seenCount = 0
    private var seenAt = MonotonicTime(nanoseconds: 0)
    /// The length of the body at the last check, which found it incomplete.
    private var checkedCount = 0

    /// Returns true when the body has not grown for long enough, and this length was not
    /// checked before.
    mutating func isToBeChecked(_ count: Int, _ now: MonotonicTime) -> Bool {
        if count != seenCount { (seenCount, seenAt) = (count, now) }
        return count > checkedCount && now.milliseconds(since: seenAt) >= Self.milliseconds
    }

    mutating func didCheck() { checkedCount = seenCount }
}

/// The checks whether a reply is whole.
extension CurlTransfer {
    /// Returns true when the reply is whole. All replies are JSON, so the end of the object
    /// shows it. Only HTTP/2 is checked. HTTP/1.1 does not have the problem, and giving up a
    /// transfer there costs the connection.
    func hasWholeReply(_ now: MonotonicTime) -> Bool {
        guard quiet.isToBeChecked(body.count, now), isMultiplexed, !isShortOfItsLength else { return false }
        quiet.didCheck()
        return isWholeJSON
    }

    private var isWholeJSON: Bool { (try? JSON.validate(body, profile: .reply)) != nil }

    /// True when less has come than the service announced. White space after an object is also
    /// part of the reply.
    private var isShortOfItsLength: Bool {
        offset(CURLINFO_SIZE_DOWNLOAD_T) < offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)  // -1 when not announced
    }

    /// True when the connection ended before the reply did. libcurl accepts a head that ends
    /// after any of its lines. It also accepts a body without a length that ends anywhere.
    var isCut: Bool { !head.isWhole || offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T) < 0 && isCutBody }

    private var isCutBody: Bool {
        guard isHTTP1, header("Transfer-Encoding") == nil, !isWholeJSON else { return false }
        // A body that does not begin like a JSON object is not a cut JSON object.
        guard let first = body.first(where: { $0 > UInt8(ascii: " ") }) else { return long(CURLINFO_RESPONSE_CODE) == 200 }
        return first == UInt8(ascii: "{") || first == 0xEF
    }

    /// True when the reply is so long that reading it takes milliseconds.
    var isLarge: Bool { body.count > Self.largeBytes }
    static let largeBytes = 65_536
}
