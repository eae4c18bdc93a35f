/// A reader of the members of one JSON object. It refuses the first missing, wrong or repeated
/// member, and names its path. Requests and configurations use it, with different errors.
struct ObjectReader {
    enum Subject: Sendable {
        case request
        case configuration

        fileprivate func refusal(
            _ path: String, _ expectation: String, _ kind: PartnerBookingError.Kind
        ) -> PartnerBookingError {
            switch self {
            case .request: .field(path, expectation, kind)
            case .configuration: .config(path, expectation)
            }
        }
    }

    let document: JSONDocument
    let place: Int
    /// The lengths of the members' names. They rule out most absent members, which are the
    /// usual case in the outermost object.
    private let nameLengths: JSONDocument.NameLengths
    let subject: Subject

    /// Reads the outermost object of a document. An error about another kind of value names it
    /// `what`.
    init(_ root: JSONValue, what: StaticString, _ subject: Subject) throws(PartnerBookingError) {
        guard root.kind == .object else {
            let fault = InputFault.notAnObject(root, isDescribed: subject == .request)
            var error = subject.refusal(what.description, fault.text, fault.kind)
            error.field = nil
            throw error
        }
        self.init(root.document, root.place, subject)
    }

    private init(_ document: JSONDocument, _ place: Int, _ subject: Subject) {
        self.document = document
        self.place = place
        nameLengths = place == 0 ? document.nameLengths(of: 0) : .any
        self.subject = subject
    }

    var object: JSONValue { JSONValue(document: document, place: place) }

    /// Returns the refusal of a member, with its path: `booking.customer.phone`.
    func refuse(
        _ name: StaticString, _ expectation: String, _ kind: PartnerBookingError.Kind = .malformed
    ) -> PartnerBookingError {
        refuse(name.description, expectation, kind)
    }

    func refuse(_ name: StaticString, _ fault: InputFault) -> PartnerBookingError {
        refuse(name.description, fault.text, fault.kind)
    }

    private func refuse(
        _ name: String, _ expectation: String, _ kind: PartnerBookingError.Kind = .malformed
    ) -> PartnerBookingError {
        subject.refusal(path(to: name), expectation, kind)
    }

    /// Returns the refusal of a value with the wrong type or form.
    private func refuse(_ name: StaticString, at value: Int, _ fault: (JSONValue, Bool) -> InputFault) -> PartnerBookingError
    {
        refuse(name, fault(JSONValue(document: document, place: value), subject == .request))
    }

    /// Returns the refusal of a missing member. `expected` completes "is required: …".
    func missing(_ name: StaticString, _ expected: String) -> PartnerBookingError {
        guard subject == .request else { return refuse(name, MemberMessage.required(expected)) }
        return refuse(name, MissingMember(name, of: self).fault(expected))
    }

    /// Returns the path of a member, fit for one line of a log.
    func path(to name: String) -> String {
        Self.printable(document.path(to: place) + [name])
    }

    static func printable(_ path: [String]) -> String { path.map(printable).joined(separator: ".") }

    /// Refuses the first member whose name is not listed.
    func refuseMembers(except names: [String]) throws(PartnerBookingError) {
        for member in object.members {
            let name = member.key.string ?? ""
            guard !names.contains(name) else { continue }
            throw refuseMember(member.key, names)
        }
    }

    /// Returns the refusal of an unknown member.
    func refuseMember(_ key: JSONValue, _ known: [String]) -> PartnerBookingError {
        refuse(key.string ?? "", MemberMessage.unknown(known))
    }

    /// Returns a member; nil when it is absent. Throws when it is repeated.
    func value(_ name: StaticString) throws(PartnerBookingError) -> JSONValue? {
        try place(of: name).map { JSONValue(document: document, place: $0) }
    }

    func hasMember(_ name: StaticString) -> Bool {
        nameLengths.mayHold(name) && document.member(name, of: place).count > 0
    }

    private func place(of name: StaticString) throws(PartnerBookingError) -> Int? {
        guard nameLengths.mayHold(name) else { return nil }
        let (value, count) = document.member(name, of: place)
        guard count <= 1 else { throw refuse(name, MemberMessage.twice, .repeated) }
        return count == 0 ? nil : value
    }

    func optionalObject(_ name: StaticString) throws(PartnerBookingError) -> ObjectReader? {
        guard let value = try place(of: name) else { return nil }
        guard document.kind(at: value) == .object else {
            throw refuse(name, at: value) { .notAnObject($0, path: path(to: name.description), isDescribed: $1) }
        }
        return ObjectReader(document, value, subject)
    }

    func object(_ name: StaticString) throws(PartnerBookingError) -> ObjectReader {
        guard let object = try optionalObject(name) else { throw missing(name, Form.object.description) }
        return object
    }

    /// Reads a text; nil when it is absent, is no text, or is not read by `body`.
    @inline(__always)
    func read<Value>(_ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Value?) throws(PartnerBookingError) -> Value?
    {
        guard let value = try place(of: name) else { return nil }
        return document.withText(at: value, body) ?? nil
    }

    /// A check of a UTF-8 text. It returns true when the text is right.
    typealias TextRule = (UnsafeRawBufferPointer) -> Bool

    /// Checks a string, if present: at most `maxBytes` long, and accepted by `rule`. `expected`
    /// completes "must be …".
    @discardableResult
    func checkOptionalText(
        _ name: StaticString, maxBytes: Int, _ expected: StaticString, _ rule: TextRule = { _ in true }
    ) throws(PartnerBookingError) -> JSONValue? {
        guard let value = try place(of: name) else { return nil }
        guard document.withText(at: value, { $0.count <= maxBytes && rule($0) }) ?? false else {
            throw refuse(name, at: value) {
                .ofText($0, maxBytes: maxBytes, MemberMessage.mustBe(expected), isDescribed: $1)
            }
        }
        return JSONValue(document: document, place: value)
    }

    @discardableResult
    func checkText(
        _ name: StaticString, maxBytes: Int, _ expected: StaticString, _ rule: TextRule = { _ in true }
    ) throws(PartnerBookingError) -> JSONValue {
        guard let value = try checkOptionalText(name, maxBytes: maxBytes, expected, rule) else {
            throw missing(name, expected.description)
        }
        return value
    }

    func optionalString(
        _ name: StaticString, maxBytes: Int, _ expected: StaticString, _ rule: TextRule = { _ in true }
    ) throws(PartnerBookingError) -> String? {
        try checkOptionalText(name, maxBytes: maxBytes, expected, rule)?.string
    }

    func optionalInteger(_ name: StaticString, in range: ClosedRange<Int>) throws(PartnerBookingError) -> Int? {
        guard let value = try value(name) else { return nil }
        guard let integer = value.integer, range.contains(integer) else {
            throw refuse(name, at: value.place) { .ofInteger($0, range, isDescribed: $1) }
        }
        return integer
    }

    func optionalBoolean(_ name: StaticString) throws(PartnerBookingError) -> Bool? {
        guard let value = try value(name) else { return nil }
        guard let boolean = value.boolean else {
            throw refuse(name, at: value.place) { .ofBoolean($0, isDescribed: $1) }
        }
        return boolean
    }

    func integer(_ name: StaticString, in range: ClosedRange<Int>) throws(PartnerBookingError) -> Int {
        guard let integer = try optionalInteger(name, in: range) else {
            throw missing(name, Form.wholeNumber(range))
        }
        return integer
    }

    /// Returns a list of at most `maxCount` elements; nil when it is absent.
    func optionalList(_ name: StaticString, maxCount: Int) throws(PartnerBookingError) -> [JSONValue]? {
        guard let value = try value(name) else { return nil }
        let elements = Array(value.elements)
        guard value.kind == .array, elements.count <= maxCount else {
            throw refuse(name, MemberMessage.listOfAtMost(maxCount))
        }
        return elements
    }

    /// Returns a list of at most `maxCount` objects; empty when it is absent. The path of their
    /// members is that of the list.
    func optionalObjects(_ name: StaticString, maxCount: Int) throws(PartnerBookingError) -> [ObjectReader] {
        let elements = try optionalList(name, maxCount: maxCount) ?? []
        guard elements.allSatisfy({ $0.kind == .object }) else { throw refuse(name, MemberMessage.objects) }
        return elements.map { ObjectReader($0.document, $0.place, subject) }
    }

    /// Returns the objects of an object whose names the caller chose; nil when it is absent.
    func optionalObjectsByName(_ name: StaticString) throws(PartnerBookingError) -> [(name: String, object: ObjectReader)]? {
        guard let value = try value(name) else { return nil }
        guard value.kind == .object, value.members.allSatisfy({ $0.value.kind == .object }) else {
            throw refuse(name, MemberMessage.objectsByName)
        }
        return value.members.map { member in
            (member.key.string ?? "", ObjectReader(member.value.document, member.value.place, subject))
        }
    }

    /// Returns a name from outside, fit for one line of a log.
    private static func printable(_ name: String) -> String {
        String(name.unicodeScalars.prefix(64).map { $0.isASCII && $0.value > 0x20 && $0 != "\u{7F}" ? Character($0) : "?" })
    }
}

extension JSONDocument {
    /// Parses a text of the host. `what` names the text in the error.
    convenience init(_ json: [UInt8], what: String, maxBytes: Int) throws(PartnerBookingError) {
        guard json.count <= maxBytes else { throw .argument(ErrorMessage.tooLong(what, maxBytes)) }
        do throws(JSONSyntaxError) {
            try self.init(json, profile: .request)
        } catch {
            guard what == "request" else { throw .json(what, error) }
            throw .request(json, error)
        }
    }
}
