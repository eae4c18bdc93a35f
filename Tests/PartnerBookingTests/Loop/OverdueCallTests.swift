import Testing

@testable import PartnerBooking

/// Calls whose completions go to the queue end in time, also while a callback keeps the transfer thread.
@Suite struct OverdueCallTests {
    private func next(_ client: PartnerBookingClient) throws -> CallCompletion {
        guard case .entry(let entry) = client.completions.next(timeoutMilliseconds: 20_000) else {
            throw TestFailure("nothing came")
        }
        return entry.completion
    }

    private func withStuckClient(_ body: (PartnerBookingClient, Counter) throws -> Void) throws {
        let (stuck, release) = (Counter(), Counter())
        try withServer({ $0.total == 0 ? [.reply(200, Sample.searchReply)] : [.stall] }) { server in
            let client = try PartnerBookingClient(server.url)
            try client.submit(.searchAvailability, request: Sample.search()) { _ in
                stuck.increment()
                _ = release.reaches(1)
            }
            #expect(stuck.reaches(1))
            try body(client, release)
            release.increment()
        }
    }

    @Test func aCallEndsByItsDeadlineAndASecond() throws {
        try withStuckClient { client, release in
            let request = Sample.booking(key: "key-1", #","timeout_ms":300"#)
            let call = try client.prepare(.createBooking, request: request, context: 7)
            try client.submit(call)
            let took = try elapsedMilliseconds {
                let completion = try next(client)
                #expect(completion.ticket == call.ticket && completion.idempotencyKey == "key-1")
                guard case .done(.failure(let error)) = completion.event else {
                    Issue.record("a success")
                    return
                }
                #expect(error.code == .timeout && error.outcome == .unknown)
            }
            #expect(took >= 300)
            #expect(took < 10_000)
            release.increment()
            // The thread that comes back says nothing more about it.
            #expect(try client.closeAndWait(1_000) == 0)
            guard case .closed = client.completions.next(timeoutMilliseconds: 0) else {
                Issue.record("told twice")
                return
            }
        }
    }

    @Test func aCloseThatLeavesTheThreadBehindEndsTheRest() throws {
        try withStuckClient { client, _ in
            let call = try client.prepare(.searchAvailability, request: Sample.search(), context: 7)
            try client.submit(call)
            _ = try client.closeAndWait(0)
            guard case .done(.failure(let error)) = try next(client).event else {
                Issue.record("a success")
                return
            }
            #expect(error.code == .clientClosed)
        }
    }
}
