import Glibc
import Testing

@testable import PartnerBooking

/// A client at work adopts journals of processes that die meanwhile.
@Suite struct JournalHeirTests {
    private typealias Sample = JournalSample

    private static func settings(_ path: String) -> Journal.Settings {
        Journal.Settings(path: path, isInDirectory: true, service: "s", retentionMilliseconds: 86_400_000)
    }

    private static func leave(_ path: String, _ number: Int, _ records: [JournalRecord]) throws {
        let file = try #require(fopen(JournalDirectory(path, service: "s").path(of: number), "we"))
        let mark = JournalRecord.journal(service: "s", JournalRecord.Mark(clock: 1_000_000, reading: .now()))
        let bytes = Sample.bytes([mark] + records)
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0)
    }

    private static func remains(_ path: String, _ number: Int) -> Bool {
        access(JournalDirectory(path, service: "s").path(of: number), F_OK) == 0
    }

    @Test func doubtsOfDeadProcessesAreListedAndResumed() throws {
        let place = try TemporaryPath()
        let path = place.path
        defer {
            unlink(JournalDirectory(path, service: "s").path(of: 1))
            rmdir(path)
        }
        let (journal, _) = try Journal.open(Self.settings(path))
        let ledger = LedgerStore(LedgerFixture(retention: 86_400_000).ledger, journal)
        let resumed = Monitor<[String]>([])
        ledger.resumeInherited { entries in resumed.update { $0 += entries.map(\.key) } }
        try Self.leave(path, 2, [Sample.intent("a", Sample.wish(conversation: "call-7")), Sample.booked("b")])
        journal.adopter?.due = .now()
        let thread = try #require(try ledger.startJournal { _ in })
        defer {
            journal.beginClose()
            thread.join()
        }
        #expect(resumed.wait(until: .now().adding(milliseconds: 20_000)) { $0.isEmpty ? nil : $0 } == ["a", "b"])
        #expect(!Self.remains(path, 2))
        #expect(ledger.pending.map(\.key).sorted() == ["a", "b"] && ledger.mayBeMade("a"))
        #expect(ledger.bookings(of: "call-7", botID: "b").map(\.booking.key) == ["a"])
    }

    private final class Heir: JournalHeir {
        let ledger = Monitor(LedgerFixture())
        func known(of key: String) -> JournalAdoption.Known { ledger.withLock { $0.ledger.known(key, now: $0.now) } }
        var unsettledCount: Int { ledger.withLock { $0.ledger.unsettledCount } }
        func inherit(_ entries: [JournalEntry]) {}
    }

    /// The host repeats the key in this process. Once that has ended, the other file is looked at
    /// again.
    @Test func aKeyInFlightPutsItsFileOff() throws {
        let place = try TemporaryPath()
        let path = place.path
        defer {
            unlink(JournalDirectory(path, service: "s").path(of: 1))
            rmdir(path)
        }
        let (journal, _) = try Journal.open(Self.settings(path))
        let adopter = try #require(journal.adopter)
        let heir = Heir()
        heir.ledger.withLock { _ = $0.begin("k", Sample.wish) }
        try Self.leave(path, 2, [Sample.intent("k"), Sample.intent("l")])
        #expect(adopter.adoptLater(into: journal, known: heir.known, unsettled: 0) == [] && Self.remains(path, 2))
        #expect(adopter.due < .now().adding(milliseconds: 15_000))
        heir.ledger.withLock { $0.ended("k", .made) }
        #expect(adopter.adoptLater(into: journal, known: heir.known, unsettled: 0).map(\.key) == ["l"])
        #expect(!Self.remains(path, 2))
        #expect(adopter.due > .now().adding(milliseconds: 40_000))
    }

    // MARK: The ledger

    private static func inherit(_ fixture: inout LedgerFixture, _ entry: JournalEntry) -> Bool {
        fixture.ledger.inherit(entry, service: 0, LedgerFixture.doubt, now: fixture.now)
    }

    @Test func aBookingUnderWayIsNotReplaced() {
        var fixture = LedgerFixture()
        fixture.begin()
        #expect(!Self.inherit(&fixture, .earlier(.booked(reply: LedgerFixture.reply))))
        fixture.ended(.unknown)
        #expect(!Self.inherit(&fixture, .earlier(.booked(reply: LedgerFixture.reply))))
        #expect(fixture.states == [.inDoubt] && fixture.ledger.unsettledCount == 1)
    }

    /// A refusal of this process says nothing of what another one has sent.
    @Test func aDoubtTakesThePlaceOfARefusal() {
        var fixture = LedgerFixture()
        fixture.end(.notBooked(.rejected))
        #expect(Self.inherit(&fixture, .earlier(.unsettled(body: LedgerFixture.body()))))
        #expect(fixture.states == [.inDoubt] && fixture.ledger.unsettledCount == 1 && fixture.ledger.settledCount == 0)
        #expect(fixture.resume().grant?.evidence == LedgerFixture.doubt)
    }

    @Test func aHeardBookingIsReplayedAndNotListed() {
        var fixture = LedgerFixture()
        var entry = JournalEntry.earlier(.booked(reply: LedgerFixture.reply))
        entry.isHeard = true
        #expect(Self.inherit(&fixture, entry))
        #expect(fixture.keys == [] && fixture.begin() == .replay(LedgerFixture.reply, end: .none))
    }
}
