import CPartnerBooking
import Glibc
import Synchronization
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// Everything at once, through the C interface, on 16 threads: submit, cancel, take, poll, prewarm, close and open again. Each
/// accepted ticket ends once, and nothing is left behind.
///
/// PBK_STRESS_OPERATIONS and PBK_STRESS_HTTP_OPERATIONS tell how many operations there are to be, PBK_STRESS_THREADS on how many
/// threads.
@Suite(.serialized) struct AsyncStressTests {
    @Test func everythingAtOnceOnTheSandbox() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            // All that a client has in hand must be ended within the two seconds that a close waits for its thread.
            let places = isThreadSanitized ? 8 : 64
            let start = #"{"endpoint":"sandbox","timeout_ms":1000,"slow_after_ms":1"#
            let configurations = [0, 2, 0, 5].map {
                start + #","max_in_flight":\#(places),"max_queued":\#(places)"#
                    + #","sandbox":{"now":"2030-01-14T08:00:00Z","capacity":1000,"latency_ms":\#($0)}}"#
            }
            try Stress.run(configurations, operations: stressNumber("PBK_STRESS_OPERATIONS", else: 20_000))
        }
        show(result)
    }

    @Test func everythingAtOnceOverHTTP() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let server = try LoopbackServer { request in
                let reply = request.header("Idempotency-Key") == nil ? Sample.searchReply : Sample.bookingReply
                if request.head.hasPrefix("HEAD ") { return [.reply(404, [])] }
                return switch request.total % 50 {
                case 0: [.cut]
                case 1: [.reset]
                case 2: [.reply(503, [])]
                case 3: [.reply(429, Sample.refusal("slow_down"))]
                case 4: [.stall]
                case 5...15: [.pause(milliseconds: 2), .reply(200, reply)]
                default: [.reply(200, reply)]
                }
            }
            let start = #"{"api_key":"sk_ptnr_stress","base_url":"\#(server.url)","timeout_ms":1000,"max_in_flight":16"#
            let retry = #""retry":{"base_delay_ms":1,"max_delay_ms":2}"#
            let configurations = [0, 1_000, 30_000].map {
                start + #","max_queued":100,"slow_after_ms":1,"keep_warm_ms":\#($0),\#(retry)}"#
            }
            try Stress.run(configurations, operations: stressNumber("PBK_STRESS_HTTP_OPERATIONS", else: 2_000))
            server.stop()
        }
        show(result)
    }

    private func show(_ result: ExitTest.Result?) {
        let lines = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
        for line in lines where line.hasPrefix("stress: ") { print(line) }
    }
}
