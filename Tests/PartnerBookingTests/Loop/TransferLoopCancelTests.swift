import Testing

@testable import PartnerBooking

/// A cancel asks for a call's end; the completion comes as always, and tells what is true.
@Suite struct TransferLoopCancelTests {
    @Test(arguments: [true, false])
    func runningCallIsEnded(mayHaveBeenSent: Bool) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: mayHaveBeenSent))
        let id = try scripted.submit(json: Sample.booking(#","tag":"t-1""#), complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        let error = try ending.error()
        #expect(error.code == .cancelled)
        #expect(error.source == .caller)
        #expect(error.isRetryable)
        #expect(error.outcome == (mayHaveBeenSent ? .unknown : .notSent))
        #expect(error.attempts == 1)
        #expect(error.idempotencyKey == "key-1")
        #expect(error.tag == "t-1")
        // What was sent is read to its end; a close reads no further.
        #expect(scripted.transport.record.cancelled == (mayHaveBeenSent ? [] : [TransferID(firstCall: id)]))
        #expect(scripted.close() == 0)
        #expect(ending.count == 1)
        #expect(scripted.transport.record.cancelled == [TransferID(firstCall: id)])
        #expect(scripted.transport.record.attempts.count == 1)
    }

    @Test func searchHasNoOutcome() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        let id = try scripted.submit(.searchAvailability, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        #expect(try ending.error().code == .cancelled)
        #expect(try ending.error().outcome == nil)
        #expect(scripted.transport.record.cancelled == [TransferID(firstCall: id)], "nobody wants its reply")
        scripted.close()
    }

    // MARK: Before the start, and between attempts

    @Test func waitingCallIsNotStartedAtAll() throws {
        let (first, second, third) = (Ending(), Ending(), Ending())
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 3 ? .reply(201, Sample.bookingReply) : .never(mayHaveBeenSent: true) },
            maxInFlight: 1, maxQueued: 2)
        let running = try scripted.submit(complete: first.handler)
        let waiting = try scripted.submit(complete: second.handler)
        try scripted.submit(complete: third.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(waiting)
        let error = try second.error()
        #expect(error.code == .cancelled)
        #expect(error.outcome == .notSent)
        #expect(error.attempts == 0)
        #expect(first.isEmpty && third.isEmpty)
        // Its place in the row is nobody's: the one behind it is next. What is only read any more needs no place.
        scripted.loop.cancel(running)
        #expect(try third.result() == .success(Sample.bookingReply))
        #expect(scripted.transport.record.cancelled.isEmpty && scripted.transport.record.mostAtOnce == 2)
        scripted.close()
        #expect(scripted.transport.record.attempts.map(\.id) == [TransferID(firstCall: running), 3])
        #expect([first, second, third].allSatisfy { $0.count == 1 })
    }

    /// The transfer thread hears of both at once.
    @Test func callThatWasJustHandedInIsNotStarted() throws {
        let (first, second) = (Ending(), Ending())
        let gate = Gate()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        try scripted.submit { completion in
            gate.pass()
            first.handler(completion)
        }
        #expect(gate.hasVisitor())
        let id = try scripted.submit(complete: second.handler)
        scripted.loop.cancel(id)
        gate.open()
        #expect(try second.error().code == .cancelled)
        #expect(try second.error().outcome == .notSent)
        #expect(try first.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(!scripted.transport.record.attempts.contains { $0.id == TransferID(firstCall: id) })
    }

    struct Pause: Sendable, CustomTestStringConvertible {
        var step: ScriptedTransport.Step
        var outcome: PartnerBookingError.Outcome
        var testDescription: String { "\(outcome)" }
    }

    @Test(arguments: [
        Pause(step: .reply(503, Sample.refusal("busy"), headers: ["Retry-After": "3600"]), outcome: .unknown),
        Pause(step: .reply(429, Sample.refusal("slow_down"), headers: ["Retry-After": "3600"]), outcome: .rejected),
        Pause(step: .failure(.connectFailed, mayHaveBeenSent: false), outcome: .notSent),
        Pause(step: .failure(.connectionLost, mayHaveBeenSent: true), outcome: .unknown),
    ])
    func callInItsPauseIsEnded(_ pause: Pause) throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(pause.step, baseDelay: 60_000)
        // The seed of the first call's pause is 1, which draws some seconds.
        let id = try scripted.submit(deadline: 10_000_000, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        let error = try ending.error()
        #expect(error.code == .cancelled)
        #expect(error.outcome == pause.outcome)
        #expect(error.attempts == 1)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 1)
        // The transport was left alone: it had nothing of this call any more.
        #expect(scripted.transport.record.cancelled.isEmpty)
    }

    // MARK: What is not there to be ended

    @Test func callThatIsOverIsLeftAlone() throws {
        let (first, second) = (Ending(), Ending())
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        let id = try scripted.submit(complete: first.handler)
        #expect(try first.result() == .success(Sample.bookingReply))
        for _ in 0..<3 { scripted.loop.cancel(id) }
        try scripted.submit(complete: second.handler)
        #expect(try second.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(first.count == 1)
        #expect(scripted.transport.record.cancelled.isEmpty)
    }

    @Test func twiceIsOnce() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        let id = try scripted.submit(complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        onThreads(8) { _ in
            for _ in 0..<20 { scripted.loop.cancel(id) }
        }
        #expect(try ending.error().code == .cancelled)
        scripted.close()
        #expect(ending.count == 1)
        #expect(scripted.transport.record.attempts.count == 1)
        #expect(scripted.transport.record.cancelled == [TransferID(firstCall: id)], "by the close")
    }

    /// Cancelling a number does nothing to the call that is given it later.
    @Test func unknownTicketIsNobodys() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        for ticket in [0, 1, 2, 999, CallTicket(UInt64.max)] as [CallTicket] { scripted.loop.cancel(ticket) }
        #expect(try scripted.submit(complete: ending.handler) == 1)
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
    }

    // MARK: Detached

    @Test func detachedBookingGivesItsReply() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(503, []), .reply(201, Sample.bookingReply, after: 60))
        let id = try scripted.submit(isDetached: true, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        for _ in 0..<3 { scripted.loop.cancel(id) }
        #expect(try ending.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(scripted.transport.record.cancelled.isEmpty)
    }

    @Test func detachedBookingEndsAtItsDeadline() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        let id = try scripted.submit(deadline: 100, isDetached: true, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        #expect(try ending.error().code == .timeout)
        #expect(try ending.error().outcome == .unknown)
        scripted.close()
    }

    @Test func detachedBookingEndsWithItsClient() throws {
        let (detached, other) = (Ending(), Ending())
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply) })
        let id = try scripted.submit(isDetached: true, complete: detached.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        // Once this one is through, the cancel has been heard as well.
        try scripted.submit(complete: other.handler)
        #expect(try other.result() == .success(Sample.bookingReply))
        #expect(detached.isEmpty)
        #expect(scripted.close() == 1)
        #expect(try detached.error().code == .clientClosed)
        #expect(try detached.error().outcome == .unknown)
        #expect(detached.count == 1)
    }

    @Test func detachedBookingKeepsItsPlaceInTheRow() throws {
        let (first, detached) = (Ending(), Ending())
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, _ in id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply) },
            maxInFlight: 1, maxQueued: 1)
        let running = try scripted.submit(complete: first.handler)
        let waiting = try scripted.submit(isDetached: true, complete: detached.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(waiting)
        scripted.loop.cancel(running)
        #expect(try first.error().code == .cancelled)
        #expect(try detached.result() == .success(Sample.bookingReply))
        scripted.close()
    }
}
