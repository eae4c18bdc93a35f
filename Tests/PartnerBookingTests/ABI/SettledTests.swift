import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// `report_settled` through the C interface: a booking whose call ended with `unknown`, and that is settled later.
@Suite struct SettledTests {
    private static func configuration(_ faults: String = "", _ more: String = "") -> String {
        let sandbox = #"{"now":"2030-01-14T08:00:00Z","capacity":1,"faults":[\#(faults)]}"#
        return
            #"{"endpoint":"sandbox","retry":{"max_attempts":1},"circuit_breaker":{"failures":0},"sandbox":\#(sandbox)\#(more)}"#
    }

    private static let reported = #","report_settled":true"#
    private static let lostReply = #"{"fault":"lose_reply","calls":[1]}"#
    private static let request = Sample.booking(#","tag":"Anruf ü""# + Sample.shortOfAQuestion)

    /// The completion of a call that leaves its booking in doubt.
    private func doubt(_ client: ABIClient) throws {
        #expect(client.submit(PBK_CREATE_BOOKING, Self.request, context: 5).status == PBK_OK)
        let done = try #require(client.next().completion)
        #expect(done.event == PBK_EVENT_DONE && done.status == PBK_IN_DOUBT && done.outcome == PBK_OUTCOME_UNKNOWN)
        #expect(done.ticket != 0 && done.context == 5 && done.key == "key-1")
    }

    @Test func aBookingThatIsFoundToBeMadeIsReportedOnce() throws {
        let client = try ABIClient(Self.configuration(Self.lostReply, Self.reported))
        try doubt(client)
        #expect(client.isReadable(within: 20_000))
        let settled = try #require(client.next(within: 0).completion)
        #expect(settled.event == PBK_EVENT_SETTLED && settled.ticket == 0 && settled.context == 0)
        #expect(settled.status == PBK_OK && settled.outcome == PBK_OUTCOME_NONE)
        #expect(settled.key == "key-1" && settled.tag == "Anruf ü" && settled.timing != nil)
        #expect(settled.reply == (try client.book().json))
        #expect(!client.isReadable() && client.next(within: 0).status == PBK_TIMEOUT)
        #expect(client.close() == PBK_OK)
    }

    /// It was lost on the way, and then somebody else took the slot. The platform looks at keys first, and its time is over.
    @Test func aBookingThatIsFoundNotToBeMadeIsReportedWithItsError() throws {
        let rules = #","platform_keys":"first","platform_limit_ms":1"#
        let client = try ABIClient(
            Self.configuration(#"{"fault":"lose_request","calls":[1]}"#, Self.reported + rules))
        try doubt(client)
        #expect(try client.book(Sample.booking(key: "somebody-else")).status == PBK_OK)
        let settled = try #require(client.next().completion)
        #expect(settled.event == PBK_EVENT_SETTLED && settled.key == "key-1" && settled.tag == "Anruf ü")
        #expect(settled.status == PBK_SLOT_UNAVAILABLE && settled.outcome == PBK_OUTCOME_REJECTED)
        let reply = try #require(settled.reply)
        let error = try #require(try JSONDocument(reply, profile: .request).root["error"])
        #expect(error["code"]?.string == "slot_unavailable" && error["outcome"]?.string == "rejected")
        #expect(error["idempotency_key"]?.string == "key-1" && error["tag"]?.string == "Anruf ü")
        #expect(client.close() == PBK_OK)
    }

    /// The context of a callback may be gone by then.
    @Test func aReportNeverComesByCallback() throws {
        let client = try ABIClient(Self.configuration(Self.lostReply, Self.reported))
        let count = Counter()
        let context = UInt(bitPattern: Unmanaged.passUnretained(count).toOpaque())
        let submitted = client.submit(PBK_CREATE_BOOKING, Self.request, context: context) { context, completion in
            if let context { Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().increment() }
            pbk_completion_free(completion)
        }
        #expect(submitted.status == PBK_OK)
        #expect(try #require(client.next().completion).event == PBK_EVENT_SETTLED)
        #expect(client.close() == PBK_OK)
        #expect(count.value == 1)
    }

    /// The repeat has the end of the booking; without the setting nobody else is told.
    @Test func nothingIsReportedUnasked() throws {
        let client = try ABIClient(Self.configuration(Self.lostReply))
        try doubt(client)
        #expect(try client.book().status == PBK_OK)
        #expect(client.next(within: 0).status == PBK_TIMEOUT)
        #expect(client.close() == PBK_OK)
    }

    @Test func aCompletionHasTheKeyOfItsBooking() throws {
        let client = try ABIClient()
        #expect(client.submit(PBK_CREATE_BOOKING, Sample.booking(key: "key-7")).status == PBK_OK)
        #expect(try #require(client.next().completion).key == "key-7")
        #expect(client.submit(PBK_SEARCH_AVAILABILITY).status == PBK_OK)
        let search = try #require(client.next().completion)
        #expect(search.key == nil && search.status == PBK_OK)
        #expect(pbk_completion_key(nil) == nil)
        #expect(client.close() == PBK_OK)
    }

    /// A report that finds no room is not lost: the booking stays listed, and a repeat has its end.
    @Test func withoutRoomForTheReportTheEndStaysUnheard() throws {
        let configuration = Self.configuration(Self.lostReply, Self.reported)
        let client = try PartnerBookingClient(json: Array(configuration.utf8))
        let timing = CallTiming(totalMicroseconds: 0, queueMicroseconds: 0, attempts: 0)
        for number in 0..<CompletionQueue.settlementLimit {
            client.completions.append(
                Settlement(idempotencyKey: "\(number)", tag: nil, result: .success([]), timing: timing, receipt: nil))
        }
        #expect(client.wait(.createBooking, Self.request).failure?.outcome == .unknown)
        #expect(eventually { client.pendingStates == [.booked] })
        while case .entry(let entry) = client.completions.next(timeoutMilliseconds: 0) {
            #expect(entry.completion.idempotencyKey != "key-1")
            entry.completion.receipt?.acknowledge()
        }
        #expect(client.pendingStates == [.booked])
        #expect(client.wait(.createBooking, Sample.resume()).success != nil)
        #expect(eventually { client.pendingStates == [] })
        #expect(try client.closeAndWait(1_000) == 0)
    }

    // MARK: After a restart

    /// A journal with what an earlier process has left.
    private func journal(_ records: JournalRecord...) throws -> TemporaryPath {
        let file = try TemporaryPath()
        let mark = JournalRecord.Mark(clock: 1, reading: .now())
        try file.write(([.journal(service: "sandbox", mark)] + records).flatMap(\.line))
        return file
    }

    private static func intent() throws -> JournalRecord {
        let request = try Request(.createBooking, json: Sample.booking())
        return record(.intent(try #require(request.wish), body: request.body, accountID: nil), clock: 2)
    }

    private static func record(_ event: JournalRecord.Event, clock: Int) -> JournalRecord {
        .event(event, key: "key-1", .init(at: WallClock.milliseconds(), clock: clock))
    }

    private func resuming(_ file: TemporaryPath) -> String {
        Self.configuration("", Self.reported + #","journal_path":"\#(file.path)","resume_on_open":true"#)
    }

    /// Its call was another process's: nobody here would hear of it otherwise.
    @Test func aBookingThatIsResumedOnOpenIsReported() throws {
        let file = try journal(Self.intent())
        let client = try ABIClient(resuming(file))
        let settled = try #require(client.next().completion)
        #expect(settled.event == PBK_EVENT_SETTLED && settled.ticket == 0 && settled.context == 0)
        #expect(settled.status == PBK_OK && settled.key == "key-1" && settled.tag == nil)
        #expect(settled.reply == (try client.book().json))
        #expect(client.close() == PBK_OK)
    }

    /// Nobody waits for what the client resumes by itself, so a person can give it up.
    @Test func aBookingThatIsResumedOnOpenIsGivenUp() throws {
        let file = try journal(Self.intent())
        let sandbox = #""sandbox":{"now":"2030-01-14T08:00:00Z","latency_ms":600000}"#
        let journal = #""journal_path":"\#(file.path)","resume_on_open":true"#
        let client = try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox",\#(sandbox),\#(journal)}"#.utf8))
        #expect(eventually { client.pendingStates == [.inFlight] })
        let reply = GiveUpReply(json: try client.wait(.createBooking, Sample.giveUp()).get())
        #expect(reply.givenUp.map(\.idempotencyKey) == ["key-1"] && reply.kept.isEmpty && reply.isJournaled)
        #expect(client.pendingStates == [])
        #expect(try client.closeAndWait() == 0)
        let next = try PartnerBookingClient(json: Array(resuming(file).utf8))
        #expect(next.pendingStates == [])
        #expect(try next.closeAndWait() == 0)
    }

    /// Nothing is sent for it unasked. It stays in doubt, until the host repeats it.
    @Test func aBookingThatWasWithdrawnIsNotResumedOnOpen() throws {
        let file = try journal(Self.intent(), Self.record(.withdrawn, clock: 3))
        let client = try PartnerBookingClient(json: Array(resuming(file).utf8))
        #expect(client.search().success != nil, "what was resumed before is under way by now")
        #expect(try client.pendingBookings().map(\.state) == [.inDoubt])
        #expect(try client.sandboxBookings() == Array(#"{"bookings":[]}"#.utf8))
        #expect(client.book().success != nil)
        #expect(eventually { client.pendingStates == [] }, "a second after the call")
        #expect(try client.close(timeout: .seconds(1)) == 0)
    }
}
