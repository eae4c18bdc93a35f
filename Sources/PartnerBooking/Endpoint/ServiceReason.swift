/// Reads the reason from the body of a refusal, in the shapes that services and their frameworks use.
///
/// The Partner API writes `{"error":{"code":…,"message":…}}`. Requests are relayed, so platforms' shapes come through: OAuth,
/// RFC 9457 (`problem+json`), JSON:API, FastAPI, Django, NestJS, Laravel, Rails, ASP.NET, Google, FHIR, JSON-RPC and plain texts.
/// docs/errors.md, "The reason of a refusal", has the rules.
///
/// A code is taken from a member that is made for one. A text is never searched for words: it is for people.
struct ServiceReason: Equatable {
    /// The service's code. nil: it gave none.
    let code: String?
    /// The service's text. nil: it gave none. Beside a code of the Partner API's shape it is unchanged, else it is one line.
    let message: String?

    /// Longest body that is read.
    static let maxBodyBytes = 65_536
    /// Longest code that is taken.
    static let maxCodeBytes = 128
    /// Longest message that is taken from a shape other than the Partner API's. A longer one is cut.
    static let maxMessageBytes = 500

    /// nil when the body has no reason that is known.
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

    /// Returns a short body that is no JSON and no markup as a line.
    private static func plainText(_ body: [UInt8]) -> String? {
        guard body.count <= maxMessageBytes, !body.contains(UInt8(ascii: "<")),
            let text = String(validating: body, as: UTF8.self), let line = line(text),
            // The start of JSON that is broken.
            let first = line.utf8.first, !"{[\"".utf8.contains(first)
        else { return nil }
        return line
    }

    /// Returns a text as one bounded line with single blanks; nil if nothing is left.
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
    /// A blank or something that ends a line or moves the cursor of a terminal.
    var isBlank: Bool {
        value <= 0x20 || (0x7F...0xA0).contains(value) || (0x2028...0x2029).contains(value) || value == 0xFEFF
    }
}
