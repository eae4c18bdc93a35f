/// The messages about transfers: the system, the connection and the reply.
enum TransferMessage {
    // MARK: The system

    static var noThread: String { "No thread could be started: raise the limit of threads" }
    static var noDescriptor: String { "No file descriptor is free: raise the limit of open files" }
    static var noLibcurl: String { "libcurl could not be started" }
    static var noHandle: String { "No memory for a transfer handle" }
    static var noTransferMemory: String { "No memory for a transfer" }
    static var noStatisticsMemory: String { "No memory for the statistics" }

    static func libcurl(_ reason: String) -> String { "libcurl failed: \(reason)" }

    // MARK: The connection

    static var circuitOpen: String { "The circuit breaker is open: the service failed too often in a row. Try again later" }
    static var dns: String { "The service's host name did not resolve" }
    static var noConnection: String { "No connection could be made to the service or the proxy" }
    static var connectTimeout: String { "No connection within connect_timeout_ms" }
    static var unreadableCertificates: String { "The file of trusted certificates could not be read" }
    static var handshake: String { "The TLS handshake failed: no common version or cipher, or the connection was closed" }
    static var otherHost: String { "The service's certificate is for another host" }
    static var notYetValid: String { "The service's certificate is not valid yet" }
    static var expired: String { "The service's certificate has expired" }
    static var unknownAuthority: String { "The service's certificate is from an unknown authority" }
    static var addressRefused: String {
        "The webhook's host has a private address: add the host to private_hosts if that is intended"
    }
    static var flooded: String { "The service flooded the connection: the library closed it" }
    static var banned: String { "The service flooded a connection a moment ago: the library makes no new one for now" }
    static var bodyOfHead: String { "The service sent a body in reply to a HEAD request: the library closed the connection" }
    static var leaseOver: String { "The booking's lease ended before the booking could be sent" }
    static var notRepeated: String {
        "The connection broke and the request was not repeated: the platform keeps no keys, or the call was cancelled"
    }

    static func proxyRefused(_ status: Int) -> String { "The proxy refused with HTTP \(status)" }
    static func proxy(_ reason: String) -> String { "The proxy failed: \(reason)" }
    static func tls(_ reason: String) -> String { "TLS failed: \(reason)" }
    static func broken(_ reason: String) -> String { "The connection broke: \(reason)" }
    static func certificate(_ result: Int) -> String {
        "The service's certificate was not accepted (OpenSSL verify result \(result))"
    }

    static func unreadBytes(_ connections: Int) -> String { "\(connections) connections had unread bytes and were not used" }

    // MARK: The reply

    static var tooManyPieces: String { "The reply came in too many tiny pieces" }
    static var foldedLine: String { "The reply has a folded header line, which HTTP forbids" }
    static var encoding: String { "The reply has a content or transfer encoding that the request did not ask for" }
    static var endlessLine: String { "The reply has a status or header line that is too long or has no end" }
    static var availabilities: String { "a JSON object with an array availabilities" }
    static var found: String { "a JSON object with a boolean found" }
    static var booking: String { "a JSON object with an object booking that has id or start_at" }

    static func tooLarge(_ limit: Int) -> String { "The reply is longer than max_reply_bytes (\(limit))" }
    static func headTooLong(_ limit: Int) -> String {
        "The headers and trailers of the reply are longer than \(limit) bytes"
    }
    static func notHTTP(_ reason: String) -> String { "The reply is not HTTP: \(reason)" }
    static func unusable(_ status: Int, _ promised: String) -> String {
        "HTTP \(status) without a usable body: expected \(promised)"
    }

    static func noText(_ status: Int) -> String { "HTTP \(status) without a text in the body" }
    static func noReason(_ status: Int) -> String { "HTTP \(status) without a reason in the body" }
    static func reason(_ status: Int, _ reason: String) -> String { "HTTP \(status): \(reason)" }
    static func otherStart(_ found: String, _ wanted: String) -> String {
        "The reply contains start_at \(found), the request \(wanted)"
    }

    static func notConfirmed(_ status: String) -> String {
        "The platform answered status \"\(status)\": there is no appointment"
    }
}
