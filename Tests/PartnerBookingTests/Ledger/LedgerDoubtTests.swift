import Testing

@testable import PartnerBooking

/// What the ledger keeps of a booking in doubt: the evidence, whether its caller has withdrawn the wish, and who waits to hear the
/// end.
@Suite struct LedgerDoubtTests {
    private static let now = 1_800_000_000_000
    private static let body = Array(
        #"{"bot_id":"b","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}}"#.utf8)
    private static let fingerprint = Fingerprint(digest: [1])
    private static let reply = Array("{}".utf8)
    private static let moment = MonotonicTime(nanoseconds: 1_000_000_000)
    private static let doubt = Evidence(inheritedAt: moment)
    private static let unheard = Ledger.Unheard(tag: "call-7")

    private static var ledger: Ledger { Ledger(retentionMilliseconds: 1_000, capacity: 100) }

    @discardableResult
    private static func begin(
        _ ledger: inout Ledger, id: TransferID = 1, _ fingerprint: Fingerprint? = fingerprint
    ) -> Ledger.Decision {
        ledger.begin("k", fingerprint, body: fingerprint == nil ? [] : body, id: id, now: now)
    }

    @discardableResult
    private static func withdraw(_ ledger: inout Ledger, _ key: String = "k") -> Bool { ledger.withdraw(key) }

    private static func renew(_ ledger: inout Ledger, _ key: String = "k") -> JournalEntry? { ledger.renew(key) }

    /// One booking in flight, of which a journal has the intent.
    private static func inFlight() -> Ledger {
        var ledger = ledger
        begin(&ledger)
        ledger.recorded("k")
        return ledger
    }

    private static func inDoubt(_ unheard: Ledger.Unheard? = nil) -> Ledger {
        var ledger = inFlight()
        ledger.ended("k", .inDoubt(doubt, unheard), now: now)
        return ledger
    }

    // MARK: Grants

    @Test func aNewKeyIsGrantedWithoutAnyEvidence() throws {
        var ledger = Self.ledger
        let grant = try #require(Self.begin(&ledger).grant)
        #expect(grant == Ledger.Grant(body: Self.body))
        #expect(!grant.evidence.isInDoubt && grant.evidence.outcome == .notSent)
        #expect(!grant.isRecorded && grant.unheard == nil)
    }

    /// Also when somebody wants it under the bare key: it is what was sent before.
    @Test(arguments: [true, false])
    func aKeyInDoubtIsGrantedWithAllThatIsKnownOfIt(isResumed: Bool) throws {
        var ledger = Self.inDoubt(Self.unheard)
        let grant = try #require(Self.begin(&ledger, id: 2, isResumed ? nil : Self.fingerprint).grant)
        #expect(grant == Ledger.Grant(body: Self.body, evidence: Self.doubt, isRecorded: true, unheard: Self.unheard))
        #expect(grant.evidence.outcome == .unknown && grant.evidence.inDoubtSince == Self.moment)
    }

    @Test func whatAnEarlierProcessHasSentIsDatedAtTheOpening() throws {
        let entry = JournalEntry(
            key: "k", fingerprint: Self.fingerprint, recordedAt: Self.now, state: .unsettled(body: Self.body))
        let ledger = BookingLedger(
            Ledger(retentionMilliseconds: .max / 4, capacity: 100), restoring: [entry], openedAt: Self.moment)
        let resume = try Request(.createBooking, json: Array(#"{"idempotency_key":"k","resume":true}"#.utf8))
        let grant = try #require(ledger.begin(resume, "k", id: 1).grant)
        #expect(
            grant
                == Ledger.Grant(body: Self.body, evidence: Self.doubt, isRecorded: true, unheard: Ledger.Unheard(tag: nil)),
            "nobody has heard its end")
    }

    // MARK: Withdrawn

    /// Also where the intent is not in the journal yet: it may be on its way there.
    @Test func aWithdrawalIsTakenDownOfWhatIsNotSettled() {
        var recorded = Self.inFlight()
        #expect(Self.withdraw(&recorded))
        var unrecorded = Self.ledger
        Self.begin(&unrecorded)
        #expect(Self.withdraw(&unrecorded))
        #expect(!Self.withdraw(&unrecorded, "another"))
        recorded.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(!Self.withdraw(&recorded), "it is settled")
    }

    @Test func aWithdrawalOutlivesItsCallAndIsPassedOn() throws {
        var ledger = Self.inFlight()
        Self.withdraw(&ledger)
        let remembered = ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        let entry = try #require(remembered)
        #expect(entry.isWithdrawn && !entry.isSettled)
        #expect(ledger.pending.map(\.state) == [.inDoubt])
    }

    /// The new intent is what takes the withdrawal back: so it is written again.
    @Test func aRepeatOfAWithdrawnBookingIsRecordedAgain() throws {
        var ledger = Self.inFlight()
        Self.withdraw(&ledger)
        ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        #expect(Self.begin(&ledger, id: 2).grant == Ledger.Grant(body: Self.body, evidence: Self.doubt, isRecorded: false))
        ledger.recorded("k")
        let remembered = ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        let entry = try #require(remembered)
        #expect(!entry.isWithdrawn)
        #expect(Self.begin(&ledger, id: 3).grant?.isRecorded == true)
    }

    @Test func anEarlierProcessesWithdrawalIsTakenBackByARepeat() {
        var ledger = Self.ledger
        let entry = JournalEntry(
            key: "k", fingerprint: Self.fingerprint, recordedAt: Self.now, state: .unsettled(body: Self.body),
            isWithdrawn: true)
        ledger.restore(entry, Self.doubt)
        let grant = Self.begin(&ledger).grant
        #expect(grant?.body == Self.body && grant?.evidence == Self.doubt && grant?.isRecorded == false)
    }

    /// Somebody joins a booking that was withdrawn and is still in flight.
    @Test func whatIsWantedAfterAllIsTakenDownAnew() throws {
        var ledger = Self.inFlight()
        #expect(Self.renew(&ledger) == nil, "it was not withdrawn")
        Self.withdraw(&ledger)
        let remembered = Self.renew(&ledger)
        let entry = try #require(remembered)
        #expect(entry.key == "k" && entry.fingerprint == Self.fingerprint && entry.recordedAt == Self.now)
        #expect(entry.state == .unsettled(body: Self.body) && !entry.isWithdrawn)
        #expect(Self.renew(&ledger) == nil, "once")
        let rest = ledger.ended("k", .inDoubt(Self.doubt, nil), now: Self.now)
        let ended = try #require(rest)
        #expect(!ended.isWithdrawn)
    }

    @Test func onlyWhatIsOpenIsWantedAfterAll() throws {
        var ledger = Self.inFlight()
        Self.withdraw(&ledger)
        #expect(Self.renew(&ledger, "another") == nil)
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(Self.renew(&ledger) == nil, "it is settled")
    }

    // MARK: Pending

    @Test func aPendingBookingSaysWhereItStands() {
        var ledger = Self.inFlight()
        #expect(ledger.pending.map(\.state) == [.inFlight])
        ledger.ended("k", .inDoubt(Self.doubt, Self.unheard), now: Self.now)
        #expect(ledger.pending.map(\.state) == [.inDoubt])
        Self.begin(&ledger, id: 2)
        #expect(ledger.pending.map(\.state) == [.inFlight])
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now)
        #expect(ledger.pending.isEmpty)
    }

    /// There was no room for the report: the booking stays listed until somebody asks for its key.
    @Test(arguments: [true, false])
    func aBookingThatWasNotReportedIsPendingUntilSomebodyAsks(isResumed: Bool) {
        var ledger = Self.inDoubt(Self.unheard)
        Self.begin(&ledger, id: 2)
        ledger.ended("k", .booked(reply: Self.reply), now: Self.now + 7)
        ledger.remainsUnheard("k", Self.unheard, body: Self.body, now: Self.now)
        #expect(ledger.pending.map(\.state) == [.booked])
        #expect(ledger.pending.map(\.body) == [Self.body] && ledger.pending.map(\.recordedAt) == [Self.now + 7])
        #expect(!Self.withdraw(&ledger), "it is settled")
        #expect(Self.begin(&ledger, id: 3, isResumed ? nil : Self.fingerprint) == .replay(Self.reply))
        #expect(ledger.pending.isEmpty)
        #expect(Self.begin(&ledger, id: 4) == .replay(Self.reply))
    }

    @Test func theListOfPendingBookingsHasTheStateInWords() throws {
        let states: [(Ledger.Pending.State, PendingBooking.State, Bool)] = [
            (.inFlight, .inFlight, true), (.inDoubt, .inDoubt, false), (.booked, .booked, false),
        ]
        for (state, expected, isInFlight) in states {
            let pending = Ledger.Pending(key: "k", body: Self.body, recordedAt: Self.now, state: state)
            let booking = try #require(PendingBooking(pending, now: Self.now))
            #expect(booking.state == expected && booking.isInFlight == isInFlight)
            let json = JSONWriter.object { booking.write(&$0) }
            let root = try JSONDocument(json, profile: .request).root
            #expect(root["state"]?.string == expected.rawValue)
            #expect(root["in_flight"]?.kind == .bool)
        }
        #expect(PendingBooking.State.inFlight.rawValue == "in_flight")
        #expect(PendingBooking.State.inDoubt.rawValue == "in_doubt" && PendingBooking.State.booked.rawValue == "booked")
    }
}

extension Ledger.Decision {
    /// What is sent, if anything.
    var grant: Ledger.Grant? {
        if case .send(let grant) = self { grant } else { nil }
    }
}
