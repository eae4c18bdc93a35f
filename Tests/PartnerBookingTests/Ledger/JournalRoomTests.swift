import Testing

@testable import PartnerBooking

/// `journal_max_bytes`: a full journal refuses new bookings, and nothing else.
@Suite struct JournalRoomTests {
    private typealias Sample = JournalSample

    /// A journal whose thread runs, and the reports of that.
    private final class Running {
        let journal: Journal
        private let reports = Monitor<[TransferID: Journal.Report.Result]>([:])
        private let thread: PartnerBooking.Thread

        init(_ file: TemporaryPath, maxBytes: Int) throws {
            var settings = Journal.Settings(path: file.path, service: "s", retentionMilliseconds: 86_400_000)
            settings.maxBytes = maxBytes
            (journal, _) = try Journal.open(settings)
            thread = try journal.start(report: { [reports] new in
                reports.update { known in for report in new { known[report.id] = report.result } }
            })
        }

        func write(_ record: JournalRecord, _ id: TransferID) throws -> Journal.Report.Result {
            journal.append(record, id: id)
            let moment = MonotonicTime.now().adding(milliseconds: 20_000)
            return try #require(reports.wait(until: moment) { $0[id] })
        }

        func close() {
            journal.beginClose()
            thread.join()
        }
    }

    private static func failure(_ result: Journal.Report.Result) -> String? {
        if case .failed(let message, isUndone: true) = result { message } else { nil }
    }

    private static func isDurable(_ result: Journal.Report.Result) -> Bool {
        if case .durable = result { true } else { false }
    }

    private static let room = Sample.bytes([Sample.mark(), Sample.intent(), Sample.intent()]).count + 200

    @Test func aFullJournalRefusesNewBookingsOnly() throws {
        let file = try TemporaryPath()
        let running = try Running(file, maxBytes: Self.room)
        #expect(Self.isDurable(try running.write(Sample.intent("a"), 1)))
        #expect(Self.isDurable(try running.write(Sample.intent("b"), 2)))
        let full = try #require(Self.failure(try running.write(Sample.intent("c"), 3)))
        #expect(full.contains("full") && full.contains("journal_max_bytes \(Self.room)"))
        // The ends of bookings are written, whatever the size.
        running.journal.append(Sample.withdrawn("b"))
        #expect(Self.isDurable(try running.write(Sample.void("a", clock: 30), 4)))
        running.close()
        let entries = JournalContents(try file.read()).entries
        #expect(entries.map(\.key) == ["b", "a"] && entries.map(\.isSettled) == [false, true])
        #expect(entries.first?.isWithdrawn == true)
    }

    /// It is written again before anything is refused.
    @Test func aJournalIsWrittenAgainForRoom() throws {
        let file = try TemporaryPath()
        try file.write(Sample.bytes([Sample.mark(), Sample.intent("a"), Sample.intent("b")]))
        let running = try Running(file, maxBytes: Self.room + 400)
        for (id, key) in [(1, "a"), (3, "b")] as [(TransferID, String)] {
            #expect(Self.isDurable(try running.write(Sample.givenUp(key, clock: 50 + Int(id.rawValue)), id)))
        }
        #expect(Self.isDurable(try running.write(Sample.intent("c", clock: 60), 5)))
        #expect(Self.isDurable(try running.write(Sample.intent("d", clock: 61), 6)))
        running.close()
        #expect(JournalContents(try file.read()).entries.map(\.key) == ["c", "d"])
    }

    /// A limit that is lowered loses no booking.
    @Test func aJournalAboveTheLimitOpens() throws {
        let file = try TemporaryPath()
        try file.write(Sample.bytes([Sample.mark(), Sample.intent("a"), Sample.intent("b")]))
        let running = try Running(file, maxBytes: 100)
        #expect(Self.failure(try running.write(Sample.intent("c"), 1)) != nil)
        running.close()
        #expect(JournalContents(try file.read()).entries.map(\.key) == ["a", "b"])
    }
}
