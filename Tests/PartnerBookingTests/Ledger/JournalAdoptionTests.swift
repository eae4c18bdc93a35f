import Glibc
import Testing

@testable import PartnerBooking

/// Journals of one directory on the disk, as processes come and go. A journal that is released is
/// one of a dead process.
@Suite struct JournalAdoptionTests {
    private typealias Sample = JournalSample

    /// A directory with files, which goes with the test.
    private final class Folder {
        private let place: TemporaryPath
        let path: String

        init(isMade: Bool = true) throws {
            place = try TemporaryPath()
            path = place.path
            if isMade { #expect(mkdir(path, 0o700) == 0) }
        }

        deinit {
            for name in names { unlink("\(path)/\(name)") }
            rmdir(path)
        }

        var names: [String] {
            guard let directory = opendir(path) else { return [] }
            defer { closedir(directory) }
            var names: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 } }
                names.append(String(decoding: name, as: UTF8.self))
            }
            return names.filter { $0 != "." && $0 != ".." }.sorted()
        }

        func path(_ number: Int) -> String { JournalDirectory(path, service: "s").path(of: number) }

        func settings(required: Bool = true) -> Journal.Settings {
            Journal.Settings(
                path: path, isInDirectory: true, service: "s", retentionMilliseconds: 86_400_000, isRequired: required)
        }

        func write(_ bytes: [UInt8], to path: String) throws {
            let file = try #require(fopen(path, "we"))
            #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count && fclose(file) == 0)
        }

        func read(_ path: String) throws -> [UInt8] {
            let file = try #require(fopen(path, "re"))
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = fread(&bytes, 1, bytes.count, file)
            return Array(bytes.prefix(count))
        }

        /// The journal of a process that has died.
        func leave(_ number: Int, _ records: [JournalRecord]) throws {
            try write(Sample.bytes([Self.mark] + records), to: path(number))
        }

        private static var mark: JournalRecord {
            .journal(service: "s", JournalRecord.Mark(clock: 1_000_000, reading: .now()))
        }

        var numbers: [Int] {
            JournalDirectory(path, service: "s").journals(names).map { $0.target == nil ? $0.number : -$0.number }
        }

        func open(required: Bool = true) throws -> (Journal, [JournalEntry]) {
            try Journal.open(settings(required: required))
        }
    }

    private static func refusal(_ settings: Journal.Settings) -> PartnerBookingError? {
        do throws(PartnerBookingError) {
            _ = try Journal.open(settings)
            return nil
        } catch {
            return error
        }
    }

    // MARK: The directory

    @Test func theDirectoryIsMadeForItsUserAlone() throws {
        let folder = try Folder(isMade: false)
        let (journal, entries) = try folder.open()
        var status = stat()
        #expect(stat(folder.path, &status) == 0 && status.st_mode == S_IFDIR | 0o700)
        #expect(entries == [] && journal.path == folder.path(1) && folder.numbers == [1])
    }

    @Test func whatIsNoDirectoryOfTheUserIsRefused() throws {
        let file = try TemporaryPath()
        func refused(_ path: String) -> PartnerBookingError? {
            Self.refusal(Journal.Settings(path: path, isInDirectory: true, service: "s", retentionMilliseconds: 1_000))
        }
        try file.write([])
        #expect(refused(file.path)?.message == "journal_dir must name a directory that exists or can be created")
        unlink(file.path)
        #expect(symlink("/tmp", file.path) == 0)
        #expect(refused(file.path)?.message == "journal_dir names a symbolic link: name the directory itself")
        unlink(file.path)
        let orphan = refused(file.path + "/missing/journals")
        #expect(orphan?.message == "journal_dir names a directory without a parent: create the parent directory")
        #expect(orphan?.code == .invalidConfig && orphan?.field == "journal_dir")
        if geteuid() != 0 { #expect(refused("/usr")?.code == .invalidConfig) }
    }

    // MARK: Taking and making

    @Test func eachClientHasAJournalOfItsOwn() throws {
        let folder = try Folder()
        let first = try folder.open().0
        let second = try folder.open().0
        #expect([first.path, second.path] == [folder.path(1), folder.path(2)])
        withExtendedLifetime((first, second)) {}
    }

    @Test func aJournalThatIsFreeIsTakenBeforeOneIsMade() throws {
        let folder = try Folder()
        try folder.leave(3, [Sample.intent("a")])
        let (journal, entries) = try folder.open()
        #expect(journal.path == folder.path(3) && entries.map(\.key) == ["a"] && folder.numbers == [3])
    }

    /// Its process died before it had written a byte.
    @Test func anEmptyJournalIsTaken() throws {
        let folder = try Folder()
        try folder.write([], to: folder.path(1))
        #expect(try folder.open().0.path == folder.path(1))
    }

    // MARK: Adopting

    @Test func bookingsOfDeadProcessesAreMovedAndTheirFilesGo() throws {
        let folder = try Folder()
        try folder.leave(1, [Sample.intent("a")])
        try folder.leave(2, [Sample.intent("b", Sample.wish(conversation: "call-7")), Sample.booked("c", clock: 20)])
        try folder.leave(
            5, [Sample.void("d"), Sample.booked("e", clock: 21), Sample.heard("e", end: 21), Sample.withdrawn("x")])
        try folder.write([1], to: folder.path(5) + ".new")
        let opened = try folder.open()
        #expect(folder.numbers == [1] && folder.names.count == 1)
        #expect(Set(opened.1.map(\.key)) == ["a", "b", "c", "d", "e"])
        #expect(opened.0.opening.others?.adoptedCount == 2)
        withExtendedLifetime(opened) {}
    }

    @Test func theNextProcessReadsTheSame() throws {
        let folder = try Folder()
        try folder.leave(1, [Sample.intent("a")])
        try folder.leave(
            2,
            [
                Sample.intent("b", Sample.wish(conversation: "call-7"), accountID: "acct"), Sample.withdrawn("b"),
                Sample.booked("c"), Sample.void("d"), Sample.booked("e", clock: 21, reply: nil), Sample.heard("e", end: 21),
            ])
        func sorted(_ entries: [JournalEntry]) -> [JournalEntry] { entries.sorted { $0.key < $1.key } }
        var first = sorted(try folder.open().1)
        var second = sorted(try folder.open().1)
        let clocks = zip(first, second).map { $1.clock - $0.clock }
        #expect(clocks.allSatisfy { $0 == 0 })
        for index in first.indices {
            first[index].clock = 0
            second[index].clock = 0
        }
        #expect(first == second)
        #expect(first.map(\.isHeard) == [false, false, false, false, true] && first.map(\.isWithdrawn)[1])
        #expect(first[1].wish.conversation == "call-7" && first[1].accountID == "acct")
    }

    @Test func aLivingProcessIsLeftAlone() throws {
        let folder = try Folder()
        let living = try folder.open().0
        try folder.leave(2, [Sample.intent("b")])
        try folder.leave(3, [Sample.intent("c")])
        let (journal, entries) = try folder.open()
        #expect(journal.path == folder.path(2) && Set(entries.map(\.key)) == ["b", "c"] && folder.numbers == [1, 2])
        withExtendedLifetime(living) {}
    }

    /// The record was written and the process died before the other file was removed.
    @Test func aCrashInBetweenDoublesNothing() throws {
        let folder = try Folder()
        for number in [1, 4] { try folder.leave(number, [Sample.intent("a"), Sample.booked("b")]) }
        try folder.leave(2, [Sample.intent("a"), Sample.booked("a"), Sample.intent("b")])
        let (_, entries) = try folder.open()
        #expect(entries.map(\.key).sorted() == ["a", "b"] && entries.allSatisfy(\.isSettled) && folder.numbers == [1])
    }

    /// Its client has died: before the records were in the other journal, or after that.
    @Test(arguments: [false, true])
    func whatIsBeingMovedBelongsToTheOtherJournal(_ isCopied: Bool) throws {
        let folder = try Folder()
        let into1 = JournalDirectory.Name(number: 5, target: 1)
        try folder.leave(1, [Sample.intent("a")] + (isCopied ? [Sample.intent("b")] : []))
        try folder.leave(2, [Sample.intent("c")])
        let mark = JournalRecord.journal(service: "s", JournalRecord.Mark(clock: 1_000_000, reading: .now()))
        try folder.write(
            Sample.bytes([mark, Sample.intent("b")]), to: JournalDirectory(folder.path, service: "s").path(of: into1))
        // Another client has the first journal open, and the budget for the second one is used up.
        let first = try JournalFile(path: folder.path(1))
        let second = try folder.open()
        #expect(second.1.map(\.key) == ["c"] && folder.numbers == [1, 2, -5])
        withExtendedLifetime(first) {}
    }

    @Test(arguments: [false, true])
    func whatWasBeingMovedIsAdoptedWithTheOtherJournal(_ isOwn: Bool) throws {
        let folder = try Folder()
        let mark = JournalRecord.journal(service: "s", JournalRecord.Mark(clock: 1_000_000, reading: .now()))
        let name = JournalDirectory.Name(number: 5, target: isOwn ? 1 : 2)
        try folder.leave(1, [Sample.intent("a")])
        try folder.leave(2, [Sample.intent("b"), Sample.booked("b")])
        try folder.write(
            Sample.bytes([mark, Sample.intent("b"), Sample.intent("c")]),
            to: JournalDirectory(folder.path, service: "s").path(of: name))
        let (_, entries) = try folder.open()
        #expect(Set(entries.map(\.key)) == ["a", "b", "c"] && entries.count == 3 && folder.numbers == [1])
        #expect(entries.first { $0.key == "b" }?.isSettled == true)
    }

    /// It is never written over: what is in it is known to nobody else.
    @Test func aFileThatWaitsToBeMovedIsNotReplaced() throws {
        let folder = try Folder()
        let path = JournalDirectory(folder.path, service: "s").path(of: .init(number: 2, target: 1))
        try folder.leave(1, [Sample.intent("a")])
        try folder.leave(2, [Sample.intent("b")])
        try folder.write(Array("pbk2 damaged\n".utf8) + Sample.bytes([Sample.intent("c")]), to: path)
        let before = try folder.read(path)
        let (_, entries) = try folder.open()
        #expect(entries.map(\.key) == ["a"] && folder.numbers == [1, 2, -2])
        #expect(try folder.read(path) == before)
    }

    @Test func anEndIsAsOldAsItWasInItsOwnJournal() throws {
        let folder = try Folder()
        let hour = 3_600_000_000
        let now = LedgerClock.Reading.now()
        func mark(_ clock: Int) -> JournalRecord { .journal(service: "s", JournalRecord.Mark(clock: clock, reading: now)) }
        try folder.write(Sample.bytes([mark(90 * hour)]), to: folder.path(1))
        let records = [mark(30 * hour), Sample.booked("old", clock: 5 * hour), Sample.booked("new", clock: 29 * hour)]
        try folder.write(Sample.bytes(records + [Sample.intent("doubt", clock: 1)]), to: folder.path(2))
        let (journal, entries) = try folder.open()
        #expect(Set(entries.map(\.key)) == ["doubt", "new"])
        let age = journal.clock.now - (entries.first { $0.key == "new" }?.clock ?? 0)
        #expect(hour...hour + 60_000_000 ~= age)
    }

    /// A new journal has room for the ages of others on its clock.
    @Test func aNewJournalCanTakeOldEnds() throws {
        let folder = try Folder()
        let (journal, _) = try folder.open()
        #expect(journal.clock.now >= 7 * 24 * 3_600_000_000)
    }

    @Test func refusalsCountForNothingWhereTheJournalIsNotRequired() throws {
        let folder = try Folder()
        try folder.leave(1, [])
        try folder.leave(2, [Sample.void("a"), Sample.intent("b")])
        #expect(try folder.open(required: false).1.map(\.key) == ["b"])
    }

    @Test func noMoreDoubtsAreTakenOverThanFit() throws {
        let folder = try Folder()
        for number in 1...4 { try folder.leave(number, [Sample.intent("k\(number)")]) }
        var settings = folder.settings()
        settings.mostDoubts = 2
        let (_, entries) = try Journal.open(settings)
        #expect(Set(entries.map(\.key)) == ["k1", "k2", "k3"] && folder.numbers == [1, 4])
        settings.mostUnsettled = 3
        let second = try Journal.open(settings)
        #expect(second.1.count == 3 && folder.numbers == [1, 4])
    }

    // MARK: Files that are left

    @Test func nothingStrangeIsTouched() throws {
        let folder = try Folder()
        let secret = Array("somebody else's".utf8)
        let (start, end) = ([Sample.mark(), Sample.intent("a")], [Sample.intent("b")])
        let damaged = Sample.bytes(start) + Array("x\n".utf8) + Sample.bytes(end)
        let later = Sample.line(#"{"type":"journal","version":3,"service":"s"}"#, "pbk3")
        let files = [
            (folder.path(1), secret), (folder.path(2), damaged), (folder.path(3), later),
            (folder.path(4), Sample.bytes([Sample.mark("another"), Sample.intent("c")])), (folder.path + "/notes", secret),
            (JournalDirectory(folder.path, service: "another").path(of: 1), Sample.bytes([Sample.mark("another")])),
        ]
        for (path, bytes) in files { try folder.write(bytes, to: path) }
        #expect(symlink(folder.path + "/notes", folder.path(6)) == 0 && mkdir(folder.path(7), 0o700) == 0)
        defer { rmdir(folder.path(7)) }
        try folder.leave(8, [Sample.intent("d")])
        let (journal, entries) = try folder.open()
        #expect(journal.path == folder.path(8) && entries.map(\.key) == ["d"])
        for (path, bytes) in files {
            #expect(try folder.read(path) == bytes, "\(path)")
        }
        let left = journal.opening.others?.left ?? []
        #expect(left.map(\.path) == [1, 2, 3, 4, 6, 7].map(folder.path))
        #expect(
            left.map(\.reason) == [
                "it is no journal", "it is damaged: open it by journal_path", "a later version of this library wrote it",
                "it is the journal of another service", "it is a symbolic link", "open \(folder.path(7)): Is a directory",
            ])
    }

    @Test func aJournalWithAnotherBookingUnderAKeyIsLeft() throws {
        let folder = try Folder()
        let other = Wish(fingerprint: Fingerprint(digest: Array(1..<33)), summary: BookingSummary(body: Sample.body))
        try folder.leave(1, [Sample.intent("a")])
        try folder.leave(2, [Sample.booked("a", other), Sample.intent("b")])
        let (journal, entries) = try folder.open()
        #expect(entries.map(\.key) == ["a"] && folder.numbers == [1, 2])
        #expect(journal.opening.others?.left.map(\.reason) == ["it has another booking under a key of this journal"])
    }
}
