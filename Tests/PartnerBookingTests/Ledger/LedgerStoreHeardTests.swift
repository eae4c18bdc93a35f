import Testing

@testable import PartnerBooking

/// Ends that were heard, or not, from one process to the next.
@Suite struct LedgerStoreHeardTests {
    private typealias Process = JournalProcess

    /// Begins a booking and ends it, as an exchange does it.
    private static func end(
        _ ledger: LedgerStore, _ key: String = "key-1", isMade: Bool, _ end: TransferID = 1
    ) throws -> Receipt {
        #expect(try Process.begin(ledger, key, id: end).grant != nil)
        if isMade {
            ledger.ended(key, .booked(reply: Sample.bookingReply), end: end)
        } else {
            ledger.void(key, .rejected, id: end)
            ledger.ended(key, .notBooked(.rejected), end: end)
        }
        return Receipt(ledger, key: key, end: end)
    }

    @Test(arguments: [true, false])
    func anUnheardEndIsListedByTheNextProcess(isMade: Bool) throws {
        let file = try TemporaryPath()
        var listed: [BookingLedger.Pending] = []
        try Process.run(file) { ledger in
            _ = try Self.end(ledger, isMade: isMade)
            listed = ledger.pending
        }
        #expect(listed.map(\.state) == [isMade ? .booked : .refused] && listed.map(\.conversation) == ["call-7"])
        for _ in 0..<3 {
            try Process.run(file) { ledger in
                let pending = ledger.pending
                #expect(pending.map(\.key) == ["key-1"] && pending.map(\.state) == listed.map(\.state))
                #expect(pending.map(\.summary) == listed.map(\.summary))
                #expect(pending.map(\.conversation) == ["call-7"])
                #expect(pending.map(\.recordedAt) == listed.map(\.recordedAt))
            }
        }
    }

    /// Freed at once, or returned by a blocking call: both are written when the client is closed.
    @Test(arguments: [true, false], [true, false])
    func aHeardEndIsNotListedByTheNextProcess(isMade: Bool, isBlocking: Bool) throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            let receipt = try Self.end(ledger, isMade: isMade)
            isBlocking ? receipt.acknowledgeSoon() : receipt.acknowledge()
            #expect(ledger.pending.count == (isBlocking ? 1 : 0))
        }
        let entries = try Process.run(file) { ledger in
            #expect(ledger.pending.isEmpty)
            let decision = try Process.begin(ledger, id: 2)
            #expect(isMade ? decision == .replay(Sample.bookingReply, end: 0) : decision.grant != nil)
        }
        #expect(entries.map(\.isHeard) == (isMade ? [true] : []))
    }

    /// The next process acknowledges the end of the one before: by the record that it has read.
    @Test(arguments: [true, false])
    func theNextProcessAcknowledgesIt(isMade: Bool) throws {
        let file = try TemporaryPath()
        try Process.run(file) { _ = try Self.end($0, isMade: isMade) }
        try Process.run(file) { ledger in
            #expect(ledger.pending.count == 1)
            Receipt(ledger, key: "key-1", end: 0).acknowledge()
            #expect(ledger.pending.isEmpty)
        }
        try Process.run(file) { #expect($0.pending.isEmpty) }
    }

    /// A late receipt is written after the records of the next booking.
    @Test func aLateReceiptDoesNotCountOnTheDisk() throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            let first = try Self.end(ledger, isMade: false, 1)
            first.acknowledge()
            _ = try Self.end(ledger, isMade: true, 2)
            first.acknowledge()
            #expect(ledger.pending.map(\.state) == [.booked])
        }
        try Process.run(file) { #expect($0.pending.map(\.state) == [.booked]) }
    }

    /// The journal gets one record for several receipts.
    @Test func anEndIsRecordedAsHeardOnce() throws {
        let file = try TemporaryPath()
        let (journal, _) = try Journal.open(Process.settings(file))
        let ledger = LedgerStore(LedgerFixture().ledger, journal)
        let receipt = try Self.end(ledger, isMade: true)
        onThreads(4) { number in
            for _ in 0..<50 { number.isMultiple(of: 2) ? receipt.acknowledge() : receipt.acknowledgeSoon() }
        }
        let thread = try journal.start(report: { _ in }, waiting: { ledger.heardRecords(isEnd: $0) })
        // An idle journal is compacted after a second: then the intent is gone.
        let isWritten = eventually { (try? Process.types(file))?.count { $0 == "heard" } == 1 }
        #expect(isWritten)
        journal.beginClose()
        thread.join()
        #expect(try Process.run(file).map(\.isHeard) == [true])
    }

    /// A host can write down what it has heard before the journal does.
    @Test func theReceiptIsNotWrittenAtOnce() throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            let start = MonotonicTime.now()
            try Self.end(ledger, isMade: true).acknowledge()
            let isWritten = eventually { (try? Process.types(file))?.last == "heard" }
            #expect(isWritten)
            #expect(MonotonicTime.now() >= start.adding(milliseconds: LedgerStore.heardMilliseconds))
        }
    }

    @Test func withoutAJournalAReceiptCountsInMemory() throws {
        let ledger = LedgerStore(LedgerFixture().ledger)
        let request = try Request(.createBooking, json: Sample.booking())
        #expect(ledger.begin(request, "key-1", service: 0, id: 1).grant != nil)
        ledger.ended("key-1", .booked(reply: Sample.bookingReply), end: 1)
        #expect(ledger.pending.map(\.state) == [.booked])
        Receipt(ledger, key: "key-1", end: 1).acknowledge()
        #expect(ledger.pending.isEmpty)
    }

    // MARK: Errors before sending

    /// The booking may have been made before: so the outcome of the new call is not known.
    @Test func anEarlyErrorOfAKnownKeyIsUnknown() throws {
        let ledger = LedgerStore(LedgerFixture().ledger)
        let request = try Request(.createBooking, json: Sample.booking())
        for key in ["flight", "doubt", "booked", "refused"] {
            #expect(ledger.begin(request, key, service: 0, id: 1).grant != nil)
        }
        ledger.ended("doubt", .unknown, end: 1)
        ledger.ended("booked", .made, end: 1)
        ledger.ended("refused", .notBooked(.rejected), end: 1)
        for (key, outcome) in [
            ("flight", .unknown), ("doubt", .unknown), ("booked", .unknown), ("refused", .notSent), ("new", .notSent),
            (nil, .notSent),
        ] as [(String?, PartnerBookingError.Outcome)] {
            let context = ErrorContext(operation: .createBooking, idempotencyKey: key)
            let error = ledger.annotating(context.annotating(.field("booking", "is required", .missing)))
            #expect(error.outcome == outcome, "\(key ?? "no key")")
            let rejected = ledger.annotating(context.annotating(.clientClosed, outcome: .rejected))
            #expect(rejected.outcome == .rejected)
        }
        let search = ErrorContext(operation: .searchAvailability).annotating(.clientClosed)
        #expect(ledger.annotating(search).outcome == nil)
    }
}
