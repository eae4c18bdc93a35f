import Testing

@testable import PartnerBooking

/// One key, one booking, under a clock of the test's own.
@Suite struct LedgerTests {
    private static let now = 1_800_000_000_000
    private static let retention = 1_000
    private static let body = Array(
        #"{"bot_id":"b","booking":{"start_at":"2020-01-01T00:00:00Z","duration_minutes":30}}"#.utf8)
    private static let first = Fingerprint(digest: [1])
    private static let second = Fingerprint(digest: [2])
    private static let reply = Array("{}".utf8)

    private static func ledger(capacity: Int = 100) -> Ledger {
        Ledger(retentionMilliseconds: retention, capacity: capacity)
    }

    private static let fresh = Ledger.Decision.send(Ledger.Grant(body: body))

    private static let moment = MonotonicTime(nanoseconds: 1_000_000_000)
    /// The evidence of a sending that was not answered.
    private static let doubt = Evidence(inheritedAt: moment)

    private static func begin(
        _ ledger: inout Ledger, _ key: String = "k", _ fingerprint: Fingerprint? = first, id: TransferID = 1, after: Int = 0
    ) -> Ledger.Decision {
        ledger.begin(key, fingerprint, body: fingerprint == nil ? [] : body, id: id, now: now + after)
    }

    @Test func newKeysAreSent() {
        var ledger = Self.ledger()
        #expect(Self.begin(&ledger) == Self.fresh)
        #expect(Self.begin(&ledger, "other", id: 2) == Self.fresh)
    }

    @Test func twinsJoin() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger, id: 7)
        #expect(Self.begin(&ledger, id: 8) == .join(7))
        #expect(Self.begin(&ledger, "k", nil, id: 8) == .join(7))
        #expect(Self.begin(&ledger, "k", Self.second, id: 9) == .refuse)
    }

    @Test func whatIsBookedIsReplayed() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger)
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(Self.begin(&ledger, id: 2) == .replay(Self.reply))
        #expect(Self.begin(&ledger, "k", nil, id: 3) == .replay(Self.reply))
        #expect(Self.begin(&ledger, "k", Self.second, id: 4) == .refuse)
        #expect(ledger.pending.isEmpty)
    }

    @Test func whatBookedNothingFreesItsKey() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger)
        ledger.ended("k", .notBooked, now: Self.now)
        #expect(ledger.count == 0)
        #expect(Self.begin(&ledger, "k", Self.second, id: 2) == Self.fresh)
    }

    @Test func doubtKeepsItsKeyAndItsBodyUntilItIsSettled() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger)
        ledger.recorded("k")
        ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        #expect(Self.begin(&ledger, "k", Self.second, id: 2) == .refuse)
        let again = Ledger.Decision.send(Ledger.Grant(body: Self.body, evidence: Self.doubt, isRecorded: true))
        #expect(Self.begin(&ledger, "k", nil, id: 3) == again)
        #expect(Self.begin(&ledger, id: 4) == .join(3))
        ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        #expect(Self.begin(&ledger, id: 5) == again)
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(Self.begin(&ledger, id: 6) == .replay(Self.reply))
    }

    @Test func nothingIsResumedUnderAnUnknownKey() {
        var ledger = Self.ledger()
        #expect(Self.begin(&ledger, "k", nil) == .absent)
        #expect(ledger.count == 0)
        #expect(Self.begin(&ledger) == Self.fresh)
    }

    @Test func keysAreForgottenInTime() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger)
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(Self.begin(&ledger, id: 2, after: Self.retention - 1) == .replay(Self.reply))
        #expect(Self.begin(&ledger, "k", Self.second, id: 3, after: Self.retention) == Self.fresh)
    }

    /// The appointment is what a doubt is about: it is remembered until long after that.
    @Test func doubtIsRememberedUntilAfterTheAppointment() {
        var ledger = Self.ledger()
        let start = 4_102_444_800_000  // 2100-01-01
        let body = Array(#"{"bot_id":"b","booking":{"start_at":"2100-01-01T00:00:00Z","duration_minutes":30}}"#.utf8)
        _ = ledger.begin("k", Self.first, body: body, id: 1, now: Self.now)
        ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        #expect(ledger.begin("k", Self.second, body: body, id: 2, now: start + Self.retention - 1) == .refuse)
        #expect(ledger.begin("k", nil, body: [], id: 3, now: start + Self.retention) == .absent)
    }

    /// One that is in flight is not forgotten, however long it takes, nor for what it was before.
    @Test func keyInFlightIsNotForgotten() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger)
        ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        _ = Self.begin(&ledger, id: 2, after: 900)
        #expect(Self.begin(&ledger, id: 3, after: 100_000_000) == .join(2))
    }

    /// Those settled go first, oldest first, then those in doubt, and those in flight never.
    @Test func whatMattersLeastGoesFirstWhenThereAreTooMany() {
        var ledger = Self.ledger(capacity: 10)
        for number in 0..<3 { _ = Self.begin(&ledger, "flight-\(number)", id: TransferID(number)) }
        for number in 0..<3 {
            _ = Self.begin(&ledger, "doubt-\(number)", id: 10, after: number)
            ledger.ended("doubt-\(number)", .inDoubt(Self.doubt, nil), now: Self.now + number)
        }
        for number in 0..<4 {
            _ = Self.begin(&ledger, "booked-\(number)", id: 10, after: number)
            ledger.ended("booked-\(number)", .booked(reply: Self.reply), now: Self.now + number)
        }
        #expect(ledger.count == 10)
        _ = Self.begin(&ledger, "one more", id: 11, after: 10)
        #expect(ledger.count == 9)
        #expect(Self.begin(&ledger, "booked-0", nil, after: 10) == .absent)
        #expect(Self.begin(&ledger, "booked-1", nil, after: 10) == .absent)
        #expect(Self.begin(&ledger, "booked-2", nil, after: 10) == .replay(Self.reply))
        #expect(
            ledger.pending.map(\.key).sorted() == [
                "doubt-0", "doubt-1", "doubt-2", "flight-0", "flight-1", "flight-2", "one more",
            ])
    }

    @Test func pendingOnesAreListedOldestFirst() {
        var ledger = Self.ledger()
        _ = Self.begin(&ledger, "later", after: 5)
        _ = Self.begin(&ledger, "earlier", id: 2)
        ledger.ended("earlier", .inDoubt(Self.doubt, nil), now: Self.now + 7)
        let pending = ledger.pending
        #expect(pending.map(\.key) == ["earlier", "later"])
        #expect(pending.map(\.state) == [.inDoubt, .inFlight])
        #expect(pending.map(\.recordedAt) == [Self.now, Self.now + 5])
        #expect(pending.allSatisfy { $0.body == Self.body })
    }

    @Test func endOfAnUnknownKeyIsNothing() {
        var ledger = Self.ledger()
        #expect(ledger.ended("k", .booked(reply: Self.reply), now: Self.now) == nil)
        #expect(ledger.count == 0)
    }

    @Test func whatAnEarlierProcessKnewIsTakenBack() {
        var ledger = Self.ledger()
        ledger.restore(
            JournalEntry(key: "a", fingerprint: Self.first, recordedAt: Self.now, state: .booked(reply: Self.reply)),
            Evidence())
        ledger.restore(
            JournalEntry(key: "b", fingerprint: Self.first, recordedAt: Self.now, state: .unsettled(body: Self.body)),
            Self.doubt)
        #expect(ledger.pending.map(\.key) == ["b"])
        #expect(Self.begin(&ledger, "a") == .replay(Self.reply))
        let grant = Ledger.Grant(
            body: Self.body, evidence: Self.doubt, isRecorded: true, unheard: Ledger.Unheard(tag: nil))
        #expect(Self.begin(&ledger, "b") == .send(grant))
        #expect(Self.begin(&ledger, "a", Self.second) == .refuse)
    }
}
