/// A reply as the C ABI gave it, read back from its text.
package enum Reply {
    /// The service's own reply, or a list of the library's.
    case success
    /// `{"error":{…}}`. Of the error only what decides is read: `code`, `status`, `source`, `isRetryable`, `outcome`,
    /// `retryAfterMilliseconds` and `isFromService`.
    case failure(PartnerBookingError)

    /// nil for a text that is no reply.
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

    /// A service's success is handed over unchanged, and may have a member `error` beside the promised one.
    private static let promised: [StaticString] = ["availabilities", "booking", "found"]

    private static func isErrorReply(_ json: [UInt8]) -> Bool {
        func kind(_ name: StaticString) -> JSONKind? {
            JSON.kindOfTopLevelMember(name, in: json, profile: .reply)
        }
        return kind("error") == .object && promised.allSatisfy { kind($0) == nil }
    }

    /// Returns whether valid JSON is an object. Its first byte decides.
    private static func isObject(_ json: [UInt8]) -> Bool {
        json.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
    }
}

extension PartnerBookingError {
    /// Reads the members that decide from what `json` writes. nil when they are not all there.
    fileprivate init?(_ members: JSONValue) {
        guard let code = members["code"]?.string, let source = members["source"]?.string.flatMap(Source.init),
            let isRetryable = members["retryable"]?.boolean
        else { return nil }
        self.init(Code(rawValue: code), "", source: source, isRetryable: isRetryable)
        status = members["status"]?.integer
        isFromService = members["from_service"]?.boolean ?? false
        // A word that is not known here says nothing certain about the booking.
        outcome = members["outcome"]?.string.map { Outcome(rawValue: $0) ?? .unknown }
        retryAfterMilliseconds = members["retry_after_ms"]?.integer
    }
}
