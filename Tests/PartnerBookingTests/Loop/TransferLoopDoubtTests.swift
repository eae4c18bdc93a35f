import Testing

@testable import PartnerBooking

/// Bookings that go on without their calls, in the real loop. Replies come long after the cancel or deadline before them, so
/// that a busy machine changes nothing.
@Suite struct TransferLoopDoubtTests {
    // MARK: Cancel and repeat

    @Test func aCancelEndsTheCallAtOnceAndARepeatGetsTheReplyToTheOnlyRequest() throws {
        let (first, second) = (Ending(), Ending())
        let loop = try DoubtLoop { _, _ in .reply(201, Sample.bookingReply, after: 3_000) }
        let id = try loop.submit(tag: "first", first)
        #expect(loop.transport.sees(attempts: 1))
        let milliseconds = try elapsedMilliseconds {
            loop.loop.cancel(id)
            _ = try first.result()
        }
        #expect(milliseconds < 2_500)
        #expect(try first.error().code == .cancelled)
        #expect(try first.error().outcome == .unknown)
        #expect(loop.transport.record.cancelled.isEmpty, "nobody hangs up")

        try loop.submit(tag: "second", second)
        #expect(try second.result().success == Sample.bookingReply)
        #expect(loop.transport.record.attempts.count == 1)
        #expect(second.completions.last?.timing.attempts == 1)
        // Whoever was told `unknown` hears the end as well.
        let settlement = try loop.settlement()
        #expect(settlement.tag == "first" && settlement.idempotencyKey == "key-1")
        #expect(settlement.result.success == Sample.bookingReply)
        #expect(loop.close() == 0)
    }

    @Test func aCancelledBookingIsNotAskedForAgain() throws {
        let ending = Ending()
        let loop = try DoubtLoop { _, _ in .reply(504, Sample.refusal("gateway_timeout"), after: 1_000) }
        let id = try loop.submit(ending)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(try ending.error().outcome == .unknown)
        #expect(eventually { loop.ledger.pending.first?.state == .inDoubt })
        // There is nothing to wait for: the exchange is over.
        let milliseconds = elapsedMilliseconds { #expect(loop.close(within: 10_000) == 0) }
        #expect(milliseconds < 5_000)
        #expect(loop.transport.record.attempts.count == 1)
        #expect(loop.settlements.isEmpty)
    }

    @Test func aRepeatAfterTheEndOfACancelledBookingSendsAgain() throws {
        let (first, second) = (Ending(), Ending())
        let loop = try DoubtLoop { id, _ in
            id == 1 ? .reply(504, Sample.refusal("gateway_timeout"), after: 1_000) : .reply(200, Sample.bookingReply)
        }
        let id = try loop.submit(first)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(eventually { loop.ledger.pending.first?.state == .inDoubt })
        try loop.submit(second)
        #expect(try second.result().success == Sample.bookingReply)
        #expect(loop.transport.record.attempts.count == 2)
        loop.close()
    }

    // MARK: The deadline

    @Test func afterTheDeadlineTheReplyIsReadAndReported() throws {
        let ending = Ending()
        let loop = try DoubtLoop { _, _ in .reply(201, Sample.bookingReply, after: 3_000) }
        try loop.submit(tag: "late", deadline: 700, ending)
        #expect(try ending.error().code == .timeout)
        #expect(try ending.error().outcome == .unknown)
        let settlement = try loop.settlement()
        #expect(settlement.tag == "late" && settlement.result.success == Sample.bookingReply)
        #expect(loop.transport.record.attempts.count == 1)
        #expect(loop.ledger.pending.map(\.state) == [.booked], "nobody has heard it yet")
        settlement.receipt?.acknowledge()
        #expect(loop.ledger.pending.isEmpty)
        loop.close()
        #expect(ending.count == 1 && loop.settlements.count == 1)
    }

    @Test func afterTheDeadlineTheDoubtIsSettledByAskingAgain() throws {
        let ending = Ending()
        let loop = try DoubtLoop(attempts: 1) { _, attempt in
            attempt == 1 ? .failure(mayHaveBeenSent: true, after: 50) : .reply(200, Sample.bookingReply)
        }
        try loop.submit(deadline: 700, ending)
        let error = try ending.error()
        #expect(error.code == .inDoubt && error.outcome == .unknown && error.doubt?.code == .connectionLost)
        #expect(try loop.settlement().result.success == Sample.bookingReply)
        let attempts = loop.transport.record.attempts
        #expect(attempts.count == 2 && Set(attempts.map(\.body)).count == 1)
        #expect(attempts.allSatisfy { $0.headers.contains("Idempotency-Key: key-1") })
        loop.close()
    }

    @Test func aRefusalAfterTheDeadlineIsReportedToo() throws {
        let ending = Ending()
        let loop = try DoubtLoop { _, _ in .reply(409, Sample.refusal("slot_unavailable"), after: 3_000) }
        try loop.submit(deadline: 700, ending)
        #expect(try ending.error().outcome == .unknown)
        let settlement = try loop.settlement()
        let error = try #require(settlement.result.failure)
        #expect(error.isSlotConflict && error.outcome == .rejected && error.idempotencyKey == "key-1")
        #expect(loop.ledger.pending.map(\.state) == [.refused], "nobody has heard it yet")
        settlement.receipt?.acknowledge()
        #expect(loop.ledger.pending.isEmpty)
        loop.close()
    }

    @Test func aRepeatThatJoinsAfterADeadlineMayFailAndJoinAgain() throws {
        let loop = try DoubtLoop(maxInFlight: 1) { _, _ in .reply(201, Sample.bookingReply, after: 6_000) }
        for _ in 0..<3 {
            let ending = Ending()
            try loop.submit(deadline: 700, ending)
            #expect(try ending.error().outcome == .unknown)
        }
        // The same exchange has gone on three times, and is one of those that go on.
        #expect(loop.transport.record.cancelled.isEmpty)
        #expect(try loop.settlement().result.success == Sample.bookingReply)
        #expect(loop.transport.record.attempts.count == 1)
        loop.close()
        #expect(loop.settlements.count == 1)
    }

    // MARK: Close

    @Test func closeWaitsForWhatGoesOnAndReportsIt() throws {
        let ending = Ending()
        let loop = try DoubtLoop { _, _ in .reply(201, Sample.bookingReply, after: 3_000) }
        let id = try loop.submit(ending)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(try ending.error().outcome == .unknown)
        let milliseconds = elapsedMilliseconds { #expect(loop.close(within: 20_000) == 0) }
        #expect(milliseconds < 15_000)
        #expect(loop.settlements.count == 1 && loop.ledger.pending.map(\.state) == [.booked])
    }

    @Test func closeWaitsNoLongerThanItsTimeAndLeavesTheRestInDoubt() throws {
        let ending = Ending()
        let loop = try DoubtLoop { _, _ in .never(mayHaveBeenSent: true) }
        let id = try loop.submit(ending)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(try ending.error().outcome == .unknown)
        let milliseconds = elapsedMilliseconds { #expect(loop.close(within: 300) == 0, "its call has ended before") }
        #expect((300..<5_000).contains(milliseconds))
        #expect(loop.transport.record.cancelled == [TransferID(firstCall: id)])
        #expect(loop.ledger.pending.map(\.state) == [.inDoubt] && loop.settlements.isEmpty)
    }

    // MARK: Places

    @Test func whatGoesOnTakesNoPlace() throws {
        let (first, second) = (Ending(), Ending())
        let loop = try DoubtLoop(maxInFlight: 1) { id, _ in
            id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply)
        }
        let id = try loop.submit(first)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(try first.error().outcome == .unknown)
        try loop.submit(key: "key-2", second)
        #expect(try second.result().success == Sample.bookingReply)
        #expect(loop.transport.record.cancelled.isEmpty)
        loop.close()
    }

    @Test func beyondTheCapTheOldestIsGivenUpAndStaysInDoubt() throws {
        let loop = try DoubtLoop(maxInFlight: 2) { _, _ in .never(mayHaveBeenSent: true) }
        for number in 1...4 {
            let ending = Ending()
            let id = try loop.submit(key: "key-\(number)", ending)
            #expect(loop.transport.sees(attempts: number))
            loop.loop.cancel(id)
            #expect(try ending.error().outcome == .unknown)
        }
        // By key: those that are recorded in the same millisecond have no other order.
        let states: [PendingBooking.State] = [.inDoubt, .inDoubt, .inFlight, .inFlight]
        #expect(eventually { loop.ledger.pending.sorted { $0.key < $1.key }.map(\.state) == states })
        #expect(loop.transport.record.cancelled == [1, 2])
        loop.close()
    }

    /// The cap is also for those that wait between two questions.
    @Test func pausesCountToo() throws {
        let loop = try DoubtLoop(maxInFlight: 2) { _, _ in
            .reply(504, Sample.refusal("gateway_timeout"), headers: ["Retry-After": "20"])
        }
        for number in 1...4 {
            let ending = Ending()
            try loop.submit(key: "key-\(number)", deadline: 10_000, ending)
            #expect(try ending.error().code == .inDoubt)
        }
        let states: [PendingBooking.State] = [.inDoubt, .inDoubt, .inFlight, .inFlight]
        #expect(eventually { loop.ledger.pending.sorted { $0.key < $1.key }.map(\.state) == states })
        loop.close()
    }

    @Test func oneThatGoesOnTwiceCountsOnce() throws {
        let loop = try DoubtLoop(maxInFlight: 2) { _, _ in .reply(201, Sample.bookingReply, after: 6_000) }
        for key in ["key-1", "key-2", "key-1", "key-2"] {
            let ending = Ending()
            try loop.submit(key: key, deadline: 700, ending)
            #expect(try ending.error().outcome == .unknown)
        }
        #expect(eventually { loop.settlements.count == 2 })
        #expect(loop.transport.record.cancelled.isEmpty)
        #expect(loop.transport.record.attempts.count == 2)
        loop.close()
    }

    @Test func thoseThatAreOverAreNotCounted() throws {
        let loop = try DoubtLoop(maxInFlight: 2) { id, _ in
            id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply, after: 500)
        }
        for number in 1...6 {
            let ending = Ending()
            let id = try loop.submit(key: "key-\(number)", ending)
            #expect(loop.transport.sees(attempts: number))
            loop.loop.cancel(id)
            #expect(try ending.error().outcome == .unknown)
            if number > 1 { #expect(eventually { loop.settlements.count == number - 1 }) }
        }
        #expect(loop.transport.record.cancelled.isEmpty)
        #expect(loop.ledger.pending.filter { $0.state == .inFlight }.map(\.key) == ["key-1"])
        for settlement in loop.settlements { settlement.receipt?.acknowledge() }
        #expect(loop.ledger.pending.map(\.key) == ["key-1"])
        loop.close()
    }
}
