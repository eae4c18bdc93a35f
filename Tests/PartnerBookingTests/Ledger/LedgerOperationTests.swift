import Testing

@testable import PartnerBooking

/// The operations as the host gets them: docs/ledger-protocol.md.
@Suite struct LedgerOperationTests {
    private static let at = JournalSample.at
    private static let booking =
        #""fingerprint":"\#(JournalSample.wish.fingerprint.hex)","recorded_at":\#(at),"bot_id":"b","#
        + #""start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"start_ms":1894615200000"#

    private static func text(_ operation: LedgerOperation, key: String? = "k") throws -> String {
        var fixture = TrafficFixture()
        fixture.traffic.add(operation, key: key)
        let batch = try fixture.next()
        return try #require(batch.operations.first).json.text
    }

    private static func head(_ name: String, key: String = #","key":"k""#) -> String {
        #"{"op":"\#(name)","id":"1","scope":"s"\#(key)"#
    }

    private static func intent(
        _ wish: Wish = JournalSample.wish, body: String = "{}", account: String? = nil, replaces: String? = nil,
        isOrphan: Bool = false
    ) -> LedgerOperation {
        .claim(
            "c",
            LedgerOperation.Intent(
                wish: wish, body: Array(body.utf8), accountID: account, recordedAt: at, replaces: replaces,
                isOrphan: isOrphan))
    }

    @Test func aClaimHasTheWholeBooking() throws {
        let names = #","claim":"c","owner":"me","lease_ms":15000,"#
        let plain = Self.head("claim") + names + Self.booking
        #expect(try Self.text(Self.intent()) == plain + #","body":"{}"}"#)
        let others =
            #","conversation":"call \"1\"","replaces":"c0","orphan":true,"account_id":"acct","body":"{\"a\":\"\\n\"}"}"#
        let full = Self.intent(
            JournalSample.wish(conversation: #"call "1""#), body: #"{"a":"\n"}"#, account: "acct", replaces: "c0",
            isOrphan: true)
        #expect(try Self.text(full) == plain + others)
    }

    @Test func aBookingWithoutSummaryHasNone() throws {
        let wish = Wish(fingerprint: JournalSample.wish.fingerprint, summary: nil)
        let text = try Self.text(Self.intent(wish))
        #expect(!text.contains("bot_id") && !text.contains("start_ms") && text.contains("recorded_at"))
    }

    @Test func theEndsOfABookingStandForTheirClaims() throws {
        let reply = Array(#"{"x":"ü"}"#.utf8)
        let settle = try Self.text(.settle("c", JournalSample.wish, recordedAt: Self.at, reply: reply))
        let names = #","claim":"c","owner":"me","#
        #expect(settle == Self.head("settle") + names + Self.booking + #","reply":"{\"x\":\"ü\"}"}"#)
        for outcome in [PartnerBookingError.Outcome.notSent, .rejected] {
            let void = try Self.text(.void("c", JournalSample.wish, recordedAt: Self.at, outcome))
            #expect(void == Self.head("void") + names + Self.booking + #","outcome":"\#(outcome.rawValue)"}"#)
        }
    }

    @Test func theOthersAreShort() throws {
        #expect(try Self.text(.wait) == Self.head("wait") + "}")
        #expect(try Self.text(.withdraw("c")) == Self.head("withdraw") + #","claim":"c","withdrawn":true}"#)
        #expect(try Self.text(.giveUp("c")) == Self.head("give_up") + #","claim":"c","owner":"me"}"#)
        #expect(try Self.text(.heard("c")) == Self.head("heard") + #","claim":"c"}"#)
        let renew = LedgerOperation.renew([.init(key: "k", claim: "c"), .init(key: "k\u{0}", claim: "d")])
        let claims = #"[{"key":"k","claim":"c"},{"key":"k\u0000","claim":"d"}]"#
        let rest = #","owner":"me","lease_ms":15000,"claims":\#(claims)}"#
        #expect(try Self.text(renew, key: nil) == Self.head("renew", key: "") + rest)
        let orphans = #","limit":32,"not_before_ms":7}"#
        #expect(try Self.text(.orphans(limit: 32, notBefore: 7), key: nil) == Self.head("orphans", key: "") + orphans)
        let all = try Self.text(.pending(botID: nil, limit: 10), key: nil)
        #expect(all == Self.head("pending", key: "") + #","limit":10}"#)
        let one = try Self.text(.pending(botID: "b", limit: 10), key: nil)
        #expect(one == Self.head("pending", key: "") + #","limit":10,"bot_id":"b"}"#)
    }

    /// What a close waits for.
    @Test func onlyWhatChangesTheStoreIsWriting() {
        let wish = JournalSample.wish
        let writing: [LedgerOperation] = [
            Self.intent(), .settle("c", wish, recordedAt: 1, reply: []), .void("c", wish, recordedAt: 1, .rejected),
            .withdraw("c"), .giveUp("c"), .heard("c"),
        ]
        #expect(writing.allSatisfy(\.isWriting) && !writing.contains(where: \.isUpkeep))
        let reading: [LedgerOperation] = [
            .wait, .renew([]), .orphans(limit: 1, notBefore: 1), .pending(botID: nil, limit: 1),
        ]
        #expect(reading.map(\.isWriting) == [false, false, false, false])
        #expect(reading.map(\.isUpkeep) == [false, true, true, false])
    }
}
