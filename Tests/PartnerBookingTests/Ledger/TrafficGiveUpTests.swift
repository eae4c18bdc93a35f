import Testing

@testable import PartnerBooking

/// A person gives up bookings in doubt in the host's store.
@Suite struct TrafficGiveUpTests {
    typealias Fixture = TrafficFixture

    private static let end = Timestamp("2030-01-14T12:00:00Z")

    @Test func aBookingIsGivenUpByTheClaimThatItHas() throws {
        var fixture = Fixture()
        fixture.traffic.giveUp(.booking(key: "k"), id: 7)
        #expect(try fixture.next("wait k", Fixture.result("open", claim: "other-9", lease: -1)) == [])
        let batch = try fixture.next()
        #expect(batch.names == ["give_up k"] && batch.operations.map(\.claim) == ["other-9"])
        let outputs = try fixture.answer(batch, Fixture.result("given_up", claim: "other-9", lease: -1))
        #expect(outputs == [#"7: gave up ["k"] of ["k"], kept []"#])
        #expect(fixture.traffic.giveUps.isEmpty && fixture.traffic.isIdle)
    }

    @Test(arguments: [
        (Fixture.result("held", lease: 1), "k in_flight"), (Fixture.result("held", lease: 0), "k in_doubt"),
        (Fixture.result("kept", "booked"), "k booked"), (Fixture.result("kept", "refused"), "k refused"),
    ])
    func whatIsNoDoubtIsKept(_ answer: String, _ kept: String) throws {
        var fixture = Fixture()
        fixture.traffic.giveUp(.booking(key: "k"), id: 7)
        try fixture.next("wait k", Fixture.result("open", lease: -1))
        #expect(try fixture.next("give_up k", answer) == [#"7: gave up [] of [], kept ["\#(kept)"]"#])
    }

    @Test func nothingIsKnownUnderTheKey() throws {
        for answer in [#""absent""#, Fixture.result("refused", "given_up")] {
            var fixture = Fixture()
            fixture.traffic.giveUp(.booking(key: "k"), id: 7)
            #expect(try fixture.next("wait k", answer) == ["7: knows nothing"])
        }
        var fixture = Fixture()
        fixture.traffic.giveUp(.booking(key: "k"), id: 7)
        try fixture.next("wait k", Fixture.result("open", lease: -1))
        #expect(try fixture.next("give_up k", #""absent""#) == ["7: knows nothing"], "it has gone meanwhile")
    }

    /// A call of this client waits for it, and its request may be on its way.
    @Test func whatThisClientIsAtWorkOnIsKept() throws {
        var fixture = Fixture()
        try fixture.claimed()
        let row = Fixture.row(claim: "me-10", owner: Fixture.owner)
        fixture.traffic.giveUp(.booking(key: "k"), id: 8)
        let outputs = try fixture.next("wait k", #""open","row":\#(row)"#)
        #expect(outputs == [#"8: gave up [] of [], kept ["k in_flight"]"#])
        fixture.traffic.giveUp(.bookings(botID: "b", startBefore: try #require(Self.end)), id: 9)
        #expect(try fixture.next("pending", #""rows","rows":[\#(row)]"#) == [#"9: gave up [] of [], kept ["k in_flight"]"#])
        #expect(fixture.traffic.lease.claim(of: "k") == "me-10")
        #expect(try fixture.take() == nil)
    }

    @Test func theDoubtsOfABotAreGivenUpUntilAnInstant() throws {
        var fixture = Fixture()
        fixture.traffic.giveUp(.bookings(botID: "b", startBefore: try #require(Self.end)), id: 7)
        let rows = [
            Fixture.row(key: "a", claim: "c-1", lease: -1), Fixture.row(key: "other", lease: -1, bot: "c"),
            Fixture.row(key: "later", lease: -1, start: "2030-01-14T12:00:00Z"), Fixture.row("booked", key: "booked"),
            Fixture.row("refused", key: "refused"), Fixture.row(key: "b", claim: "c-2", lease: -1),
        ]
        let pending = try fixture.next()
        #expect(pending.names == ["pending"])
        #expect(pending.operations.first?.json["bot_id"]?.string == "b")
        #expect(pending.operations.first?.json["limit"]?.integer == 1_000)
        try fixture.answer(pending, #""rows","rows":[\#(rows.joined(separator: ","))]"#)
        let batch = try fixture.next()
        #expect(batch.names == ["give_up a", "give_up b"] && batch.operations.map(\.claim) == ["c-1", "c-2"])
        let outputs = try fixture.answer(
            batch, Fixture.result("given_up", key: "a", lease: -1), Fixture.result("held", key: "b", lease: 5))
        #expect(outputs == [#"7: gave up ["a"] of ["a"], kept ["b in_flight"]"#])
        #expect(try fixture.take() == nil, "each row is given up once")
    }

    @Test func aBotWithoutDoubtsHasNothingToGiveUp() throws {
        var fixture = Fixture()
        fixture.traffic.giveUp(.bookings(botID: "b", startBefore: try #require(Self.end)), id: 7)
        #expect(try fixture.next("pending", #""rows","rows":[]"#) == ["7: gave up [] of [], kept []"])
    }

    @Test func aGiveUpThatFailedIsRepeated() throws {
        var fixture = Fixture()
        fixture.traffic.giveUp(.booking(key: "k"), id: 7)
        let down = #"{"error":{"message":"down"}}"#
        #expect(try fixture.answer(fixture.next().number, down) == ["nobody: down"])
        fixture.pass(1_000)
        try fixture.next("wait k", Fixture.result("open", lease: -1))
        #expect(try fixture.answer(fixture.next().number, down) == ["nobody: down"])
        fixture.pass(1_000)
        // It was executed.
        #expect(
            try fixture.next("give_up k", Fixture.result("given_up", "given_up")) == [#"7: gave up ["k"] of ["k"], kept []"#]
        )
    }
}
