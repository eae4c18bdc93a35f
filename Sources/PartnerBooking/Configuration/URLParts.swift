import CCurl
import Glibc

/// The parts of a URL. libcurl's own parser finds them, so libcurl connects to the checked
/// host.
struct URLParts {
    let scheme: String
    /// In lower case. IPv4 addresses are four decimal numbers, however they were written. IPv6
    /// addresses are in brackets.
    let host: String
    let hasCredentials: Bool
    private let port: String

    init?(_ text: String) {
        guard FieldRules.isVisibleASCII(text), Self.isWrittenOut(text), let url = curl_url() else { return nil }
        defer { curl_url_cleanup(url) }
        guard curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else { return nil }
        func part(_ part: CURLUPart, _ flags: Int32 = 0) -> String? {
            var value: UnsafeMutablePointer<CChar>?
            guard curl_url_get(url, part, &value, UInt32(flags)) == CURLUE_OK, let value else { return nil }
            defer { curl_free(value) }
            return String(cString: value)
        }
        guard let scheme = part(CURLUPART_SCHEME), let host = part(CURLUPART_HOST), !host.isEmpty else { return nil }
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        hasCredentials = part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil
        port = part(CURLUPART_PORT, CURLU_DEFAULT_PORT) ?? ""
    }

    /// Returns whether there are a scheme, `://` and a host. libcurl guesses missing parts: it
    /// reads `https:/clinic` as https://clinic.
    private static func isWrittenOut(_ text: String) -> Bool {
        let rest = text.utf8.drop { $0 != UInt8(ascii: ":") }
        return rest.starts(with: "://".utf8) && rest.dropFirst(3).first != UInt8(ascii: "/")
    }

    /// The target of connections. URLs with the same origin can share a connection.
    var origin: String { "\(scheme)://\(host):\(port)" }

    /// nil when the host is a name.
    var address: IPAddress? { IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host) }

    /// True when the target cannot leave this machine. libcurl resolves `localhost` to loopback
    /// itself, without DNS.
    var isLoopback: Bool { host == "localhost" || address?.isLoopback ?? false }

    /// The kind of a private target. nil for public addresses, and for names, which need a
    /// look-up.
    var privatePlace: String? {
        if isLoopback { return MemberMessage.thisMachine }
        return address?.isPublic ?? true ? nil : MemberMessage.privateAddress
    }
}

/// The URL of a service, without user, query and fragment. Paths are appended to it.
struct ServiceURL {
    /// The URL without a slash at its end.
    let text: String
    let parts: URLParts

    init?(_ text: String) {
        guard let parts = URLParts(text), !parts.hasCredentials,
            !text.utf8.contains(UInt8(ascii: "?")), !text.utf8.contains(UInt8(ascii: "#"))
        else { return nil }
        self.text = text.hasSuffix("/") ? String(text.dropLast()) : text
        self.parts = parts
    }

    /// True when nobody on the way can read the requests.
    var isProtected: Bool { parts.scheme == "https" || parts.scheme == "http" && parts.isLoopback }
}
