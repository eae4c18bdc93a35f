import Glibc
import Testing

@testable import PartnerBooking

/// Records that can wait: `heard`. The journal asks for them when they are due.
@Suite struct JournalLazyTests {
    private typealias Sample = JournalSample

    /// A journal whose thread runs, and the reports of that.
    private final class Running {
        let file: TemporaryPath
        let journal: Journal
        let reports = Monitor<[(id: TransferID, thread: String)]>([])
        private let lazy = Monitor<[(record: JournalRecord, due: MonotonicTime)]>([])
        private let thread: PartnerBooking.Thread

        init(_ file: TemporaryPath) throws {
            self.file = file
            let settings = Journal.Settings(path: file.path, service: "s", retentionMilliseconds: 86_400_000)
            (journal, _) = try Journal.open(settings)
            let report: @Sendable ([Journal.Report]) -> Void = { [reports] new in
                var name = [CChar](repeating: 0, count: 64)
                _ = readlink("/proc/thread-self", &name, name.count - 1)
                let thread = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
                reports.update { $0 += new.map { ($0.id, thread) } }
            }
            thread = try journal.start(report: report) { [lazy, journal] isEnd in
                let (due, next) = lazy.withLock { lazy in
                    let now = MonotonicTime.now()
                    let due = lazy.filter { isEnd || $0.due <= now }
                    lazy.removeAll { isEnd || $0.due <= now }
                    return (due, lazy.map(\.due).min())
                }
                if let next { journal.ask(at: next) }
                return due.map(\.record)
            }
        }

        /// The journal has taken all.
        var isEmpty: Bool { lazy.withLock { $0.isEmpty } }

        func append(_ record: JournalRecord, due: MonotonicTime) {
            lazy.withLock { $0.append((record, due)) }
            journal.ask(at: due)
        }

        func close() {
            journal.beginClose()
            thread.join()
        }

        /// The keys of the records on the disk, in their order.
        func keys() throws -> [String] {
            try file.read().split(separator: UInt8(ascii: "\n")).compactMap { line in
                guard case .event(_, let key, _)? = JournalRecord(line: line) else { return nil }
                return key
            }
        }

        /// Appends a record and waits until it is on the disk.
        func append(_ key: String, id: TransferID) -> Bool {
            journal.append(Sample.intent(key), id: id)
            return reports.becomes { $0.contains { $0.id == id } }
        }
    }

    private static func heard(_ key: String) -> JournalRecord { Sample.heard(key, end: 20) }
    private static var never: MonotonicTime { .now().adding(milliseconds: 600_000) }

    /// Not with other records either.
    @Test func aLazyRecordIsNotWrittenBeforeItIsDue() throws {
        let running = try Running(TemporaryPath())
        running.append(Self.heard("lazy"), due: Self.never)
        #expect(running.append("first", id: 1) && running.append("second", id: 2))
        #expect(try running.keys() == ["first", "second"])
        running.close()
    }

    @Test func aLazyRecordIsWrittenWhenItIsDue() throws {
        let running = try Running(TemporaryPath())
        running.append(Self.heard("lazy"), due: .now().adding(milliseconds: 30))
        #expect(eventually { (try? running.keys()) == ["lazy"] })
        // The next one is due at another time: the thread is told of that, too.
        running.append(Self.heard("late"), due: .now().adding(milliseconds: 30))
        #expect(eventually { (try? running.keys()) == ["lazy", "late"] })
        running.close()
    }

    @Test func recordsAreWrittenInTheOrderInWhichTheyAreDue() throws {
        let running = try Running(TemporaryPath())
        let due = MonotonicTime.now().adding(milliseconds: 30)
        for number in 0..<3 { running.append(Self.heard("soon-\(number)"), due: due) }
        running.append(Self.heard("later"), due: Self.never)
        #expect(eventually { (try? running.keys()) == ["soon-0", "soon-1", "soon-2"] })
        #expect(running.append("other", id: 1))
        #expect(try running.keys().last == "other")
        running.close()
    }

    @Test func aRecordThatIsDueGoesWithTheOthers() throws {
        let running = try Running(TemporaryPath())
        running.append(Self.heard("lazy"), due: .now())
        #expect(running.append("first", id: 1))
        #expect(eventually { (try? running.keys().sorted()) == ["first", "lazy"] })
        running.close()
    }

    @Test(arguments: [true, false])
    func closingWritesAllOfThem(hasOthers: Bool) throws {
        let running = try Running(TemporaryPath())
        for number in 0..<3 { running.append(Self.heard("lazy-\(number)"), due: Self.never) }
        if hasOthers { running.journal.append(Sample.intent("other")) }
        // It does not wait until they are due.
        running.close()
        #expect(running.isEmpty)
        // They belong to no end, so that the compaction leaves them out.
        #expect(try running.keys() == (hasOthers ? ["other"] : []))
    }

    @Test func aRecordAfterTheEndHasNoEffect() throws {
        let running = try Running(TemporaryPath())
        running.close()
        running.append(Self.heard("lazy"), due: .now())
        running.append(Self.heard("lazy"), due: Self.never)
        #expect(try running.keys() == [])
    }

    /// The first record tells the thread until when it may sleep. The others do not wake it.
    @Test func theThreadIsWokenOnce() throws {
        let running = try Running(TemporaryPath())
        #expect(running.append("first", id: 1))
        let path = try #require(running.reports.withLock { $0.first?.thread })
        // It has counted itself awake for the report, and is on its way to sleep.
        var before = try Self.sleeps(path)
        let isAsleep = eventually {
            sleep(milliseconds: 20)
            defer { before = (try? Self.sleeps(path)) ?? 0 }
            return (try? Self.sleeps(path)) == before
        }
        #expect(isAsleep)
        for number in 0..<1_000 {
            running.append(Self.heard("lazy-\(number)"), due: Self.never)
            if number.isMultiple(of: 100) { sleep(milliseconds: 2) }
        }
        let count = try Self.sleeps(path) - before
        #expect(count < 8, "it has slept \(count) times")
        running.close()
    }

    /// Returns how often a thread has gone to sleep.
    private static func sleeps(_ thread: String) throws -> Int {
        let file = try #require(fopen("/proc/\(thread)/status", "re"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") })
        return try #require(line.split(separator: "\t").last.flatMap { Int($0) })
    }
}
