import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// The next client knows which ends were heard, and which were not.
@Suite struct HeardJournalTests {
    private let file: TemporaryPath

    init() throws { file = try TemporaryPath() }

    private func open() throws -> ABIClient {
        try ABIClient(ABIClient.configuration(#","journal_path":"\#(file.path)""#))
    }

    /// Returns the list of a client that is opened now.
    private func listedLater() throws -> [String] {
        let client = try open()
        defer { client.close() }
        return try client.pending()
    }

    private func hasHeardRecord() -> Bool {
        (try? String(decoding: file.read(), as: UTF8.self).contains(#""type":"heard""#)) ?? false
    }

    // MARK: The close

    /// Without a wait for the second that the record may take.
    @Test(arguments: [true, false])
    func theCloseWritesWhatWasFreed(isFreed: Bool) throws {
        let client = try open()
        let completion = try client.bookAndTake()
        if isFreed { pbk_completion_free(completion) }
        #expect(client.close() == PBK_OK)
        #expect(hasHeardRecord() == isFreed)
        #expect(try listedLater() == (isFreed ? [] : ["key-1: booked"]))
        if !isFreed { pbk_completion_free(completion) }
    }

    @Test func theCloseWritesWhatABlockingCallReturned() throws {
        let client = try open()
        #expect(try client.book().status == PBK_OK)
        #expect(client.close() == PBK_OK)
        #expect(try listedLater() == [])
    }

    /// Nothing is left of a refused booking that was heard.
    @Test(arguments: [true, false])
    func aRefusedBookingIsListedUntilItWasHeard(isFreed: Bool) throws {
        let client = try open()
        pbk_completion_free(try client.bookAndTake())
        let taken = try client.bookAndTake(Sample.booking(key: "key-2"))
        #expect(pbk_completion_status(taken) == PBK_SLOT_UNAVAILABLE)
        if isFreed { pbk_completion_free(taken) }
        #expect(client.close() == PBK_OK)

        let next = try open()
        #expect(try next.pending() == (isFreed ? [] : ["key-2: refused"]))
        let resumed = try next.book(Sample.resume(key: "key-2"))
        #expect(resumed.status == PBK_NOT_RECORDED)
        #expect(try resumed.error("outcome") == (isFreed ? #""unknown""# : #""rejected""#))
        #expect(next.close() == PBK_OK)
        #expect(try listedLater() == [])
        if !isFreed { pbk_completion_free(taken) }
    }

    // MARK: After the close

    /// In memory only: the next client lists it, and the host hears it there once more.
    @Test func whatIsFreedAfterTheCloseIsListedOnceMore() throws {
        let client = try open()
        #expect(client.submit(PBK_CREATE_BOOKING).status == PBK_OK)
        #expect(client.close() == PBK_OK)
        let leftover = try client.take()
        #expect(pbk_completion_status(leftover) == PBK_OK)
        pbk_completion_free(leftover)
        #expect(!hasHeardRecord())

        let next = try open()
        #expect(try next.pending() == ["key-1: booked"])
        pbk_completion_free(try next.bookAndTake(Sample.resume()))
        #expect(try next.pending() == [])
        #expect(next.close() == PBK_OK)
        #expect(try listedLater() == [])
    }

    /// While the next client has the journal open.
    @Test func soIsWhatIsFreedWhenTheNextClientIsOpen() throws {
        let client = try open()
        let completion = try client.bookAndTake()
        #expect(client.close() == PBK_OK)
        let next = try open()
        pbk_completion_free(completion)
        #expect(try next.pending() == ["key-1: booked"])
        #expect(next.close() == PBK_OK)
        #expect(try listedLater() == ["key-1: booked"])
    }

    // MARK: Without a close

    /// The record comes by itself, and not before a second is over: it must not be ahead of a host that writes down what
    /// it has heard.
    @Test func theRecordComesASecondLater() throws {
        let client = try open()
        let completion = try client.bookAndTake()
        let start = MonotonicTime.now()
        pbk_completion_free(completion)
        let isWritten = hasHeardRecord()
        if MonotonicTime.now().milliseconds(since: start) < 1_000 { #expect(!isWritten) }
        #expect(eventually { hasHeardRecord() })
        #expect(MonotonicTime.now().milliseconds(since: start) >= 1_000)
        #expect(client.close() == PBK_OK)
    }

    // MARK: The child of a fork

    private typealias Fork = @convention(c) () -> pid_t

    /// Swift does not import it.
    private static let fork = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)

    /// Frees a completion in the child of a fork. Returns how that ended, or nil when it hung.
    private static func freeInAChild(_ completion: OpaquePointer) -> Int32? {
        let child = fork()
        if child == 0 {
            pbk_completion_free(completion)
            _exit(7)
        }
        guard child > 0 else { return -1 }
        var status: Int32 = 0
        guard eventually({ waitpid(child, &status, WNOHANG) == child }) else {
            kill(child, SIGKILL)
            waitpid(child, &status, 0)
            return nil
        }
        return status
    }

    /// Hears an end that was heard before, again and again: most of that is done with the ledger's lock held.
    private static func hold(_ client: ABIClient, until isOver: Monitor<Bool>) throws -> [PartnerBooking.Thread] {
        #expect(client.submit(PBK_CREATE_BOOKING, Sample.booking(key: "key-2")).status == PBK_OK)
        let queue = try Handles.client(client.handle).completions
        guard case .entry(let entry) = queue.next(timeoutMilliseconds: 20_000) else {
            throw TestFailure("no completion came")
        }
        let receipt = try #require(entry.completion.receipt)
        return (0..<2).map { _ in
            background { while !isOver.withLock({ $0 }) { for _ in 0..<1_000 { receipt.acknowledge() } } }
        }
    }

    /// Other threads of the parent hold the ledger's lock most of the time. The booking is the parent's, and stays listed
    /// there.
    @Test func aChildMayFreeWhatItHasInherited() async throws {
        await #expect(processExitsWith: .success) {
            let file = try TemporaryPath()
            let client = try ABIClient(ABIClient.configuration(#","journal_path":"\#(file.path)""#))
            let completion = try client.bookAndTake()
            let isOver = Monitor(false)
            let holders = try HeardJournalTests.hold(client, until: isOver)
            var status = Int32?(7 << 8)
            for _ in 0..<20 where status == 7 << 8 { status = HeardJournalTests.freeInAChild(completion) }
            #expect(status == 7 << 8)
            isOver.update { $0 = true }
            for holder in holders { holder.join() }
            #expect(try client.pending() == ["key-1: booked"])
            #expect(client.close() == PBK_OK)
            let next = try ABIClient(ABIClient.configuration(#","journal_path":"\#(file.path)""#))
            #expect(try next.pending() == ["key-1: booked"])
            #expect(next.close() == PBK_OK)
        }
    }
}
