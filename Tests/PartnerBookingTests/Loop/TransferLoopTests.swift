import Testing

@testable import PartnerBooking

@Suite struct TransferLoopTests {
    @Test(arguments: partnerAPIOperations)
    func handsTheReplyOver(_ operation: PartnerBooking.CallOperation) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(200, Sample.reply(to: operation)))
        try scripted.submit(operation, complete: ending.handler)
        #expect(try ending.result() == .success(Sample.reply(to: operation)))
        #expect(scripted.close() == 0)
        #expect(ending.count == 1)
    }

    // MARK: Attempts

    @Test func attemptsAreTheSame() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(
            .reply(503, []), .failure(mayHaveBeenSent: true), .cannotStart, .reply(201, Sample.bookingReply),
            attempts: 4)
        let trace = #","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tag":"t","x":1.50"#
        let id = try scripted.submit(json: Sample.booking(key: "key-7", trace), complete: ending.handler)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()

        let attempts = scripted.transport.record.attempts
        let first = try #require(attempts.first)
        #expect(attempts == [first, first, first, first])
        #expect(first.id == TransferID(firstCall: id))
        #expect(first.headers.filter { $0 == "Idempotency-Key: key-7" }.count == 1)
        #expect(first.headers.contains { $0.hasPrefix("traceparent: 00-0af7651916cd43dd") })
        #expect(String(decoding: first.body, as: UTF8.self).hasSuffix(#","x":1.50}"#))
    }

    @Test(arguments: [1, 2, 5])
    func attemptsAreLimited(_ most: Int) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.failure(.connectFailed, mayHaveBeenSent: false), attempts: most)
        try scripted.submit(complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .connectFailed)
        #expect(error.attempts == most)
        #expect(error.outcome == .notSent)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == most)
    }

    @Test func finalFailureIsNotRepeated() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.failure(.tlsFailed, mayHaveBeenSent: false, isRetryable: false))
        try scripted.submit(complete: ending.handler)
        #expect(try ending.error().attempts == 1)
        scripted.close()
    }

    @Test func cannotStart() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.cannotStart)
        try scripted.submit(complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .resourceUnavailable)
        #expect(error.outcome == .notSent)
        #expect(error.source == .library)
        scripted.close()
    }

    // MARK: Deadlines

    /// What is under way at a call's deadline, and how the call ends then.
    struct Late: Sendable, CustomTestStringConvertible {
        var steps: [ScriptedTransport.Step]
        var outcome: PartnerBookingError.Outcome
        /// What the last attempt before said, if the booking is in doubt since then.
        var doubt: String?
        /// The exchange goes on: what may have been made is not hung up on.
        var goesOn: Bool { outcome == .unknown }
        var testDescription: String { "\(steps.count) attempts, \(outcome), \(doubt ?? "no earlier doubt")" }
    }

    @Test(arguments: [
        Late(steps: [.never(mayHaveBeenSent: true)], outcome: .unknown),
        Late(steps: [.never(mayHaveBeenSent: false)], outcome: .notSent),
        Late(
            steps: [.failure(mayHaveBeenSent: true), .never(mayHaveBeenSent: false)], outcome: .unknown,
            doubt: "connection_lost"),
        Late(
            steps: [.failure(mayHaveBeenSent: true), .never(mayHaveBeenSent: true)], outcome: .unknown,
            doubt: "connection_lost"),
        Late(steps: [.failure(mayHaveBeenSent: false), .never(mayHaveBeenSent: false)], outcome: .notSent),
        Late(steps: [.reply(429, Sample.refusal("slow_down")), .never(mayHaveBeenSent: false)], outcome: .rejected),
        Late(steps: [.reply(429, Sample.refusal("slow_down")), .never(mayHaveBeenSent: true)], outcome: .unknown),
        Late(steps: [.reply(503, []), .never(mayHaveBeenSent: false)], outcome: .unknown, doubt: "http_error"),
        Late(steps: [.reply(500, []), .never(mayHaveBeenSent: false)], outcome: .unknown, doubt: "http_error"),
    ])
    func deadlineDuringAnAttempt(_ late: Late) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(ScriptedTransport(late.steps))
        let id = try scripted.submit(deadline: 300, complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == (late.doubt == nil ? .timeout : .inDoubt))
        #expect(error.doubt?.code?.rawValue == late.doubt)
        #expect(error.isRetryable)
        #expect(error.source == (late.doubt == "http_error" ? .partnerAPI : .network))
        #expect(error.outcome == late.outcome)
        #expect(error.attempts == late.steps.count)
        #expect(error.idempotencyKey == "key-1")
        #expect(scripted.transport.record.cancelled == (late.goesOn ? [] : [TransferID(firstCall: id)]))
        scripted.close()
        #expect(ending.count == 1)
        #expect(scripted.transport.record.cancelled == [TransferID(firstCall: id)], "a close reads no further")
    }

    @Test func searchHasNoOutcome() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        try scripted.submit(
            .searchAvailability, json: Sample.search(#","tag":"call-7""#), deadline: 20, complete: ending.handler)
        _ = try ending.result()
        #expect(scripted.transport.record.cancelled == [1], "nobody wants its reply")
        let error = try ending.error()
        #expect(error.code == .timeout)
        #expect(error.outcome == nil)
        #expect(error.idempotencyKey == nil)
        #expect(error.tag == "call-7")
        scripted.close()
    }

    @Test func noPauseLeadsBeyondTheDeadline() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(429, Sample.refusal("slow_down"), headers: ["Retry-After": "60"]))
        let elapsed = try elapsedMilliseconds {
            try scripted.submit(deadline: 50_000, complete: ending.handler)
            let error = try ending.error()
            #expect(error.code.rawValue == "slow_down")
            #expect(error.retryAfterMilliseconds == 60_000)
            #expect(error.outcome == .rejected)
            #expect(error.attempts == 1)
        }
        #expect(elapsed < 15_000)
        scripted.close()
    }

    /// A pause that fits, then one that does not: a search ends as its second attempt did, well before the deadline. A booking
    /// then is in doubt, and its caller hears that while there is time to say something.
    @Test(arguments: [PartnerBooking.CallOperation.searchAvailability, .createBooking])
    func noCallTimesOutInAPause(_ operation: PartnerBooking.CallOperation) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(503, Sample.refusal("busy"), headers: ["Retry-After": "1"]), attempts: 10)
        try scripted.submit(operation, deadline: 1_900, complete: ending.handler)
        let error = try ending.error()
        let isBooking = operation == .createBooking
        #expect(error.code.rawValue == (isBooking ? "in_doubt" : "busy"))
        #expect(error.doubt?.code?.rawValue == (isBooking ? "busy" : nil) && error.doubt?.status == (isBooking ? 503 : nil))
        #expect(error.attempts == 2)
        #expect(error.outcome == (isBooking ? .unknown : nil))
        scripted.close()
        #expect(scripted.transport.record.cancelled.isEmpty)
    }

    /// Pause and deadline have both passed when the thread gets to run again: the answer that came is worth more than
    /// "timeout". A booking in doubt is asked for all the same, in the background.
    @Test(arguments: [PartnerBooking.CallOperation.searchAvailability, .createBooking])
    func aThreadThatComesTooLateTellsWhatItKnows(_ operation: PartnerBooking.CallOperation) throws {
        let ending = Ending()
        let attempts = Counter()
        let late = { @Sendable in
            if attempts.value == 1 { sleep(milliseconds: 1_200) }
        }
        let transport = ScriptedTransport(beforeWait: late) { _, _ in
            attempts.increment()
            return .reply(503, Sample.refusal("busy"))
        }
        let scripted = try ScriptedLoop(transport, attempts: 10)
        try scripted.submit(operation, deadline: 1_000, complete: ending.handler)
        let error = try ending.error()
        #expect(error.attempts == 1)
        switch operation {
        case .createBooking:
            #expect(error.code == .inDoubt && error.doubt?.code?.rawValue == "busy")
            #expect(transport.sees(attempts: 2), "it is asked for again")
        default: #expect(error.code.rawValue == "busy")
        }
        scripted.close()
    }

    // MARK: Closing

    @Test func closingDrains() throws {
        let endings = (0..<20).map { _ in Ending() }
        let scripted = try ScriptedLoop(
            ScriptedTransport([.reply(503, []), .reply(201, Sample.bookingReply, after: 30)]), policy: .calm)
        for ending in endings { try scripted.submit(complete: ending.handler) }
        #expect(scripted.close(within: 30_000) == 0)
        for ending in endings { #expect(try ending.result() == .success(Sample.bookingReply)) }
        #expect(endings.allSatisfy { $0.count == 1 })
    }

    @Test func closingEndsTheRest() throws {
        let endings = (0..<3).map { _ in Ending() }
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, attempt in
                switch id {
                case 1: .never(mayHaveBeenSent: true)
                case 2: .never(mayHaveBeenSent: false)
                default: attempt == 1 ? .reply(200, Sample.bookingReply) : .cannotStart
                }
            })
        for ending in endings { try scripted.submit(complete: ending.handler) }
        #expect(scripted.close(within: 50) == 2)
        #expect(try endings[0].error().code == .clientClosed)
        #expect(try endings[0].error().outcome == .unknown)
        #expect(try endings[1].error().code == .clientClosed)
        #expect(try endings[1].error().outcome == .notSent)
        #expect(try endings[2].result() == .success(Sample.bookingReply))
        #expect(endings.allSatisfy { $0.count == 1 })
        #expect(scripted.transport.record.cancelled.sorted() == [1, 2])
    }

    @Test func closingEndsACallInItsPause() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(429, Sample.refusal("slow_down"), headers: ["Retry-After": "30"]))
        try scripted.submit(complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        #expect(scripted.close(within: 20) == 1)
        #expect(try ending.error().code == .clientClosed)
        #expect(try ending.error().outcome == .rejected)
    }

    @Test func closedLoopRefuses() throws {
        let scripted = try ScriptedLoop(.reply(200, Sample.bookingReply))
        #expect(scripted.close() == 0)
        let ending = Ending()
        let error = #expect(throws: PartnerBookingError.self) { try scripted.submit(complete: ending.handler) }
        #expect(error?.code == .clientClosed)
        #expect(ending.isEmpty)
        #expect(scripted.transport.record.attempts.isEmpty)
    }

    @Test func refusesWhileItDrains() throws {
        let (first, second) = (Ending(), Ending())
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        try scripted.submit(complete: first.handler)
        let closer = background { scripted.close(within: 300) }
        var refusal: PartnerBookingError?
        // Until `close` has come through, calls are accepted; they are ended like the first.
        while refusal == nil {
            do { try scripted.submit(complete: second.handler) } catch let error as PartnerBookingError { refusal = error }
            sleep(milliseconds: 1)
        }
        #expect(refusal?.code == .clientClosed)
        #expect(first.isEmpty)
        closer.join()
        #expect(try first.error().code == .clientClosed)
    }

    // MARK: Timers

    /// 10,000 calls that end at once leave no 10,000 timers for a deadline ten minutes away.
    @Test func timersDoNotPileUp() throws {
        let loop = Monitor<TransferLoop?>(nil)
        let most = Monitor((timers: 0, samples: 0))
        let transport = ScriptedTransport {
            // On the loop's own thread, while it touches none of its state.
            guard let loop = loop.withLock({ $0 }), let timers = timerCount(of: loop) else { return }
            most.withLock { $0 = (max($0.timers, timers), $0.samples + 1) }
        } _: { _, _ in
            .reply(200, Sample.searchReply)
        }
        let scripted = try ScriptedLoop(transport, maxInFlight: 32)
        loop.withLock { $0 = scripted.loop }
        let request = try Request(.searchAvailability, json: Sample.search())
        let ended = Counter()
        for _ in 0..<10_000 {
            while true {
                do throws(PartnerBookingError) {
                    try scripted.submit(request, deadline: 600_000) { _ in ended.increment() }
                    break
                } catch {
                    try #require(error.code == .queueFull)
                    sleep(milliseconds: 1)
                }
            }
        }
        #expect(ended.reaches(10_000))
        scripted.close()
        loop.withLock { $0 = nil }
        let (timers, samples) = most.withLock { $0 }
        #expect(samples > 0)  // how often it had nothing to do is the scheduler's matter
        #expect((1...500).contains(timers))
    }
}

/// Returns the number of timers of a loop, past `private`; nil when it has none any more.
private func timerCount(of loop: TransferLoop) -> Int? {
    guard let heap = Mirror(reflecting: loop).descendant("coordinator", "timers", "queue", "heap") else { return nil }
    return Mirror(reflecting: heap).children.count
}
