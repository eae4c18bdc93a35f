import CPartnerBooking
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// PBK_LEDGER_FULL, with the smallest ledger that a configuration can ask for.
@Suite(.enabled(if: !isSanitized, "5,000 bookings take long under a sanitizer")) struct LedgerFullABITests {
    /// Every request is lost, and the platform keeps no keys: each booking ends in doubt at once, and stays so.
    private static let configuration = ABIClient.configuration(
        faults: #"{"fault":"lose_request"}"#, #","platform_keys":"none""#)

    private static let giveUpAll = Array(
        #"{"give_up":true,"bot_id":"bot_1","start_before":"2031-01-01T00:00:00Z"}"#.utf8)

    @Test func fiveThousandBookingsInDoubtFillTheLedger() throws {
        let client = try ABIClient(Self.configuration)
        let others = Counter()
        onThreads(4) { thread in
            for number in 0..<1_250 {
                let reply = try? client.book(Sample.booking(key: "\(thread)-\(number)"))
                if reply?.status != PBK_IN_DOUBT { others.increment() }
            }
        }
        #expect(others.value == 0)
        let full = try client.book(Sample.booking(key: "one-too-many"))
        #expect(full.status == PBK_LEDGER_FULL)
        #expect(try full.error("code") == #""ledger_full""# && full.error("outcome") == #""not_sent""#)
        #expect(try full.error("source") == #""library""# && full.error("retryable") == "true")
        #expect(try full.error("message")?.contains("5000 bookings") == true)

        // It is about new bookings only.
        #expect(try client.book(Sample.resume(key: "0-0")).status == PBK_IN_DOUBT)
        #expect(try client.book(Sample.booking(key: "3-1249")).status == PBK_IN_DOUBT)
        #expect(try client.search().status == PBK_OK)
        #expect(try client.pending().count == 5_000)

        let given = try client.book(Self.giveUpAll)
        #expect(given.status == PBK_OK && GiveUpReply(json: given.json).givenUp.count == 5_000)
        #expect(try client.pending() == [])
        #expect(try client.book(Sample.booking(key: "one-too-many")).status == PBK_IN_DOUBT, "it was sent")
        #expect(client.close() == PBK_OK)
    }
}
