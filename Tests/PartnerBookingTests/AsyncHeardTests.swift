// Without @testable: what stands here a program that depends on the package can write, too.
import PartnerBooking
import Testing

/// The Swift interface: who has heard the end of a booking, what a person gives up, and the name of the phone call.
@Suite struct AsyncHeardTests {

    /// Every request is lost, and the platform keeps no keys: each booking ends in doubt at once.
    private static func losing() throws -> PartnerBookingClient {
        let sandbox = #"{"now":"2030-01-14T08:00:00Z","faults":[{"fault":"lose_request"}]}"#
        return try PartnerBookingClient(
            json: #"{"endpoint":"sandbox","platform_keys":"none","sandbox":\#(sandbox)}"#)
    }

    private static func doubt(_ client: PartnerBookingClient, key: String, at start: String) async {
        let error = await TypedCalls.failure { try await client.createBooking(TypedCalls.booking(key: key, at: start)) }
        #expect(error?.code == .inDoubt && error?.outcome == .unknown)
    }

    private static func states(_ client: PartnerBookingClient) -> [PendingBooking.State]? {
        try? client.pendingBookings().map(\.state)
    }

    // MARK: Heard

    /// A handler that runs has not heard the end yet, and one that has returned has.
    @Test func anEndIsHeardWhenItsHandlerHasReturned() async throws {
        let client = try TypedCalls.sandbox()
        let found = AsyncStream<[PendingBooking.State]?>.makeStream()
        try client.submit(.createBooking, request: TypedCalls.booking().json) { _ in
            found.continuation.yield(Self.states(client))
        }
        #expect(await found.stream.first { _ in true } == [.booked])
        // Handlers run one after another, on one thread.
        _ = try await client.searchAvailability(TypedCalls.search())
        #expect(Self.states(client) == [])
        try await client.close(timeout: .seconds(1))
    }

    /// As a blocking call: the task may not have come to use the reply.
    @Test func anAsynchronousCallIsHeardASecondLater() async throws {
        let client = try TypedCalls.sandbox()
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await client.createBooking(TypedCalls.booking())
        let states = Self.states(client)
        // On a machine that is very slow the second is over by now.
        if clock.now - start < .seconds(1) { #expect(states == [.booked]) }
        #expect(await becomesTrue { Self.states(client) == [] })
        _ = try await client.createBooking(TypedCalls.booking())
        try await client.close(timeout: .seconds(1))
    }

    @Test func soIsAnErrorThatIsAnEnd() async throws {
        let client = try TypedCalls.sandbox()
        _ = try await client.createBooking(TypedCalls.booking())
        let taken = await TypedCalls.failure { try await client.createBooking(TypedCalls.booking(key: "key-2")) }
        #expect(taken?.outcome == .rejected)
        #expect(await becomesTrue { Self.states(client) == [] })
        try await client.close(timeout: .seconds(1))
    }

    @Test func whatEndsUnknownStaysListed() async throws {
        let client = try Self.losing()
        await Self.doubt(client, key: "key-1", at: "2030-01-14T10:00:00Z")
        _ = try await client.searchAvailability(TypedCalls.search())
        try await Task.sleep(nanoseconds: 1_500_000_000)
        #expect(Self.states(client) == [.inDoubt])
        try await client.close(timeout: .zero)
    }

    /// A resume returns the outcome of a refused booking until the host has heard it.
    @Test func aResumedRefusalHasItsOutcome() async throws {
        let client = try TypedCalls.sandbox()
        _ = try await client.createBooking(TypedCalls.booking())
        let clock = ContinuousClock()
        let start = clock.now
        let taken = await TypedCalls.failure { try await client.createBooking(TypedCalls.booking(key: "key-2")) }
        let resumed = await TypedCalls.failure { try await client.resumeBooking(idempotencyKey: "key-2") }
        let isSoon = clock.now - start < .seconds(1)
        #expect(taken?.outcome == .rejected && resumed?.code == .notRecorded)
        if isSoon { #expect(resumed?.outcome == .rejected) }
        #expect(await becomesTrue { Self.states(client) == [] })
        let later = await TypedCalls.failure { try await client.resumeBooking(idempotencyKey: "key-2") }
        #expect(later?.code == .notRecorded && later?.outcome == .unknown)
        try await client.close(timeout: .seconds(1))
    }

    // MARK: Giving up

    @Test func aBookingIsGivenUpByItsKey() async throws {
        let client = try Self.losing()
        await Self.doubt(client, key: "key-1", at: "2030-01-14T10:00:00Z")
        await Self.doubt(client, key: "key-2", at: "2030-01-14T11:00:00Z")
        let reply = try await client.giveUpBooking(idempotencyKey: "key-1", options: CallOptions(tag: "t-1"))
        #expect(reply.givenUp.map(\.idempotencyKey) == ["key-1"] && reply.givenUp.map(\.state) == [.inDoubt])
        #expect(reply.givenUp.first?.startAt == "2030-01-14T10:00:00Z" && reply.kept.isEmpty && reply.isJournaled)
        #expect(try client.pendingBookings().map(\.idempotencyKey) == ["key-2"])

        let again = await TypedCalls.failure { try await client.giveUpBooking(idempotencyKey: "key-1") }
        #expect(again?.code == .notRecorded && again?.idempotencyKey == "key-1")
        try await client.close(timeout: .zero)
    }

    @Test func severalAreGivenUpByBotAndStart() async throws {
        let client = try Self.losing()
        for hour in 10...12 { await Self.doubt(client, key: "key-\(hour)", at: "2030-01-14T\(hour):00:00Z") }
        let none = try await client.giveUpBookings(botID: "bot_2", startBefore: "2031-01-01T00:00:00Z")
        #expect(none.givenUp.isEmpty && none.kept.isEmpty)
        let reply = try await client.giveUpBookings(botID: "bot_1", startBefore: "2030-01-14T07:00:00-05:00")
        #expect(reply.givenUp.map(\.idempotencyKey) == ["key-10", "key-11"])
        #expect(try client.pendingBookings().map(\.idempotencyKey) == ["key-12"])

        let wrong = await TypedCalls.failure { try await client.giveUpBookings(botID: "bot_1", startBefore: "2030-01-14") }
        #expect(wrong?.code == .invalidField && wrong?.field == "start_before")
        try await client.close(timeout: .zero)
    }

    @Test func aBookingThatWasMadeIsKept() async throws {
        let client = try TypedCalls.sandbox()
        _ = try await client.createBooking(TypedCalls.booking())
        let reply = try await client.giveUpBooking(idempotencyKey: "key-1")
        #expect(reply.givenUp.isEmpty && reply.kept.map(\.state) == [.booked])
        try await client.close(timeout: .seconds(1))
    }

    // MARK: The phone call

    @Test func theConversationIsListedAndNotSent() async throws {
        let gate = Gate()
        let server = try LoopbackServer { _ in
            gate.pass()
            return [.reply(201, Sample.bookingReply)]
        }
        defer { server.stop() }
        let client = try PartnerBookingClient(server.url)
        var request = TypedCalls.booking()
        request.conversation = "Anruf 7, \"Zürich\""
        async let reply = client.createBooking(request)
        #expect(await becomesTrue { server.requests.count == 1 })
        #expect(try client.pendingBookings().map(\.conversation) == [request.conversation])
        #expect(Self.states(client) == [.inFlight])
        gate.open()
        _ = try await reply
        let sent = server.requests.first.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(sent?.contains("conversation") == false && sent?.contains("Anruf") == false)

        try await client.close(timeout: .seconds(1))
    }
}
