import Testing

@testable import PartnerBooking

/// What a client does with its store by itself: renewals, orphans, and its end.
@Suite struct TrafficUpkeepTests {
    typealias Fixture = TrafficFixture

    private static let renewalPause = Fixture.lease / 3

    // MARK: Renewals

    @Test func whatIsHeldIsRenewedThreeTimesInALease() throws {
        var fixture = Fixture()
        try fixture.claimed("a", clock: 1)
        try fixture.claimed("b", clock: 2, id: 8)
        _ = fixture.tick()
        for _ in 0..<3 {
            #expect(try fixture.take() == nil)
            fixture.pass(Self.renewalPause)
            #expect(fixture.tick() == [])
            let begin = fixture.now.boot
            let batch = try fixture.next()
            #expect(batch.names == ["renew"])
            let claims = try #require(batch.operations.first?.json["claims"]).elements.map { $0["claim"]?.string }
            #expect(Set(claims) == ["me-1", "me-2"])
            fixture.pass(100)
            #expect(try fixture.answer(batch, #""renewed","lost":[]"#) == [])
            #expect(fixture.traffic.lease.end == begin + Fixture.lease * 800, "from the begin of the renewal")
        }
    }

    @Test func nothingIsRenewedWithoutKeys() throws {
        var fixture = Fixture()
        try fixture.claimed()
        _ = fixture.tick()
        fixture.settle()
        try fixture.next("settle k", #""done""#)
        fixture.pass(Self.renewalPause)
        _ = fixture.tick()
        #expect(try fixture.take() == nil)
        #expect(fixture.traffic.due(after: fixture.now.time) == nil)
    }

    @Test func aKeyThatIsLostIsTold() throws {
        var fixture = Fixture()
        try fixture.claimed("a", clock: 1)
        try fixture.claimed("b", clock: 2, id: 8)
        _ = fixture.tick()
        fixture.pass(Self.renewalPause)
        _ = fixture.tick()
        let batch = try fixture.next()
        // A key that is settled meanwhile is not lost.
        fixture.settle("b")
        try fixture.next("settle b", #""done""#)
        #expect(try fixture.answer(batch, #""renewed","lost":["a","b","c"]"#) == ["nobody: a is lost"])
        #expect(fixture.traffic.lease.isEmpty && fixture.traffic.lease.end == nil)
        fixture.void("a")
        #expect(try fixture.next().operations.map(\.claim) == ["me-20"], "not by the claim that is lost")
    }

    /// The key has a new claim by then, of which that answer knows nothing.
    @Test func aRenewalSaysNothingOfALaterClaim() throws {
        var fixture = Fixture()
        try fixture.claimed(clock: 1)
        _ = fixture.tick()
        fixture.pass(Self.renewalPause)
        _ = fixture.tick()
        let renewal = try fixture.next()
        fixture.claim(clock: 2, id: 8)
        try fixture.next("claim k", Fixture.result("in_doubt", claim: "me-1", owner: Fixture.owner))
        #expect(try fixture.answer(renewal, #""renewed","lost":["k"]"#) == [])
        #expect(fixture.traffic.lease.claim(of: "k") == "me-2")
    }

    @Test(arguments: [#""failed""#, nil]) func aRenewalThatFailedIsMadeAgainSoon(_ result: String?) throws {
        var fixture = Fixture()
        try fixture.claimed()
        _ = fixture.tick()
        fixture.pass(Self.renewalPause)
        _ = fixture.tick()
        let batch = try fixture.next()
        let end = fixture.traffic.lease.end
        if let result { try fixture.answer(batch, result) } else { fixture.pass(Fixture.timeout) }
        _ = fixture.tick()
        fixture.pass(49)
        _ = fixture.tick()
        #expect(try fixture.take() == nil)
        fixture.pass(1)
        _ = fixture.tick()
        #expect(try fixture.next().names == ["renew"])
        #expect(fixture.traffic.lease.end == end)
    }

    @Test func oneRenewalIsUnderWayAtATime() throws {
        var fixture = Fixture()
        try fixture.claimed()
        _ = fixture.tick()
        for _ in 0..<3 {
            fixture.pass(Self.renewalPause)
            // The host does not take it.
            fixture.traffic.look("other", id: 9)
            _ = fixture.tick()
        }
        #expect(try fixture.next().names.filter { $0 == "renew" } == ["renew"])
    }

    // MARK: Orphans

    @Test func orphansAreLookedForAtOnceAndEveryOneToThreeSeconds() throws {
        var fixture = Fixture(takesOver: true)
        for _ in 0..<20 {
            _ = fixture.tick()
            let batch = try fixture.next()
            #expect(batch.names == ["orphans"])
            #expect(batch.operations.first?.json["limit"]?.integer == 32)
            #expect(batch.operations.first?.json["not_before_ms"]?.integer == fixture.now.wall)
            try fixture.answer(batch, #""rows","rows":[]"#)
            fixture.pass(999)
            _ = fixture.tick()
            #expect(try fixture.take() == nil)
            let due = try #require(fixture.traffic.due(after: fixture.now.time))
            #expect((1...2_001).contains(due.milliseconds(since: fixture.now.time)))
            fixture.pass(due.milliseconds(since: fixture.now.time))
        }
    }

    @Test func whoDoesNotTakeOverLooksForNothing() throws {
        var fixture = Fixture(takesOver: false)
        fixture.pass(60_000)
        _ = fixture.tick()
        #expect(try fixture.take() == nil && fixture.traffic.due(after: fixture.now.time) == nil)
    }

    /// Each at most once in a minute; one that cannot be read hides none.
    @Test func orphansAreHandedOver() throws {
        var fixture = Fixture(takesOver: true)
        let answer = #""rows","rows":[\#(Fixture.row(key: "a")),{"key":"bad"},null,\#(Fixture.row(key: "b"))]"#
        for outputs in [["orphans a b"], []] {
            _ = fixture.tick()
            #expect(try fixture.next("orphans", answer) == outputs)
            fixture.pass(3_000)
        }
        fixture.pass(60_000)
        _ = fixture.tick()
        #expect(try fixture.next("orphans", answer) == ["orphans a b"])
    }

    @Test func aLookForOrphansThatFailedIsNotRepeated() throws {
        var fixture = Fixture(takesOver: true)
        _ = fixture.tick()
        try fixture.next("orphans", #""failed""#)
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
        fixture.pass(3_000)
        _ = fixture.tick()
        #expect(try fixture.next().names == ["orphans"])
    }

    @Test func anOrphanIsClaimedAsOne() throws {
        var fixture = Fixture()
        fixture.claim(isOrphan: true)
        let first = try fixture.next()
        #expect(first.operations.first?.json["orphan"]?.boolean == true)
        try fixture.answer(first, Fixture.result("held", lease: -5))
        let second = try fixture.next()
        #expect(second.operations.first?.json["orphan"]?.boolean == true && second.operations.first?.replaces == "other-1")
    }

    // MARK: Looks

    @Test func aLookTellsTheRow() throws {
        let answers = [
            (#""absent""#, "7: k is absent"), (Fixture.result("open"), "7: k is in_flight"),
            (Fixture.result("open", lease: 0), "7: k is in_doubt"), (Fixture.result("booked", "booked"), "7: k is booked"),
            (Fixture.result("refused", "refused"), "7: k is refused"),
        ]
        for (answer, finding) in answers {
            var fixture = Fixture()
            fixture.traffic.look("k", id: 7)
            fixture.traffic.look("k", id: 7)
            #expect(try fixture.next("wait k", answer) == [finding])
            #expect(try fixture.take() == nil, "one at a time")
        }
    }

    // MARK: The end

    @Test func aClientThatClosesOnlyWrites() throws {
        var fixture = Fixture(takesOver: true)
        try fixture.claimed("a", clock: 1)
        try fixture.claimed("b", clock: 2)
        _ = fixture.tick()
        fixture.pass(Self.renewalPause)
        fixture.traffic.isClosing = true
        _ = fixture.tick()
        fixture.traffic.look("c", id: 9)
        fixture.traffic.giveUp(.bookings(botID: "b", startBefore: LedgerFixture.later), id: 9)
        fixture.settle("a")
        fixture.void("b")
        #expect(!fixture.traffic.isIdle)
        let batch = try fixture.next()
        #expect(batch.names == ["settle a", "void b"])
        try fixture.answer(batch, #""done""#, #""done""#)
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
        _ = fixture.tick()
        #expect(fixture.traffic.due(after: fixture.now.time) == nil)
    }

    /// It is never handed out, and must not keep back what is to be written.
    @Test func aLookDoesNotKeepBackWhatFollowsIt() throws {
        var fixture = Fixture()
        try fixture.claimed()
        fixture.traffic.look("k", id: 9)
        fixture.settle()
        fixture.traffic.isClosing = true
        try fixture.next("settle k", #""done""#)
        #expect(fixture.traffic.isIdle)
    }
}
