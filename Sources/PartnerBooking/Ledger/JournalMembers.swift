/// The members of a record, by their places in its JSON text. Nothing is copied: the bytes
/// must stay in place as long as the value is used.
struct JournalMembers {
    enum Name: Int, CaseIterable {
        case type, key, at, clock, fingerprint, conversation, body, reply, bot_id, start_at, duration_minutes
        case recorded_at, end, account_id, outcome, service, version, boot, up

        fileprivate static let count = 19

        var text: StaticString {
            switch self {
            case .type: "type"
            case .key: "key"
            case .at: "at"
            case .clock: "clock"
            case .fingerprint: "fingerprint"
            case .conversation: "conversation"
            case .body: "body"
            case .reply: "reply"
            case .bot_id: "bot_id"
            case .start_at: "start_at"
            case .duration_minutes: "duration_minutes"
            case .recorded_at: "recorded_at"
            case .end: "end"
            case .account_id: "account_id"
            case .outcome: "outcome"
            case .service: "service"
            case .version: "version"
            case .boot: "boot"
            case .up: "up"
            }
        }
    }

    private struct Member {
        var start: Int32 = -1
        var end: Int32 = 0
        var kind = JSONKind.null
        var hasEscapes = false

        var span: Range<Int> { Int(start)..<Int(end) }
    }

    private let json: UnsafeRawBufferPointer
    private let members: InlineArray<19, Member>

    /// Finds the members. Throws when the bytes are not one JSON text, or are too long for
    /// 32-bit offsets.
    init(_ json: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
        self.json = json
        guard json.count < Int(Int32.max) else { throw JSONSyntaxError(offset: Int(Int32.max), reason: Reason.tooLong) }
        members = try JSON.scan(json, profile: .request, visitor: Visitor(json: json)).members
    }

    private func member(_ name: Name, _ kind: JSONKind) -> Member? {
        let member = members[name.rawValue]
        return member.start >= 0 && member.kind == kind ? member : nil
    }

    func isString(_ name: Name) -> Bool { member(name, .string) != nil }

    func isString(_ name: Name, _ text: StaticString) -> Bool {
        member(name, .string).map { JSON.string(json, $0.span, hasEscapes: $0.hasEscapes, equals: text) } ?? false
    }

    func string(_ name: Name) -> String? {
        member(name, .string).map { JSON.decodeString(json, $0.span, hasEscapes: $0.hasEscapes) }
    }

    /// Returns the text of a string as UTF-8.
    func bytes(_ name: Name) -> [UInt8]? {
        member(name, .string).map { JSON.decodeBytes(json, $0.span, hasEscapes: $0.hasEscapes) }
    }

    /// Passes the text of a string to `body`, without a copy if it has no escapes.
    func withText<Result>(_ name: Name, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard let member = member(name, .string) else { return nil }
        guard member.hasEscapes else {
            return body(UnsafeRawBufferPointer(rebasing: json[member.span.dropFirst().dropLast()]))
        }
        return JSON.decodeBytes(json, member.span, hasEscapes: true).withUnsafeBytes(body)
    }

    func integer(_ name: Name) -> Int? {
        member(name, .number).flatMap { Int(decimal: UnsafeRawBufferPointer(rebasing: json[$0.span])) }
    }

    /// Returns a time of at most 2^50 ms, so that additions to it do not overflow.
    func milliseconds(_ name: Name) -> Int? { integer(name).flatMap { 0...1 << 50 ~= $0 ? $0 : nil } }

    func clock(_ name: Name) -> Int? { integer(name).flatMap { 0...JournalContents.lastClock ~= $0 ? $0 : nil } }

    private struct Visitor: JSONVisitor {
        let json: UnsafeRawBufferPointer
        private(set) var members = InlineArray<19, Member>(repeating: Member())
        private var depth = 0
        /// The member of the outermost object whose value comes next.
        private var name: Name?

        init(json: UnsafeRawBufferPointer) { self.json = json }

        mutating func key(_ span: Range<Int>, hasEscapes: Bool) {
            guard depth == 1 else { return }
            name = nil
            var number = 0
            while name == nil, number < Name.count {
                if let name = Name(rawValue: number),
                    JSON.string(json, span, hasEscapes: hasEscapes, equals: name.text)
                {
                    self.name = name
                }
                number += 1
            }
        }

        mutating func scalar(_ kind: JSONKind, _ span: Range<Int>, hasEscapes: Bool) {
            guard depth == 1, let name else { return }
            // The first member of each name counts.
            guard members[name.rawValue].start < 0 else { return }
            members[name.rawValue] = Member(
                start: Int32(truncatingIfNeeded: span.lowerBound), end: Int32(truncatingIfNeeded: span.upperBound),
                kind: kind, hasEscapes: hasEscapes)
        }

        mutating func open(_ kind: JSONKind, at offset: Int) {
            scalar(kind, offset..<offset, hasEscapes: false)
            depth += 1
        }

        mutating func close(at end: Int) { depth -= 1 }
    }
}
