// Without @testable: what stands here a program that depends on the package can write, too.
import PartnerBooking
import Testing

/// The client for Swift concurrency, on the embedded sandbox.
@Suite struct AsyncCallTests {
    // MARK: Replies

    @Test func searchGivesSlots() async throws {
        let client = try TypedCalls.sandbox()
        let reply = try await client.searchAvailability(TypedCalls.search())
        #expect(reply.availabilities.count == 6)
        #expect(reply.availabilities.first?.startAt == "2030-01-14T09:00:00Z")
        #expect(reply.availabilities.first?.durationMinutes == 30)
        #expect(reply.availabilities.last?.startAt == "2030-01-14T11:30:00Z")
        #expect(reply.timing.attempts == 1)
        #expect(reply.timing.total >= reply.timing.queue)
        #expect(reply.timing.lastAttempt == nil)
        try await client.close(timeout: .seconds(1))
    }

    @Test func lookupGivesTheCustomer() async throws {
        let client = try TypedCalls.sandbox()
        let request = LookupCustomerRequest(botID: "bot_1", phone: "+15551234567")
        #expect(try await client.lookupCustomer(request).customer == nil)
        _ = try await client.createBooking(TypedCalls.booking())
        let reply = try await client.lookupCustomer(request)
        #expect(reply.customer?.name == TypedCalls.booking().customer.name)
        #expect(reply.customer?.existingAppointment?.startAt == "2030-01-14T10:00:00Z")
        #expect(reply.timing.attempts == 1)
        try await client.close(timeout: .seconds(1))

        let hosted = try PartnerBookingClient(json: #"{"api_key":"sk_ptnr_x","keep_warm_ms":0}"#)
        let error = await TypedCalls.failure { try await hosted.lookupCustomer(request) }
        #expect(error?.code == .unsupportedOperation && error?.attempts == 0)
        try await hosted.close(timeout: .zero)
    }

    @Test func bookingGivesTheBooking() async throws {
        let client = try TypedCalls.sandbox()
        let reply = try await client.createBooking(TypedCalls.booking())
        #expect(reply.id?.hasPrefix("bkg_") == true)
        #expect(reply.status == "confirmed")
        #expect(reply.startAt == "2030-01-14T10:00:00Z")
        #expect(reply.endAt == "2030-01-14T10:30:00Z")
        let slots = try await client.searchAvailability(TypedCalls.search()).availabilities
        #expect(slots.count == 5)
        #expect(!slots.contains { $0.startAt == "2030-01-14T10:00:00Z" })
        try await client.close(timeout: .seconds(1))
    }

    /// Typed, as JSON, and without concurrency: the same bytes. The second booking is the first one again.
    @Test func typedRepliesHoldTheBytesOfTheJSONCall() async throws {
        let client = try TypedCalls.sandbox()
        let search = try await client.searchAvailability(TypedCalls.search())
        let searchJSON = try await client.call(.searchAvailability, request: TypedCalls.search().json)
        #expect(search.json == searchJSON)
        #expect(String(decoding: search.json, as: UTF8.self).hasPrefix(#"{"availabilities":["#))
        let booking = try await client.createBooking(TypedCalls.booking())
        let bookingJSON = try await client.call(.createBooking, request: TypedCalls.booking().json)
        #expect(booking.json == bookingJSON)
        let submitted = AsyncStream<CallCompletion>.makeStream()
        try client.submit(.createBooking, request: TypedCalls.booking().json) { submitted.continuation.yield($0) }
        for await completion in submitted.stream {
            guard case .done(.success(let json)) = completion.event else {
                Issue.record("\(completion.event)")
                break
            }
            #expect(json == booking.json)
            break
        }
        try await client.close(timeout: .seconds(1))
    }

    // MARK: Errors

    @Test func refusalCarriesWhatTheCallerNeeds() async throws {
        let client = try TypedCalls.sandbox()
        _ = try await client.createBooking(TypedCalls.booking())
        let error = await TypedCalls.failure {
            try await client.createBooking(TypedCalls.booking(key: "key-2", CallOptions(tag: "call-7")))
        }
        #expect(error?.code.rawValue == "slot_unavailable")
        #expect(error?.isFromService == true)
        #expect(error?.status == 409)
        #expect(error?.source == .platform)
        #expect(error?.outcome == .rejected)
        #expect(error?.idempotencyKey == "key-2")
        #expect(error?.tag == "call-7")
        #expect(error?.attempts == 1)
        #expect(error?.timing?.attempts == 1)
        try await client.close(timeout: .seconds(1))
    }

    @Test func wrongRequestIsNotSent() async throws {
        let client = try TypedCalls.sandbox()
        var request = TypedCalls.booking()
        request.customer.phone = "5551234567"
        let error = await TypedCalls.failure { try await client.createBooking(request) }
        #expect(error?.code == .invalidField)
        #expect(error?.field == "booking.customer.phone")
        #expect(error?.outcome == .notSent)
        #expect(error?.idempotencyKey == "key-1")
        #expect(error?.attempts == 0)
        #expect(error?.timing == nil)
        let json = await TypedCalls.failure {
            try await client.call(.createBooking, request: Array("{".utf8))
        }
        #expect(json?.code == .invalidJSON)
        #expect(json?.offset == 1)
        try await client.close(timeout: .seconds(1))
    }

    @Test func deadlineEndsTheCall() async throws {
        let client = try TypedCalls.sandbox(latency: 600_000)
        // On a busy machine a shorter deadline can pass before anything is sent: `notSent`.
        let error = await TypedCalls.failure {
            try await client.createBooking(TypedCalls.booking(CallOptions(timeout: .milliseconds(1_500))))
        }
        #expect(error?.code == .timeout)
        #expect(error?.outcome == .unknown)
        #expect(error?.timing.map { $0.total >= .milliseconds(1_500) } == true)
        try await client.close(timeout: .zero)
    }

    @Test func noPlaceIsLeft() async throws {
        let client = try TypedCalls.sandbox(#","max_in_flight":1,"max_queued":0"#, latency: 600_000)
        let ticket = try client.submit(.searchAvailability, request: TypedCalls.search().json) { _ in }
        let error = await TypedCalls.failure {
            try await client.createBooking(TypedCalls.booking())
        }
        #expect(error?.code == .queueFull)
        #expect(error?.outcome == .notSent)
        #expect(error?.idempotencyKey == "key-1")
        try client.cancel(ticket)
        let ended = try await client.close(timeout: .seconds(1))
        #expect(ended == 0)
    }

    @Test func wrongConfigurationIsNamed() {
        let error = #expect(throws: PartnerBookingError.self) {
            try PartnerBookingClient(json: #"{"endpoint":"sandbox","timeout":5}"#)
        }
        #expect(error?.code == .invalidConfig)
        #expect(error?.field == "timeout")
    }

    // MARK: Slow

    @Test func slowIsToldOnce() async throws {
        let client = try TypedCalls.sandbox(latency: 1_000)
        let slow = [Counter(), Counter(), Counter()]
        let options = CallOptions(slowAfter: .milliseconds(5))
        async let search = client.searchAvailability(TypedCalls.search(options)) { slow[0].increment() }
        async let booking = client.createBooking(TypedCalls.booking(options)) { slow[1].increment() }
        async let json = client.call(.searchAvailability, request: TypedCalls.search(options).json) { slow[2].increment() }
        // Nobody has to listen.
        async let other = client.searchAvailability(TypedCalls.search(options))
        _ = try await (search, booking, json, other)
        #expect(slow.map(\.value) == [1, 1, 1])
        try await client.close(timeout: .seconds(1))
    }

    @Test func slowOfTheConfiguration() async throws {
        let client = try TypedCalls.sandbox(#","slow_after_ms":5"#, latency: 1_000)
        let slow = [Counter(), Counter()]
        let options = CallOptions(slowAfter: .seconds(600))
        async let told = client.searchAvailability(TypedCalls.search()) { slow[0].increment() }
        async let notTold = client.searchAvailability(TypedCalls.search(options)) { slow[1].increment() }
        _ = try await (told, notTold)
        #expect(slow.map(\.value) == [1, 0])
        try await client.close(timeout: .seconds(1))
    }

    // MARK: Closing

    @Test func closedClientRefuses() async throws {
        let client = try TypedCalls.sandbox()
        let ended = try await client.close(timeout: .seconds(1))
        #expect(ended == 0)
        let again = await TypedCalls.failure {
            try await client.close(timeout: .seconds(1))
        }
        #expect(again == .clientClosed)
        let late = await TypedCalls.failure {
            try await client.createBooking(TypedCalls.booking())
        }
        #expect(late?.code == .clientClosed)
        #expect(late?.outcome == .notSent)
        #expect(late?.idempotencyKey == "key-1")
    }

    @Test func closeLetsCallsFinish() async throws {
        let gate = Gate()
        let server = try LoopbackServer { _ in
            gate.pass()
            return [.reply(200, Sample.searchReply)]
        }
        defer { server.stop() }
        let client = try PartnerBookingClient(server.url)
        let options = CallOptions(timeout: .seconds(600))
        try await withThrowingTaskGroup { group in
            for _ in 0..<10 { group.addTask { try await client.searchAvailability(TypedCalls.search(options)).json } }
            #expect(await becomesTrue { server.requests.count == 10 })
            async let ended = client.close(timeout: .seconds(600))
            // From then on it refuses: the close has begun, and waits for the ten.
            #expect(await becomesTrue { (try? client.prewarm()) == nil })
            gate.open()
            #expect(try await ended == 0)
            for try await json in group { #expect(json == Sample.searchReply) }
        }
    }

    @Test func closeEndsTheTasksThatWait() async throws {
        let client = try TypedCalls.sandbox(latency: 600_000)
        let slow = Counter()
        let options = CallOptions(timeout: .seconds(600), slowAfter: .milliseconds(1))
        let errors = try await withThrowingTaskGroup { group in
            for number in 0..<10 {
                group.addTask {
                    await TypedCalls.failure {
                        try await client.createBooking(TypedCalls.booking(key: "key-\(number)", options)) {
                            slow.increment()
                        }
                    }
                }
            }
            #expect(await becomesTrue { slow.value == 10 })
            let ended = try await client.close(timeout: .zero)
            #expect(ended == 10)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.allSatisfy { $0?.code == .clientClosed })
        #expect(Set(errors.map { $0?.idempotencyKey }).count == 10)
        // The first made its booking in the clinic before it was to answer; so it may have been made.
        #expect(errors.allSatisfy { $0?.outcome == .unknown })
    }

    /// A client that goes with its last reference ends its calls, too.
    @Test func forgottenClientEndsItsCalls() async throws {
        let slow = Counter()
        let task: Task<PartnerBookingError?, Never>
        do {
            let client = try TypedCalls.sandbox(latency: 600_000)
            let json = TypedCalls.search(CallOptions(timeout: .seconds(600), slowAfter: .milliseconds(1))).json
            let ended = AsyncStream<PartnerBookingError?>.makeStream()
            try client.submit(.searchAvailability, request: json) { completion in
                switch completion.event {
                case .slow: slow.increment()
                case .done(.failure(let error)): ended.continuation.yield(error)
                case .done(.success), .settled: ended.continuation.yield(nil)
                }
            }
            #expect(await becomesTrue { slow.value == 1 })
            task = Task { await ended.stream.first { _ in true } ?? nil }
        }
        #expect(await task.value?.code == .clientClosed)
    }
}
