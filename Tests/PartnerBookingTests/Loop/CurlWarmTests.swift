import Testing

@testable import PartnerBooking

/// The real transport keeps a connection ready: a cheap request without the key, when the client opens and while it is idle.
@Suite struct CurlWarmTests {
    private func client(_ url: String, keepWarm: Int, _ more: String = "") throws -> PartnerBookingClient {
        let json = #"{"api_key":"sk_ptnr_loopback","base_url":"\#(url)","keep_warm_ms":\#(keepWarm)\#(more)}"#
        return try PartnerBookingClient(json: Array(json.utf8))
    }

    private static func answer(_ request: LoopbackServer.Request) -> [LoopbackServer.Step] {
        request.isWarmUp ? [.reply(404, [])] : [.reply(200, Sample.searchReply)]
    }

    /// A search that waits for its end; how its connection was had.
    private func isConnectionReused(by client: PartnerBookingClient) throws -> Bool {
        let ending = Ending()
        try client.submit(.searchAvailability, request: Sample.search(), handler: ending.handler)
        #expect(try ending.result() == .success(Sample.searchReply))
        return try #require(ending.completions.last?.timing.lastAttempt).isConnectionReused
    }

    @Test func connectsByItself() throws {
        try withServer(Self.answer) { server in
            let client = try client(server.url + "/base", keepWarm: 30_000)
            #expect(server.sees(requests: 1))
            let request = try #require(server.requests.first)
            #expect(request.head.hasPrefix("HEAD /base/ HTTP/1.1\r\n"))
            #expect(request.header("Authorization") == nil)
            #expect(request.header("Idempotency-Key") == nil)
            #expect(request.header("User-Agent") == "libpartnerbooking/\(partnerBookingVersion)")
            #expect(!request.head.contains("sk_ptnr_"))
            #expect(request.body.isEmpty)
            #expect(try client.close(timeout: .seconds(1)) == 0)
        }
    }

    /// Whatever the service says to it: what counts is the connection.
    @Test(arguments: [200, 204, 301, 401, 404, 405, 500])
    func firstCallFindsTheConnection(_ status: Int) throws {
        try withServer({ $0.isWarmUp ? [.reply(status, [])] : [.reply(200, Sample.searchReply)] }) { server in
            // The client has the answer some moment after the server has sent it, and nothing tells when.
            var isFound = false
            for patience in [20, 100, 500, 2_000] where !isFound {
                let before = server.requests.count
                let client = try client(server.url, keepWarm: 30_000)
                #expect(server.sees(requests: before + 1))
                sleep(milliseconds: patience)
                isFound = try isConnectionReused(by: client)
                try client.close(timeout: .seconds(1))
            }
            #expect(isFound)
        }
    }

    @Test func withoutKeepingWarmNothingIsConnected() throws {
        try withServer(Self.answer) { server in
            let client = try client(server.url, keepWarm: 0)
            #expect(try !isConnectionReused(by: client))
            #expect(try isConnectionReused(by: client))
            #expect(server.requests.count == 2)
            #expect(!server.requests.contains { $0.isWarmUp })
            try client.close(timeout: .seconds(1))
        }
    }

    /// Asked for, it is made; at once the first time, a second later the next.
    @Test func prewarmConnects() throws {
        try withServer(Self.answer) { server in
            let start = MonotonicTime.now()
            let client = try client(server.url, keepWarm: 0)
            try client.prewarm()
            #expect(server.sees(requests: 1))
            // One that is asked for while another is under way is that one, so it is asked for again.
            #expect(
                eventually {
                    try? client.prewarm()
                    return server.requests.count >= 2
                })
            #expect(MonotonicTime.now().milliseconds(since: start) >= 1_000)
            #expect(server.requests.allSatisfy { $0.isWarmUp })
            #expect(server.connections == 1)
            try client.close(timeout: .seconds(1))
        }
    }

    @Test func idleConnectionIsUsed() throws {
        try withServer(Self.answer) { server in
            let client = try client(server.url, keepWarm: 1_000)
            #expect(server.sees(requests: 2))
            #expect(server.requests.allSatisfy { $0.isWarmUp })
            #expect(server.connections == 1)
            try client.close(timeout: .seconds(1))
        }
    }

    /// The server ends the connection nobody is using; without any call there is another one.
    @Test(arguments: [LoopbackServer.Step.cut, .reset])
    func lostConnectionIsReplaced(_ end: LoopbackServer.Step) throws {
        try withServer({ Self.answer($0) + ($0.total == 0 ? [end] : []) }) { server in
            let client = try client(server.url, keepWarm: 30_000)
            #expect(server.sees(requests: 2))
            #expect(server.requests.allSatisfy { $0.isWarmUp })
            #expect(server.connections == 2)
            try client.close(timeout: .seconds(1))
        }
    }

    /// A server that ends every connection is not asked more than once a second.
    @Test func serverThatKeepsNoConnectionIsLeftAlone() throws {
        try withServer({ Self.answer($0) + [.cut] }) { server in
            let start = MonotonicTime.now()
            let client = try client(server.url, keepWarm: 30_000)
            #expect(server.sees(requests: 3))
            #expect(MonotonicTime.now().milliseconds(since: start) >= 2_000)
            #expect(server.requests.allSatisfy { $0.isWarmUp })
            try client.close(timeout: .seconds(1))
        }
    }

    /// A warm-up that gets no answer holds up no call.
    @Test func silentWarmUpHoldsUpNoCall() throws {
        try withServer({ $0.isWarmUp ? [.stall] : [.reply(200, Sample.searchReply)] }) { server in
            let client = try client(server.url, keepWarm: 30_000, #","timeout_ms":20000"#)
            #expect(server.sees(requests: 1))
            for _ in 0..<5 { #expect(client.search() == .success(Sample.searchReply)) }
            #expect(server.connections == 2)
            #expect(try client.close(timeout: .seconds(1)) == 0)
        }
    }

    /// Nobody listens: calls tell so, and opening and closing do not mind.
    @Test func nothingToConnectTo() throws {
        let client = try client("http://127.0.0.1:\(Socket.closedPort())", keepWarm: 1, #","retry":{"max_attempts":1}"#)
        #expect(try client.failure(.createBooking).code == .connectFailed)
        try client.prewarm()
        #expect(try client.failure(.searchAvailability).code == .connectFailed)
        #expect(try client.close(timeout: .seconds(1)) == 0)
    }
}

extension LoopbackServer.Request {
    fileprivate var isWarmUp: Bool { head.hasPrefix("HEAD ") }
}
