import CCurl
import Glibc

/// A URL taken apart by libcurl's own parser, so that what is checked is what is connected to.
struct URLParts {
    let scheme: String
    /// In lower case; IPv4 addresses as four decimal numbers, however they were written, and IPv6 addresses in brackets.
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

    /// A scheme, `://` and a host: libcurl guesses at less, and would turn `https:/clinic` into https://clinic.
    private static func isWrittenOut(_ text: String) -> Bool {
        let rest = text.utf8.drop { $0 != UInt8(ascii: ":") }
        return rest.starts(with: "://".utf8) && rest.dropFirst(3).first != UInt8(ascii: "/")
    }

    /// The target of connections: the same for all URLs that can share one.
    var origin: String { "\(scheme)://\(host):\(port)" }

    /// nil for a name.
    var address: IPAddress? { IPAddress(host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host) }

    /// An address that cannot leave this machine. libcurl resolves `localhost` to loopback itself, without asking DNS.
    var isLoopback: Bool { host == "localhost" || address?.isLoopback ?? false }

    /// The target of the URL if it is known without a look-up and is not public. nil for public addresses and for names.
    var privatePlace: String? {
        if isLoopback { return MemberMessage.thisMachine }
        return address?.isPublic ?? true ? nil : MemberMessage.privateAddress
    }
}

/// The URL of a service, to which paths are appended: it has no user, query or fragment.
struct ServiceURL {
    /// Without a slash at its end.
    let text: String
    let parts: URLParts

    init?(_ text: String) {
        guard let parts = URLParts(text), !parts.hasCredentials,
            !text.utf8.contains(UInt8(ascii: "?")), !text.utf8.contains(UInt8(ascii: "#"))
        else { return nil }
        self.text = text.hasSuffix("/") ? String(text.dropLast()) : text
        self.parts = parts
    }

    /// Nobody on the way can read what is sent there.
    var isProtected: Bool { parts.scheme == "https" || parts.scheme == "http" && parts.isLoopback }
}
