import Testing

@testable import PartnerBooking

/// Processes that follow each other, with one journal.
enum JournalProcess {
    static func settings(_ file: TemporaryPath) -> Journal.Settings {
        Journal.Settings(path: file.path, service: "sandbox", retentionMilliseconds: 86_400_000)
    }

    /// Uses a ledger and its journal, and returns the entries of the processes before.
    @discardableResult
    static func run(_ file: TemporaryPath, _ body: (LedgerStore) throws -> Void = { _ in }) throws -> [JournalEntry] {
        let (journal, entries) = try Journal.open(settings(file))
        let ledger = LedgerStore(
            BookingLedger(BookingLedger.Settings(retentionMilliseconds: 86_400_000, capacity: 100)), journal,
            restoring: entries)
        let thread = try journal.start(report: { _ in }, waiting: { ledger.heardRecords(isEnd: $0) })
        // The records come to the disk in their order. A journal that ends writes all of them.
        defer {
            journal.beginClose()
            thread.join()
        }
        try body(ledger)
        return entries
    }

    /// Waits until the intent of `key-1` is in the file, and tells the ledger.
    static func record(_ ledger: LedgerStore, _ file: TemporaryPath) throws {
        var clock: Int?
        let isThere = eventually {
            for line in (try? file.read())?.split(separator: UInt8(ascii: "\n")) ?? [] {
                if case .event(.intent, key: "key-1", let stamp)? = JournalRecord(line: line) { clock = stamp.clock }
            }
            return clock != nil
        }
        #expect(isThere)
        ledger.recorded("key-1", clock: clock)
    }

    static func begin(_ ledger: LedgerStore, _ key: String = "key-1", id: TransferID = 1) throws -> BookingLedger.Decision {
        let request = try Request(.createBooking, json: Sample.booking(key: key, #","conversation":"call-7""#))
        let decision = ledger.begin(request, key, service: 0, id: id)
        if decision.grant?.isRecorded == false {
            #expect(ledger.record(key, body: request.body, accountID: nil, id: id))
        }
        return decision
    }

    /// The types of the records in the file, in their order.
    static func types(_ file: TemporaryPath) throws -> [String] {
        try file.read().split(separator: UInt8(ascii: "\n")).map { line in
            let root = try JSONDocument(Array(line.dropFirst(22)), profile: .request).root
            return try #require(root["type"]?.string)
        }
    }
}
