import Testing

@testable import PartnerBooking

/// Claims of keys, from the first one to the end that the store knows.
@Suite struct TrafficClaimTests {
    typealias Fixture = TrafficFixture

    private static let claimed = #""claimed""#
    private static let done = #""done""#
    private static let lost = #""lost""#

    // MARK: The answers to a claim

    @Test func aClaimThatStandsIsHeld() throws {
        var fixture = Fixture()
        try fixture.claimed()
        #expect(fixture.traffic.lease.claim(of: "k") == "me-10")
        #expect(fixture.traffic.lease.end == fixture.now.boot + Fixture.lease * 800)
    }

    /// The store counts the lease from the moment at which it executes the claim: whichever copy
    /// that was.
    @Test func theLeaseOfALateAnswerCountsFromTheFirstTry() throws {
        var fixture = Fixture()
        fixture.claim()
        let begin = fixture.now.boot
        let first = try fixture.next()
        fixture.pass(Fixture.timeout)
        _ = fixture.tick()
        fixture.pass(100)
        _ = try fixture.next()
        fixture.pass(50)
        try fixture.answer(first, Self.claimed)
        #expect(fixture.traffic.lease.end == begin + Fixture.lease * 800)
    }

    @Test(arguments: [
        Fixture.result("refused", "refused"), Fixture.result("refused", "given_up"), Fixture.result("held", lease: 0),
        Fixture.result("held", lease: -1), Fixture.result("held", owner: Fixture.owner),
    ])
    func aRowThatNobodyHasIsClaimedInItsPlace(_ answer: String) throws {
        var fixture = Fixture()
        fixture.claim()
        let first = try fixture.next()
        #expect(first.operations.first?.replaces == nil)
        #expect(try fixture.answer(first, answer) == [])
        let second = try fixture.next()
        #expect(second.names == ["claim k"] && second.operations.first?.replaces == "other-1")
        #expect(second.operations.first?.claim == "me-10", "the same claim")
        // Somebody was faster.
        #expect(try fixture.answer(second, Fixture.result("held", claim: "other-2", lease: 0)) == [])
        let third = try fixture.next()
        #expect(third.operations.first?.replaces == "other-2")
        #expect(try fixture.answer(third, Self.claimed) == ["7: intent of k is durable"])
    }

    @Test(arguments: [
        (Fixture.result("held", lease: 1), "7: k is held"), (Fixture.result("booked", "booked"), "7: k is booked"),
        (Fixture.result("other"), "7: k is another request's"), (#""lost""#, "7: k is lost"),
        (Fixture.result("in_doubt"), "7: k was taken over"),
        (Fixture.result("in_doubt", owner: Fixture.owner), "7: k was taken over from this client"),
        // A repetition sees its own row. Whose sendings it has taken over is not known any more.
        (Fixture.result("in_doubt", claim: "me-10", owner: Fixture.owner), "7: k was taken over"),
    ])
    func theExchangeLearnsWhatTheStoreTells(_ answer: String, _ finding: String) throws {
        var fixture = Fixture()
        fixture.claim()
        #expect(try fixture.next("claim k", answer) == [finding])
        let isHeld = finding.contains("taken over")
        #expect(fixture.traffic.lease.claim(of: "k") == (isHeld ? "me-10" : nil))
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
    }

    @Test func aBookingWithoutCallIsClaimedAgainOnlyInPlaceOfTheOwnClaim() throws {
        var fixture = Fixture()
        fixture.claim(id: nil)
        #expect(try fixture.take() == nil, "the key is nobody's here")
        try fixture.claimed()
        fixture.claim(clock: 11, id: nil)
        let batch = try fixture.next()
        #expect(batch.operations.map(\.replaces) == ["me-10"] && batch.operations.map(\.claim) == ["me-11"])
        #expect(try fixture.answer(batch, Fixture.result("in_doubt", claim: "me-10", owner: Fixture.owner)) == [])
        #expect(fixture.traffic.lease.claim(of: "k") == "me-11")
    }

    // MARK: Nobody waits for the claim any more

    @Test func aClaimThatWasNotHandedOutIsGone() throws {
        var fixture = Fixture()
        fixture.claim()
        #expect(fixture.traffic.revoke(7) == true)
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
        #expect(fixture.traffic.revoke(7) == false, "there is none")
    }

    @Test func aFreshRowIsVoided() throws {
        var fixture = Fixture()
        fixture.claim()
        let batch = try fixture.next()
        #expect(fixture.traffic.revoke(7) == false)
        #expect(try fixture.answer(batch, Self.claimed) == [])
        #expect(fixture.traffic.lease.isEmpty)
        let void = try fixture.next()
        #expect(void.names == ["void k"] && void.operations.first?.claim == "me-10")
        #expect(void.operations.first?.json["outcome"]?.string == "not_sent")
        #expect(try fixture.answer(void, Self.done) == ["7: void of k is durable"])
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
    }

    @Test func theVoidOfTheExchangeIsEnough() throws {
        var fixture = Fixture()
        fixture.claim()
        let batch = try fixture.next()
        #expect(fixture.traffic.revoke(7) == false)
        fixture.void()
        #expect(try fixture.take() == nil, "not before the claim has an answer")
        try fixture.answer(batch, Self.claimed)
        let void = try fixture.next()
        #expect(void.names == ["void k"] && void.operations.first?.claim == "me-10")
        #expect(try fixture.answer(void, Self.done) == ["7: void of k is durable"])
        #expect(try fixture.take() == nil && fixture.traffic.isIdle)
    }

    /// Its sendings are not known here: a void would be a lie.
    @Test(arguments: [
        Fixture.result("in_doubt"), Fixture.result("in_doubt", owner: Fixture.owner), Fixture.result("held", lease: 1),
        Fixture.result("booked", "booked"), Fixture.result("other"), #""lost""#,
    ])
    func nothingElseIsVoided(_ answer: String) throws {
        for hasVoid in [true, false] {
            var fixture = Fixture()
            fixture.claim()
            let batch = try fixture.next()
            #expect(fixture.traffic.revoke(7) == false)
            if hasVoid { fixture.void() }
            #expect(try fixture.answer(batch, answer) == (hasVoid ? ["7: k is lost"] : []))
            #expect(fixture.traffic.lease.isEmpty, "the row of a dead engine is left to its lease")
            #expect(try fixture.take() == nil && fixture.traffic.isIdle)
        }
    }

    @Test func aClaimIsRepeatedUntilItsFateIsKnownAlsoWithoutAnybodyWaiting() throws {
        var fixture = Fixture()
        fixture.claim()
        _ = try fixture.next()
        #expect(fixture.traffic.revoke(7) == false)
        for _ in 0..<3 {
            fixture.pass(Fixture.timeout)
            _ = fixture.tick()
            fixture.pass(1_000)
            #expect(try fixture.next().names == ["claim k"])
        }
        #expect(!fixture.traffic.isIdle)
    }

    /// This client knows nothing of what the dead engine sent, although the row has its own name by
    /// now.
    @Test func whatAnAbandonedClaimHasTakenOverIsNotKnownLater() throws {
        var fixture = Fixture()
        for (clock, owner) in [(10, "other"), (11, Fixture.owner)] {
            fixture.claim(clock: clock)
            let batch = try fixture.next()
            #expect(fixture.traffic.revoke(7) == false)
            try fixture.answer(batch, Fixture.result("in_doubt", claim: "me-\(clock - 1)", owner: owner))
        }
        fixture.claim(clock: 12, id: 8)
        try fixture.next("claim k", Fixture.result("held", claim: "me-11", owner: Fixture.owner))
        let answer = Fixture.result("in_doubt", claim: "me-11", owner: Fixture.owner)
        #expect(try fixture.next("claim k", answer) == ["8: k was taken over"])
        // What follows it is this client's own.
        fixture.traffic.release("k")
        fixture.claim(clock: 13, id: 9)
        let own = Fixture.result("in_doubt", claim: "me-12", owner: Fixture.owner)
        #expect(try fixture.next("claim k", own) == ["9: k was taken over from this client"])
    }

    // MARK: Two claims of one key

    @Test func theLastClaimOfAnExchangeIsRevoked() throws {
        var fixture = Fixture()
        fixture.claim(clock: 10)
        let first = try fixture.next()
        #expect(fixture.traffic.revoke(7) == false)
        // It has waited for another client, and claims once more.
        fixture.claim(clock: 11)
        #expect(fixture.traffic.revoke(7) == true, "the second one was not handed out")
        try fixture.answer(first, Self.claimed)
        #expect(try fixture.next("void k", Self.done) == ["7: void of k is durable"])
        #expect(try fixture.take() == nil && fixture.traffic.lease.isEmpty)
    }

    /// It comes before the next claim, although it was added later.
    @Test func theVoidOfAnAbandonedClaimComesFirst() throws {
        var fixture = Fixture()
        fixture.claim(clock: 10)
        let first = try fixture.next()
        #expect(fixture.traffic.revoke(7) == false)
        fixture.claim(clock: 11, id: 8)
        try fixture.answer(first, Self.claimed)
        #expect(try fixture.next("void k", Self.done) == ["7: void of k is durable"])
        #expect(try fixture.next("claim k", Self.claimed) == ["8: intent of k is durable"])
        #expect(fixture.traffic.lease.claim(of: "k") == "me-11")
    }

    @Test func aReleasedKeyIsLeftToItsLease() throws {
        var fixture = Fixture()
        try fixture.claimed()
        fixture.traffic.release("k")
        #expect(fixture.traffic.lease.isEmpty && fixture.traffic.lease.end == nil)
        #expect(try fixture.take() == nil)
    }

    @Test func aReleaseWhileTheClaimIsUnderWayCounts() throws {
        for answer in [Self.claimed, Fixture.result("in_doubt")] {
            var fixture = Fixture()
            fixture.claim()
            let batch = try fixture.next()
            fixture.traffic.release("k")
            #expect(try fixture.answer(batch, answer).count == 1)
            #expect(fixture.traffic.lease.isEmpty)
            #expect(try fixture.take() == nil)
        }
    }

    @Test func aReleaseCountsForAClaimWithoutCallToo() throws {
        var fixture = Fixture()
        try fixture.claimed()
        fixture.claim(clock: 11, id: nil)
        let batch = try fixture.next()
        fixture.traffic.release("k")
        try fixture.answer(batch, Fixture.result("in_doubt", claim: "me-10", owner: Fixture.owner))
        #expect(fixture.traffic.lease.isEmpty)
    }

    @Test func aVoidThatIsLostTellsItsExchange() throws {
        var fixture = Fixture()
        try fixture.claimed()
        fixture.void()
        #expect(try fixture.next("void k", Self.lost) == ["7: k is lost"])
        #expect(fixture.traffic.lease.isEmpty)
    }

    /// What was made was made, and a tombstone keeps a late claim out.
    @Test func settleAndVoidNeedNoClaim() throws {
        var fixture = Fixture()
        fixture.settle("a", clock: 20)
        fixture.void("b", clock: 21)
        let batch = try fixture.next()
        #expect(batch.names == ["settle a", "void b"] && batch.operations.map(\.claim) == ["me-20", "me-21"])
        #expect(try fixture.answer(batch, Self.done, Self.done) == ["7: void of b is durable"])
        fixture.settle("c")
        #expect(try fixture.next("settle c", #""other""#).count == 1, "it is told as a failure")
        #expect(fixture.traffic.isIdle)
    }

    @Test(arguments: [#""done""#, #""other""#])
    func aSettledKeyIsNotHeldAnyMore(_ answer: String) throws {
        var fixture = Fixture()
        try fixture.claimed()
        fixture.settle()
        let batch = try fixture.next()
        #expect(batch.operations.map(\.claim) == ["me-10"])
        try fixture.answer(batch, answer)
        #expect(fixture.traffic.lease.isEmpty)
    }

    @Test func onlyTheHolderWithdraws() throws {
        var fixture = Fixture()
        fixture.traffic.add(JournalSample.withdrawn("k"), id: nil)
        #expect(try fixture.take() == nil)
        try fixture.claimed()
        fixture.traffic.add(JournalSample.withdrawn("k"), id: nil)
        let batch = try fixture.next()
        #expect(batch.names == ["withdraw k"] && batch.operations.map(\.claim) == ["me-10"])
        #expect(try fixture.answer(batch, Self.lost) == [])
        #expect(fixture.traffic.lease.claim(of: "k") == "me-10", "the next renewal tells")
    }

    /// The store takes it only from who names the claim that made the end.
    @Test func heardNamesTheClaimThatMadeTheEnd() throws {
        var fixture = Fixture()
        let heard = JournalSample.heard("k", end: 20)
        fixture.traffic.add(heard, id: nil)
        #expect(try fixture.take() == nil, "no end is known")

        try fixture.claimed()
        fixture.settle()
        try fixture.next("settle k", Self.done)
        fixture.traffic.add(heard, id: nil)
        #expect(try fixture.next().operations.map(\.claim) == ["me-10"], "its own booking")

        fixture = Fixture()
        try fixture.claimed()
        fixture.void()
        try fixture.next("void k", Self.done)
        fixture.traffic.add(heard, id: nil)
        #expect(try fixture.next().operations.map(\.claim) == ["me-10"], "its own refusal")

        fixture = Fixture()
        fixture.claim()
        try fixture.next("claim k", Fixture.result("booked", "booked", claim: "other-5"))
        fixture.traffic.add(heard, id: nil)
        try fixture.next("heard k", Self.done)
        fixture.traffic.add(heard, id: nil)
        #expect(try fixture.take() == nil, "it was heard")

        fixture.traffic.look("k", id: 7)
        try fixture.next("wait k", Fixture.result("refused", "refused", claim: "other-6"))
        fixture.traffic.add(heard, id: nil)
        #expect(try fixture.next().operations.map(\.claim) == ["other-6"])
    }
}
