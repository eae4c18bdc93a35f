import Glibc
import Testing

@testable import PartnerBooking

/// A withdrawal after a restart, and the files of other versions.
@Suite struct LedgerStoreJournalTests {
    private typealias Process = JournalProcess
    private static var unknown: BookingLedger.Ending { .inDoubt(Evidence(inheritedAt: .now()), nil) }

    /// Also when the intent is not on the disk yet: a cancel does not wait for it.
    @Test(arguments: [true, false])
    func aWithdrawalOutlivesTheProcess(isRecorded: Bool) throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            _ = try Process.begin(ledger)
            if isRecorded { try Process.record(ledger, file) }
            ledger.withdraw("key-1")
            ledger.ended("key-1", Self.unknown, end: 1)
        }
        let entries = try Process.run(file)
        #expect(entries.map(\.key) == ["key-1"] && entries.map(\.isWithdrawn) == [true])
        #expect(entries.map(\.isSettled) == [false])
    }

    /// The host repeats the booking: while it is in flight, or in a call after that.
    @Test(arguments: [true, false])
    func aRepeatCancelsItOnTheDiskToo(isInFlight: Bool) throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            _ = try Process.begin(ledger)
            try Process.record(ledger, file)
            ledger.withdraw("key-1")
            if isInFlight {
                ledger.renew("key-1", accountID: nil)
            } else {
                ledger.ended("key-1", Self.unknown, end: 1)
                let grant = try Process.begin(ledger, id: 2).grant
                #expect(grant?.isRecorded == false)
            }
        }
        #expect(try Process.run(file).map(\.isWithdrawn) == [false])
    }

    /// The record is written later than the call comes, and again when the host repeats it.
    @Test func theTimeOfTheCallOutlivesTheProcess() throws {
        let file = try TemporaryPath()
        var before: [Int] = []
        try Process.run(file) { ledger in
            let request = try Request(.createBooking, json: Sample.booking(key: "key-1", ""))
            _ = ledger.begin(request, "key-1", service: 0, id: 1)
            usleep(20_000)
            #expect(ledger.record("key-1", body: request.body, accountID: nil, id: 1))
            ledger.withdraw("key-1")
            usleep(20_000)
            ledger.renew("key-1", accountID: nil)
            before = ledger.pending.map(\.recordedAt)
        }
        #expect(try Process.run(file).map(\.recordedAt) == before && before.count == 1)
    }

    @Test func aWithdrawalIsCancelledAfterARestart() throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            _ = try Process.begin(ledger)
            ledger.withdraw("key-1")
        }
        let withdrawn = try Process.run(file) { ledger in
            #expect(ledger.pending.map(\.state) == [.inDoubt])
            let grant = try Process.begin(ledger).grant
            #expect(grant?.evidence.isInDoubt == true && grant?.isRecorded == false)
        }
        #expect(withdrawn.map(\.isWithdrawn) == [true])
        #expect(try Process.run(file).map(\.isWithdrawn) == [false])
    }

    @Test func aSettledBookingIsNotWithdrawn() throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            _ = try Process.begin(ledger)
            try Process.record(ledger, file)
            ledger.ended("key-1", .booked(reply: Sample.bookingReply), end: 1)
            ledger.withdraw("key-1")
        }
        let entries = try Process.run(file)
        #expect(entries.map(\.state) == [.booked(reply: Sample.bookingReply)] && entries.map(\.isWithdrawn) == [false])
    }

    // MARK: Given up

    @Test func aGivenUpBookingDoesNotComeBack() throws {
        let file = try TemporaryPath()
        try Process.run(file) { ledger in
            for key in ["key-1", "key-2"] {
                _ = try Process.begin(ledger, key)
                ledger.ended(key, Self.unknown, end: 1)
            }
            let result = ledger.giveUp(.booking(key: "key-1"), id: 3)
            #expect(result?.givenUp.map(\.key) == ["key-1"] && result?.givenUp.map(\.conversation) == ["call-7"])
        }
        let entries = try Process.run(file) { ledger in
            let selection = GiveUp.bookings(botID: "bot_1", startBefore: LedgerFixture.later)
            #expect(ledger.giveUp(selection, id: 4)?.givenUp.map(\.key) == ["key-2"])
        }
        #expect(entries.map(\.key) == ["key-2"])
        let left = try Process.run(file) { ledger in
            #expect(ledger.pending.isEmpty)
            let grant = try Process.begin(ledger).grant
            #expect(grant?.evidence.isInDoubt == false && grant?.isRecorded == false, "the key is free")
        }
        #expect(left.isEmpty, "the last record is the given_up")
    }

    // MARK: Versions

    /// Its entries are kept, and from then on the file is one of version 2.
    @Test func aFileOfVersion1IsTakenOver() throws {
        let file = try TemporaryPath()
        let body = try Request(.createBooking, json: Sample.booking()).body
        let bytes = JournalSample.version1Start("sandbox") + JournalSample.version1Intent("key-1", body: body)
        try file.write(bytes)

        let entries = try Process.run(file) { ledger in
            let grant = try Process.begin(ledger).grant
            #expect(grant?.isRecorded == true && grant?.evidence.isInDoubt == true)
            ledger.withdraw("key-1")
        }
        #expect(entries.map(\.key) == ["key-1"] && entries.map(\.isWithdrawn) == [false])
        #expect(try file.read().starts(with: "pbk2 ".utf8))
        #expect(try Process.run(file).map(\.isWithdrawn) == [true])
    }

    @Test func aFileOfALaterVersionIsLeftAlone() throws {
        let file = try TemporaryPath()
        let bytes = JournalSample.line(#"{"type":"journal","version":3,"service":"sandbox"}"#, "pbk3")
        try file.write(bytes)
        let error = #expect(throws: PartnerBookingError.self) { try Process.run(file) }
        #expect(error?.code == .invalidConfig && error?.field == "journal_path")
        #expect(error?.message.contains("later version") == true)
        #expect(try file.read() == bytes)
    }
}
