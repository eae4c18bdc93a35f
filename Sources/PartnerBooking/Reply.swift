/// A reply of the C ABI, read back from its text.
package enum Reply {
    /// The service's own reply, or a list of the library.
    case success
    /// `{"error":{…}}`. Only the deciding members of the error are read: `code`, `status`,
    /// `source`, `isRetryable`, `outcome`, `retryAfterMilliseconds` and `isFromService`.
    case failure(PartnerBookingError)

    /// Creates a reply. nil when the text is not a reply.
    package init?(_ json: [UInt8]) {
        guard Self.isErrorReply(json) else {
            guard (try? JSON.validate(json, profile: .reply)) != nil, Self.isObject(json) else { return nil }
            self = .success
            return
        }
        guard let document = try? JSONDocument(json, profile: .reply), let members = document.root["error"],
            let error = PartnerBookingError(members)
        else { return nil }
        self = .failure(error)
    }

    /// The promised members of a service's success. It is handed over unchanged, so it may have
    /// a member `error` beside them.
    private static let promised: [StaticString] = ["availabilities", "booking", "found"]

    private static func isErrorReply(_ json: [UInt8]) -> Bool {
        func kind(_ name: StaticString) -> JSONKind? {
            JSON.kindOfTopLevelMember(name, in: json, profile: .reply)
        }
        return kind("error") == .object && promised.allSatisfy { kind($0) == nil }
    }

    /// Returns whether valid JSON is an object, by its first byte.
    private static func isObject(_ json: [UInt8]) -> Bool {
        json.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }
}

extension PartnerBookingError {
    /// Reads the deciding members of an error's JSON. nil when `code`, `source` or `retryable`
    /// is missing or wrong.
    fileprivate init?(_ members: JSONValue) {
        guard let code = members["code"]?.string, let source = members["source"]?.string.flatMap(Source.init),
            let isRetryable = members["retryable"]?.boolean
        else { return nil }
        self.init(Code(rawValue: code), "", source: source, isRetryable: isRetryable)
        status = members["status"]?.integer
        isFromService = members["from_service"]?.boolean ?? false
        // An unknown word says nothing certain about the booking.
        outcome = members["outcome"]?.string.map { Outcome(rawValue: $0) ?? .unknown }
        retryAfterMilliseconds = members["retry_after_ms"]?.integer
    }
}
