@testable import PartnerBooking

/// A row of the table of input forms, Tests/data/input_forms.json: what comes, and what becomes of it.
struct InputFormRow: Sendable, CustomStringConvertible {
    enum Result: Sendable {
        /// This is sent, as JSON.
        case taken(String)
        /// The member is not sent: it has no value, or it is the library's own.
        case absent
        /// `says` is a part of the message.
        case refused(code: String, kind: String, says: String)
    }

    let number: Int
    let form: String
    let operation: CallOperation
    /// The member that is changed in the base request. nil: the whole request.
    let path: String?
    let request: [UInt8]
    /// The value as it comes, or the whole request.
    let input: String
    let result: Result

    var description: String { "\(number), \(form): \(input.prefix(60))" }

    static let all: [InputFormRow] = {
        let text = Repository.lines(of: "Tests/data/input_forms.json").joined(separator: "\n")
        guard let root = (try? JSONDocument(Array(text.utf8), profile: .request))?.root, let rows = root["rows"] else {
            return []
        }
        return rows.elements.enumerated().compactMap { InputFormRow(number: $0, $1, root["base"]) }
    }()

    private init?(number: Int, _ row: JSONValue, _ base: JSONValue?) {
        guard let form = row["form"]?.string, let operation = CallOperation(table: row["operation"]?.string) else {
            return nil
        }
        self.number = number
        self.form = form
        self.operation = operation
        if let whole = row["request"]?.string {
            (input, request, path) = (whole, Array(whole.utf8), row["path"]?.string)
        } else {
            guard let path = row["path"]?.string, let value = row["raw"]?.string ?? row["input"]?.text,
                let base = base?.members.first(where: { $0.key.equals(operation.tableName) })?.value,
                let request = RequestText(base)
            else { return nil }
            (input, self.path) = (value, path)
            self.request = request.setting(path, value).bytes
        }
        if let kind = row["refused"]?.string {
            result = .refused(
                code: row["code"]?.string ?? "invalid_field", kind: kind, says: row["says"]?.string ?? "no says")
        } else if let taken = row["taken"] {
            result = .taken(taken.text)
        } else {
            result = .absent
        }
    }
}

extension CallOperation {
    fileprivate init?(table name: String?) {
        guard let operation = Self.allCases.first(where: { $0.tableName.description == name }) else { return nil }
        self = operation
    }

    fileprivate var tableName: StaticString {
        switch self {
        case .createBooking: "booking"
        case .searchAvailability: "search"
        case .lookupCustomer: "lookup"
        }
    }
}

extension RequestText {
    /// Takes over the objects and the values of a JSON text.
    fileprivate init?(_ value: JSONValue) {
        var text = RequestText()
        Self.add(value, "", &text)
        self = text
    }

    private static func add(_ value: JSONValue, _ path: String, _ text: inout RequestText) {
        for (key, member) in value.members {
            let path = path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")"
            if member.kind == .object { add(member, path, &text) } else { text = text.setting(path, member.text) }
        }
    }
}
