import Testing

@testable import PartnerBooking

/// What is handed out to the host, when, and what of its answers counts.
@Suite struct TrafficBatchTests {
    private static let claimed = #""claimed""#

    // MARK: Batches

    @Test func aBatchHasAtMost256OperationsAndTheRestComesNext() throws {
        var fixture = TrafficFixture()
        for number in 0..<300 { fixture.claim("k\(number)", clock: number, id: TransferID(number + 1)) }
        let first = try fixture.next()
        #expect(first.operations.map(\.key) == (0..<256).map { "k\($0)" })
        let second = try fixture.next()
        #expect(second.operations.map(\.key) == (256..<300).map { "k\($0)" })
        #expect(try fixture.take() == nil)
        #expect(Set((first.operations + second.operations).map(\.id)).count == 300)
    }

    @Test func eightBatchesAreOpenAtMost() throws {
        var fixture = TrafficFixture()
        var batches: [TrafficFixture.Batch] = []
        for number in 0..<9 {
            fixture.claim("k\(number)", clock: number)
            if let batch = try fixture.take() { batches.append(batch) }
        }
        #expect(batches.map(\.number) == Array(1...8))
        // It waits for the host, not for a moment.
        #expect(
            fixture.traffic.due(after: fixture.now.time) == fixture.now.time.adding(milliseconds: TrafficFixture.timeout))
        try fixture.answer(batches[3], Self.claimed)
        #expect(try fixture.next().names == ["claim k8"])
    }

    @Test func operationsOnOneKeyFollowOneAnother() throws {
        var fixture = TrafficFixture()
        try fixture.claimed()
        fixture.settle()
        fixture.claim("other", id: 8)
        fixture.traffic.add(JournalSample.withdrawn("k"), id: nil)
        let first = try fixture.next()
        #expect(first.names == ["settle k", "claim other"])
        fixture.claim("third", id: 9)
        #expect(try fixture.next().names == ["claim third"], "the key is under way")
        try fixture.answer(first, #""done""#, Self.claimed)
        #expect(try fixture.next().names == ["withdraw k"])
    }

    @Test func nothingIsDueWithoutWork() throws {
        var fixture = TrafficFixture()
        #expect(fixture.traffic.due(after: fixture.now.time) == nil && fixture.traffic.isIdle)
        #expect(fixture.tick() == [] && fixture.traffic.due(after: fixture.now.time) == nil)
        #expect(try fixture.take() == nil)
    }

    // MARK: Failures

    @Test func whatFailedComesAgainLaterAndLaterWithTheSameMembers() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        var batch = try fixture.next()
        let members = batch.operations.map(\.json.text)
        for pause in [100, 200, 400, 800, 1_000, 1_000] {
            let outputs = try fixture.answer(batch.number, #"{"error":{"message":"no connection"}}"#)
            #expect(outputs == ["nobody: no connection"])
            let due = fixture.now.time.adding(milliseconds: pause)
            #expect(fixture.traffic.due(after: fixture.now.time) == due)
            fixture.pass(pause - 1)
            #expect(try fixture.take() == nil)
            fixture.pass(1)
            // The host may be slow to take it: nobody turns in circles.
            #expect(fixture.traffic.due(after: fixture.now.time) == nil)
            batch = try fixture.next()
            #expect(batch.operations.map(\.json.text) == members)
        }
        #expect(try fixture.answer(batch, Self.claimed) == ["7: intent of k is durable"])
    }

    @Test func oneOperationMayFailAlone() throws {
        var fixture = TrafficFixture()
        fixture.claim("a", id: 1)
        fixture.claim("b", id: 2)
        let outputs = try fixture.answer(fixture.next(), #""failed","message":"deadlock""#, Self.claimed)
        #expect(outputs == ["nobody: a deadlock", "2: intent of b is durable"])
        fixture.pass(1_000)
        #expect(try fixture.next("claim a", #""failed""#) == ["nobody: a no reason was given"])
    }

    @Test func whatFailedStaysInFrontOfWhatFollowsIt() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        let batch = try fixture.next()
        fixture.void()
        try fixture.answer(batch.number, #"{"error":{}}"#)
        #expect(try fixture.take() == nil, "the void waits for the claim")
        fixture.pass(100)
        try fixture.next("claim k", Self.claimed)
        #expect(try fixture.next("void k", #""done""#) == ["7: void of k is durable"])
    }

    // MARK: Late answers

    @Test func aBatchWithoutAnswerComesAgainAndItsLateAnswerCounts() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        let first = try fixture.next()
        fixture.pass(TrafficFixture.timeout - 1)
        #expect(fixture.tick() == [])
        fixture.pass(1)
        #expect(fixture.tick() == ["nobody: no answer within 2000 ms (journal_timeout_ms)"])
        fixture.pass(100)
        let second = try fixture.next()
        #expect(second.names == first.names && second.operations.map(\.claim) == first.operations.map(\.claim))
        #expect(try fixture.answer(first, Self.claimed) == ["7: intent of k is durable"])
        #expect(try fixture.answer(second, Self.claimed) == [], "the first answer counts")
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
    }

    @Test func aLateAnswerTakesItsOperationOutOfTheQueue() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        let first = try fixture.next()
        fixture.pass(TrafficFixture.timeout)
        _ = fixture.tick()
        try fixture.answer(first, Self.claimed)
        fixture.pass(2_000)
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
        // The key is free for what follows.
        fixture.settle()
        try fixture.next("settle k", #""done""#)
    }

    @Test func aFailureThatComesLateDoesNotDoubleTheOperation() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        let first = try fixture.next()
        fixture.pass(TrafficFixture.timeout)
        _ = fixture.tick()
        try fixture.answer(first.number, #"{"error":{"message":"late"}}"#)
        fixture.pass(2_000)
        #expect(try fixture.next().names == ["claim k"])
        #expect(try fixture.take() == nil)
    }

    @Test func overdueBatchesLeaveTheirPlaces() throws {
        var fixture = TrafficFixture()
        for number in 0..<8 {
            fixture.claim("k\(number)", clock: number)
            _ = try fixture.next()
        }
        fixture.pass(TrafficFixture.timeout)
        #expect(fixture.tick().count == 8)
        fixture.pass(100)
        #expect(try fixture.next().operations.count == 8)
    }

    @Test func theOldestOverdueBatchesAreForgotten() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        for _ in 0..<66 {
            _ = try fixture.next()
            fixture.pass(TrafficFixture.timeout)
            _ = fixture.tick()
            fixture.pass(1_000)
        }
        for number in [1, 2] as [UInt64] {
            #expect(throws: PartnerBookingError.self) { try fixture.answer(number, #"{"error":{}}"#) }
        }
        let answer = #"{"results":[{"id":"1","result":"claimed"}]}"#
        #expect(try fixture.answer(3, answer) == ["7: intent of k is durable"])
    }

    // MARK: Answers that are none

    @Test func anAnswerCountsOnceAndForItsBatchAlone() throws {
        var fixture = TrafficFixture()
        fixture.claim()
        let batch = try fixture.next()
        #expect(throws: PartnerBookingError.self) { try fixture.answer(99, #"{"error":{}}"#) }
        try fixture.answer(batch, Self.claimed)
        for _ in 0..<2 {
            #expect(throws: PartnerBookingError.self) { try fixture.answer(batch, Self.claimed) }
        }
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"results":{}}"#, #"{"results":null}"#, #"{"error":"down"}"#, #"{"results":[]}"#,
        #"{"results":[{"id":"1","result":"claimed"}]}"#, #"{"results":["claimed","claimed"]}"#,
        #"{"results":[{"id":1,"result":"claimed"},{"id":"2","result":"claimed"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"1","result":"claimed"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"3","result":"claimed"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"9223372036854775808","result":"claimed"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"2","result":"done"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"2","result":null}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"2"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"2","result":"held"}]}"#,
        #"{"results":[{"id":"1","result":"claimed"},{"id":"2","result":"claimed"}]} x"#,
    ])
    func anAnswerThatIsNoneLeavesItsBatchOpen(_ json: String) throws {
        var fixture = TrafficFixture()
        fixture.claim("a", id: 1)
        fixture.claim("b", id: 2)
        let batch = try fixture.next()
        #expect(throws: PartnerBookingError.self) { try fixture.answer(batch.number, json) }
        let outputs = try fixture.answer(batch, Self.claimed, Self.claimed)
        #expect(outputs == ["1: intent of a is durable", "2: intent of b is durable"], "nothing of it was taken")
    }

    @Test func theOrderOfResultsAndUnknownMembersMakeNoDifference() throws {
        var fixture = TrafficFixture()
        fixture.claim("a", id: 1)
        fixture.claim("b", id: 2)
        let batch = try fixture.next()
        let outputs = try fixture.answer(
            batch.number,
            #"{"x":1,"error":null,"results":[{"id":"2","result":"claimed","y":{}},{"result":"claimed","row":null,"id":"1"}]}"#
        )
        #expect(outputs == ["1: intent of a is durable", "2: intent of b is durable"])
    }
}
