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

    // MARK: After a restart

    /// A journal with what an earlier process has left.
    private func journal(_ records: JournalRecord...) throws -> TemporaryPath {
        let file = try TemporaryPath()
        try file.write(([.journal(service: "sandbox")] + records).flatMap(\.line))
        return file
    }

    private static func intent() throws -> JournalRecord {
        let body = try Request(.createBooking, json: Sample.booking()).body
        let fingerprint = try #require(Fingerprint(body: body))
        return .intent(key: "key-1", at: WallClock.milliseconds(), fingerprint: fingerprint, body: body)
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

    /// Nothing is sent for it unasked. It stays in doubt, until the host repeats it.
    @Test func aBookingThatWasWithdrawnIsNotResumedOnOpen() throws {
        let file = try journal(Self.intent(), .withdrawn(key: "key-1", at: WallClock.milliseconds()))
        let client = try PartnerBookingClient(configuration: Array(resuming(file).utf8))
        #expect(client.search().success != nil, "what was resumed before is under way by now")
        #expect(try client.pendingBookings().map(\.state) == [.inDoubt])
        #expect(try client.sandboxBookings() == Array(#"{"bookings":[]}"#.utf8))
        #expect(client.book().success != nil)
        #expect(try client.pendingBookings().isEmpty)
        #expect(try client.close(timeoutMilliseconds: 1_000) == 0)
    }
}
