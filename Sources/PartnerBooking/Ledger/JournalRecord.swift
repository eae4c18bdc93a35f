/// One line of the journal. docs/journal.md describes the format; this is all of it that is written and read.
enum JournalRecord: Equatable, Sendable {
    /// The first line: whose bookings these are.
    case journal(service: String)
    /// A booking is about to be sent, in that account if the library names it.
    case intent(key: String, at: Int, fingerprint: Fingerprint, body: [UInt8], accountID: String? = nil)
    /// It was made. Says all there is to remember, so that the intent can go.
    case booked(key: String, at: Int, fingerprint: Fingerprint, reply: [UInt8])
    /// It certainly was not made: the key is free again.
    case void(key: String, at: Int)
    /// Its call was cancelled. It is sent again only after a later intent.
    case withdrawn(key: String, at: Int)

    static let version = 2
    static let magic: StaticString = "pbk2 "
    /// Magic bytes of all readable versions. Version 1 has no `withdrawn`; the rest is the same.
    static let magics = ["pbk1 ", "pbk2 "].map { Array($0.utf8) }

    /// `pbk2 `, sixteen digits of checksum, a space, a JSON object, a line feed. JSON writes line feeds as `\n`, so that
    /// a line ends where it seems to, whatever is in it.
    var line: [UInt8] {
        let json = self.json
        return Self.magic.bytes + Self.checksum(json) + [UInt8(ascii: " ")] + json + [UInt8(ascii: "\n")]
    }

    /// Reads a line without its line feed; nil when it is not one of ours from first byte to last.
    init?(line: ArraySlice<UInt8>) {
        guard Self.magics.contains(where: line.starts), let root = Self.root(of: line), let type = root["type"]?.string
        else { return nil }
        if type == "journal" {
            guard let service = root["service"]?.string, (1...Self.version).contains(root["version"]?.integer ?? 0)
            else { return nil }
            self = .journal(service: service)
            return
        }
        // What is added to it must not overflow: this is thousands of years from now.
        guard let key = root["key"]?.string, !key.isEmpty, let at = root["at"]?.integer, (0...1 << 50).contains(at) else {
            return nil
        }
        let fingerprint = root["fingerprint"]?.string.flatMap(Fingerprint.init(hex:))
        switch (type, fingerprint, root["body"]?.string, root["reply"]?.string) {
        case ("intent", let fingerprint?, let body?, _):
            self = .intent(
                key: key, at: at, fingerprint: fingerprint, body: Array(body.utf8), accountID: root["account_id"]?.string)
        case ("booked", let fingerprint?, _, let reply?):
            self = .booked(key: key, at: at, fingerprint: fingerprint, reply: Array(reply.utf8))
        case ("void", _, _, _): self = .void(key: key, at: at)
        case ("withdrawn", _, _, _): self = .withdrawn(key: key, at: at)
        default: return nil
        }
    }

    /// Returns whether a later version of this library wrote the line that begins a journal. The version is under the checksum, so
    /// that damage is not taken for one.
    static func isOfLaterVersion(_ line: ArraySlice<UInt8>) -> Bool {
        guard line.starts(with: "pbk".utf8), let root = root(of: line), root["type"]?.string == "journal" else {
            return false
        }
        return (root["version"]?.integer ?? 0) > version
    }

    /// Returns the JSON object of a line; nil when the checksum does not fit.
    private static func root(of line: ArraySlice<UInt8>) -> JSONValue? {
        let (magicCount, digits) = (magic.utf8CodeUnitCount, 16)
        guard line.count > magicCount + digits + 1 else { return nil }
        let json = Array(line.dropFirst(magicCount + digits + 1))
        let checksum = line.dropFirst(magicCount).prefix(digits)
        guard checksum.elementsEqual(Self.checksum(json)), line[checksum.endIndex] == UInt8(ascii: " ") else { return nil }
        return (try? JSONDocument(json, profile: .request))?.root
    }

    private var json: [UInt8] {
        JSONWriter.object { record in
            switch self {
            case .journal(let service):
                record.member("type", "journal")
                record.member("version", Self.version)
                record.member("service", service)
            case .intent(let key, let at, let fingerprint, let body, let accountID):
                record.member("type", "intent")
                record.member("key", key)
                record.member("at", at)
                record.member("fingerprint", fingerprint.hex)
                if let accountID { record.member("account_id", accountID) }
                record.member("body", String(decoding: body, as: UTF8.self))
            case .booked(let key, let at, let fingerprint, let reply):
                record.member("type", "booked")
                record.member("key", key)
                record.member("at", at)
                record.member("fingerprint", fingerprint.hex)
                record.member("reply", String(decoding: reply, as: UTF8.self))
            case .void(let key, let at), .withdrawn(let key, let at):
                if case .void = self { record.member("type", "void") } else { record.member("type", "withdrawn") }
                record.member("key", key)
                record.member("at", at)
            }
        }
    }

    /// The first eight bytes of the SHA-256.
    private static func checksum(_ json: [UInt8]) -> [UInt8] { Array(Array(SHA256.digest(of: json).prefix(8)).hex.utf8) }
}

extension StaticString {
    var bytes: [UInt8] { withUTF8Buffer { Array($0) } }
}
