import Testing

@testable import PartnerBooking

/// Values as people and language models write them: each row is taken in its canonical form, or refused by its kind.
@Suite struct InputFormTests {
    @Test func theTableIsRead() {
        #expect(InputFormRow.all.count >= 120)
        #expect(Set(InputFormRow.all.map(\.operation)).count == CallOperation.allCases.count)
    }

    @Test(arguments: InputFormRow.all)
    func aRowIsTakenOrRefused(_ row: InputFormRow) throws {
        do {
            let request = try Request(row.operation, json: row.request)
            switch row.result {
            case .taken(let value): try expect(request, row, sends: value)
            case .absent: try expect(request, row, sends: nil)
            case .refused: Issue.record("taken: \(String(decoding: request.body, as: UTF8.self))")
            }
        } catch let error as PartnerBookingError {
            guard case .refused(let code, let kind, let says) = row.result else {
                Issue.record("refused: \(error.message)")
                return
            }
            #expect(error.code.rawValue == code)
            #expect(error.kind?.rawValue == kind, "\(error.message)")
            #expect(error.message.contains(says), "\(error.message)")
            #expect(error.field == row.path)
            #expect(error.message.utf8.count <= 400)
        }
    }

    private func expect(_ request: Request, _ row: InputFormRow, sends value: String?) throws {
        let document = try JSONDocument(request.body, profile: .request)
        let expected = try value.map { try JSONDocument(Array($0.utf8), profile: .request).root.meaning }
        #expect(document.value(row.path ?? "")?.meaning == expected)
        // The canonical form is taken as itself.
        let again = try Request(row.operation, json: request.bodyWithKey)
        #expect(again.body == request.body)
        #expect(again.wish?.fingerprint == request.wish?.fingerprint)
        #expect(request.wish?.fingerprint == (row.operation == .createBooking ? Fingerprint(body: request.body) : nil))
    }

    /// One wish has one key, however its request is written.
    @Test(arguments: InputFormRow.all.filter { $0.operation == .createBooking })
    func aKeyIsThatOfTheCanonicalForm(_ row: InputFormRow) throws {
        guard let request = try? Request(row.operation, json: row.request) else { return }
        let key = try BookingKey.derived(callID: "call-7", request: row.request)
        #expect(key == (try BookingKey.derived(callID: "call-7", request: request.body)))
    }

    /// A request in the canonical form is sent byte for byte.
    @Test func whatIsCanonicalIsNotRewritten() throws {
        let text =
            #" { "bot_id" : "b\u002fc" , "query":{"filter":{"start_at_range":{"end_at":"2030-01-16","start_at":"2030-01-15"}}}}"#
        #expect(try Request(.searchAvailability, json: Array(text.utf8)).body == Array(text.utf8))
    }

    /// Only the member that is odd is written anew.
    @Test func theRestStaysAsItIs() throws {
        let request = RequestText().setting("bot_id", #""b""#)
            .setting("query.filter.start_at_range.start_at", #""2031-02-03T10:11:12Z""#)
            .setting("query.filter.start_at_range.end_at", #""2031-02-04""#)
            .setting("extra", "[1.50e+03, null]").setting("\\u0061", #""\/""#)
        let odd = request.setting("query.filter.start_at_range.start_at", #""2031-02-03 10:11:12Z""#)
        #expect(try Request(.searchAvailability, json: odd.bytes).body == request.bytes)
    }
}

extension Request {
    /// The body, with a key in it again if it is that of a booking.
    fileprivate var bodyWithKey: [UInt8] {
        guard let idempotencyKey else { return body }
        return JSONWriter.object { $0.member("idempotency_key", idempotencyKey) }.dropLast() + ",".utf8 + body.dropFirst()
    }
}

extension JSONValue {
    /// The value without its spelling.
    fileprivate var meaning: String { string.map { "string " + $0 } ?? text }
}

extension JSONDocument {
    fileprivate func value(_ path: String) -> JSONValue? {
        path.split(separator: ".").reduce(root as JSONValue?) { value, name in
            value?.members.first { $0.key.string == String(name) }?.value
        }
    }
}
