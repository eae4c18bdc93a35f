import Testing

@testable import PartnerBooking

/// The ledger with a journal on a disk: what of a withdrawal is there after a restart, and what version 0.1.0 has left.
@Suite struct BookingLedgerJournalTests {
    private static func settings(_ file: TemporaryPath) -> Journal.Settings {
        Journal.Settings(path: file.path, service: "sandbox", retentionMilliseconds: 86_400_000)
    }

    /// Does something with a ledger and its journal, and returns what an earlier process has left.
    @discardableResult
    private static func process(_ file: TemporaryPath, _ body: (BookingLedger) throws -> Void = { _ in }) throws
        -> [JournalEntry]
    {
        let (journal, entries) = try Journal.open(settings(file))
        let ledger = BookingLedger(
            Ledger(retentionMilliseconds: 86_400_000, capacity: 100), journal, restoring: entries)
        let thread = try journal.start { _ in }
        // In this order they come to the disk; a journal that ends writes all of it.
        defer {
            journal.beginClose()
            thread.join()
        }
        try body(ledger)
        return entries
    }

    private static func request() throws -> Request { try Request(.createBooking, json: Sample.booking()) }

    private static func begin(_ ledger: BookingLedger, id: TransferID = 1) throws -> Ledger.Decision {
        let request = try request()
        let decision = ledger.begin(request, "key-1", id: id)
        if decision.grant?.isRecorded == false {
            #expect(ledger.record("key-1", body: request.body, accountID: nil, id: id))
        }
        return decision
    }

    /// Also when the intent is not on the disk yet: a cancel does not wait for it.
    @Test(arguments: [true, false])
    func aWithdrawalOutlivesTheProcess(isRecorded: Bool) throws {
        let file = try TemporaryPath()
        try Self.process(file) { ledger in
            _ = try Self.begin(ledger)
            if isRecorded { ledger.recorded("key-1") }
            ledger.withdraw("key-1")
            ledger.ended("key-1", .inDoubt(Evidence(inheritedAt: .now()), nil))
        }
        let entries = try Self.process(file)
        #expect(entries.map(\.key) == ["key-1"] && entries.map(\.isWithdrawn) == [true])
        #expect(entries.map(\.isSettled) == [false])
    }

    /// Somebody wants it after all: while it is in flight, or in a call after that.
    @Test(arguments: [true, false])
    func aRepeatTakesItBackOnTheDiskToo(isInFlight: Bool) throws {
        let file = try TemporaryPath()
        try Self.process(file) { ledger in
            _ = try Self.begin(ledger)
            ledger.recorded("key-1")
            ledger.withdraw("key-1")
            if isInFlight {
                ledger.renew("key-1", accountID: nil)
            } else {
                ledger.ended("key-1", .inDoubt(Evidence(inheritedAt: .now()), nil))
                let grant = try Self.begin(ledger, id: 2).grant
                #expect(grant?.isRecorded == false)
            }
        }
        #expect(try Self.process(file).map(\.isWithdrawn) == [false])
    }

    /// Nor does it come back with the next process.
    @Test func aWithdrawalIsTakenBackAfterARestart() throws {
        let file = try TemporaryPath()
        try Self.process(file) { ledger in
            _ = try Self.begin(ledger)
            ledger.withdraw("key-1")
        }
        let withdrawn = try Self.process(file) { ledger in
            #expect(ledger.pending.map(\.state) == [.inDoubt])
            let grant = try Self.begin(ledger).grant
            #expect(grant?.evidence.isInDoubt == true && grant?.isRecorded == false)
        }
        #expect(withdrawn.map(\.isWithdrawn) == [true])
        #expect(try Self.process(file).map(\.isWithdrawn) == [false])
    }

    @Test func whatIsSettledIsNotWithdrawn() throws {
        let file = try TemporaryPath()
        try Self.process(file) { ledger in
            _ = try Self.begin(ledger)
            ledger.recorded("key-1")
            ledger.ended("key-1", .booked(reply: Sample.bookingReply))
            ledger.withdraw("key-1")
        }
        let entries = try Self.process(file)
        #expect(entries.map(\.state) == [.booked(reply: Sample.bookingReply)] && entries.map(\.isWithdrawn) == [false])
    }

    // MARK: Version 1

    /// What it says is kept, and from then on the file is one of version 2.
    @Test func aFileOfVersion1IsTakenOver() throws {
        let file = try TemporaryPath()
        try Self.process(file) { _ = try Self.begin($0) }
        let bytes = try file.read()
        let first = bytes.prefix { $0 != UInt8(ascii: "\n") }.count
        let json = #"{"type":"journal","version":1,"service":"sandbox"}"#
        let checksum = Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex
        let rest = String(decoding: bytes[first...], as: UTF8.self).replacing("\npbk2 ", with: "\npbk1 ")
        try file.write(Array("pbk1 \(checksum) \(json)\(rest)".utf8))
        #expect(try String(decoding: file.read(), as: UTF8.self).contains("pbk2") == false)

        let entries = try Self.process(file) { ledger in
            let grant = try Self.begin(ledger).grant
            #expect(grant?.isRecorded == true && grant?.evidence.isInDoubt == true)
            ledger.withdraw("key-1")
        }
        #expect(entries.map(\.key) == ["key-1"] && entries.map(\.isWithdrawn) == [false])
        #expect(try file.read().starts(with: "pbk2 ".utf8))
        #expect(try Self.process(file).map(\.isWithdrawn) == [true])
    }

    @Test func aFileOfALaterVersionIsLeftAlone() throws {
        let file = try TemporaryPath()
        let json = #"{"type":"journal","version":3,"service":"sandbox"}"#
        let bytes = Array("pbk3 \(Array(SHA256.digest(of: Array(json.utf8)).prefix(8)).hex) \(json)\n".utf8)
        try file.write(bytes)
        let error = #expect(throws: PartnerBookingError.self) { try Self.process(file) }
        #expect(error?.code == .invalidConfig && error?.field == "journal_path")
        #expect(error?.message.contains("later version") == true)
        #expect(try file.read() == bytes)
    }
}
