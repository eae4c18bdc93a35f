// Without @testable: what stands here a program that depends on the package can write, too.
import PartnerBooking
import Testing

/// A task that is cancelled ends its call; and no thread of Swift concurrency is blocked by one that waits.
@Suite struct AsyncCancelTests {

    /// Serves while `body` runs.
    private func withServer(
        _ script: @escaping LoopbackServer.Script, _ body: (LoopbackServer) async throws -> Void
    ) async throws {
        let server = try LoopbackServer(script)
        defer { server.stop() }
        try await body(server)
    }

    private static let patient = CallOptions(timeout: .seconds(600))
    /// Told to be slow at once, so that a test can see it under way.
    fileprivate static let told = CallOptions(timeout: .seconds(600), slowAfter: .milliseconds(1))

    // MARK: Before the start

    @Test func taskCancelledBeforehandSendsNothing() async throws {
        try await withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            let task = Task { () -> [PartnerBookingError?] in
                withUnsafeCurrentTask { $0?.cancel() }
                return [
                    await TypedCalls.failure {
                        try await client.createBooking(TypedCalls.booking(CallOptions(tag: "t-1")))
                    },
                    await TypedCalls.failure {
                        try await client.searchAvailability(TypedCalls.search())
                    },
                ]
            }
            let errors = await task.value
            #expect(errors.map { $0?.code } == [.cancelled, .cancelled])
            #expect(errors.map { $0?.outcome } == [.notSent, nil])
            #expect(errors[0]?.idempotencyKey == "key-1")
            #expect(errors[0]?.tag == "t-1")
            #expect(errors[0]?.attempts == 0)
            // The next call is the first that the server hears of.
            _ = try await client.searchAvailability(TypedCalls.search())
            #expect(server.requests.count == 1)
            try await client.close(timeout: .seconds(1))
        }
    }

    /// A request that is wrong is told so: that is worth more than that nobody wants it any more.
    @Test func wrongRequestOfACancelledTask() async throws {
        let client = try TypedCalls.sandbox()
        let task = Task { () -> PartnerBookingError? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await TypedCalls.failure {
                try await client.createBooking(TypedCalls.booking(key: ""))
            }
        }
        #expect(await task.value?.field == "idempotency_key")
        try await client.close(timeout: .seconds(1))
    }

    // MARK: Under way

    @Test func cancelledTaskEndsItsCall() async throws {
        try await withServer({ $0.header("Idempotency-Key") == nil ? [.reply(200, Sample.searchReply)] : [.stall] }) {
            server in
            let client = try PartnerBookingClient(server.url)
            let task = Task {
                await TypedCalls.failure {
                    try await client.createBooking(TypedCalls.booking(Self.patient))
                }
            }
            #expect(await becomesTrue { server.requests.count == 1 })
            task.cancel()
            let error = await task.value
            #expect(error?.code == .cancelled)
            #expect(error?.outcome == .unknown)
            #expect(error?.isRetryable == true)
            #expect(error?.attempts == 1)
            #expect(error?.timing.map { $0.total < .seconds(500) } == true)
            // The client goes on.
            let reply = try await client.searchAvailability(TypedCalls.search())
            #expect(reply.json == Sample.searchReply)
            let ended = try await client.close(timeout: .seconds(1))
            #expect(ended == 0)
        }
    }

    @Test func cancelledTaskThatWaitsForItsTurn() async throws {
        let client = try TypedCalls.sandbox(#","max_in_flight":1"#, latency: 600_000)
        let running = try client.submit(.searchAvailability, request: TypedCalls.search(Self.patient).json) { _ in }
        let slow = Counter()
        let task = Task {
            await TypedCalls.failure {
                try await client.createBooking(TypedCalls.booking(Self.told)) { slow.increment() }
            }
        }
        #expect(await becomesTrue { slow.value == 1 })
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.outcome == .notSent)
        #expect(error?.attempts == 0)
        try client.cancel(running)
        let ended = try await client.close(timeout: .seconds(1))
        #expect(ended == 0)
    }

    /// Also the tasks of a group that is given up.
    @Test func groupThatIsCancelledEndsItsCalls() async throws {
        let client = try TypedCalls.sandbox(latency: 600_000)
        let slow = Counter()
        let codes = await withTaskGroup { group in
            for number in 0..<50 {
                group.addTask {
                    await TypedCalls.failure {
                        try await client.createBooking(TypedCalls.booking(key: "key-\(number)", Self.told)) {
                            slow.increment()
                        }
                    }?.code
                }
            }
            #expect(await becomesTrue { slow.value == 50 })
            group.cancelAll()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == [PartnerBookingError.Code?](repeating: .cancelled, count: 50))
        let ended = try await client.close(timeout: .seconds(1))
        #expect(ended == 0)
    }

    @Test func detachedBookingOutlivesTheCancel() async throws {
        let gate = Gate()
        try await withServer({ _ in
            gate.pass()
            return [.reply(201, Sample.bookingReply)]
        }) { server in
            let client = try PartnerBookingClient(server.url)
            let task = Task {
                var request = TypedCalls.booking(Self.patient)
                request.isDetached = true
                return try await client.createBooking(request)
            }
            #expect(await becomesTrue { server.requests.count == 1 })
            task.cancel()
            gate.open()
            let reply = try await task.value
            #expect(reply.id == "bkg_1")
            #expect(reply.json == Sample.bookingReply)
            #expect(task.isCancelled)
            try await client.close(timeout: .seconds(1))
        }
    }

    /// It may come before the call, with it, or when all is over: the end comes once, and is one of two.
    @Test func cancelMayComeAtAnyTime() async throws {
        let client = try TypedCalls.sandbox()
        let (replies, cancelled) = (Counter(), Counter())
        await withTaskGroup { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task {
                        if number % 3 == 0 { await Task.yield() }
                        do throws(PartnerBookingError) {
                            _ = try await client.searchAvailability(TypedCalls.search())
                            replies.increment()
                        } catch {
                            if error.code == .cancelled { cancelled.increment() }
                        }
                    }
                    for _ in 0..<number % 7 { await Task.yield() }
                    task.cancel()
                    await task.value
                }
            }
        }
        #expect(replies.value + cancelled.value == 300)
        let ended = try await client.close(timeout: .seconds(1))
        #expect(ended == 0)
    }

    // MARK: The pool of threads

    /// Hundreds of calls wait on a handful of threads, and another task still runs. In a process of its own, whose threads
    /// nobody else uses: were they blocked, it would not come to its end.
    @Test(.timeLimit(.minutes(10))) func waitingBlocksNoThread() async {
        await #expect(processExitsWith: .success) {
            let client = try TypedCalls.sandbox(latency: 600_000)
            let (slow, ended) = (Counter(), Counter())
            try await withThrowingTaskGroup { group in
                for _ in 0..<400 {
                    group.addTask {
                        let error = await TypedCalls.failure {
                            try await client.searchAvailability(TypedCalls.search(AsyncCancelTests.told)) {
                                slow.increment()
                            }
                        }
                        if error?.code == .cancelled { ended.increment() }
                    }
                }
                #expect(await becomesTrue { slow.value == 400 })
                let steps = await Task.detached {
                    var steps = 0
                    for _ in 0..<1_000 {
                        await Task.yield()
                        steps += 1
                    }
                    return steps
                }.value
                #expect(steps == 1_000)
                #expect(ended.value == 0)
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(ended.value == 400)
            let left = try await client.close(timeout: .seconds(1))
            #expect(left == 0)
        }
    }

    /// Neither does closing, which waits for calls that take their time.
    @Test(.timeLimit(.minutes(10))) func closingBlocksNoThread() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let server = try LoopbackServer { _ in
                gate.pass()
                return [.reply(200, Sample.searchReply)]
            }
            let clients = try (0..<40).map { _ in try PartnerBookingClient(server.url) }
            for client in clients { try client.submit(.searchAvailability, request: TypedCalls.search().json) { _ in } }
            let (closing, closed) = (Counter(), Counter())
            try await withThrowingTaskGroup { group in
                for client in clients {
                    group.addTask {
                        closing.increment()
                        let ended = try await client.close(timeout: .seconds(60))
                        #expect(ended == 0)
                        closed.increment()
                    }
                }
                #expect(await becomesTrue { closing.value == 40 })
                #expect(closed.value == 0)
                gate.open()
                try await group.waitForAll()
            }
            #expect(closed.value == 40)
            server.stop()
        }
    }

    // MARK: Replies that differ

    @Test func platformsDiffer() async throws {
        let bodies = [#"{"booking":{"id":{}}}"#, #"{"booking":{"id":7,"status":["x"],"start_at":null},"more":1.50}"#]
        try await withServer({ request in
            [.reply(201, Array(bodies[request.total % 2].utf8))]
        }) { server in
            let client = try PartnerBookingClient(server.url)
            for (number, body) in bodies.enumerated() {
                let reply = try await client.createBooking(TypedCalls.booking(key: "key-\(number)"))
                #expect(reply.id == nil && reply.status == nil && reply.startAt == nil && reply.endAt == nil)
                #expect(reply.json == Array(body.utf8))
            }
            // What was sent is what the typed request holds, without the library's own members.
            let sent = server.requests.first.map { String(decoding: $0.body, as: UTF8.self) }
            #expect(sent?.contains(#""name":"Jürgen \"JJ\" \\ 李小龍 😀""#) == true)
            #expect(sent?.contains(#""notes":"a\nb""#) == true)
            #expect(sent?.contains("idempotency_key") == false)
            try await client.close(timeout: .seconds(1))
        }
    }
}
