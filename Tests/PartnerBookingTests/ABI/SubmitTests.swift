import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// A completion of the C interface, copied and freed.
struct ABICompletion: Sendable {
    let event: pbk_event
    let ticket: pbk_ticket
    let context: UInt
    let status: pbk_status
    let outcome: pbk_outcome
    let reply: [UInt8]?
    let tag: String?
    let key: String?
    let timing: String?

    /// nil for a NULL.
    init?(_ completion: OpaquePointer?) {
        guard let completion else { return nil }
        event = pbk_completion_event(completion)
        ticket = pbk_completion_ticket(completion)
        context = UInt(bitPattern: pbk_completion_context(completion))
        status = pbk_completion_status(completion)
        outcome = pbk_completion_outcome(completion)
        let start = pbk_completion_reply(completion)
        reply = start.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        #expect(pbk_completion_reply_length(completion) == reply?.count ?? 0)
        tag = pbk_completion_tag(completion).map { String(cString: $0) }
        key = pbk_completion_key(completion).map { String(cString: $0) }
        timing = pbk_completion_timing(completion).map { String(cString: $0) }
        pbk_completion_free(completion)
    }
}

extension ABIClient {
    /// The status, the ticket, and the error reply if there is one.
    func submit(
        _ operation: pbk_operation = PBK_SEARCH_AVAILABILITY, _ json: [UInt8]? = nil, context: UInt = 0,
        callback: pbk_callback? = nil
    ) -> (status: pbk_status, ticket: pbk_ticket, error: ABIReply?) {
        var ticket: pbk_ticket = 4_711
        var error: UnsafeMutablePointer<CChar>?
        let sample = operation == PBK_CREATE_BOOKING ? Sample.booking() : Sample.search()
        let status = withCString(json ?? sample) {
            pbk_submit(handle, operation, $0, &ticket, &error, callback, UnsafeMutableRawPointer(bitPattern: context))
        }
        return (status, ticket, ABIReply(status, error))
    }

    func next(within milliseconds: Int32 = 20_000) -> (status: pbk_status, completion: ABICompletion?) {
        var status = pbk_status(rawValue: 999)
        let completion = ABICompletion(pbk_next_completion(handle, milliseconds, &status))
        return (status, completion)
    }

    /// Whether the descriptor tells that a completion waits.
    func isReadable(within milliseconds: Int32 = 0) -> Bool {
        var descriptor = pollfd(fd: pbk_client_fd(handle), events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) == 1 && descriptor.revents == Int16(POLLIN)
    }
}

/// Submitting through the C interface, with a callback and with the queue.
@Suite struct SubmitTests {
    private static let slow =
        #"{"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z","latency_ms":60000},"timeout_ms":60000"#

    // MARK: The queue

    @Test func completionOfTheQueue() throws {
        let client = try ABIClient()
        #expect(!client.isReadable())
        let (status, ticket, error) = client.submit(
            PBK_CREATE_BOOKING, Sample.booking(#","tag":"Anruf ü""#), context: 0xDEAD_BEEF)
        #expect(status == PBK_OK)
        #expect(ticket != 0)
        #expect(error == nil)
        #expect(client.isReadable(within: 20_000))
        let (taken, completion) = client.next(within: 0)
        #expect(taken == PBK_OK)
        let booking = try #require(completion)
        #expect(booking.event == PBK_EVENT_DONE)
        #expect(booking.status == PBK_OK)
        #expect(booking.outcome == PBK_OUTCOME_NONE)
        #expect(booking.ticket == ticket)
        #expect(booking.context == 0xDEAD_BEEF)
        #expect(booking.tag == "Anruf ü")
        #expect(booking.timing?.hasPrefix(#"{"total_us":"#) == true)
        // The same key gives the same booking, also to a call that waits.
        #expect(booking.reply == (try client.book().json))
        #expect(!client.isReadable())
        let (status2, none) = client.next(within: 0)
        #expect(status2 == PBK_TIMEOUT)
        #expect(none == nil)
        #expect(client.close() == PBK_OK)
    }

    @Test func slowAndCancelledInTheQueue() throws {
        let client = try ABIClient(Self.slow + #","slow_after_ms":5}"#)
        let (_, ticket, _) = client.submit(PBK_CREATE_BOOKING, context: 5)
        let slow = try #require(client.next().completion)
        #expect(slow.event == PBK_EVENT_SLOW)
        #expect(slow.status == PBK_OK)
        #expect(slow.outcome == PBK_OUTCOME_NONE)
        #expect(slow.ticket == ticket && slow.context == 5)
        #expect(slow.reply == nil)
        #expect(slow.tag == nil)
        #expect(slow.timing != nil)
        #expect(pbk_cancel(client.handle, ticket) == PBK_OK)
        let done = try #require(client.next().completion)
        #expect(done.event == PBK_EVENT_DONE)
        #expect(done.status == PBK_CANCELLED)
        #expect(done.outcome == PBK_OUTCOME_UNKNOWN)
        #expect(done.ticket == ticket && done.context == 5)
        let reply = try #require(done.reply)
        let error = try #require(try JSONDocument(reply, profile: .request).root["error"])
        #expect(error["code"]?.string == "cancelled")
        #expect(error["outcome"]?.string == "unknown")
        #expect(error["idempotency_key"]?.string == "key-1")
        #expect(error["timing"]?["attempts"]?.integer == 1)
        #expect(pbk_cancel(client.handle, ticket) == PBK_OK)
        #expect(client.close() == PBK_OK)
    }

    @Test func leftoversCanBeTakenAfterTheClose() throws {
        let client = try ABIClient(Self.slow + "}")
        for context in 1...3 as ClosedRange<UInt> { #expect(client.submit(context: context).status == PBK_OK) }
        #expect(client.close(0) == PBK_TIMEOUT)
        #expect(pbk_client_fd(client.handle) == -1)
        #expect(client.submit().status == PBK_CLIENT_CLOSED)
        var contexts: [UInt] = []
        while let completion = client.next().completion {
            #expect(completion.status == PBK_CLIENT_CLOSED)
            contexts.append(completion.context)
        }
        #expect(contexts.sorted() == [1, 2, 3])
        for _ in 0..<2 { #expect(client.next().status == PBK_CLIENT_CLOSED) }
    }

    @Test func closeWakesWhoWaits() throws {
        let client = try ABIClient()
        let statuses = Monitor<[pbk_status]>([])
        let waiters = background {
            onThreads(4) { _ in
                let (status, completion) = client.next(within: 60_000)
                #expect(completion == nil)
                statuses.update { $0.append(status) }
            }
        }
        sleep(milliseconds: 20)
        let elapsed = elapsedMilliseconds {
            #expect(client.close() == PBK_OK)
            waiters.join()
        }
        #expect(elapsed < 40_000)
        #expect(statuses.withLock { $0 } == [pbk_status](repeating: PBK_CLIENT_CLOSED, count: 4))
    }

    // MARK: Callbacks

    /// What a callback saw. The context is a pointer to it.
    private final class Seen: Sendable {
        struct Record: Sendable {
            var completions: [ABICompletion] = []
            var statuses: [pbk_status] = []
        }

        let record = Monitor(Record())
        let client: ABIClient

        init(_ client: ABIClient) { self.client = client }

        /// The number that is its context. It must outlive its calls.
        var context: UInt { UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

        static func at(_ context: UnsafeMutableRawPointer?) -> Seen? {
            context.map { Unmanaged<Seen>.fromOpaque($0).takeUnretainedValue() }
        }

        func sees(completions count: Int) -> Bool { record.becomes { $0.completions.count >= count } }
    }

    private static let note: pbk_callback = { context, completion in
        guard let seen = Seen.at(context), let completion = ABICompletion(completion) else { return }
        seen.record.update { $0.completions.append(completion) }
    }

    @Test func callbackGetsTheCompletion() throws {
        let client = try ABIClient()
        let seen = Seen(client)
        let (status, ticket, _) = client.submit(
            PBK_SEARCH_AVAILABILITY, Sample.search(#","tag":"t""#), context: seen.context, callback: Self.note)
        #expect(status == PBK_OK)
        #expect(seen.sees(completions: 1))
        let completion = try #require(seen.record.withLock { $0.completions.first })
        #expect(completion.ticket == ticket)
        #expect(completion.context == seen.context)
        #expect(completion.event == PBK_EVENT_DONE && completion.status == PBK_OK)
        #expect(completion.tag == "t")
        #expect(completion.reply?.starts(with: Array(#"{"availabilities":["#.utf8)) == true)
        #expect(client.close() == PBK_OK)
        #expect(client.next(within: 0).completion == nil)
        withExtendedLifetime(seen) {}
    }

    /// In a callback nothing waits: what would is refused, the rest works.
    @Test func callbacksMayCallWhatDoesNotWait() throws {
        let client = try ABIClient()
        let seen = Seen(client)
        let inside: pbk_callback = { context, completion in
            pbk_completion_free(completion)
            guard let seen = Seen.at(context) else { return }
            let client = seen.client
            var statuses = [PBK_OK]
            let elapsed = elapsedMilliseconds {
                statuses = [
                    client.close(), (try? client.search())?.status ?? PBK_OK, (try? client.book())?.status ?? PBK_OK,
                    client.next(within: 60_000).status, pbk_prewarm(client.handle), pbk_cancel(client.handle, 1),
                ]
            }
            let (status, ticket, _) = client.submit(context: seen.context, callback: SubmitTests.note)
            statuses += [status, pbk_cancel(client.handle, ticket), pbk_cancel(client.handle, ticket + 1)]
            statuses.append(elapsed < 30_000 ? PBK_OK : PBK_TIMEOUT)
            seen.record.update { [statuses] in $0.statuses = statuses }
        }
        #expect(client.submit(context: seen.context, callback: inside).status == PBK_OK)
        #expect(seen.sees(completions: 1))
        let expected = [
            PBK_WOULD_DEADLOCK, PBK_WOULD_DEADLOCK, PBK_WOULD_DEADLOCK, PBK_TIMEOUT, PBK_OK, PBK_OK, PBK_OK, PBK_OK,
            PBK_INVALID_ARGUMENT, PBK_OK,
        ]
        #expect(seen.record.withLock { $0.statuses } == expected)
        // Cancelled before it could start.
        #expect(seen.record.withLock { $0.completions.first?.status } == PBK_CANCELLED)
        #expect(client.close() == PBK_OK)
        withExtendedLifetime(seen) {}
    }

    // MARK: Refusals

    @Test func refusedSubmissionHasNoTicket() throws {
        let client = try ABIClient()
        let wrong = client.submit(PBK_CREATE_BOOKING, Sample.booking(key: "key-9", #","tag":"t-9","timeout_ms":0"#))
        #expect(wrong.status == PBK_INVALID_FIELD)
        #expect(wrong.ticket == 0)
        let error = try #require(wrong.error)
        #expect(try error.error("code") == #""invalid_field""#)
        #expect(try error.error("field") == #""timeout_ms""#)
        #expect(try error.error("outcome") == #""not_sent""#)
        #expect(try error.error("timing") == nil)
        let text = client.submit(PBK_SEARCH_AVAILABILITY, Array("{".utf8))
        #expect(text.status == PBK_INVALID_JSON)
        #expect(try text.error?.error("offset") == "1")
        #expect(try text.error?.error("outcome") == nil)
        let operation = client.submit(pbk_operation(rawValue: 99))
        #expect(operation.status == PBK_INVALID_ARGUMENT)
        #expect(operation.ticket == 0)
        #expect(client.close() == PBK_OK)
        #expect(client.next(within: 0).completion == nil)
    }

    /// Every output may be NULL, and every input that must not be is refused.
    @Test func withoutAnything() throws {
        #expect(pbk_submit(nil, PBK_SEARCH_AVAILABILITY, nil, nil, nil, nil, nil) == PBK_INVALID_CLIENT)
        #expect(pbk_cancel(nil, 1) == PBK_INVALID_CLIENT)
        #expect(pbk_prewarm(nil) == PBK_INVALID_CLIENT)
        #expect(pbk_client_fd(nil) == -1)
        #expect(pbk_next_completion(nil, 60_000, nil) == nil)
        #expect(pbk_completion_event(nil).rawValue == 0)
        #expect(pbk_completion_ticket(nil) == 0)
        #expect(pbk_completion_context(nil) == nil)
        #expect(pbk_completion_status(nil) == PBK_INVALID_ARGUMENT)
        #expect(pbk_completion_outcome(nil) == PBK_OUTCOME_NONE)
        #expect(pbk_completion_reply(nil) == nil)
        #expect(pbk_completion_reply_length(nil) == 0)
        #expect(pbk_completion_tag(nil) == nil)
        #expect(pbk_completion_timing(nil) == nil)
        pbk_completion_free(nil)

        let client = try ABIClient()
        #expect(pbk_submit(client.handle, PBK_SEARCH_AVAILABILITY, nil, nil, nil, nil, nil) == PBK_INVALID_ARGUMENT)
        let status = withCString(Sample.search()) {
            pbk_submit(client.handle, PBK_SEARCH_AVAILABILITY, $0, nil, nil, nil, nil)
        }
        #expect(status == PBK_OK)
        #expect(client.next().completion?.context == 0)
        for ticket in [0, 999, .max] as [pbk_ticket] { #expect(pbk_cancel(client.handle, ticket) == PBK_INVALID_ARGUMENT) }
        #expect(pbk_prewarm(client.handle) == PBK_OK)
        #expect(client.close() == PBK_OK)
        #expect(pbk_cancel(client.handle, 1) == PBK_CLIENT_CLOSED)
        #expect(pbk_prewarm(client.handle) == PBK_CLIENT_CLOSED)
    }

    @Test func fullQueue() throws {
        let client = try ABIClient(Self.slow + #","max_in_flight":1,"max_queued":1}"#)
        let tickets = (1...2).map { client.submit(context: $0).ticket }
        let refused = client.submit(PBK_CREATE_BOOKING)
        #expect(refused.status == PBK_QUEUE_FULL)
        #expect(refused.ticket == 0)
        #expect(try refused.error?.error("code") == #""queue_full""#)
        #expect(try refused.error?.error("outcome") == #""not_sent""#)
        // Over, and not taken: still full. Taken: one more.
        #expect(pbk_cancel(client.handle, tickets[0]) == PBK_OK)
        #expect(client.isReadable(within: 20_000))
        #expect(client.submit().status == PBK_QUEUE_FULL)
        #expect(client.next().completion?.ticket == tickets[0])
        #expect(client.submit().status == PBK_OK)
        #expect(client.submit().status == PBK_QUEUE_FULL)
        #expect(client.close(0) == PBK_TIMEOUT)
        while client.next().completion != nil {}
    }
}
