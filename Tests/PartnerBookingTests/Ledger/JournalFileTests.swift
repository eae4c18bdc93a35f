import Glibc
import Testing

@testable import PartnerBooking

/// docs/journal.md, "The file": whose it is, and what it never touches.
@Suite struct JournalFileTests {
    private typealias Sample = JournalSample

    private static func settings(_ path: String) -> Journal.Settings {
        Journal.Settings(path: path, service: "s", retentionMilliseconds: 86_400_000)
    }

    /// Opens the journal and lets it go.
    private static func open(_ path: String) throws { _ = try Journal.open(settings(path)) }

    private static func refusal(_ path: String) -> PartnerBookingError? {
        do throws(PartnerBookingError) {
            _ = try Journal.open(settings(path))
            return nil
        } catch {
            return error
        }
    }

    private static func status(_ path: String) -> stat {
        var status = stat()
        #expect(lstat(path, &status) == 0, "\(path)")
        return status
    }

    private static func mode(_ path: String) -> mode_t { status(path).st_mode & 0o777 }

    /// It has something to leave out, so that it is written again.
    private static let worthRewriting = Sample.bytes([
        Sample.mark(), Sample.intent("a"), Sample.booked("a"), Sample.intent("b"),
    ])

    private static let secret = Array("somebody else's".utf8)

    /// Another file of the process's user, which nothing may change.
    private final class Victim {
        let file: TemporaryPath
        private let bytes: [UInt8]

        init(_ bytes: [UInt8] = secret) throws {
            file = try TemporaryPath()
            self.bytes = bytes
            try file.write(bytes)
            chmod(file.path, 0o666)
        }

        func check() throws {
            #expect(try file.read() == bytes)
            #expect(JournalFileTests.mode(file.path) == 0o666)
        }
    }

    // MARK: The new file

    /// Removes the file that had the name before, and does not write to it.
    @Test(arguments: ["a link", "a symbolic link", "a file"])
    func theNewFileIsAlwaysItsOwn(_ before: String) throws {
        let (journal, victim) = (try TemporaryPath(), try Victim())
        try journal.write(Self.worthRewriting)
        let new = journal.path + ".new"
        switch before {
        case "a link": #expect(link(victim.file.path, new) == 0)
        case "a symbolic link": #expect(symlink(victim.file.path, new) == 0)
        default:
            let file = try #require(fopen(new, "we"))
            fputs("old", file)
            fclose(file)
            chmod(new, 0o666)
        }
        try Self.open(journal.path)
        try victim.check()
        let status = Self.status(journal.path)
        #expect(status.st_mode == S_IFREG | 0o600 && status.st_uid == geteuid() && status.st_nlink == 1)
        #expect(status.st_ino != Self.status(victim.file.path).st_ino)
        #expect(JournalContents(try journal.read()).entries.map(\.key) == ["a", "b"])
        #expect(access(new, F_OK) != 0)
    }

    /// A folder cannot be removed so. The journal opens, and keeps what it has.
    @Test func aFolderInTheWayLosesNothing() throws {
        let journal = try TemporaryPath()
        try journal.write(Self.worthRewriting)
        let new = journal.path + ".new"
        #expect(mkdir(new, 0o700) == 0)
        defer { rmdir(new) }
        let (opened, entries) = try Journal.open(Self.settings(journal.path))
        #expect(entries.map(\.key) == ["a", "b"] && opened.needsRewriting)
        #expect(try journal.read() == Self.worthRewriting)
    }

    @Test func theUmaskMakesNoDifference() throws {
        let journal = try TemporaryPath()
        try journal.write(Self.worthRewriting)
        chmod(journal.path, 0o644)
        try Self.open(journal.path)
        #expect(Self.mode(journal.path) == 0o600)
    }

    // MARK: The journal's own name

    /// A journal with a second name is replaced, and the other name keeps the old file.
    @Test(arguments: [worthRewriting, Sample.bytes([Sample.mark(), Sample.intent("b")]), []])
    func aLinkedJournalIsReplaced(_ bytes: [UInt8]) throws {
        let (journal, victim) = (try TemporaryPath(), try Victim(bytes))
        #expect(link(victim.file.path, journal.path) == 0)
        let (opened, _) = try Journal.open(Self.settings(journal.path))
        try victim.check()
        #expect(Self.status(journal.path).st_nlink == 1 && Self.mode(journal.path) == 0o600)
        // A link that is made later, as by a backup: what is added goes to a file of its own again.
        let backup = journal.path + ".backup"
        #expect(link(journal.path, backup) == 0)
        defer { unlink(backup) }
        let size = Self.status(backup).st_size
        let reported = Monitor(0)
        let thread = try opened.start(report: { reports in reported.update { $0 += reports.count } })
        opened.append(Sample.intent("c"), id: 1)
        #expect(reported.wait(until: .now().adding(milliseconds: 20_000)) { $0 == 1 ? true : nil } == true)
        opened.beginClose()
        thread.join()
        #expect(Self.status(backup).st_size == size && Self.status(backup).st_nlink == 1)
        #expect(JournalContents(try journal.read()).entries.last?.key == "c")
    }

    @Test func aSymbolicLinkIsNamed() throws {
        let (journal, victim) = (try TemporaryPath(), try Victim())
        #expect(symlink(victim.file.path, journal.path) == 0)
        let error = try #require(Self.refusal(journal.path))
        #expect(error.code == .invalidConfig && error.field == "journal_path")
        #expect(error.message.contains("symbolic link"))
        try victim.check()
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
    func aFileOfAnotherUserIsNamed() throws {
        let journal = try TemporaryPath()
        try journal.write(Self.worthRewriting)
        chmod(journal.path, 0o666)
        #expect(chown(journal.path, 4_711, 0) == 0)
        let error = try #require(Self.refusal(journal.path))
        #expect(error.code == .invalidConfig && error.field == "journal_path")
        #expect(error.message.contains("user 4711") && error.message.contains("user 0"))
        #expect(try journal.read() == Self.worthRewriting && Self.mode(journal.path) == 0o666)
    }

    /// A path that is wrong must not change somebody's file, its mode neither.
    @Test func aFileThatIsNoJournalKeepsItsMode() throws {
        let victim = try Victim()
        let error = try #require(Self.refusal(victim.file.path))
        #expect(error.code == .invalidConfig && error.message.contains("no journal"))
        try victim.check()
    }

    /// It has a length of terabytes and no blocks. Reading it would take all memory.
    @Test func aHugeFileIsNotRead() throws {
        let journal = try TemporaryPath()
        try journal.write(Self.secret)
        #expect(truncate(journal.path, 1 << 41) == 0)
        #expect(Self.refusal(journal.path)?.code == .invalidConfig)
        try journal.write(Self.worthRewriting)
        #expect(truncate(journal.path, 1 << 41) == 0)
        let error = try #require(Self.refusal(journal.path))
        #expect(error.code == .journalUnavailable && error.message.contains("bytes"))
    }
}
