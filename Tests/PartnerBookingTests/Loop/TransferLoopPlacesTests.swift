import Testing

@testable import PartnerBooking

/// Calls beyond those in flight wait for their turn; and where the time of each call went.
@Suite struct TransferLoopPlacesTests {
    // MARK: As many as there are places

    @Test func oneCallTooMany() throws {
        let endings = (0..<3).map { _ in Ending() }
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true), maxInFlight: 2)
        try scripted.submit(complete: endings[0].handler)
        try scripted.submit(complete: endings[1].handler)
        let error = #expect(throws: PartnerBookingError.self) { try scripted.submit(complete: endings[2].handler) }
        #expect(error?.code == .queueFull)
        #expect(error?.isRetryable == true)
        #expect(error?.source == .library)
        #expect(scripted.close() == 2)
        #expect(endings.map(\.count) == [1, 1, 0])
    }

    /// A place is free as soon as its call's end is told: each completion hands in the next call.
    @Test func placeIsFreeWhenTheEndIsTold() throws {
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in
                switch id.rawValue % 4 {
                case 0: .reply(200, Sample.bookingReply)
                case 1: .failure(.tlsFailed, mayHaveBeenSent: true, isRetryable: false)
                case 2: .never(mayHaveBeenSent: false)  // ends at its deadline
                default: .cannotStart
                }
            }, maxInFlight: 1, policy: .unsettling, attempts: 1)
        let chain = Chain(scripted, length: 200)
        chain.next()
        #expect(chain.told.reaches(200))
        #expect(chain.refused.value == 0)
        #expect(scripted.close() == 0)
        #expect(scripted.transport.record.mostAtOnce == 1)
    }

    private final class Chain: Sendable {
        let told = Counter()
        let refused = Counter()
        private let scripted: ScriptedLoop
        private let length: Int

        init(_ scripted: ScriptedLoop, length: Int) { (self.scripted, self.length) = (scripted, length) }

        func next() {
            do {
                try scripted.submit(deadline: 5) { _ in
                    if self.told.increment() < self.length { self.next() }
                }
            } catch {
                refused.increment()
            }
        }
    }

    // MARK: Waiting

    @Test func whoCameFirstStartsFirst() throws {
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 1 ? .never(mayHaveBeenSent: true) : .reply(200, Sample.searchReply) },
            maxInFlight: 1, maxQueued: 300)
        let endings = (0..<300).map { _ in Ending() }
        let ids = try endings.map { try scripted.submit(.searchAvailability, complete: $0.handler) }
        #expect(scripted.transport.sees(attempts: 1))
        #expect(scripted.transport.record.attempts.count == 1)
        scripted.loop.cancel(1)
        for ending in endings { _ = try ending.result() }
        #expect(scripted.close() == 0)
        #expect(scripted.transport.record.attempts.map(\.id) == ids.map(TransferID.init(firstCall:)))
        #expect(scripted.transport.record.mostAtOnce == 1)
        #expect(endings.allSatisfy { $0.count == 1 })
    }

    /// Some end by themselves, some are repeated, some time out, some cannot start: none takes a second place, none keeps its.
    @Test func neverMoreInFlightThanAllowed() throws {
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, attempt in
                switch (id.rawValue % 5, attempt) {
                case (0, 1): .reply(503, [])
                case (1, _): .never(mayHaveBeenSent: false)
                case (2, 1): .cannotStart
                default: .reply(201, Sample.bookingReply, after: Int(id.rawValue % 3))
                }
            }, maxInFlight: 7, maxQueued: 400, policy: .calm)
        let endings = (0..<400).map { _ in Ending() }
        for (number, ending) in endings.enumerated() {
            try scripted.submit(deadline: number % 5 == 0 ? 30 : 60_000, complete: ending.handler)
        }
        for ending in endings { _ = try ending.result() }
        #expect(scripted.close() == 0)
        #expect(scripted.transport.record.mostAtOnce == 7)
        #expect(endings.allSatisfy { $0.count == 1 })
    }

    @Test(arguments: [(1, 0), (1, 3), (4, 2)])
    func fullAtTheSum(inFlight: Int, queued: Int) throws {
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true), maxInFlight: inFlight, maxQueued: queued)
        let endings = (0..<inFlight + queued).map { _ in Ending() }
        for ending in endings { try scripted.submit(complete: ending.handler) }
        for _ in 0..<2 {
            let ending = Ending()
            let error = #expect(throws: PartnerBookingError.self) { try scripted.submit(complete: ending.handler) }
            #expect(error?.code == .queueFull)
            #expect(error?.message.contains("\(inFlight + queued) calls") == true)
            #expect(ending.isEmpty)
        }
        #expect(scripted.transport.sees(attempts: inFlight))
        #expect(scripted.transport.record.attempts.count == inFlight)
        // One that is over, whether it was in flight or waited, makes room for one.
        for number in [1, inFlight + queued] {
            if endings[number - 1].isEmpty {
                scripted.loop.cancel(CallTicket(number))
                _ = try endings[number - 1].result()
                try scripted.submit(complete: Ending().handler)
                #expect(throws: PartnerBookingError.self) { try scripted.submit(complete: Ending().handler) }
            }
        }
        scripted.close()
    }

    @Test func deadlineWhileWaiting() throws {
        let (first, second) = (Ending(), Ending())
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true), maxInFlight: 1, maxQueued: 1)
        let running = try scripted.submit(complete: first.handler)
        try scripted.submit(deadline: 50, complete: second.handler)
        let error = try second.error()
        #expect(error.code == .timeout)
        #expect(error.outcome == .notSent)
        #expect(error.attempts == 0)
        #expect(error.isRetryable)
        let timing = try #require(error.timing)
        #expect(timing.totalMicroseconds >= 50_000)
        // It never had a place: all of its time was waiting.
        #expect((50_000...timing.totalMicroseconds).contains(timing.queueMicroseconds))
        #expect(timing.attempts == 0)
        #expect(first.isEmpty)
        scripted.close()
        #expect(scripted.transport.record.attempts.map(\.id) == [TransferID(firstCall: running)])
        #expect(scripted.transport.record.overdue.isEmpty)
    }

    /// Its turn comes when its time is up already: it is not sent any more.
    @Test func turnThatComesTooLate() throws {
        let (first, second) = (Ending(), Ending())
        let gate = Gate()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply), maxInFlight: 1, maxQueued: 1)
        try scripted.submit { completion in
            gate.pass()
            first.handler(completion)
        }
        #expect(gate.hasVisitor())
        try scripted.submit(deadline: 1, complete: second.handler)
        sleep(milliseconds: 20)
        gate.open()
        #expect(try second.error().code == .timeout)
        #expect(try second.error().outcome == .notSent)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 1)
    }

    @Test func closeWaitsForThoseThatWait() throws {
        let endings = (0..<30).map { _ in Ending() }
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply, after: 1), maxInFlight: 2, maxQueued: 30)
        for ending in endings { try scripted.submit(complete: ending.handler) }
        #expect(scripted.close(within: 30_000) == 0)
        #expect(endings.allSatisfy { $0.count == 1 })
        for ending in endings { #expect(try ending.result() == .success(Sample.bookingReply)) }
    }

    @Test func closeEndsThoseThatWait() throws {
        let endings = (0..<3).map { _ in Ending() }
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true), maxInFlight: 1, maxQueued: 2)
        for ending in endings { try scripted.submit(complete: ending.handler) }
        #expect(scripted.transport.sees(attempts: 1))
        #expect(scripted.close() == 3)
        #expect(try endings.map { try $0.error().code } == [.clientClosed, .clientClosed, .clientClosed])
        #expect(try endings.map { try $0.error().outcome } == [.unknown, .notSent, .notSent])
        #expect(try endings.map { try $0.error().attempts } == [1, 0, 0])
    }

    // MARK: Timing

    @Test func waitingIsTold() throws {
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply, after: 5), maxInFlight: 1, maxQueued: 10)
        let endings = (0..<8).map { _ in Ending() }
        let start = MonotonicTime.now()
        for ending in endings { try scripted.submit(submittedAt: start, complete: ending.handler) }
        for ending in endings { _ = try ending.result() }
        scripted.close()
        let timings = endings.compactMap { $0.completions.first?.timing }
        #expect(timings.count == 8)
        for timing in timings {
            #expect(timing.attempts == 1)
            #expect(timing.totalMicroseconds - timing.queueMicroseconds >= 4_999)
        }
        for (earlier, later) in zip(timings, timings.dropFirst()) {
            #expect(earlier.queueMicroseconds < later.queueMicroseconds)
            #expect(earlier.totalMicroseconds <= later.totalMicroseconds)
        }
    }

    private static func sample(_ number: Int) -> AttemptTiming {
        AttemptTiming(
            dnsMicroseconds: number, connectMicroseconds: number + 1, tlsMicroseconds: number + 2,
            firstByteMicroseconds: number + 3, isConnectionReused: number % 2 == 0, version: .v2,
            sentBytes: number + 4, receivedBytes: number + 5)
    }

    @Test func lastAttemptIsTold() throws {
        let ending = Ending()
        let transport = ScriptedTransport(timing: { _, attempt in Self.sample(100 * attempt) }) { _, attempt in
            attempt < 3 ? .reply(503, []) : .reply(201, Sample.bookingReply)
        }
        let scripted = try ScriptedLoop(transport)
        try scripted.submit(complete: ending.handler)
        _ = try ending.result()
        scripted.close()
        let timing = try #require(ending.completions.first?.timing)
        #expect(timing.attempts == 3)
        #expect(timing.lastAttempt == Self.sample(300))
    }

    /// A failed call's error holds what its completion tells.
    @Test func errorHoldsTheTiming() throws {
        let ending = Ending()
        let transport = ScriptedTransport(timing: { _, attempt in Self.sample(10 * attempt) }) { _, _ in .reply(503, []) }
        let scripted = try ScriptedLoop(transport, attempts: 2)
        try scripted.submit(.searchAvailability, complete: ending.handler)
        let error = try ending.error()
        scripted.close()
        #expect(error.attempts == 2)
        #expect(error.timing == ending.completions.first?.timing)
        #expect(error.timing?.attempts == 2)
        #expect(error.timing?.lastAttempt == Self.sample(20))
    }

    @Test func timingOfAnAttemptThatWasGivenUp() throws {
        let ending = Ending()
        let transport = ScriptedTransport(timing: { _, _ in Self.sample(1) }) { _, _ in .never(mayHaveBeenSent: true) }
        let scripted = try ScriptedLoop(transport)
        let id = try scripted.submit(.searchAvailability, complete: ending.handler)
        #expect(transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        #expect(try ending.error().timing?.lastAttempt == Self.sample(1))
        scripted.close()
    }

    /// In a pause the last attempt is the one before it.
    @Test func timingOfACallThatEndsInItsPause() throws {
        let ending = Ending()
        let transport = ScriptedTransport(timing: { _, _ in Self.sample(1) }) { _, _ in
            .reply(429, [], headers: ["Retry-After": "50"])
        }
        let scripted = try ScriptedLoop(transport)
        let id = try scripted.submit(complete: ending.handler)
        #expect(transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        #expect(try ending.error().timing?.lastAttempt == Self.sample(1))
        scripted.close()
    }
}
