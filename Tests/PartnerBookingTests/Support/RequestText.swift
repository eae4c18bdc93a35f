@testable import PartnerBooking

/// The text of a request or a configuration in which single members can be changed: as text, so that order and spelling are
/// the test's own. A path such as `booking.customer.phone` names a member.
struct RequestText: Sendable {
    private indirect enum Node: Sendable {
        case raw(String)
        case object([(key: String, node: Node)])

        var text: String {
            switch self {
            case .raw(let text): text
            case .object(let members): "{" + members.map { "\"\($0.key)\":\($0.node.text)" }.joined(separator: ",") + "}"
            }
        }

        func changing(_ path: ArraySlice<Substring>, _ change: (inout [(key: String, node: Node)], String) -> Void) -> Node {
            guard case .object(var members) = self, let name = path.first.map(String.init) else {
                preconditionFailure("no such member")
            }
            if path.count == 1 {
                change(&members, name)
            } else {
                let index = members.firstIndex { $0.key == name } ?? members.count
                if index == members.count { members.append((name, .object([]))) }
                members[index].node = members[index].node.changing(path.dropFirst(), change)
            }
            return .object(members)
        }
    }

    private var root = Node.object([])

    var text: String { root.text }
    var bytes: [UInt8] { Array(text.utf8) }

    /// Sets a member, in its place when it is there, else as the last; nil leaves it out.
    func setting(_ path: String, _ value: String?) -> RequestText {
        changing(path) { members, name in
            let index = members.firstIndex { $0.key == name }
            if let value, let index {
                members[index].node = .raw(value)
            } else if let value {
                members.append((name, .raw(value)))
            } else {
                members.removeAll { $0.key == name }
            }
        }
    }

    /// Adds one more member, `spelling` being how its last name stands between the quotes.
    func adding(_ path: String, _ value: String, spelledAs spelling: String? = nil) -> RequestText {
        changing(path) { members, name in members.append((spelling ?? name, .raw(value))) }
    }

    /// The same member under another spelling.
    func respelling(_ path: String, as spelling: String) -> RequestText {
        changing(path) { members, name in
            for index in members.indices where members[index].key == name { members[index].key = spelling }
        }
    }

    /// The text of the value there.
    func value(_ path: String) -> String {
        var found = ""
        _ = changing(path) { members, name in found = members.first { $0.key == name }?.node.text ?? "" }
        return found
    }

    private func changing(
        _ path: String, _ change: (inout [(key: String, node: Node)], String) -> Void
    ) -> RequestText {
        var copy = self
        copy.root = root.changing(path.split(separator: ".")[...], change)
        return copy
    }
}

extension RequestText {
    /// Every member set, none with a value that stands in an error message as an example.
    // Computed: kept in a global, such a value looks leaked to LeakSanitizer, which cannot follow an enum's marked pointers.
    static var booking: RequestText {
        RequestText()
            .setting("bot_id", #""bot_7""#)
            .setting("idempotency_key", #""key-4711""#)
            .setting("tag", #""tag-0815""#)
            .setting("detach", "true")
            .setting("timeout_ms", "2345")
            .setting("slow_after_ms", "1234")
            .setting("traceparent", #""00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#)
            .setting("booking.start_at", #""2031-02-03T10:11:12Z""#)
            .setting("booking.duration_minutes", "45")
            .setting("booking.customer.phone", #""+4930987654321""#)
            .setting("booking.customer.name", #""Zaphod Qwxyz""#)
            .setting("booking.customer.email", #""zq@qwxyz.test""#)
            .setting("booking.notes", #""grumbles a lot""#)
            .setting("conversation", #""call-0815""#)
    }

    static var search: RequestText {
        RequestText()
            .setting("bot_id", #""bot_7""#)
            .setting("tag", #""tag-0815""#)
            .setting("timeout_ms", "2345")
            .setting("slow_after_ms", "1234")
            .setting("traceparent", #""00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#)
            .setting("query.filter.start_at_range.start_at", #""2031-02-03T10:11:12Z""#)
            .setting("query.filter.start_at_range.end_at", #""2031-02-04T10:11:12Z""#)
    }

    /// What is sent of it: all but the library's own members.
    var sent: RequestText {
        RequestField.ofBookings.filter(\.isOwn).reduce(self) { $0.setting($1.path, nil) }
    }

    static var lookup: RequestText {
        RequestText()
            .setting("bot_id", #""bot_7""#)
            .setting("tag", #""tag-0815""#)
            .setting("timeout_ms", "2345")
            .setting("slow_after_ms", "1234")
            .setting("traceparent", #""00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#)
            .setting("customer.phone", #""+4930987654321""#)
    }

    static func of(_ operation: CallOperation) -> RequestText {
        switch operation {
        case .searchAvailability: search
        case .createBooking: booking
        case .lookupCustomer: lookup
        }
    }

    /// A JSON string of so many characters.
    static func string(_ count: Int, of character: String = "a") -> String {
        "\"" + String(repeating: character, count: count) + "\""
    }

    /// A name with some of its characters as escapes.
    static func escaped(_ name: String, where isEscaped: (Int) -> Bool) -> String {
        name.utf8.enumerated().map { index, byte in
            guard isEscaped(index) else { return String(Unicode.Scalar(byte)) }
            let digits = String(byte, radix: 16)
            return "\\u00" + (index.isMultiple(of: 2) ? digits : digits.uppercased())
        }.joined()
    }
}

/// What a request is refused for; nil when it is accepted.
func refusal(_ operation: CallOperation, _ bytes: [UInt8]) -> PartnerBookingError? {
    do throws(PartnerBookingError) {
        _ = try Request(operation, json: bytes)
        return nil
    } catch {
        return error
    }
}
