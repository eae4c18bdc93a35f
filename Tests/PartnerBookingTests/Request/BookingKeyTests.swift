import Testing

@testable import PartnerBooking

@Suite struct BookingKeyTests {
    private static let callID = Array("call-7".utf8)

    private static func request(
        bot: String = "bot_1", start: String = "2030-01-14T10:00:00Z", minutes: String = "30",
        phone: String = "+15551234567",
        name: String = "J", more: String = ""
    ) -> [UInt8] {
        let customer = #"{"phone":"\#(phone)","name":"\#(name)"}"#
        let booking = #"{"start_at":"\#(start)","duration_minutes":\#(minutes),"customer":\#(customer)\#(more)}"#
        return Array(#"{"bot_id":"\#(bot)","booking":\#(booking)}"#.utf8)
    }

    private static let key = try? BookingKey.derived(callID: callID, request: request())

    @Test func aKeyIsFitForAHeader() throws {
        let key = try #require(Self.key)
        #expect(key.hasPrefix("booking-"))
        #expect(key.utf8.count == 40)
        #expect(FieldRules.isVisibleASCII(key))
    }

    /// Pinned: hosts of two versions, side by side, must agree.
    @Test func theKeyIsTheSameInAllVersions() {
        #expect(Self.key == "booking-f67caa693db62c20a37e9652c8e7b2bc")
    }

    @Test(arguments: [
        request(start: "2030-01-14T05:00:00-05:00"), request(start: "2030-01-14T10:00:00.000Z"),
        request(name: "Somebody Else"),
        request(more: #","notes":"hello""#),
        Array(
            #"""
            { "idempotency_key" : "old", "timeout_ms": 5,
              "booking": {"customer":{"name":"J","phone":"+1555\u0031234567"},"duration_minutes":30,"start_at":"2030-01-14T10:00:00Z"},
              "bot_id": "bot_\u0031" }
            """#.utf8),
    ])
    func whatIsTheSameBookingHasTheSameKey(_ request: [UInt8]) throws {
        #expect(try BookingKey.derived(callID: Self.callID, request: request) == Self.key)
    }

    @Test(arguments: [
        request(bot: "bot_2"), request(start: "2030-01-14T10:30:00Z"), request(start: "2030-01-14T10:00:00-05:00"),
        request(minutes: "60"), request(phone: "+15551234568"),
    ])
    func whatIsAnotherBookingHasAnotherKey(_ request: [UInt8]) throws {
        #expect(try BookingKey.derived(callID: Self.callID, request: request) != Self.key)
    }

    @Test func anotherCallHasAnotherKey() throws {
        #expect(try BookingKey.derived(callID: Array("call-7#2".utf8), request: Self.request()) != Self.key)
    }

    @Test(arguments: [
        (request(bot: ""), "bot_id"), (request(start: "2030-01-14"), "booking.start_at"),
        (request(minutes: "0"), "booking.duration_minutes"), (request(phone: "555"), "booking.customer.phone"),
    ])
    func whatIsWrongIsNamed(_ request: [UInt8], _ field: String) {
        let error = #expect(throws: PartnerBookingError.self) {
            try BookingKey.derived(callID: Self.callID, request: request)
        }
        #expect(error?.field == field)
    }

    @Test(arguments: [0, 257])
    func callIDsHaveALength(_ count: Int) {
        let callID = [UInt8](repeating: 0x78, count: count)
        let error = #expect(throws: PartnerBookingError.self) {
            try BookingKey.derived(callID: callID, request: Self.request())
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func randomKeysAreNewEachTime() {
        let keys = (0..<1_000).map { _ in BookingKey.random() }
        #expect(Set(keys).count == 1_000)
        #expect(keys.allSatisfy { $0.utf8.count == 40 && $0.hasPrefix("booking-") })
    }
}
