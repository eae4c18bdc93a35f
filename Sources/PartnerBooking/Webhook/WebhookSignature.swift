/// The signature of a webhook request: the value of its header `X-DialStack-Signature`.
///
/// The value is `t=<seconds>,v1=<hex>`. The hex digits are the HMAC-SHA256 of
/// `<seconds>.<body>` under a secret that both sides share.
///
/// A client with `"endpoint":"platform_webhook"` signs its own requests. A platform verifies a
/// request with the body exactly as it arrived:
///
///     try WebhookSignature.verify(header, body: body, secrets: [secret])
public enum WebhookSignature {
    /// Name of the header that carries the signature.
    public static let headerName = "X-DialStack-Signature"

    /// Default maximum difference between the time of a signature and the clock.
    public static let tolerance = Duration.seconds(toleranceSeconds)
    package static let toleranceSeconds = 300

    /// The reason to refuse a request.
    public enum Refusal: Error, Sendable, Equatable {
        /// The header is missing or empty.
        case missing
        /// The header does not have the protocol's form.
        case malformed
        /// Signed with another secret, or over another body or time.
        case mismatch
        /// Signed correctly, but too long ago: a replay, or a wrong clock.
        case tooOld
        /// Signed correctly, but the time is too far ahead: a wrong clock.
        case inFuture
    }

    /// Signs a body.
    ///
    /// - Parameters:
    ///   - secret: The secret that both sides share.
    ///   - body: The body, byte for byte as it will be sent.
    ///   - timestamp: Seconds since 1970, 0 to 999999999999999. nil: the system's clock.
    /// - Returns: The header's value.
    public static func header(secret: String, body: [UInt8], timestamp: Int? = nil) -> String {
        var secret = secret
        let key = secret.withUTF8 { HMACKey(UnsafeRawBufferPointer($0)) }
        return body.withUnsafeBytes { header(key, body: $0, timestamp: timestamp ?? WallClock.seconds()) }
    }

    /// Verifies a signature. Compares in constant time.
    ///
    /// - Parameters:
    ///   - header: The header's value, or nil when there is none.
    ///   - body: The body, byte for byte as it arrived.
    ///   - secrets: The secrets that may have signed: two while one replaces the other. Empty
    ///     secrets are ignored.
    ///   - now: Seconds since 1970. nil: the system's clock.
    ///   - tolerance: Maximum difference between the signature's time and `now`, either way.
    ///     Part of a second counts as a whole second.
    public static func verify(
        _ header: String?, body: [UInt8], secrets: [String], now: Int? = nil,
        tolerance: Duration = WebhookSignature.tolerance
    ) throws(Refusal) {
        let keys = secrets.filter { !$0.isEmpty }.map { secret in
            var secret = secret
            return secret.withUTF8 { HMACKey(UnsafeRawBufferPointer($0)) }
        }
        var header = header ?? ""
        let now = now ?? WallClock.seconds()
        let refusal = header.withUTF8 { text in
            body.withUnsafeBytes { body in
                Self.refusal(
                    of: UnsafeRawBufferPointer(text), body: body, keys: keys, now: now,
                    toleranceSeconds: tolerance.wholeSeconds)
            }
        }
        if let refusal { throw refusal }
    }
}

// MARK: - Without copies

extension WebhookSignature {
    static func header(_ key: HMACKey, body: UnsafeRawBufferPointer, timestamp: Int) -> String {
        var time: [UInt8] = []
        timestamp.forEachDigit { time.append($0) }
        return String(
            decoding: Array("t=".utf8) + time + Array(",v1=".utf8) + code(key, time, body).hexDigits, as: UTF8.self)
    }

    /// Maximum length of a header. A longer header is malformed.
    package static var maxHeaderBytes: Int { 4_096 }
    /// Latest time that is read: 15 digits.
    package static var maxTimestamp: Int { 999_999_999_999_999 }

    /// Returns the header's value, for callers with pointers. The secret must not be empty.
    package static func header(
        secret: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, timestamp: Int?
    ) -> String {
        header(HMACKey(secret), body: body, timestamp: timestamp ?? WallClock.seconds())
    }

    /// Returns the reason to refuse a request, or nil. No secret may be empty.
    package static func refusal(
        of header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, secrets: [UnsafeRawBufferPointer], now: Int?,
        toleranceSeconds: Int
    ) -> Refusal? {
        refusal(
            of: header, body: body, keys: secrets.map(HMACKey.init), now: now ?? WallClock.seconds(),
            toleranceSeconds: toleranceSeconds)
    }

    /// Returns the reason to refuse the request, or nil. The time is checked last, so that
    /// only a sender with the secret learns of a wrong time.
    static func refusal(
        of header: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, keys: [HMACKey], now: Int, toleranceSeconds: Int
    ) -> Refusal? {
        guard !header.isEmpty else { return .missing }
        guard let signed = SignedHeader(header) else { return .malformed }
        var isSigned = false
        for key in keys {
            let expected = code(key, signed.time, body).hexDigits
            // Compares all signatures, so that the duration does not reveal which one matched,
            // or how far.
            for signature in signed.signatures { isSigned = areEqual(expected, signature) || isSigned }
        }
        guard isSigned else { return .mismatch }
        let age = now.subtractingReportingOverflow(signed.timestamp)
        if age.overflow || age.partialValue > toleranceSeconds { return .tooOld }
        return age.partialValue < 0 &- toleranceSeconds ? .inFuture : nil
    }

    private static func code(_ key: HMACKey, _ time: [UInt8], _ body: UnsafeRawBufferPointer) -> [UInt8] {
        key.code { hash in
            hash.update(time)
            hash.update(".")
            hash.update(body)
        }
    }

    /// Returns true when both are equal. The duration depends only on the lengths.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}

/// A signature header, parsed strictly: visible ASCII without white space, with elements
/// `scheme=value` separated by commas. The element `t` occurs once and contains decimal digits
/// without leading zeros. At least one element is `v1`. Other schemes are ignored, because a
/// later protocol may add them.
private struct SignedHeader {
    /// The time as written, because the signature covers these digits.
    private(set) var time: [UInt8] = []
    private(set) var timestamp = 0
    private(set) var signatures: [[UInt8]] = []

    init?(_ text: UnsafeRawBufferPointer) {
        guard text.count <= WebhookSignature.maxHeaderBytes, text.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        for element in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let parts = element.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            if parts[0].elementsEqual("t".utf8) {
                guard time.isEmpty, let seconds = Self.seconds(parts[1]) else { return nil }
                (time, timestamp) = (Array(parts[1]), seconds)
            } else if parts[0].elementsEqual("v1".utf8) {
                signatures.append(Array(parts[1]))
            }
        }
        if time.isEmpty || signatures.isEmpty { return nil }
    }

    private static func seconds(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard (1...15).contains(digits.count), digits.allSatisfy(\.isDigit),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
