/// Reads the members of one JSON object and refuses, by its path, the first one that is missing, wrong or there twice.
/// Requests and configurations are read with it; they differ in the error they make of a refusal.
struct ObjectReader {
    typealias Refusal = @Sendable (_ path: String, _ expectation: String) -> PartnerBookingError

    /// Where the object stands: `booking.customer`; empty for the outermost.
    let path: String
    private let members: [(name: String, value: JSONValue)]
    private let refusal: Refusal

    /// The outermost object of a document. `what` is its name in the message when it is something else.
    init(_ root: JSONValue, what: String, refusal: @escaping Refusal) throws(PartnerBookingError) {
        guard root.kind == .object else { throw refusal(what, "must be a JSON object") }
        self.init(root, path: "", refusal: refusal)
    }

    private init(_ object: JSONValue, path: String, refusal: @escaping Refusal) {
        self.path = path
        self.refusal = refusal
        members = object.members.map { ($0.key.string ?? "", $0.value) }
    }

    func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func refuse(_ name: String, _ expectation: String) -> PartnerBookingError { refusal(path(of: name), expectation) }

    /// Refuses the first member whose name is not listed.
    func refuseMembers(except names: Set<String>) throws(PartnerBookingError) {
        if let stranger = members.first(where: { !names.contains($0.name) }) {
            let known = names.sorted().joined(separator: ", ")
            throw refuse(printable(stranger.name), "is not a known member here; known are: \(known)")
        }
    }

    /// A member, or nil when it is not there.
    func value(_ name: String) throws(PartnerBookingError) -> JSONValue? {
        var found: JSONValue?
        for member in members where member.name == name {
            guard found == nil else { throw refuse(name, "must not appear twice") }
            found = member.value
        }
        return found
    }

    func optionalObject(_ name: String) throws(PartnerBookingError) -> ObjectReader? {
        guard let value = try value(name) else { return nil }
        guard value.kind == .object else { throw refuse(name, "must be a JSON object") }
        return ObjectReader(value, path: path(of: name), refusal: refusal)
    }

    func object(_ name: String) throws(PartnerBookingError) -> ObjectReader {
        guard let object = try optionalObject(name) else { throw refuse(name, "is required: a JSON object") }
        return object
    }

    /// A string that `accepts` agrees to, of at most `maxBytes`; `expected` completes "… must be".
    func optionalString(
        _ name: String, maxBytes: Int, _ expected: String, where accepts: (String) -> Bool = { _ in true }
    ) throws(PartnerBookingError) -> String? {
        guard let value = try value(name) else { return nil }
        guard let string = value.string, string.utf8.count <= maxBytes, accepts(string) else {
            throw refuse(name, "must be \(expected)")
        }
        return string
    }

    func string(
        _ name: String, maxBytes: Int, _ expected: String, where accepts: (String) -> Bool = { _ in true }
    ) throws(PartnerBookingError) -> String {
        guard let string = try optionalString(name, maxBytes: maxBytes, expected, where: accepts) else {
            throw refuse(name, "is required: \(expected)")
        }
        return string
    }

    func optionalInteger(_ name: String, in range: ClosedRange<Int>) throws(PartnerBookingError) -> Int? {
        guard let value = try value(name) else { return nil }
        guard let integer = value.integer, range.contains(integer) else {
            throw refuse(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(PartnerBookingError) -> Int {
        guard let integer = try optionalInteger(name, in: range) else {
            throw refuse(name, "is required: a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A list of at most `maxCount` elements; nil when it is not there.
    func optionalList(_ name: String, maxCount: Int) throws(PartnerBookingError) -> [JSONValue]? {
        guard let value = try value(name) else { return nil }
        guard value.kind == .array, value.elements.count <= maxCount else {
            throw refuse(name, "must be a list of at most \(maxCount) elements")
        }
        return value.elements
    }

    /// A name that came from outside, fit for one line of a log.
    private func printable(_ name: String) -> String {
        String(name.unicodeScalars.prefix(64).map { $0.isASCII && $0.value > 0x20 && $0 != "\u{7F}" ? Character($0) : "?" })
    }
}
