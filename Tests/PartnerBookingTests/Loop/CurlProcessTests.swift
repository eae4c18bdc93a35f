import Glibc
import Testing

@testable import PartnerBooking

/// Proxies, and the host process that the transport lives in. What touches the whole process runs in one of its own.
@Suite struct CurlProcessTests {
    private static let noHost = "https://appointments.example.invalid"

    private func proxy(_ port: Int) -> String { #","proxy":"http://127.0.0.1:\#(port)""# }

    // MARK: Proxies

    @Test(arguments: [403, 407, 502])
    func proxyThatRefuses(_ status: Int) throws {
        try withServer({ _ in [.reply(status, [])] }) { server in
            let client = try PartnerBookingClient(Self.noHost, attempts: 2, proxy(server.port))
            let error = try client.failure(.createBooking)
            #expect(error.code == .proxyFailed)
            #expect(error.outcome == .notSent)
            #expect(error.source == .network)
            #expect(error.isRetryable)
            #expect(error.attempts == 2)
            // The proxy is told where to, and nothing that is meant for the service.
            #expect(server.requests.count == 2)
            for request in server.requests {
                #expect(request.head.hasPrefix("CONNECT appointments.example.invalid:443 HTTP/1.1\r\n"))
                #expect(request.header("Authorization") == nil)
                #expect(request.header("Idempotency-Key") == nil)
                #expect(request.body.isEmpty)
            }
        }
    }

    @Test(arguments: [LoopbackServer.Step.cut, .reset])
    func proxyThatHangsUp(_ end: LoopbackServer.Step) throws {
        try withServer({ _ in [end] }) { server in
            let client = try PartnerBookingClient(Self.noHost, attempts: 1, proxy(server.port))
            let error = try client.failure(.createBooking)
            #expect(error.source == .network)
            #expect(error.outcome == .notSent)
        }
    }

    @Test func proxyThatStalls() throws {
        try withServer({ _ in [.stall] }) { server in
            let client = try PartnerBookingClient(Self.noHost, attempts: 1, proxy(server.port))
            let error = try client.failure(.createBooking, Sample.booking(Sample.timeout(150)))
            #expect(error.code == .timeout)
            #expect(error.outcome == .notSent)
        }
    }

    /// The tunnel stands, and behind it nobody speaks TLS: the request has still not left.
    @Test(arguments: [[LoopbackServer.Step.cut], [.reset], [.send(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), .stall]])
    func tunnelWithoutTLS(_ behind: [LoopbackServer.Step]) throws {
        try withServer({ _ in [.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))] + behind }) { server in
            let client = try PartnerBookingClient(Self.noHost, attempts: 1, proxy(server.port))
            let error = try client.failure(.createBooking)
            #expect(error.code == .tlsFailed)
            #expect(error.isRetryable)
            #expect(error.outcome == .notSent)
        }
    }

    @Test func proxyThatIsNotThere() throws {
        let client = try PartnerBookingClient(Self.noHost, attempts: 1, proxy(Socket.closedPort()))
        let error = try client.failure(.createBooking)
        #expect(error.code == .connectFailed)
        #expect(error.outcome == .notSent)
    }

    @Test func proxiesOfTheEnvironmentAreNotUsed() async {
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer { _ in [.reply(502, [])] }
            for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"] {
                setenv(name, proxy.url, 1)
            }
            for name in ["no_proxy", "NO_PROXY"] { unsetenv(name) }
            try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
                let client = try PartnerBookingClient(server.url)
                #expect(client.search() == .success(Sample.searchReply))
                #expect(server.requests.count == 1)
                #expect(server.requests.first?.head.hasPrefix("POST /v1/") == true)
            }
            let secure = try PartnerBookingClient("https://127.0.0.1:\(Socket.closedPort())", attempts: 1)
            #expect(try secure.failure(.searchAvailability).code == .connectFailed)
            #expect(proxy.connections == 0)
            proxy.stop()
        }
    }

    // MARK: The host process

    /// With the default action of SIGPIPE, which is to end the process, and a server that resets in the middle of a request.
    @Test func noSIGPIPE() async {
        await #expect(processExitsWith: .success) {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = SIG_DFL
            #expect(sigaction(SIGPIPE, &action, nil) == 0)
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGPIPE)
            pthread_sigmask(SIG_UNBLOCK, &mask, nil)

            let more = #","more":"\#(String(repeating: "x", count: 250_000))""#
            try withServer(onConnect: { $0 % 2 == 0 ? [.reset] : [.pause(milliseconds: 2), .reset] }, { _ in [.reset] }) {
                server in
                let client = try PartnerBookingClient(server.url, #","settle_for_ms":0"#)
                onThreads(4) { _ in
                    for _ in 0..<10 {
                        let request = Sample.booking(key: BookingKey.random(), more + Sample.timeout(1_000))
                        let error = client.book(request).failure
                        #expect(error?.outcome == .unknown || error?.outcome == .notSent)
                        #expect(error?.attempts == 3)
                    }
                }
                #expect(server.connections >= 120)
            }
            var after = sigaction()
            #expect(sigaction(SIGPIPE, nil, &after) == 0)
            #expect(unsafeBitCast(after.__sigaction_handler.sa_handler, to: Int.self) == 0)
        }
    }

    /// Opening, calling and closing many times leaves no descriptor and no thread behind.
    @Test func nothingIsLeftBehind() async {
        await #expect(processExitsWith: .success) {
            try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
                func round() throws {
                    let client = try PartnerBookingClient(server.url)
                    #expect(client.search() == .success(Sample.searchReply))
                    #expect(try client.close(timeout: .seconds(1)) == 0)
                }
                try round()
                let before = entries("/proc/self/fd")
                for _ in 0..<30 { try round() }
                // The server closes its end of each connection a moment later.
                var after = entries("/proc/self/fd")
                for _ in 0..<1_000 where after > before {
                    sleep(milliseconds: 5)
                    after = entries("/proc/self/fd")
                }
                #expect(after <= before)
            }
        }
    }
}
