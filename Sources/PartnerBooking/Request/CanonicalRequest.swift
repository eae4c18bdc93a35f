/// A writer that gives each member of a request its canonical form, if the member has only one
/// reading. It is used only for refused requests, because most requests are right.
struct CanonicalRequest {
    /// Returns the canonical request, or nil if nothing in it changes.
    static func of(_ document: JSONDocument, _ operation: CallOperation) -> JSONDocument? {
        guard document.kind(at: 0) == .object else { return nil }
        var request = CanonicalRequest(document: document)
        let bytes = request.object(at: 0, rules(operation, document.root))
        return request.isChanged ? try? JSONDocument(bytes, profile: .request) : nil
    }

    /// The treatment of a member.
    private indirect enum Rule {
        case object([(name: StaticString, rule: Rule)])
        /// A time. With `orDate` a plain date is also allowed.
        case time(orDate: Bool, isOptional: Bool = false)
        case phone
        /// A text. Blanks at its ends are removed.
        case name
        /// A name without blanks at its ends, left out if it is `null`, empty or blank.
        case optionalName
        /// A text that is left out if it is `null`, empty or blank. Other blanks stay.
        case optionalText
        /// A text that is left out if it is `null` or `""`.
        case optionalWord
        case integer
        case optionalInteger
        /// A value that is left out if it is `null`.
        case optional
    }

    private typealias Rules = [(name: StaticString, rule: Rule)]

    private let document: JSONDocument
    private var isChanged = false

    private init(document: JSONDocument) { self.document = document }

    // MARK: Rules

    private static func rules(_ operation: CallOperation, _ root: JSONValue) -> Rules {
        let own: Rules = [
            ("timeout_ms", .optionalInteger), ("slow_after_ms", .optionalInteger), ("tag", .optional),
            ("traceparent", .optionalWord),
        ]
        switch operation {
        case .searchAvailability:
            let range: Rules = [("start_at", .time(orDate: true)), ("end_at", .time(orDate: true))]
            return own + [("query", .object([("filter", .object([("start_at_range", .object(range))]))]))]
        case .lookupCustomer:
            return own + [("customer", .object([("phone", .phone)]))]
        case .createBooking:
            let more: Rules = [
                ("detach", .optional), ("resume", .optional), ("give_up", .optional), ("conversation", .optionalWord),
            ]
            let isGivingUp = root["give_up"]?.boolean == true
            let isWhole = !isGivingUp && root["resume"]?.boolean != true
            // Without a key, the request gives up the bookings of a bot that start before a
            // moment.
            let isForSeveral = isGivingUp && root["idempotency_key"] == nil
            let start = ("start_before" as StaticString, Rule.time(orDate: false, isOptional: !isForSeveral))
            return own + more + [start, ("booking", isWhole ? .object(booking) : .optional)]
                + (isWhole || isForSeveral ? [] : [("bot_id", .optional)])
        }
    }

    private static var booking: Rules {
        let customer: Rules = [("phone", .phone), ("name", .name), ("email", .optionalName)]
        return [
            ("start_at", .time(orDate: false)), ("duration_minutes", .integer), ("customer", .object(customer)),
            ("notes", .optionalText),
        ]
    }

    // MARK: Writing

    private mutating func object(at place: Int, _ rules: Rules) -> [UInt8] {
        // A repeated member is refused later, so both copies stay.
        var counts = [Int](repeating: 0, count: rules.count)
        var members: [(key: Int, rule: Int?)] = []
        document.forEachKey(of: place) { key in
            let rule = rules.firstIndex { document.isString(at: key, $0.name) }
            if let rule { counts[rule] += 1 }
            members.append((key, rule))
        }
        return JSONWriter.object(capacity: document.span(at: place).count) { writer in
            for (key, rule) in members {
                let (name, value) = (document.span(at: key), document.span(at: key + 1))
                guard let rule, counts[rule] == 1, let change = change(at: key + 1, rules[rule].rule) else {
                    writer.member(asWritten: document.bytes[name.lowerBound..<value.upperBound])
                    continue
                }
                if let text = change.text {
                    writer.member(asWritten: (document.bytes[name] + ":".utf8 + text)[...])
                }
            }
        }
    }

    /// The new text of a value. A nil text leaves the member out.
    private struct Change {
        var text: [UInt8]?
    }

    /// Returns the change of a value; nil for a value that stays.
    private mutating func change(at place: Int, _ rule: Rule) -> Change? {
        switch rule {
        case .object(let rules):
            guard document.kind(at: place) == .object else { return nil }
            return Change(text: object(at: place, rules))
        case .time(let orDate, let isOptional):
            if isOptional, let change = absence(at: place, orEmpty: false) { return change }
            return string(at: place) { TimestampForm.read($0, allowsDate: orDate).canonical }
        case .phone: return string(at: place) { PhoneForm.read($0).canonical }
        case .name: return string(at: place, InputText.trimmed)
        case .optionalName:
            return absence(at: place, orEmpty: true, orBlank: true) ?? string(at: place, InputText.trimmed)
        case .optionalText: return absence(at: place, orEmpty: true, orBlank: true)
        case .optionalWord: return absence(at: place, orEmpty: true)
        case .optional: return absence(at: place, orEmpty: false)
        case .integer: return integer(at: place)
        case .optionalInteger: return absence(at: place, orEmpty: false) ?? integer(at: place)
        }
    }

    private mutating func absence(at place: Int, orEmpty: Bool, orBlank: Bool = false) -> Change? {
        let isAbsent =
            switch document.kind(at: place) {
            case .null: true
            case .string:
                document.string(at: place).map { orBlank && InputText.isBlank($0) || orEmpty && $0.isEmpty } ?? false
            default: false
            }
        guard isAbsent else { return nil }
        isChanged = true
        return Change(text: nil)
    }

    private mutating func string(at place: Int, _ canonical: (String) -> String?) -> Change? {
        // Compares bytes, because `==` treats the two encodings of an é as equal.
        guard let text = document.string(at: place), let other = canonical(text), !other.isEmpty,
            !other.utf8.elementsEqual(text.utf8)
        else {
            return nil
        }
        isChanged = true
        return Change(text: JSONWriter.string(other))
    }

    /// Rewrites a whole number that has a point or an exponent.
    private mutating func integer(at place: Int) -> Change? {
        guard document.kind(at: place) == .number, JSONValue(document: document, place: place).integer == nil,
            let integer = document.withBytes(at: place, Self.wholeNumber)
        else { return nil }
        isChanged = true
        return Change(text: Array(String(integer).utf8))
    }

    /// Reads `30.0` and `3e1`. Returns nil for a fraction, for more than nine significant
    /// digits, and for more than nine zeros after them.
    static func wholeNumber(_ text: UnsafeRawBufferPointer) -> Int? {
        let parts = String(decoding: DecimalNumber(text).bytes, as: UTF8.self).split(separator: "e")
        guard let digits = parts.first.flatMap({ Int($0) }) else { return nil }
        guard parts.count == 2 else { return parts.count == 1 ? digits : nil }
        guard let exponent = Int(parts[1]), (0...9).contains(exponent), digits.magnitude < 1_000_000_000 else { return nil }
        return (0..<exponent).reduce(digits) { number, _ in number * 10 }
    }
}

extension InputForm {
    fileprivate var canonical: String? {
        if case .taken(let text) = self { text } else { nil }
    }
}
