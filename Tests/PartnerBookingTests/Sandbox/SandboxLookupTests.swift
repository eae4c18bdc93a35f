import Testing

@testable import PartnerBooking

/// What the sandbox knows of those who have booked with it.
@Suite struct SandboxLookupTests {
    private func lookUp(
        _ clinic: inout SandboxFixture, _ phone: String = "+4930987654321", bot: String = "bot_7"
    ) throws -> String {
        let text = RequestText.lookup.setting("customer.phone", "\"\(phone)\"").setting("bot_id", "\"\(bot)\"")
        let reply = try clinic.answer(.lookupCustomer, text)
        #expect(reply.status == 200)
        return String(decoding: reply.body, as: UTF8.self)
    }

    private func book(_ clinic: inout SandboxFixture, _ start: String, name: String = "Zaphod", key: String) throws {
        let text = RequestText.booking.setting("booking.start_at", "\"\(start)\"").setting("idempotency_key", "\"\(key)\"")
            .setting("booking.customer.name", "\"\(name)\"").setting("booking.duration_minutes", "30")
        #expect(try clinic.answer(.createBooking, text).status == 201)
    }

    private func appointment(_ start: String, _ end: String) -> String {
        #","existing_appointment":{"start_at":"\#(start)","end_at":"\#(end)","status":"confirmed"}"#
    }

    private func found(_ name: String, _ appointment: String = "") -> String {
        #"{"found":true,"customer":{"name":"\#(name)","phone":"+4930987654321"\#(appointment)}}"#
    }

    @Test func whoHasNeverBookedIsNotFound() throws {
        var clinic = try SandboxFixture()
        #expect(try lookUp(&clinic) == #"{"found":false}"#)
        try book(&clinic, "2030-01-14T10:00:00Z", key: "a")
        #expect(try lookUp(&clinic, "+4930987654322") == #"{"found":false}"#)
        #expect(try lookUp(&clinic, bot: "bot_8") == #"{"found":false}"#, "another bot's customers are its own")
    }

    @Test func theNextAppointmentIsTold() throws {
        var clinic = try SandboxFixture(["time_zone": #""-05:00""#])
        try book(&clinic, "2030-01-16T15:00:00Z", key: "a")
        try book(&clinic, "2030-01-15T15:00:00Z", name: "Zaphod B.", key: "b")
        try book(&clinic, "2030-01-17T15:00:00Z", name: #"Z. \"B\""#, key: "c")
        let next = appointment("2030-01-15T10:00:00-05:00", "2030-01-15T10:30:00-05:00")
        #expect(try lookUp(&clinic) == found(#"Z. \"B\""#, next), "the name given last, the appointment that comes first")
        // While it lasts, and not after.
        clinic.now = try SandboxFixture.seconds("2030-01-15T15:29:59Z")
        #expect(try lookUp(&clinic) == found(#"Z. \"B\""#, next))
        clinic.now += 1
        let later = appointment("2030-01-16T10:00:00-05:00", "2030-01-16T10:30:00-05:00")
        #expect(try lookUp(&clinic) == found(#"Z. \"B\""#, later))
        clinic.now = try SandboxFixture.seconds("2030-02-01T00:00:00Z")
        #expect(try lookUp(&clinic) == found(#"Z. \"B\""#), "known, without an appointment")
    }

    @Test func aReplyOfTheSandboxIsOneOfThePromisedShape() throws {
        var clinic = try SandboxFixture()
        try book(&clinic, "2030-01-14T10:00:00Z", key: "a")
        let body = Array(try lookUp(&clinic).utf8)
        let timing = CallTiming(totalMicroseconds: 1, queueMicroseconds: 1, attempts: 1)
        let reply = LookupCustomerReply(body, timing)
        #expect(
            AttemptResult(.reply(HTTPReply(status: 200, body: body)), to: .init(operation: .lookupCustomer)).reply == body)
        #expect(reply.customer?.name == "Zaphod" && reply.customer?.phone == "+4930987654321")
        #expect(reply.customer?.existingAppointment?.startAt == "2030-01-14T10:00:00Z")
        #expect(reply.customer?.existingAppointment?.endAt == "2030-01-14T10:30:00Z")
        #expect(reply.customer?.existingAppointment?.status == "confirmed")
    }

    /// Platforms differ: what is missing is nil, and nothing traps.
    @Test(arguments: [
        ("{}", false), (#"{"found":false,"customer":{"name":"Z"}}"#, false), (#"{"found":true}"#, true),
        (#"{"found":true,"customer":null}"#, true), (#"{"found":true,"customer":[7]}"#, true),
        (#"{"found":true,"customer":{"existing_appointment":null}}"#, true), ("no JSON", false), ("", false),
    ])
    func aTypedReplyTakesWhatThereIs(_ body: String, _ isFound: Bool) {
        let timing = CallTiming(totalMicroseconds: 1, queueMicroseconds: 1, attempts: 1)
        let reply = LookupCustomerReply(Array(body.utf8), timing)
        #expect((reply.customer != nil) == isFound)
        #expect(reply.customer?.existingAppointment == nil && reply.customer?.name == nil)
    }
}
