extension CallStatistics {
    /// The gauges whose values come from other parts of the client.
    struct Moment {
        var uptimeMilliseconds: Int
        var openCalls: Int
        var openConnections: Int
        var inDoubt: Int
        var oldestDoubtMilliseconds: Int
        var unheard: Int
        var oldestUnheardMilliseconds: Int
        var journalDamagedBytes: Int
        var journalsLeft: Int
    }

    /// Returns the reply of `pbk_stats`, described in docs/json-contract.md. Its lists leave
    /// out everything that never happened.
    func json(_ moment: Moment) -> [UInt8] {
        JSONWriter.object(capacity: 2_048) { reply in
            reply.member("uptime_ms", moment.uptimeMilliseconds)
            reply.member("bucket_bounds_ms", ifAny: Self.bounds)
            reply.array("calls", Self.pairs { durations($0, $1).count > 0 }) { call, pair in
                let durations = durations(pair.kind, pair.status)
                call.member("operation", pair.kind.rawValue)
                call.member("status", pair.status.name.description)
                call.member("count", Int(clamping: durations.count))
                call.member("total_ms", Int(clamping: durations.totalMicroseconds / 1_000))
                call.member("buckets", ifAny: durations.buckets.map { Int(clamping: $0) })
            }
            let outcomes: [PartnerBookingError.Outcome] = [.notSent, .rejected, .unknown]
            reply.array("booking_outcomes", outcomes.filter { failures($0) > 0 }) { item, outcome in
                item.member("outcome", outcome.rawValue)
                item.member("count", Int(clamping: failures(outcome)))
            }
            reply.array("attempts", Attempt.allCases.filter { attempts($0) > 0 }) { item, attempt in
                item.member("result", attempt.name.description)
                item.member("count", Int(clamping: attempts(attempt)))
            }
            reply.array("settled", CallStatus.allCases.filter { settlements($0) > 0 }) { settled, status in
                settled.member("status", status.name.description)
                settled.member("count", Int(clamping: settlements(status)))
            }
            reply.array("tools", answers) { item, answer in
                item.member("tool", answer.tool?.rawValue ?? "unknown")
                item.member("result", answer.result.rawValue)
                item.member("count", Int(clamping: answers(answer.tool, answer.result)))
            }
            for number in Number.allCases { reply.member(number.name, Int(clamping: value(number))) }
            reply.member("open_calls", moment.openCalls)
            reply.member("open_connections", moment.openConnections)
            reply.member("in_doubt", moment.inDoubt)
            reply.member("oldest_doubt_ms", moment.oldestDoubtMilliseconds)
            reply.member("unheard", moment.unheard)
            reply.member("oldest_unheard_ms", moment.oldestUnheardMilliseconds)
            reply.member("journal_damaged_bytes", moment.journalDamagedBytes)
            reply.member("journals_left", moment.journalsLeft)
        }
    }

    private static func pairs(_ isWanted: (CallKind, CallStatus) -> Bool) -> [(kind: CallKind, status: CallStatus)] {
        CallKind.allCases.flatMap { kind in
            CallStatus.allCases.filter { isWanted(kind, $0) }.map { (kind, $0) }
        }
    }

    private var answers: [(tool: ToolRequest.Tool?, result: ToolReply.Result)] {
        let tools: [ToolRequest.Tool?] = ToolRequest.Tool.allCases + [nil]
        return tools.flatMap { tool in ToolReply.Result.allCases.map { (tool, $0) } }
            .filter { answers($0.tool, $0.result) > 0 }
    }
}
