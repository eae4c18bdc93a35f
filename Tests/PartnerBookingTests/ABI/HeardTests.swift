import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// When the host has heard the end of a booking: `pbk_completion_free`, and a second after a blocking call.
@Suite struct HeardTests {
    // MARK: Completions

    @Test func aBookingLeavesTheListWhenItsCompletionIsFreed() throws {
        let client = try ABIClient(ABIClient.configuration())
        let completion = try client.bookAndTake()
        #expect(pbk_completion_status(completion) == PBK_OK)
        #expect(try client.pending() == ["key-1: booked"], "to take it is not to hear it")
        pbk_completion_free(completion)
        #expect(try client.pending() == [])
        #expect(client.close() == PBK_OK)
    }

    @Test func soDoesOneThatWasRefused() throws {
        let client = try ABIClient(ABIClient.configuration())
        pbk_completion_free(try client.bookAndTake())
        let taken = try client.bookAndTake(Sample.booking(key: "key-2"))
        #expect(pbk_completion_status(taken) == PBK_SLOT_UNAVAILABLE)
        #expect(try client.pending() == ["key-2: refused"])

        // A resume returns the end once more. To free that completion acknowledges it.
        let resumed = try client.bookAndTake(Sample.resume(key: "key-2"))
        #expect(pbk_completion_status(resumed) == PBK_NOT_RECORDED)
        #expect(pbk_completion_outcome(resumed) == PBK_OUTCOME_REJECTED)
        pbk_completion_free(resumed)
        #expect(try client.pending() == [])
        pbk_completion_free(taken)
        #expect(try client.book(Sample.resume(key: "key-2")).error("outcome") == #""unknown""#, "it is forgotten")
        #expect(client.close() == PBK_OK)
    }

    @Test func aBookingInDoubtIsHeardWhenItsReportIsFreed() throws {
        let faults = #"{"fault":"lose_reply","calls":[1]}"#
        let client = try ABIClient(ABIClient.configuration(faults: faults, #","report_settled":true"#))
        let done = try client.bookAndTake(Sample.booking(Sample.shortOfAQuestion))
        #expect(pbk_completion_outcome(done) == PBK_OUTCOME_UNKNOWN)
        pbk_completion_free(done)
        #expect(try client.pending().count == 1, "this was not its end")
        let settled = try client.take()
        #expect(pbk_completion_event(settled) == PBK_EVENT_SETTLED)
        #expect(try client.pending() == ["key-1: booked"])
        pbk_completion_free(settled)
        #expect(try client.pending() == [])
        #expect(client.close() == PBK_OK)
    }

    @Test func aSearchAndASlowCallAcknowledgeNothing() throws {
        let client = try ABIClient(
            #"{"endpoint":"sandbox","slow_after_ms":1,"sandbox":{"now":"2030-01-14T08:00:00Z","latency_ms":300}}"#)
        let slow = try client.bookAndTake()
        #expect(pbk_completion_event(slow) == PBK_EVENT_SLOW)
        let done = try client.take()
        pbk_completion_free(slow)
        #expect(client.submit(PBK_SEARCH_AVAILABILITY).status == PBK_OK)
        for _ in 0..<2 { pbk_completion_free(try client.take()) }
        #expect(try client.pending() == ["key-1: booked"])
        pbk_completion_free(done)
        #expect(try client.pending() == [])
        #expect(client.close() == PBK_OK)
    }

    /// The finding of a callback. Its context is a pointer to it.
    private final class Found: Sendable {
        struct Record: Sendable {
            var before: [String]?
            var after: [String]?
        }

        let record = Monitor(Record())
        let client: ABIClient

        init(_ client: ABIClient) { self.client = client }
    }

    @Test func aCallbackHearsByFreeingToo() throws {
        let client = try ABIClient(ABIClient.configuration())
        let found = Found(client)
        let context = UInt(bitPattern: Unmanaged.passUnretained(found).toOpaque())
        let submitted = client.submit(PBK_CREATE_BOOKING, context: context) { context, completion in
            guard let context else { return }
            let found = Unmanaged<Found>.fromOpaque(context).takeUnretainedValue()
            let before = try? found.client.pending()
            pbk_completion_free(completion)
            let after = try? found.client.pending()
            found.record.update { $0 = Found.Record(before: before, after: after) }
        }
        #expect(submitted.status == PBK_OK)
        #expect(found.record.becomes { $0.after != nil })
        #expect(found.record.withLock { $0.before } == ["key-1: booked"])
        #expect(found.record.withLock { $0.after } == [])
        #expect(client.close() == PBK_OK)
        withExtendedLifetime(found) {}
    }

    // MARK: Blocking calls

    /// The process may die before the host has used the reply.
    @Test func aBlockingCallIsHeardASecondLater() throws {
        let client = try ABIClient(ABIClient.configuration())
        let start = MonotonicTime.now()
        #expect(try client.book().status == PBK_OK)
        let pending = try client.pending()
        // On a machine that is very slow the second is over by now.
        if MonotonicTime.now().milliseconds(since: start) < 1_000 { #expect(pending == ["key-1: booked"]) }
        #expect(eventually { (try? client.pending()) == [] })
        #expect(try client.book().status == PBK_OK, "the reply is remembered")
        #expect(client.close() == PBK_OK)
    }

    @Test func aBlockingResumeHearsTheOldEnd() throws {
        let client = try ABIClient(ABIClient.configuration())
        let completion = try client.bookAndTake()
        #expect(try client.book(Sample.resume()).status == PBK_OK)
        #expect(eventually { (try? client.pending()) == [] })
        pbk_completion_free(completion)
        #expect(try client.pending() == [])
        #expect(client.close() == PBK_OK)
    }
}
