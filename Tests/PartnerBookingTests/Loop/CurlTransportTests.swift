import Glibc
import Testing

@testable import PartnerBooking

/// The real transport against a scripted server: what goes over the wire, connections, and retries.
@Suite struct CurlTransportTests {
    // MARK: The wire

    @Test func replyComesByteForByte() throws {
        let reply = Array(" {\"x\" : 1.0e+0,\n\"availabilities\":[ {\"é\":\"\\u00e9\"} ],\"availability\":null}\r\n\t".utf8)
        try withServer({ _ in [.reply(200, reply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(client.search() == .success(reply))
        }
    }

    @Test func bytesMayComeOneByOne() throws {
        let whole = LoopbackServer.Step.head(201, ["Content-Length: \(Sample.bookingReply.count)"]) + Sample.bookingReply
        try withServer({ _ in whole.flatMap { [.send([$0]), .pause(milliseconds: 0)] } }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(client.book() == .success(Sample.bookingReply))
        }
    }

    @Test func requestOnTheWire() throws {
        try withServer({ _ in [.reply(201, Sample.bookingReply)] }) { server in
            let client = try PartnerBookingClient(server.url + "/", #","paths":{"create_booking":"/other/book"}"#)
            _ = client.book(Sample.booking(key: "key-9", #","timeout_ms":9000,"tag":"t","more":[1.50,"ü"]"#))
            let request = try #require(server.requests.first)
            #expect(server.requests.count == 1)
            #expect(request.head.hasPrefix("POST /other/book HTTP/1.1\r\n"))
            #expect(request.header("Host") == "127.0.0.1:\(server.port)")
            #expect(request.header("Authorization") == "Bearer sk_ptnr_loopback")
            #expect(request.header("Content-Type") == "application/json")
            #expect(request.header("Idempotency-Key") == "key-9")
            #expect(request.header("User-Agent") == "libpartnerbooking/\(partnerBookingVersion)")
            #expect(request.header("Expect") == nil)
            let body = String(decoding: request.body, as: UTF8.self)
            #expect(body.hasPrefix(#"{"bot_id":"bot_1","booking":{"start_at":"#))
            #expect(body.hasSuffix(#"},"more":[1.50,"ü"]}"#))

            _ = client.search()
            #expect(server.requests.last?.header("Idempotency-Key") == nil)
            #expect(server.requests.last?.body == Sample.search())
        }
    }

    /// A handle that served one request serves the next without anything of it.
    @Test func headersAreThoseOfTheCall() throws {
        try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            let traces = [nil, "0af7651916cd43dd8448eb211c80319c", nil, "1af7651916cd43dd8448eb211c80319c", nil]
            for trace in traces {
                let member = trace.map { #","traceparent":"00-\#($0)-b7ad6b7169203331-01""# } ?? ""
                #expect(client.search(Sample.search(member)) == .success(Sample.searchReply))
                #expect(server.requests.last?.header("traceparent") == trace.map { "00-\($0)-b7ad6b7169203331-01" })
                #expect(server.requests.last?.body == Sample.search())
            }
        }
    }

    // MARK: Connections

    @Test func connectionIsKept() throws {
        try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            for _ in 0..<50 { #expect(client.search() == .success(Sample.searchReply)) }
            #expect(server.connections == 1)
            #expect(server.requests.count == 50)
        }
    }

    /// The server answers none before it has seen all: calls of a cold client must not wait for each other's connection.
    @Test func coldCallsDoNotWaitForEachOther() throws {
        let (arrived, answered) = (Counter(), Counter())
        try withServer({ _ in
            arrived.increment()
            return arrived.reaches(8) ? [.reply(200, Sample.searchReply)] : [.cut]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            onThreads(8) { _ in
                if client.search(Sample.search(Sample.timeout(15_000))).success != nil { answered.increment() }
            }
            #expect(answered.value == 8)
            #expect(server.connections == 8)
        }
    }

    // MARK: Retries

    @Test(arguments: [LoopbackServer.Step.reset, .cut, .reply(503, []), .reply(429, Sample.refusal("slow_down"))])
    func retryIsTheSameRequest(_ first: LoopbackServer.Step) throws {
        try withServer({ $0.total < 2 ? [first] : [.reply(201, Sample.bookingReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(client.book() == .success(Sample.bookingReply))
            let requests = server.requests
            #expect(requests.count == 3)
            #expect(Set(requests.map(\.head)).count == 1)
            #expect(Set(requests.map(\.body)).count == 1)
            #expect(requests.allSatisfy { $0.header("Idempotency-Key") == "key-1" })
        }
    }

    /// A kept connection dies under the second request, in order or with a reset. libcurl repeats it by itself.
    @Test(arguments: [LoopbackServer.Step.reset, .cut])
    func keptConnectionDiesUnderARequest(_ death: LoopbackServer.Step) throws {
        try withServer({ $0.number == 1 ? [death] : [.reply(201, Sample.bookingReply)] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            for call in 0..<20 {
                // Often enough: libcurl gives up at the fifth repetition on one handle, whatever calls they belong to.
                #expect(client.book(Sample.booking(key: "key-\(call)")) == .success(Sample.bookingReply))
            }
            let keys = server.requests.compactMap { $0.header("Idempotency-Key") }
            #expect(Set(keys).count == 20)
            #expect(server.connections == server.requests.filter { $0.number == 0 }.count)
        }
    }

    /// Between two calls; the second must not fail for it, even with no retry of ours.
    @Test(arguments: [LoopbackServer.Step.reset, .cut])
    func keptConnectionDiesWhileIdle(_ death: LoopbackServer.Step) throws {
        try withServer({ _ in [.reply(200, Sample.searchReply), death] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            for call in 1...5 {
                #expect(client.search() == .success(Sample.searchReply))
                sleep(milliseconds: 20)
                #expect(server.connections == call)
            }
        }
    }

    /// The same connection dies, and there is nothing to connect to again: in doubt it stays.
    @Test(arguments: [LoopbackServer.Step.reset, .cut])
    func keptConnectionDiesWithItsServer(_ death: LoopbackServer.Step) throws {
        let stop = Monitor<LoopbackServer?>(nil)
        try withServer({ request in
            guard request.number == 1 else { return [.reply(201, Sample.bookingReply)] }
            stop.withLock { $0 }?.stopListening()
            return [death]
        }) { server in
            stop.withLock { $0 = server }
            defer { stop.withLock { $0 = nil } }
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(client.book() == .success(Sample.bookingReply))
            let error = try client.failure(.createBooking, Sample.booking(key: "key-2", Sample.shortOfAQuestion))
            #expect(error.code == .inDoubt)
            #expect([.connectFailed, .connectionLost].contains(error.doubt?.code))
            #expect(error.outcome == .unknown)
            #expect(error.attempts == 1)
        }
    }

    // MARK: What may have been sent

    @Test(arguments: [LoopbackServer.Step.reset, .cut])
    func brokenConnectionIsInDoubt(_ end: LoopbackServer.Step) throws {
        try withServer({ _ in [end] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 2, #","settle_for_ms":0"#)
            let error = try client.failure(.createBooking, Sample.booking(Sample.shortOfAQuestion))
            #expect(error.code == .inDoubt && error.doubt?.code == .connectionLost)
            #expect(error.doubt.map { $0.status == nil && $0.sentMillisecondsAgo >= 0 } == true)
            #expect(error.source == .network)
            #expect(error.isRetryable)
            #expect(error.outcome == .unknown)
            #expect(error.attempts == 2)
            #expect(error.status == nil && error.curlCode == nil)
            #expect(server.requests.count == 2)
            let search = try client.failure(.searchAvailability)
            #expect(search.code == .connectionLost && search.curlCode != nil)
            #expect(search.outcome == nil && search.attempts == 2)
        }
    }

    @Test func refusedConnectionIsNotSent() throws {
        let client = try PartnerBookingClient("http://127.0.0.1:\(Socket.closedPort())")
        let error = try client.failure(.createBooking)
        #expect(error.code == .connectFailed)
        #expect(error.outcome == .notSent)
        #expect(error.attempts == 3)
        #expect(error.isRetryable)
        #expect(error.curlCode == 7)
    }

    /// First in doubt, then refused: doubt does not go away because a later attempt could not even connect.
    @Test func refusedConnectionAfterABrokenOne() throws {
        let stop = Monitor<LoopbackServer?>(nil)
        try withServer({ _ in
            stop.withLock { $0 }?.stopListening()
            return [.reset]
        }) { server in
            stop.withLock { $0 = server }
            defer { stop.withLock { $0 = nil } }
            let client = try PartnerBookingClient(server.url, attempts: 3)
            let error = try client.failure(.createBooking, Sample.booking(Sample.shortOfAQuestion))
            #expect(error.code == .inDoubt && error.doubt?.code == .connectFailed)
            #expect(error.outcome == .unknown)
            #expect(error.attempts == 3)
        }
    }

    /// A whole answer and then a broken transfer: the answer counts. Half an answer does not.
    @Test func answerBeforeTheBreak() throws {
        let head = LoopbackServer.Step.head(201, ["Content-Length: 5000"])
        let taken = LoopbackServer.Step.head(409, ["Content-Length: 5000"]) + Sample.refusal("slot_unavailable")
        try withServer({ request in
            switch request.header("Idempotency-Key") {
            case "whole": [.send(head + Sample.bookingReply), .cut]
            case "refusal": [.send(taken), .cut]
            default: [.send(head + Sample.bookingReply.dropLast()), .cut]
            }
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(client.book(Sample.booking(key: "whole")) == .success(Sample.bookingReply))
            #expect(try client.failure(.createBooking, Sample.booking(key: "refusal")).outcome == .rejected)
            let error = try client.failure(.createBooking, Sample.booking(key: "half", Sample.shortOfAQuestion))
            #expect(error.code == .inDoubt && error.doubt?.code == .connectionLost && error.doubt?.status == nil)
            #expect(error.outcome == .unknown)
        }
    }

    // MARK: Limits

    enum Framing: CaseIterable {
        case length, chunks, untilTheEnd

        func steps(_ body: [UInt8]) -> [LoopbackServer.Step] {
            switch self {
            case .length: return [.reply(201, body)]
            case .chunks:
                var bytes = LoopbackServer.Step.head(201, ["Transfer-Encoding: chunked"])
                for start in stride(from: 0, to: body.count, by: 500) {
                    let chunk = body[start..<min(start + 500, body.count)]
                    bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10]
                }
                return [.send(bytes + Array("0\r\n\r\n".utf8))]
            case .untilTheEnd: return [.send(LoopbackServer.Step.head(201, ["Connection: close"]) + body), .cut]
            }
        }
    }

    /// A reply of just so many bytes, some of them white space around the object.
    private func reply(_ length: Int) -> [UInt8] {
        Sample.bookingReply + [UInt8](repeating: 0x20, count: length - Sample.bookingReply.count)
    }

    @Test(arguments: Framing.allCases)
    func replyAtItsLimit(_ framing: Framing) throws {
        try withServer({ framing.steps(reply($0.total == 0 ? 2_048 : 2_049)) }) { server in
            let client = try PartnerBookingClient(server.url, #","max_reply_bytes":2048,"settle_for_ms":0"#)
            #expect(client.book() == .success(reply(2_048)))
            let error = try client.failure(.searchAvailability)
            #expect(error.code == .replyTooLarge)
            #expect(error.source == .partnerAPI)
            #expect(!error.isRetryable)
            #expect(error.attempts == 1)
            #expect(error.status == 201)
            #expect(server.requests.count == 2)
            // A booking was made, or not: nobody has read it.
            let doubt = try client.failure(.createBooking, Sample.booking(key: "key-2", Sample.shortOfAQuestion))
            #expect(doubt.code == .inDoubt && doubt.doubt?.code == .replyTooLarge && doubt.doubt?.status == 201)
            #expect(doubt.source == .partnerAPI && doubt.outcome == .unknown && doubt.attempts == 1)
            #expect(server.requests.count == 3)
        }
    }

    /// One call after another on one handle: none is taken for what the last one was.
    @Test func failuresAreThoseOfTheCall() throws {
        let stop = Monitor<LoopbackServer?>(nil)
        try withServer({ request in
            switch request.total {
            case 0: return [.reply(201, reply(5_000))]
            case 1: return [.cut]
            default:
                stop.withLock { $0 }?.stopListening()
                return [.reply(500, Sample.refusal("broken")), .cut]
            }
        }) { server in
            stop.withLock { $0 = server }
            defer { stop.withLock { $0 = nil } }
            let client = try PartnerBookingClient(server.url, attempts: 1, #","max_reply_bytes":2048"#)
            #expect(try client.failure(.searchAvailability).code == .replyTooLarge)
            #expect(try client.failure(.searchAvailability).code == .connectionLost)
            #expect(try client.failure(.searchAvailability).code.rawValue == "broken")
            sleep(milliseconds: 20)
            let last = try client.failure(.createBooking)
            #expect(last.code == .connectFailed)
            #expect(last.outcome == .notSent)
            #expect(last.status == nil)
        }
    }

    @Test func endlessReply() throws {
        let piece = [UInt8](repeating: 0x20, count: 65_536)
        let head = LoopbackServer.Step.head(200, ["Connection: close"])
        try withServer({ _ in [.send(head)] + (0..<2_000).map { _ in .send(piece) } + [.cut] }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(try client.failure(.searchAvailability).code == .replyTooLarge)
        }
    }
}
