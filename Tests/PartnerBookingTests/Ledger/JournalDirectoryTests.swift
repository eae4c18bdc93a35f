import Testing

@testable import PartnerBooking

/// Which file of a directory is whose, and what becomes of a key that two journals have. No file is
/// touched.
@Suite struct JournalDirectoryTests {
    private static let directory = JournalDirectory("/d", service: "sandbox")
    private static let other = JournalDirectory("/d", service: "platform_webhook")

    private static func name(_ number: Int, of directory: JournalDirectory = directory) -> String {
        String(directory.path(of: number).dropFirst(3))
    }

    // MARK: Names

    @Test func onlyJournalsOfTheServiceCount() {
        let own = Self.name(7)
        let other = Self.name(7, of: Self.other)
        let prefix = String(own.dropLast(9))
        let ends = [
            "07", "+7", "0", "", "123456789", "٧", "7x", "x7", "7.into-", "7.into-0", "7.into-2.into-3", ".into-2", "7.2",
        ]
        var strange: [String] = [".", "..", "", "bookings.journal", "bookings-7.journal", own.uppercased(), other]
        strange.append(contentsOf: [".new", ".damaged", " ", "/7"].map { "\(own)\($0)" })
        strange.append(contentsOf: ends.map { "\(prefix)\($0).journal" })
        strange.append("x\(own)")
        #expect(Self.directory.journals(strange) == [])
        #expect("\(prefix)7.journal" == own)
        let all: [String] = [Self.name(12)] + strange + [Self.name(99_999_999), own]
        #expect(Self.directory.journals(all) == [7, 12, 99_999_999].map { JournalDirectory.Name(number: $0) })
    }

    @Test func eachServiceHasNamesOfItsOwn() {
        #expect(Self.name(1) != Self.name(1, of: Self.other))
        #expect(Self.name(1).hasPrefix("bookings-") && Self.name(1).hasSuffix("-1.journal"))
        #expect(Self.other.journals([Self.name(1)]) == [])
    }

    @Test func aNameSaysWhereItsBookingsGo() {
        let name = JournalDirectory.Name(number: 3, target: 12)
        let text = String(Self.directory.path(of: name).dropFirst(3))
        #expect(text.hasSuffix("-3.into-12.journal") && Self.directory.journals([text]) == [name])
        #expect(Self.other.journals([text]) == [])
    }

    // MARK: Whose orphans

    /// `3>1` is a journal that is being moved into 1.
    private static func orphans(_ names: String, own: Int) -> [String] {
        let names = names.split(separator: " ").map { name in
            let parts = name.split(separator: ">").compactMap { Int($0) }
            return JournalDirectory.Name(number: parts[0], target: parts.count > 1 ? parts[1] : nil)
        }
        let orphans = JournalDirectory.orphans(among: names, own: own)
        return (orphans.owed.map { [$0] } + orphans.groups).map { group in
            group.map { name in name.target.map { "\(name.number)>\($0)" } ?? "\(name.number)" }.joined(separator: "+")
        }
    }

    @Test(arguments: [
        ("1 2 3", 2, ["1", "3"]),
        ("", 1, []),
        // What is being moved into the own journal comes first, and is nobody else's.
        ("1 2 3>1", 1, ["3>1", "2"]),
        ("1 2 3>1", 2, ["1+3>1"]),
        ("1 2 3>1 4>1 5>2", 7, ["1+3>1+4>1", "2+5>2"]),
        // Where that journal is gone, it is an orphan like others.
        ("2 3>1", 2, ["3>1"]),
        // Two files cannot have one name.
        ("1 3 3>1", 1, ["3>1"]),
        ("1 2 3>2 3>1", 1, ["3>1"]),
        // One that is being moved takes along what was being moved into it.
        ("3 2>3 5>2", 3, ["2>3", "5>2"]),
        ("3 2>3 5>2", 4, ["3+2>3+5>2"]),
        ("2>3 5>2", 4, ["2>3+5>2"]),
        ("4 2>3 3>2", 4, ["2>3", "3>2"]),
    ])
    func eachOrphanHasOneWhoMayAdoptIt(_ names: String, _ own: Int, _ expected: [String]) {
        #expect(Self.orphans(names, own: own) == expected)
    }

    @Test(arguments: [([], 1), ([1, 2, 3], 4), ([2, 3], 1), ([1, 3], 2), ([1, 2, 4, 9], 3)])
    func aNewJournalGetsTheFirstNumberThatIsFree(_ taken: [Int], _ number: Int) {
        #expect(JournalDirectory.newNumber(taken) == number)
    }

    // MARK: Two journals with one key

    private static let doubt = JournalEntry.earlier(.unsettled(body: LedgerFixture.body()))
    private static let booked = JournalEntry.earlier(.booked(reply: LedgerFixture.reply))
    private static let bookedWithoutReply = JournalEntry.earlier(.booked(reply: nil))
    private static let refused = JournalEntry.earlier(.refused(.rejected))

    private static func with(_ entry: JournalEntry, _ change: (inout JournalEntry) -> Void) -> JournalEntry {
        var entry = entry
        change(&entry)
        return entry
    }

    private static func ofAnotherTime(_ entry: JournalEntry, wish: Wish? = nil, later: Int = 1) -> JournalEntry {
        JournalEntry(
            key: entry.key, wish: wish ?? entry.wish, recordedAt: entry.recordedAt + later, clock: entry.clock,
            state: entry.state)
    }

    /// One is a copy of the other, at another time of the same booking.
    @Test func theCopyThatKnowsMoreStands() {
        for end in [Self.booked, Self.bookedWithoutReply, Self.refused] {
            #expect(end.merging(Self.doubt) == .same)
            #expect(Self.doubt.merging(end) == .other(end))
        }
        #expect(Self.bookedWithoutReply.merging(Self.booked) == .other(Self.booked))
        #expect(Self.booked.merging(Self.bookedWithoutReply) == .same)
        for entry in [Self.doubt, Self.booked, Self.bookedWithoutReply, Self.refused] {
            #expect(entry.merging(entry) == .same)
        }
    }

    @Test func anEndThatWasHeardInOneIsHeard() {
        let heard = Self.with(Self.booked) { $0.isHeard = true }
        #expect(heard.merging(Self.booked) == .same)
        #expect(Self.booked.merging(heard) == .other(heard))
        #expect(Self.with(Self.bookedWithoutReply) { $0.isHeard = true }.merging(Self.booked) == .other(heard))
    }

    @Test func aWithdrawalInOneCounts() {
        let withdrawn = Self.with(Self.doubt) { $0.isWithdrawn = true }
        #expect(withdrawn.merging(Self.doubt) == .same)
        #expect(Self.doubt.merging(withdrawn) == .other(withdrawn))
    }

    /// The host has used a refused key again, in another process. What came of that is not known.
    @Test func aLaterAttemptStaysInDoubt() {
        let later = Self.ofAnotherTime(Self.doubt)
        #expect(Self.refused.merging(later) == .other(later))
        #expect(later.merging(Self.refused) == .same)
        let other = Self.ofAnotherTime(Self.doubt, wish: LedgerFixture.wish(2))
        #expect(Self.refused.merging(other) == .other(other))
        #expect(other.merging(Self.refused) == .same)
    }

    /// A clock that was set back makes no refusal of a doubt.
    @Test func anEarlierAttemptStaysInDoubtToo() {
        let earlier = Self.ofAnotherTime(Self.doubt, later: -1)
        #expect(Self.refused.merging(earlier) == .other(earlier))
        #expect(earlier.merging(Self.refused) == .same)
    }

    @Test func aBookingStandsBesideARefusalOfItsKey() {
        for refused in [Self.refused, Self.ofAnotherTime(Self.refused, wish: LedgerFixture.wish(2))] {
            #expect(Self.booked.merging(refused) == .same)
            #expect(refused.merging(Self.booked) == .other(Self.booked))
        }
    }

    @Test func theLastOfTwoRefusalsStands() {
        let later = Self.ofAnotherTime(Self.refused)
        #expect(Self.refused.merging(later) == .other(later))
        #expect(later.merging(Self.refused) == .same)
    }

    @Test func twoBookingsUnderOneKeyAreNotMerged() {
        for entry in [Self.doubt, Self.booked] {
            for other in [Self.doubt, Self.booked] {
                #expect(entry.merging(Self.ofAnotherTime(other, wish: LedgerFixture.wish(2))) == .conflict)
            }
        }
    }

    /// Its fingerprint says nothing of the request's of today.
    @Test func aBookingOfVersion1IsTakenForTheSame() {
        let old = Self.with(Self.ofAnotherTime(Self.booked, wish: LedgerFixture.wish(2))) {
            $0.isOfVersion1 = true
            $0.isHeard = true
        }
        #expect(old.merging(Self.doubt) == .same)
        #expect(Self.doubt.merging(old) == .other(old))
    }

    // MARK: All entries of a journal

    private static func named(_ key: String, _ entry: JournalEntry) -> JournalEntry {
        .earlier(key, entry.state, clock: entry.clock, wish: entry.wish)
    }

    /// `#expect` cannot call what changes a variable.
    private static func take(
        _ adoption: inout JournalAdoption, _ entries: [JournalEntry],
        _ known: (String) -> JournalAdoption.Known = { _ in .nothing }
    ) -> JournalAdoption.Taking {
        adoption.take(entries, known: known)
    }

    @Test func aJournalIsTakenAsAWholeOrNotAtAll() {
        var adoption = JournalAdoption()
        let conflict = Self.named("b", Self.ofAnotherTime(Self.booked, wish: LedgerFixture.wish(2)))
        let known = ["b": JournalAdoption.Known.entry(Self.named("b", Self.doubt)), "c": .busy]
        let knownOf = { (key: String) -> JournalAdoption.Known in known[key] ?? .nothing }
        #expect(Self.take(&adoption, [Self.named("a", Self.doubt), conflict], knownOf) == .conflict)
        #expect(Self.take(&adoption, [Self.named("a", Self.doubt), Self.named("c", Self.doubt)], knownOf) == .busy)
        #expect(adoption.adopted == [])
        let taken = [Self.named("a", Self.doubt), Self.named("b", Self.booked)]
        #expect(Self.take(&adoption, taken, knownOf) == .taken)
        #expect(adoption.adopted == taken)
    }

    /// Two dead processes with one key: the journals are merged before one record is written.
    @Test func journalsThatAreTakenTogetherKnowOfEachOther() {
        var adoption = JournalAdoption()
        #expect(Self.take(&adoption, [Self.named("a", Self.doubt), Self.named("b", Self.booked)]) == .taken)
        #expect(Self.take(&adoption, [Self.named("a", Self.booked), Self.named("b", Self.doubt)]) == .taken)
        #expect(adoption.adopted == [Self.named("a", Self.booked), Self.named("b", Self.booked)])
    }

    @Test func aKeyMayBeTwiceInWhatIsTaken() {
        var adoption = JournalAdoption()
        #expect(Self.take(&adoption, [Self.named("a", Self.booked), Self.named("a", Self.doubt)]) == .taken)
        #expect(Self.take(&adoption, [Self.named("b", Self.doubt), Self.named("b", Self.booked)]) == .taken)
        #expect(adoption.adopted == [Self.named("a", Self.booked), Self.named("b", Self.booked)])
    }

    @Test func whatIsKnownAlreadyIsNotWrittenAgain() {
        var adoption = JournalAdoption()
        let entries = [Self.doubt, Self.named("b", Self.refused)]
        #expect(Self.take(&adoption, entries) { $0 == "k" ? .entry(Self.booked) : .nothing } == .taken)
        #expect(adoption.adopted == [Self.named("b", Self.refused)])
    }

    @Test func anEntryKeepsItsAge() {
        #expect(Self.doubt.moved(by: 7).clock == Self.doubt.clock + 7)
        #expect(Self.doubt.moved(by: -Self.doubt.clock - 1).clock == 0)
        #expect(Self.doubt.moved(by: JournalContents.lastClock).clock == JournalContents.lastClock)
    }

    @Test func theBudgetIsForAllJournalsOfARound() {
        var budget = AdoptionBudget(doubts: 3, bytes: 100)
        func read(_ bytes: Int) -> Bool { budget.read(bytes: bytes) }
        func admit(_ doubts: Int) -> Bool { budget.admit(doubts: doubts) }
        #expect(read(60) && admit(2))
        #expect(!read(60) && !admit(2))
        #expect(read(40) && admit(1))
        #expect(budget == AdoptionBudget(doubts: 0, bytes: 0))
    }
}
