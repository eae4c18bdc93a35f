import CCurl

/// Finds replies that have ended although libcurl does not say so.
struct QuietReply {
    /// A reply that has not grown for so long, and is whole, has ended, whatever libcurl says.
    static let milliseconds = 50

    private var seenCount = 0
    private var seenAt = MonotonicTime(nanoseconds: 0)
    /// The length of the body that was found not to be whole.
    private var checkedCount = 0

    /// Returns whether the body has not grown for long enough, and has not been checked like this.
    mutating func isToBeChecked(_ count: Int, _ now: MonotonicTime) -> Bool {
        if count != seenCount { (seenCount, seenAt) = (count, now) }
        return count > checkedCount && now.milliseconds(since: seenAt) >= Self.milliseconds
    }

    mutating func didCheck() { checkedCount = seenCount }
}

/// Judges whether a reply is whole.
extension CurlTransfer {
    /// All replies are JSON, and a JSON object tells by itself that it is whole. Asked of HTTP/2 alone: HTTP/1.1 has no such
    /// trouble, and giving up a transfer there costs the connection.
    func hasWholeReply(_ now: MonotonicTime) -> Bool {
        guard quiet.isToBeChecked(body.count, now), isMultiplexed, !isShortOfItsLength else { return false }
        quiet.didCheck()
        return isWholeJSON
    }

    private var isWholeJSON: Bool { (try? JSON.validate(body, profile: .reply)) != nil }

    /// The service has said how much will come, and it has not: white space may follow an object, and is the reply's, too.
    private var isShortOfItsLength: Bool {
        offset(CURLINFO_SIZE_DOWNLOAD_T) < offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)  // -1 when it has not said
    }

    /// Returns whether the connection ended before the reply did. libcurl accepts a head that ends behind any of its lines, and a body
    /// without a length that ends anywhere.
    var isCut: Bool { !head.isWhole || offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T) < 0 && isCutBody }

    private var isCutBody: Bool {
        guard isHTTP1, header("Transfer-Encoding") == nil, !isWholeJSON else { return false }
        // What is no JSON object was not meant to be one.
        guard let first = body.first(where: { $0 > UInt8(ascii: " ") }) else { return long(CURLINFO_RESPONSE_CODE) == 200 }
        return first == UInt8(ascii: "{") || first == 0xEF
    }

    /// The reply is so long that reading it takes milliseconds.
    var isLarge: Bool { body.count > Self.largeBytes }
    static let largeBytes = 65_536
}
