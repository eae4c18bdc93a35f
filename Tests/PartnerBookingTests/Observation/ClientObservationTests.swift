import Glibc
import Testing

@testable import PartnerBooking

/// Counters and log of a client on the embedded sandbox.
@Suite struct ClientObservationTests {
    private static let search = Array(
        #"{"bot_id":"b","query":{"filter":{"start_at_range":{"start_at":"2030-01-14T00:00:00Z","end_at":"2030-01-15T00:00:00Z"}}}}"#
            .utf8)
    private static let find =
        #"{"tool":"find_appointment_slots","call_id":"call-7","bot_id":"b","arguments":{"when":"tomorrow"},"tag":"t"}"#

    private func client(_ members: String = "", faults: String = "") throws -> PartnerBookingClient {
        try PartnerBookingClient(
            json: Array(
                #"{"endpoint":"sandbox","api_key":"sk_ptnr_0123456789abcdef","sandbox":{"seed":7,"now":"2030-01-14T08:00:00Z"\#(faults)}\#(members)}"#
                    .utf8))
    }

    private func stats(_ client: PartnerBookingClient) throws -> JSONValue {
        try JSONDocument(try client.statsJSON(), what: "reply", maxBytes: 65_536).root
    }

    /// Counts by operation and status.
    private func calls(_ client: PartnerBookingClient) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for call in try stats(client).list("calls") {
            counts["\(call["operation"]?.string ?? "") \(call["status"]?.string ?? "")"] = call["count"]?.integer
        }
        return counts
    }

    @Test func callsAreCountedByTheirEnd() throws {
        let fault = #"{"fault":"error","status":503,"operation":"search_availability","calls":[2]}"#
        let client = try client(faults: #","faults":[\#(fault)]"#)
        _ = client.call(.searchAvailability, request: Self.search)
        _ = client.call(.searchAvailability, request: Self.search)
        _ = client.call(.searchAvailability, request: Array(#"{"bot_id":7}"#.utf8))
        _ = client.call(.createBooking, request: Array("{}".utf8))
        let counts = try calls(client)
        #expect(counts["search_availability ok"] == 2)
        #expect(counts["search_availability invalid_field"] == 1 && counts["create_booking invalid_field"] == 1)
        let stats = try stats(client)
        #expect(stats["retries"]?.integer == 1 && stats["open_calls"]?.integer == 0)
        // The transfer thread tells it at the end of its round.
        for _ in 0..<1_000 where try self.stats(client)["in_flight"]?.integer != 0 { usleep(1_000) }
        #expect(try self.stats(client)["in_flight"]?.integer == 0)
        #expect(stats.list("booking_outcomes").first?["outcome"]?.string == "not_sent")
        try client.close(timeout: .zero)
    }

    @Test func toolCallsCountByTheirResult() throws {
        let client = try client(#","voice":{"time_zone":"America/New_York"}"#)
        _ = client.callTool(Array(Self.find.utf8))
        _ = client.callTool(Array(Self.find.utf8))
        let stats = try stats(client)
        let counts = try calls(client)
        #expect(counts["call_tool ok"] == 2 && counts["search_availability ok"] == 1)
        #expect(stats.list("tools").first?["tool"]?.string == "find_appointment_slots")
        #expect(stats.list("tools").first?["count"]?.integer == 2)
        #expect(stats["cache_hits"]?.integer == 1 && stats["cache_misses"]?.integer == 1)
        try client.close(timeout: .zero)
    }

    @Test func nothingIsCountedWithoutStats() throws {
        let client = try client(#","stats":false"#)
        _ = client.call(.searchAvailability, request: Self.search)
        let stats = try stats(client)
        #expect(stats.list("calls").isEmpty && stats.list("attempts").isEmpty && stats["uptime_ms"]?.integer != nil)
        try client.close(timeout: .zero)
        #expect(throws: PartnerBookingError.self) { try client.statsJSON() }
        #expect(throws: PartnerBookingError.self) { try client.setLog(nil, nil) }
    }

    /// A receiver may call the library: no lock is held around it.
    @Test func receiverMayCallTheClient() throws {
        let client = try client(#","voice":{"time_zone":"America/New_York"}"#)
        let events = Monitor<[String]>([])
        try client.setLog(.debug) { [weak client] _, line in
            events.update { $0.append(String(decoding: line, as: UTF8.self)) }
            try? client?.endConversation(Array(#"{"bot_id":"b","call_id":"c"}"#.utf8))
            _ = try? client?.statsJSON()
        }
        _ = client.callTool(Array(Self.find.utf8))
        _ = client.callTool(Array(Self.find.utf8))
        _ = client.callTool(Array(#"{"tool":7}"#.utf8))
        try client.close(timeout: .seconds(5))
        let lines = events.withLock { $0 }
        let ends = lines.filter { $0.contains(#""event":"call_ended""#) && $0.contains(#""operation":"call_tool""#) }
        #expect(ends.count == 2 && ends.allSatisfy { $0.contains(#""tag":"t""#) && $0.contains(#""result":"offered""#) })
        #expect(lines.contains { $0.contains(#""event":"call_refused""#) && $0.contains(#""status":"invalid_field""#) })
    }
}
