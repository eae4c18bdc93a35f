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
        #expect(scripted.close() == 0)
        #expect(ending.count == 1)
        #expect(scripted.transport.record.cancelled == [id])
    }

    @Test func searchHasNoOutcome() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.never(mayHaveBeenSent: true))
        let id = try scripted.submit(.searchAvailability, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        scripted.loop.cancel(id)
        #expect(try ending.error().code == .cancelled)
        #expect(try ending.error().outcome == nil)
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
        // Its place in the row is nobody's: the one behind it is next.
        scripted.loop.cancel(running)
        #expect(try third.result() == .success(Sample.bookingReply))
        scripted.close()
        #expect(scripted.transport.record.attempts.map(\.id) == [running, 3])
        #expect(scripted.transport.record.cancelled == [running])
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
        #expect(!scripted.transport.record.attempts.contains { $0.id == id })
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
        let scripted = try ScriptedLoop(pause.step)
        // The seed of the first call's pause is 1, which draws some seconds.
        let id = try scripted.submit(deadline: 10_000_000, baseDelay: 60_000, complete: ending.handler)
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
        #expect(scripted.transport.record.cancelled == [id])
    }

    /// Cancelling a number does nothing to the call that is given it later.
    @Test func unknownTicketIsNobodys() throws {
        let ending = Ending()
        let scripted = try ScriptedLoop(.reply(201, Sample.bookingReply))
        for ticket in [0, 1, 2, 999, .max] as [Ticket] { scripted.loop.cancel(ticket) }
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

    // MARK: What the transport is told, and what it knows

    enum End: CaseIterable {
        case cancel, deadline, close

        var code: PartnerBookingError.Code {
            switch self {
            case .cancel: .cancelled
            case .deadline: .timeout
            case .close: .clientClosed
            }
        }
    }

    /// Lets a call go out, ends it, and closes.
    private func end(_ end: End, _ step: ScriptedTransport.Step) throws -> (Ending, ScriptedTransport.Record) {
        let ending = Ending()
        let scripted = try ScriptedLoop(step)
        let id = try scripted.submit(deadline: end == .deadline ? 60 : 60_000, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        if end == .cancel { scripted.loop.cancel(id) }
        if end != .close { _ = try ending.result() }
        scripted.close()
        #expect(ending.count == 1)
        return (ending, scripted.transport.record)
    }

    /// Only a service that had all its time makes its connection suspicious.
    @Test(arguments: End.allCases)
    func connectionIsOverdueAtTheDeadlineOnly(_ end: End) throws {
        let (ending, record) = try self.end(end, .never(mayHaveBeenSent: true))
        #expect(try ending.error().code == end.code)
        #expect(record.cancelled == [1])
        #expect(record.overdue == (end == .deadline ? [1] : []))
    }

    @Test(arguments: End.allCases)
    func wholeReplyThatHasComeCounts(_ end: End) throws {
        #expect(try self.end(end, .unended(201, Sample.bookingReply)).0.result() == .success(Sample.bookingReply))
        let taken = try self.end(end, .unended(409, Sample.refusal("slot_unavailable"))).0.error()
        #expect(taken.code.rawValue == "slot_unavailable")
        #expect(taken.outcome == .rejected)
        // Worth another attempt, which there is no time for any more: the answer all the same.
        let busy = try self.end(end, .unended(503, Sample.refusal("busy"))).0.error()
        #expect(busy.code.rawValue == "busy")
        #expect(busy.outcome == .unknown)
        #expect(busy.attempts == 1)
    }

    @Test(arguments: End.allCases)
    func halfAReplyDoesNot(_ end: End) throws {
        for step in [
            ScriptedTransport.Step.unended(201, Sample.bookingReply.dropLast()), .unended(500, []), .unended(201, []),
        ] {
            let error = try self.end(end, step).0.error()
            #expect(error.code == end.code)
            #expect(error.outcome == .unknown)
        }
    }
}
