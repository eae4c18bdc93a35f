/// The reason in the body of a refusal, in the shapes that services and their frameworks use.
///
/// The Partner API writes `{"error":{"code":…,"message":…}}`. It relays requests, so the shapes
/// of platforms come through. They are those of OAuth, RFC 9457 (`problem+json`), JSON:API,
/// FastAPI, Django, NestJS, Laravel, Rails, ASP.NET, Google, FHIR, JSON-RPC and plain texts.
/// The rules are in docs/errors.md, "The reason of a refusal".
///
/// A code comes from a member that is made for codes. A text is for people, so it is never
/// searched for words.
struct ServiceReason: Equatable {
    /// The service's code. nil: the body has none.
    let code: String?
    /// The service's text. nil: the body has none. It is unchanged beside a code of the Partner
    /// API's shape, and otherwise one line.
    let message: String?

    /// Maximum length of a body that is read.
    static let maxBodyBytes = 65_536
    /// Maximum length of a code.
    static let maxCodeBytes = 128
    /// Maximum length of a message of another shape than the Partner API's. Longer messages are
    /// cut.
    static let maxMessageBytes = 500

    /// Returns nil when the body has no known reason.
    init?(_ body: [UInt8], status: Int) {
        guard body.count <= Self.maxBodyBytes else { return nil }
        guard let root = (try? JSONDocument(body, profile: .reply))?.root else {
            guard let text = Self.plainText(body) else { return nil }
            (code, message) = (nil, text)
            return
        }
        let shape = ErrorShape(status: status)
        if let error = root["error"], let code = shape.code(error["code"]) {
            let message = error["message"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            (self.code, self.message) = (code, message ?? shape.message(in: root).flatMap(Self.line))
        } else {
            code = shape.code(in: root) ?? shape.number(in: root)
            message = shape.message(in: root).flatMap(Self.line)
        }
        if code == nil && message == nil { return nil }
    }

    /// Returns a short body as one line, unless it is JSON or markup.
    private static func plainText(_ body: [UInt8]) -> String? {
        guard body.count <= maxMessageBytes, !body.contains(UInt8(ascii: "<")),
            let text = String(validating: body, as: UTF8.self), let line = line(text),
            // Broken JSON begins with one of these.
            let first = line.utf8.first, !"{[\"".utf8.contains(first)
        else { return nil }
        return line
    }

    /// Returns a text as one line of limited length with single blanks; nil if nothing is left.
    private static func line(_ text: String) -> String? {
        var line = String.UnicodeScalarView()
        var bytes = 0
        var isAfterBlank = false
        for scalar in text.unicodeScalars {
            guard !scalar.isBlank else {
                isAfterBlank = bytes > 0
                continue
            }
            bytes += UTF8.width(scalar) + (isAfterBlank ? 1 : 0)
            guard bytes <= maxMessageBytes else {
                line.append("…")
                break
            }
            if isAfterBlank { line.append(" ") }
            line.append(scalar)
            isAfterBlank = false
        }
        return line.isEmpty ? nil : String(line)
    }
}

extension Unicode.Scalar {
    /// True for a blank, or a character that ends a line or moves a terminal's cursor.
    var isBlank: Bool {
        value <= 0x20 || (0x7F...0xA0).contains(value) || (0x2028...0x2029).contains(value) || value == 0xFEFF
    }
}
