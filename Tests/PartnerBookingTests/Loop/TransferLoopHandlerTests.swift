import Testing

@testable import PartnerBooking

/// What is told on the transfer thread: that a call is slow, and that it is done; what handlers may do there; and how often
/// the thread is woken for all that.
@Suite struct TransferLoopHandlerTests {
    // MARK: Slow

    @Test func slowIsToldOnceAndBeforeTheEnd() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply, after: 1_000))
        let id = try scripted.submit(json: Sample.booking(#","tag":"t-1""#), slowAfter: 10, complete: ending.handler)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
        let told = ending.completions
        #expect(told.map(\.event.isSlow) == [true, false])
        #expect(told.allSatisfy { $0.ticket == id && $0.tag == "t-1" && $0.timing.attempts == 1 })
        #expect(try #require(told.first).timing.totalMicroseconds >= 10_000)
        #expect(told[0].timing.totalMicroseconds <= told[1].timing.totalMicroseconds)
        #expect(told[0].timing.lastAttempt == nil)
    }

    /// Beyond its moment another call ends, so that the timer has come and gone.
    @Test func fastCallIsNotToldToBeSlow() throws {
        let (fast, other) = (Ending(), Ending())
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 1 ? .reply(201, Sample.bookingReply) : .never(mayHaveBeenSent: true) })
        try scripted.submit(slowAfter: 300, complete: fast.handler)
        #expect(try fast.result() == .success(Sample.bookingReply))
        try scripted.submit(deadline: 350, complete: other.handler)
        #expect(try other.error().code == .timeout)
        scripted.close()
        // Unless this machine made it slow.
        let total = try #require(fast.completions.last).timing.totalMicroseconds
        #expect(fast.slowCount == 0 || total >= 300_000)
    }

    @Test func callThatTimesOutFirstIsNotToldToBeSlow() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        try scripted.submit(deadline: 30, slowAfter: 60, complete: ending.handler)
        #expect(try ending.error().code == .timeout)
        #expect(scripted.close(within: 100) == 0)
        #expect(ending.slowCount == 0)
    }

    @Test func callWithoutSuchAMomentIsNeverSlow() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply, after: 50))
        try scripted.submit(complete: ending.handler)
        _ = try ending.result()
        scripted.close()
        #expect(ending.slowCount == 0)
    }

    @Test func callThatWaitsForItsTurnIsSlowToo() throws {
        let (first, second) = (Ending(), Ending())
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true), maxInFlight: 1, maxQueued: 1)
        try scripted.submit(complete: first.handler)
        let id = try scripted.submit(slowAfter: 20, complete: second.handler)
        #expect(second.isSlow())
        #expect(second.isEmpty)
        let timing = try #require(second.completions.first).timing
        #expect(timing.attempts == 0)
        #expect((20_000...timing.totalMicroseconds).contains(timing.queueMicroseconds))
        scripted.loop.cancel(id)
        #expect(try second.error().code == .cancelled)
        scripted.close()
        #expect(second.completions.map(\.event.isSlow) == [true, false])
    }

    @Test func callInItsPauseIsSlowToo() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(429, [], headers: ["Retry-After": "50"]))
        try scripted.submit(slowAfter: 20, complete: ending.handler)
        #expect(ending.isSlow())
        #expect(ending.isEmpty)
        scripted.close()
        #expect(ending.completions.map(\.event.isSlow) == [true, false])
    }

    /// The answer and the moment have both passed when the thread gets to run again: the answer is told, and nothing else.
    @Test func aThreadThatComesTooLateTellsTheEndAlone() throws {
        let ending = Ending()
        let started = Counter()
        let late = { @Sendable in
            if started.value > 0 { sleep(milliseconds: 1_200) }
        }
        let transport = ScriptedTransport(beforeWait: late) { _, _ in
            started.increment()
            return .reply(201, Sample.bookingReply, after: 1_010)
        }
        let scripted = try ScriptedLoop(transport)
        try scripted.submit(slowAfter: 1_000, complete: ending.handler)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(ending.slowCount == 0)
    }

    @Test func cancelOnBeingSlow() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        try scripted.submit(slowAfter: 5) { completion in
            if completion.event.isSlow, let ticket = completion.ticket { scripted.loop.cancel(ticket) }
            ending.handler(completion)
        }
        #expect(try ending.error().code == .cancelled)
        scripted.close()
        #expect(ending.completions.map(\.event.isSlow) == [true, false])
    }

    // MARK: What a handler may do

    @Test func handlersMaySubmitCancelAndPrewarm() throws {
        let (stalled, second) = (Ending(), Ending())
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply) },
            maxInFlight: 2)
        let id = try scripted.submit(complete: stalled.handler)
        let refusals = Counter()
        try scripted.submit { _ in
            // The place of the call that has just ended is free.
            do { try scripted.submit(complete: second.handler) } catch { refusals.increment() }
            scripted.loop.cancel(id)
            scripted.loop.prewarm()
        }
        #expect(try second.result() == .success(Sample.bookingReply))
        #expect(try stalled.error().code == .cancelled)
        #expect(scripted.transport.sees(warmUps: 1))
        #expect(refusals.value == 0)
        scripted.close()
        #expect(scripted.transport.record.warmUps == 1)
    }

    /// Told at the close that its call was ended, a handler that tries once more is refused, and nothing goes round in circles.
    @Test func handlersMaySubmitWhileTheLoopCloses() throws {
        let refused = Ending()
        let codes = Monitor<[PartnerBookingError.Code]>([])
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        for _ in 0..<5 {
            try scripted.submit { _ in
                do {
                    try scripted.submit(complete: refused.handler)
                } catch {
                    codes.update { $0.append((error as? PartnerBookingError)?.code ?? .invalidArgument) }
                }
            }
        }
        #expect(scripted.transport.sees(attempts: 5))
        #expect(scripted.close() == 5)
        #expect(codes.withLock { $0 } == [PartnerBookingError.Code](repeating: .clientClosed, count: 5))
        #expect(refused.isEmpty)
    }

    // MARK: Warm connections

    @Test func eachRequestForAConnectionReachesTheTransport() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        try scripted.submit(complete: ending.handler)
        _ = try ending.result()
        #expect(scripted.transport.record.warmUps == 0)
        for count in 1...5 {
            scripted.loop.prewarm()
            #expect(scripted.transport.sees(warmUps: count))
            #expect(scripted.transport.record.warmUps == count)
        }
        scripted.close()
        #expect(scripted.transport.record.warmUps == 5)
    }

    // MARK: Waking

    /// The transfer thread is on its way into its wait: of all that is handed in, the first wakes it.
    @Test func aSleeperIsWokenOnce() throws {
        let gate = Gate()
        let transport = ScriptedTransport(beforeWait: { gate.pass() }) { _, _ in .reply(201, Sample.bookingReply) }
        let scripted = try ScriptedLoop(transport)
        #expect(gate.hasVisitor())
        #expect(transport.record.wakes == 0)
        let endings = (0..<100).map { _ in Ending() }
        for ending in endings { try scripted.submit(complete: ending.handler) }
        #expect(transport.record.wakes == 1)
        scripted.loop.cancel(50)
        scripted.loop.prewarm()
        #expect(transport.record.wakes == 1)
        gate.open()
        for ending in endings { _ = try ending.result() }
        #expect(transport.sees(warmUps: 1))
        scripted.close()
        #expect(try endings.filter { try $0.result().failure?.code == .cancelled }.count == 1)
    }

    @Test func aThreadThatIsAwakeIsNotWoken() throws {
        let gate = Gate()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        try scripted.submit { _ in gate.pass() }
        #expect(gate.hasVisitor())
        let before = scripted.transport.record.wakes
        let endings = (0..<100).map { _ in Ending() }
        for ending in endings { try scripted.submit(complete: ending.handler) }
        scripted.loop.cancel(50)
        scripted.loop.prewarm()
        #expect(scripted.transport.record.wakes == before)
        gate.open()
        // All the same nothing is forgotten.
        for ending in endings { _ = try ending.result() }
        #expect(scripted.transport.sees(warmUps: 1))
        scripted.close()
        #expect(try endings.filter { try $0.result().failure?.code == .cancelled }.count == 1)
    }

    @Test func noMoreWakesThanRequests() throws {
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        for _ in 0..<200 {
            let ending = Ending()
            try scripted.submit(complete: ending.handler)
            _ = try ending.result()
        }
        #expect(scripted.transport.record.wakes <= 200)
        scripted.close()
    }
}
