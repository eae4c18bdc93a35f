import Testing

@testable import PartnerBooking

/// A key that the client knows: the outcome of an error before the sending, and the requests that ask for the same booking.
@Suite struct KnownKeyTests {
    private static func client(
        _ members: String = "", latency: Int = 0, faults: String = ""
    ) throws -> PartnerBookingClient {
        let clinic = #"{"now":"2030-01-14T08:00:00Z","capacity":1,"latency_ms":\#(latency),"faults":[\#(faults)]}"#
        return try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox","sandbox":\#(clinic)\#(members)}"#.utf8))
    }

    private static let wrong = Sample.booking(Sample.timeout(0))

    private static func booking(_ change: (String) -> String) -> [UInt8] {
        Array(change(String(decoding: Sample.booking(), as: UTF8.self)).utf8)
    }

    // MARK: Errors before the sending (field case A12)

    @Test func aBookingThatWasMadeIsNotDenied() throws {
        let client = try Self.client()
        #expect(client.book().success != nil)
        let error = client.wait(.createBooking, Self.wrong).failure
        #expect(error?.code == .invalidField && error?.outcome == .unknown)
        // Also when its end was heard.
        #expect(eventually { client.pendingStates == [] })
        #expect(client.wait(.createBooking, Self.wrong).failure?.outcome == .unknown)
        let other = client.wait(.createBooking, Sample.booking(key: "key-2", Sample.timeout(0))).failure
        #expect(other?.code == .invalidField && other?.outcome == .notSent)
        #expect(try client.closeAndWait() == 0)
    }

    @Test func oneThatWasRefusedIsFreeWhetherItWasHeardOrNot() throws {
        let client = try Self.client()
        #expect(client.book(Sample.booking(key: "somebody-else")).success != nil)
        let (isDone, mayReturn) = (Gate(), Gate())
        try client.submit(.createBooking, request: Sample.booking()) { _ in
            isDone.open()
            mayReturn.pass()
        }
        isDone.pass()
        #expect(client.pendingStates?.contains(.refused) == true)
        #expect(client.wait(.createBooking, Self.wrong).failure?.outcome == .notSent)
        mayReturn.open()
        #expect(eventually { client.pendingStates?.contains(.refused) == false })
        #expect(client.wait(.createBooking, Self.wrong).failure?.outcome == .notSent)
        #expect(try client.closeAndWait() == 0)
    }

    @Test func oneInFlightMayBeMade() throws {
        let client = try Self.client(#","max_in_flight":1,"max_queued":0"#, latency: 600_000)
        let ticket = try client.submit(.createBooking, request: Sample.booking()) { _ in }
        #expect(eventually { client.pendingStates == [.inFlight] })
        let wrong = client.wait(.createBooking, Self.wrong).failure
        #expect(wrong?.code == .invalidField && wrong?.outcome == .unknown)
        let full = client.wait(.createBooking, Sample.resume()).failure
        #expect(full?.code == .queueFull && full?.outcome == .unknown)
        let new = client.wait(.createBooking, Sample.booking(key: "key-2")).failure
        #expect(new?.code == .queueFull && new?.outcome == .notSent)
        try client.cancel(ticket)
        _ = try client.closeAndWait()
    }

    // MARK: Equal wishes (field case A11)

    @Test(arguments: [
        ("2030-01-14T10:00:00Z", "2030-01-14T05:00:00-05:00"), ("2030-01-14T10:00:00Z", "2030-01-14t10:00:00.000z"),
        ("30,", "30 , "), (#""name":"J"}}"#, #""name":"J"},"notes":""}"#), (#""name":"J""#, #""name":"\u004a""#),
        (#"{"bot_id""#, #"{"conversation":"call-8","tag":"t","bot_id""#),
    ])
    func theSameWishInOtherWordsHasTheReply(_ text: String, _ other: String) throws {
        let client = try Self.client()
        let reply = try client.book().get()
        let again = Self.booking { $0.replacing(text, with: other) }
        #expect(again != Sample.booking())
        #expect(client.wait(.createBooking, again) == .success(reply))
        #expect(try client.closeAndWait() == 0)
    }

    @Test(arguments: [
        ("2030-01-14T10:00:00Z", "2030-01-14T10:30:00Z"), ("30,", "45,"), (#""name":"J""#, #""name":"K""#),
        (#""name":"J"}}"#, #""name":"J"},"notes":"x"}"#), ("bot_1", "bot_2"),
    ])
    func anotherWishGetsTheBookingThatHasTheKey(_ text: String, _ other: String) throws {
        let client = try Self.client()
        let reply = try client.book().get()
        let again = Self.booking { $0.replacing(text, with: other) }
        let error = try #require(client.wait(.createBooking, again).failure)
        #expect(error.code == .idempotencyKeyReused && error.outcome == .unknown && error.attempts == 0)
        #expect(error.message.hasPrefix("The idempotency_key has another booking, which is made: resume it"))
        let booking = try #require(try JSONDocument(reply, profile: .reply).root["booking"])
        let start = "2030-01-14T10:00:00Z"
        #expect(error.existing == .init(state: .booked, startAt: start, bookingID: booking["id"]?.string))
        #expect(client.wait(.createBooking, Sample.resume()) == .success(reply), "as the message advises")
        #expect(try client.closeAndWait() == 0)
    }

    @Test func aBookingInFlightOrInDoubtIsNamedAsSuch() throws {
        let existing: (PartnerBookingClient) -> PartnerBookingError.Existing? = { client in
            client.wait(.createBooking, Sample.booking(bot: "bot_2")).failure?.existing
        }
        let start = "2030-01-14T10:00:00Z"
        let slow = try Self.client(latency: 600_000)
        try slow.submit(.createBooking, request: Sample.booking()) { _ in }
        #expect(existing(slow) == .init(state: .inFlight, startAt: start))
        _ = try slow.closeAndWait()

        // The request is lost, and the platform keeps no keys: nothing is sent again.
        let losing = try Self.client(#","platform_keys":"none""#, faults: #"{"fault":"lose_request"}"#)
        #expect(losing.book().failure?.code == .inDoubt)
        #expect(existing(losing) == .init(state: .inDoubt, startAt: start))
        #expect(try losing.closeAndWait() == 0)
    }
}
