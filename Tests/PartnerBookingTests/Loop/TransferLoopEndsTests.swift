import Testing

@testable import PartnerBooking

/// A call that ends while its attempt is under way: what the transport is told, and what an answer is worth that has come by then.
@Suite struct TransferLoopEndsTests {
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

    private struct Ended {
        let ending: Ending
        /// What the transport was asked for before the client was closed, and in all.
        let atTheEnd: ScriptedTransport.Record
        let inAll: ScriptedTransport.Record
        let ledger: LedgerStore
    }

    /// Lets a call go out, ends it, and closes.
    private func end(
        _ end: End, _ step: ScriptedTransport.Step, _ operation: PartnerBooking.CallOperation = .createBooking
    ) throws -> Ended {
        let (ending, ledger) = (Ending(), ScriptedLoop.ledger())
        let scripted = try ScriptedLoop(ScriptedTransport([step]), ledger: ledger)
        let id = try scripted.submit(operation, deadline: end == .deadline ? 400 : 60_000, complete: ending.handler)
        #expect(scripted.transport.sees(attempts: 1))
        if end == .cancel { scripted.loop.cancel(id) }
        if end != .close { _ = try ending.result() }
        let atTheEnd = scripted.transport.record
        scripted.close()
        #expect(ending.count == 1)
        return Ended(ending: ending, atTheEnd: atTheEnd, inAll: scripted.transport.record, ledger: ledger)
    }

    /// Only a service that had all its time makes its connection suspicious.
    @Test(arguments: End.allCases)
    func aSearchesConnectionIsOverdueAtTheDeadlineOnly(_ end: End) throws {
        let ended = try self.end(end, .never(mayHaveBeenSent: true), .searchAvailability)
        #expect(try ended.ending.error().code == end.code)
        #expect(ended.atTheEnd.cancelled == (end == .close ? [] : [1]))
        #expect(ended.inAll.cancelled == [1])
        #expect(ended.inAll.overdue == (end == .deadline ? [1] : []))
    }

    /// A booking that was sent goes on. At its deadline no other request is to share its fate, and after a cancel its own is not
    /// to be repeated.
    @Test(arguments: End.allCases)
    func aBookingIsReadToItsEnd(_ end: End) throws {
        let ended = try self.end(end, .never(mayHaveBeenSent: true))
        let error = try ended.ending.error()
        #expect(error.code == end.code && error.outcome == .unknown)
        #expect(ended.atTheEnd.cancelled.isEmpty)
        #expect(ended.atTheEnd.distrusted == (end == .deadline ? [1] : []))
        #expect(ended.atTheEnd.sentNoMore == (end == .cancel ? [1] : []))
        #expect(ended.inAll.cancelled == [1] && ended.inAll.overdue.isEmpty)
        #expect(ended.ledger.pending.map(\.state) == [.inDoubt])
    }

    @Test(arguments: End.allCases)
    func wholeReplyToASearchThatHasComeCounts(_ end: End) throws {
        let found = try self.end(end, .unended(200, Sample.searchReply), .searchAvailability)
        #expect(try found.ending.result() == .success(Sample.searchReply))
        // Worth another attempt, which there is no time for any more: the answer all the same.
        let busy = try self.end(end, .unended(503, Sample.refusal("busy")), .searchAvailability).ending.error()
        #expect(busy.code.rawValue == "busy" && busy.attempts == 1)
    }

    /// As long as it settles the booking.
    @Test(arguments: End.allCases)
    func wholeReplyToABookingThatHasComeCounts(_ end: End) throws {
        let booked = try self.end(end, .unended(201, Sample.bookingReply))
        #expect(try booked.ending.result() == .success(Sample.bookingReply))
        let request = try Request(.createBooking, json: Sample.booking())
        let decision = booked.ledger.begin(request, "key-1", service: 0, id: 9)
        #expect(decision == .replay(Sample.bookingReply, end: 1))
        let taken = try self.end(end, .unended(409, Sample.refusal("slot_unavailable")))
        let error = try taken.ending.error()
        #expect(error.code.rawValue == "slot_unavailable" && error.outcome == .rejected)
        #expect(booked.ledger.pending.map(\.state) == [.booked] && taken.ledger.pending.map(\.state) == [.refused])
        booked.ending.acknowledge()
        taken.ending.acknowledge()
        #expect(booked.ledger.pending.isEmpty && taken.ledger.pending.isEmpty)
        let busy = try self.end(end, .unended(503, Sample.refusal("busy")))
        let doubt = try busy.ending.error()
        #expect(doubt.code == (end == .close ? .inDoubt : end.code))
        #expect(doubt.doubt?.code?.rawValue == (end == .close ? "busy" : nil))
        #expect(doubt.outcome == .unknown && doubt.attempts == 1)
        #expect(busy.ledger.pending.map(\.state) == [.inDoubt])
    }

    @Test(arguments: End.allCases, [PartnerBooking.CallOperation.searchAvailability, .createBooking])
    func halfAReplyDoesNot(_ end: End, _ operation: PartnerBooking.CallOperation) throws {
        let reply = Sample.reply(to: operation)
        for step in [ScriptedTransport.Step.unended(201, reply.dropLast()), .unended(500, []), .unended(201, [])] {
            let ended = try self.end(end, step, operation)
            let error = try ended.ending.error()
            #expect(error.code == end.code)
            #expect(error.outcome == (operation == .createBooking ? .unknown : nil))
            #expect(ended.ledger.pending.map(\.state) == (operation == .createBooking ? [.inDoubt] : []))
        }
    }
    // MARK: Afterwards

    /// The end of a booking whose call ended `unknown` is reported once. It stays listed until the host has heard the
    /// report, or the end of a repeat.
    @Test(arguments: [true, false])
    func anEndThatNobodyWaitsForIsReported(hearsReport: Bool) throws {
        let (settlements, ledger) = (Monitor<[Settlement]>([]), ScriptedLoop.ledger())
        var policy = DeliveryPolicy.calm
        policy.reportsSettled = true
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, attempt in
                id == 1 && attempt == 1 ? .reply(503, []) : .reply(201, Sample.bookingReply)
            }, policy: policy, attempts: 1, ledger: ledger,
            report: { settlement in settlements.update { $0.append(settlement) } })
        let (first, again) = (Ending(), Ending())
        let request = Sample.booking(#","tag":"call-7""#)
        try scripted.submit(json: request, deadline: 1_000, complete: first.handler)
        #expect(try first.error().code == .inDoubt)
        #expect(settlements.becomes { $0.count == 1 })
        let settlement = try #require(settlements.withLock { $0.first })
        #expect(settlement.idempotencyKey == "key-1" && settlement.tag == "call-7")
        #expect(settlement.result == .success(Sample.bookingReply))
        #expect(ledger.pending.map(\.state) == [.booked])
        if hearsReport { settlement.receipt?.acknowledge() }
        #expect(ledger.pending.map(\.state) == (hearsReport ? [] : [.booked]))
        try scripted.submit(json: request, complete: again.handler)
        #expect(try again.result() == .success(Sample.bookingReply))
        again.acknowledge()
        #expect(ledger.pending.isEmpty)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 2 && first.count == 1 && first.settledCount == 0)
        #expect(settlements.withLock { $0.count } == 1)
    }
}
