// The input is a time, a phone number, a name, and the text of a whole request, as people and language models write them.
// Whatever it is, it is taken or refused. What is taken is in its canonical form, which is taken as itself.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzForms(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    let text = input.text
    for allowsDate in [false, true] {
        check(TimestampForm.read(text, allowsDate: allowsDate)) { TimestampForm.read($0, allowsDate: allowsDate) }
        if case .taken(let form) = TimestampForm.read(text, allowsDate: allowsDate) {
            let timestamp = required(Timestamp(form), "a canonical time is a time: \(form)")
            require(allowsDate || timestamp.instantSeconds != nil, "a booking has an instant: \(form)")
        }
    }
    check(PhoneForm.read(text), PhoneForm.read)
    if case .taken(let phone) = PhoneForm.read(text) {
        var phone = phone
        require(phone.withUTF8 { FieldRules.isPhone(UnsafeRawBufferPointer($0)) }, "a canonical number is E.164: \(phone)")
    }
    require(InputText.trimmed(InputText.trimmed(text)) == InputText.trimmed(text), "blanks go at once")

    for member in ["start_at", "phone", "name", "email", "notes", "duration_minutes", "customer"] {
        checkRequest(.createBooking, booking(member, JSONWriter.string(text)), of: input)
        checkRequest(.createBooking, booking(member, input), of: input)
    }
    for operation in CallOperation.allCases { checkRequest(operation, input, of: input) }
    return 0
}

private func check(_ form: InputForm, _ read: (String) -> InputForm) {
    switch form {
    case .taken(let text):
        guard case .taken(let again) = read(text) else { fatalError("NOT TRUE: refused in its canonical form: \(text)") }
        require(again.utf8.elementsEqual(text.utf8), "taken as itself: \(text)")
    case .refused(let fault):
        require(
            fault.text.utf8.count < 300 && fault.text.utf8.allSatisfy { (0x20...0x7E).contains($0) },
            "a message is a short line: \(fault.text.debugDescription)")
    }
}

/// A booking with one other value. `notes` and `email` are added.
private func booking(_ member: String, _ value: [UInt8]) -> [UInt8] {
    func text(_ name: String, _ plain: String) -> String { "\"\(name)\":" + (name == member ? value.text : plain) }
    let customer = [text("phone", #""+15550100123""#), text("name", #""Ana""#), text("email", "null")].joined(separator: ",")
    let parts = [
        text("start_at", #""2030-01-15T14:00:00-05:00""#), text("duration_minutes", "30"), text("notes", #""""#),
        text("customer", "{\(customer)}"),
    ]
    return Array(#"{"bot_id":"b","idempotency_key":"k","booking":{\#(parts.joined(separator: ","))}}"#.utf8)
}

private func checkRequest(_ operation: CallOperation, _ json: [UInt8], of input: [UInt8]) {
    do throws(PartnerBookingError) {
        let request = try Request(operation, json: json)
        guard !request.body.isEmpty else { return }
        var text = request.body
        if let key = request.idempotencyKey {
            text = JSONWriter.object { $0.member("idempotency_key", key) }.dropLast() + ",".utf8 + text.dropFirst()
        }
        let again = required(try? Request(operation, json: text), "the body is a request: \(text.text)")
        require(again.body == request.body, "which is sent as it is: \(text.text)")
        require(again.wish?.fingerprint == request.wish?.fingerprint, "for the same wish: \(text.text)")
        guard operation == .createBooking else { return }
        let key = required(try? BookingKey.derived(callID: [1], request: json), "it has a key: \(text.text)")
        require(key == (try? BookingKey.derived(callID: [1], request: text)), "the key of its body: \(text.text)")
    } catch {
        requireUsable(error, of: json)
        require(error.kind != nil, "a refusal has a kind: \(error.message)")
        require(error.message.utf8.count < 1_000, "a message is short: \(error.message)")
    }
}
