import Testing

@testable import PartnerBooking

/// Each number is counted in a place of its own.
@Suite struct CallStatisticsTests {
    private static let moment = CallStatistics.Moment(
        uptimeMilliseconds: 61_000, openCalls: 2, openConnections: 3, inDoubt: 4, oldestDoubtMilliseconds: 5, unheard: 6,
        oldestUnheardMilliseconds: 7, journalDamagedBytes: 8, journalsLeft: 9)

    private func counting(_ body: (CallStatistics) throws -> Void) throws {
        let statistics = try #require(CallStatistics())
        defer { statistics.free() }
        try body(statistics)
    }

    /// Everything is counted a different number of times, so that two that share a place show.
    @Test func nothingSharesAPlace() throws {
        try counting { statistics in
            var expected: [UInt64] = []
            var times: UInt64 = 0
            func count(_ body: () -> Void) {
                times += 1
                expected.append(times)
                for _ in 0..<times { body() }
            }
            for kind in CallKind.allCases {
                for status in CallStatus.allCases { count { statistics.ended(kind, status, microseconds: 1_000) } }
            }
            for attempt in CallStatistics.Attempt.allCases { count { statistics.attemptEnded(attempt) } }
            for status in CallStatus.allCases { count { statistics.settled(status) } }
            for tool in ToolRequest.Tool.allCases as [ToolRequest.Tool?] + [nil] {
                for result in ToolReply.Result.allCases { count { statistics.answered(tool, result) } }
            }
            let outcomes: [PartnerBookingError.Outcome] = [.notSent, .rejected, .unknown]
            for outcome in outcomes { count { statistics.failed(outcome) } }
            for number in CallStatistics.Number.allCases { count { statistics.count(number) } }

            var read: [UInt64] = []
            for kind in CallKind.allCases {
                for status in CallStatus.allCases {
                    let durations = statistics.durations(kind, status)
                    read.append(durations.count)
                    #expect(durations.totalMicroseconds == durations.count * 1_000)
                }
            }
            read += CallStatistics.Attempt.allCases.map(statistics.attempts)
            read += CallStatus.allCases.map(statistics.settlements)
            for tool in ToolRequest.Tool.allCases as [ToolRequest.Tool?] + [nil] {
                read += ToolReply.Result.allCases.map { statistics.answers(tool, $0) }
            }
            read += outcomes.map(statistics.failures)
            read += CallStatistics.Number.allCases.map(statistics.value)
            #expect(read == expected)
        }
    }

    @Test(arguments: [
        (-1, 0), (0, 0), (5_000, 0), (5_001, 1), (10_000, 1), (25_001, 3), (1_000_000, 7), (30_000_000, 11),
        (30_000_001, 12), (Int.max, 12),
    ])
    func durationGoesIntoItsBucket(_ microseconds: Int, _ bucket: Int) throws {
        try counting { statistics in
            statistics.ended(.createBooking, .ok, microseconds: microseconds)
            let buckets = statistics.durations(.createBooking, .ok).buckets
            #expect(buckets.firstIndex(of: 1) == bucket && buckets.reduce(0, +) == 1)
            #expect(buckets.count == CallStatistics.bounds.count + 1)
        }
    }

    @Test(arguments: [
        (199, "http_2xx"), (204, "http_2xx"), (302, "http_3xx"), (404, "http_4xx"),
        (599, "http_5xx"), (999, "http_5xx"),
    ])
    func attemptIsNamedByItsHTTPStatus(_ status: Int, _ name: String) {
        #expect(CallStatistics.Attempt(httpStatus: status).name.description == name)
    }

    @Test func replyLeavesOutWhatNeverHappened() throws {
        try counting { statistics in
            statistics.ended(.searchAvailability, .ok, microseconds: 7_000)
            statistics.failed(.unknown)
            statistics.answered(nil, .invalid)
            statistics.set(.inFlight, to: 3)
            let reply = try JSONDocument(statistics.json(Self.moment), what: "reply", maxBytes: 65_536).root
            let call = try #require(reply.list("calls").first)
            #expect(reply.list("calls").count == 1 && reply.list("attempts").isEmpty)
            #expect(call["operation"]?.string == "search_availability" && call["status"]?.string == "ok")
            #expect(call["count"]?.integer == 1 && call["total_ms"]?.integer == 7 && call.list("buckets")[1].integer == 1)
            #expect(reply.list("booking_outcomes").first?["outcome"]?.string == "unknown")
            #expect(reply.list("tools").first?["tool"]?.string == "unknown")
            #expect(reply["in_flight"]?.integer == 3 && reply["queued"]?.integer == 0)
            let gauges: [StaticString] = [
                "uptime_ms", "open_calls", "open_connections", "in_doubt", "oldest_doubt_ms", "unheard",
                "oldest_unheard_ms", "journal_damaged_bytes", "journals_left",
            ]
            #expect(gauges.map { reply[$0]?.integer } == [61_000, 2, 3, 4, 5, 6, 7, 8, 9])
        }
    }

    @Test func threadsCountTogether() async throws {
        let statistics = try #require(CallStatistics())
        defer { statistics.free() }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<10_000 { statistics.ended(.callTool, .timeout, microseconds: 1) } }
            }
        }
        #expect(statistics.durations(.callTool, .timeout).count == 40_000)
    }
}

extension JSONValue {
    /// The elements of a list; none where there is no list.
    func list(_ name: StaticString) -> [JSONValue] { self[name].map { Array($0.elements) } ?? [] }
}
