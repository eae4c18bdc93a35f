import Glibc
import Testing

@testable import PartnerBooking

/// The real transport tells where the time went, and what a cancel does to its connections.
@Suite struct CurlTimingTests {
    /// Hands a call in and waits for its end.
    private func completion(
        of client: PartnerBookingClient, _ operation: PartnerBooking.CallOperation, _ json: [UInt8]? = nil
    ) throws -> CallCompletion {
        let ending = Ending()
        try client.submit(operation, request: json ?? Sample.request(operation), handler: ending.handler)
        _ = try ending.result()
        return try #require(ending.completions.last)
    }

    // MARK: Timing

    @Test func firstCallConnectsAndTheNextDoesNot() throws {
        try withServer({ request in
            [.pause(milliseconds: 20), .reply(200, Sample.reply(to: request.operation))]
        }) { server in
            let client = try PartnerBookingClient(server.url)
            let first = try completion(of: client, .searchAvailability).timing
            let second = try completion(of: client, .createBooking).timing
            let (cold, warm) = (try #require(first.lastAttempt), try #require(second.lastAttempt))
            #expect(first.attempts == 1 && second.attempts == 1)
            #expect(!cold.isConnectionReused && warm.isConnectionReused)
            #expect(cold.httpVersion == "1.1" && warm.httpVersion == "1.1")
            #expect(cold.tlsMicroseconds == 0)
            #expect(warm.dnsMicroseconds == 0 && warm.connectMicroseconds == 0 && warm.tlsMicroseconds == 0)
            for timing in [first, second] {
                let attempt = try #require(timing.lastAttempt)
                // The server took its time.
                #expect(attempt.firstByteMicroseconds >= 20_000)
                let parts =
                    timing.queueMicroseconds + attempt.dnsMicroseconds + attempt.connectMicroseconds
                    + attempt.firstByteMicroseconds
                #expect(parts <= timing.totalMicroseconds)
            }
            // The bodies alone, without the library's own members.
            #expect(cold.sentBytes == Sample.search().count)
            #expect(cold.receivedBytes == Sample.searchReply.count)
            #expect(warm.sentBytes == server.requests[1].body.count)
            #expect(warm.sentBytes < Sample.booking().count)
            #expect(warm.receivedBytes == Sample.bookingReply.count)
            #expect(server.connections == 1)
        }
    }

    /// The members of docs/json-contract.md, in their order.
    @Test func timingAsJSON() throws {
        try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            _ = client.search()
            let json = try completion(of: client, .searchAvailability).timing.json
            let document = try JSONDocument(json, profile: .request)
            #expect(
                document.root.members.map { $0.key.string } == [
                    "total_us", "queue_us", "attempts", "dns_us", "connect_us", "tls_us", "first_byte_us",
                    "connection_reused",
                    "http_version", "sent_bytes", "received_bytes",
                ])
            #expect(document.root["connection_reused"]?.boolean == true)
            #expect(document.root["http_version"]?.string == "1.1")
            #expect(document.root["dns_us"]?.integer == 0)
            #expect(document.root["received_bytes"]?.integer == Sample.searchReply.count)
        }
    }

    @Test func errorsHoldTheTiming() throws {
        try withServer({ request in
            switch request.header("Idempotency-Key") {
            case "taken": [.reply(409, Sample.refusal("slot_unavailable"))]
            case "cut": [.cut]
            default: [.stall]
            }
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 2, #","settle_for_ms":0"#)
            let taken = try client.failure(.createBooking, Sample.booking(key: "taken"))
            #expect(taken.timing?.attempts == 1)
            #expect(taken.timing?.lastAttempt?.httpVersion == "1.1")
            #expect(taken.timing?.lastAttempt?.receivedBytes == Sample.refusal("slot_unavailable").count)

            // No reply, but a connection that took the request.
            let cut = try client.failure(.createBooking, Sample.booking(key: "cut", Sample.shortOfAQuestion))
            #expect(cut.code == .inDoubt && cut.doubt?.code == .connectionLost)
            #expect(cut.timing?.attempts == 2)
            #expect(cut.timing?.lastAttempt?.httpVersion == nil)
            #expect(cut.timing?.lastAttempt?.firstByteMicroseconds == 0)
            #expect(cut.timing?.lastAttempt?.receivedBytes == 0)
            #expect(cut.timing?.lastAttempt.map { $0.sentBytes > 0 } == true)

            let late = try client.failure(.searchAvailability, Sample.search(Sample.timeout(60)))
            #expect(late.code == .timeout)
            #expect(late.timing.map { $0.totalMicroseconds >= 60_000 } == true)
            #expect(late.timing?.lastAttempt?.firstByteMicroseconds == 0)
            // Of a booking the attempt goes on: there is nothing to tell of it yet.
            let open = try client.failure(.createBooking, Sample.booking(key: "late", Sample.timeout(60)))
            #expect(open.code == .timeout && open.timing?.attempts == 1)
            #expect(open.timing.map { $0.lastAttempt == nil } == true)
        }
    }

    @Test func withoutAConnectionThereIsNothingToTellOfOne() throws {
        let client = try PartnerBookingClient("http://127.0.0.1:\(Socket.closedPort())")
        let error = try client.failure(.createBooking)
        #expect(error.code == .connectFailed)
        #expect(error.timing?.attempts == 3)
        #expect(error.timing?.lastAttempt == nil)
    }

    /// A reply counts as it travels: here it is longer packed than unpacked.
    @Test func packedReplyCountsAsItTravels() throws {
        let packed = Gzip.stored(Sample.searchReply)
        try withServer({ request in
            guard request.header("Accept-Encoding") == "gzip" else { return [.cut] }
            return [.reply(200, packed, ["Content-Encoding: gzip"])]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            let completion = try completion(of: client, .searchAvailability)
            guard case .done(.success(Sample.searchReply)) = completion.event else {
                Issue.record("\(completion.event)")
                return
            }
            #expect(packed.count > Sample.searchReply.count)
            #expect(completion.timing.lastAttempt?.receivedBytes == packed.count)
        }
    }

    // MARK: Cancelling

    /// Over HTTP/1.1 nothing else ends a search: its connection goes, and the next call makes one.
    @Test func cancelEndsTheConnection() throws {
        let slow = Sample.search(bot: "slow")
        try withServer({ $0.body == slow ? [.stall] : [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(client.search() == .success(Sample.searchReply))
            for round in 1...3 {
                let ending = Ending()
                let ticket = try client.submit(.searchAvailability, request: slow, handler: ending.handler)
                #expect(server.sees(requests: 2 * round))
                #expect(ending.isEmpty)
                try client.cancel(ticket)
                let error = try ending.error()
                #expect(error.code == .cancelled)
                #expect(error.outcome == nil)
                #expect(error.attempts == 1)
                #expect(error.timing?.lastAttempt?.isConnectionReused == true)
                #expect(server.sees(ended: round))
                #expect(client.search() == .success(Sample.searchReply))
                #expect(server.connections == round + 1)
            }
        }
    }

    /// A booking is read to its end, and a repeat of its key has that end: one request on the wire (field case A3).
    @Test(arguments: [true, false])
    func aBookingThatIsHungUpOnIsReadToItsEnd(isCancelled: Bool) throws {
        let gate = Gate()
        try withServer({ _ in
            gate.pass()
            return [.reply(201, Sample.bookingReply)]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            let (first, again) = (Ending(), Ending())
            let request = Sample.booking(isCancelled ? "" : Sample.timeout(100))
            let ticket = try client.submit(.createBooking, request: request, handler: first.handler)
            #expect(gate.hasVisitor())
            if isCancelled { try client.cancel(ticket) }
            let error = try first.error()
            #expect(error.code == (isCancelled ? .cancelled : .timeout) && error.outcome == .unknown)
            #expect(try client.pendingBookings().map(\.state) == [.inFlight])
            try client.submit(.createBooking, request: Sample.booking(), handler: again.handler)
            gate.open()
            #expect(try again.result() == .success(Sample.bookingReply))
            #expect(client.book() == .success(Sample.bookingReply))
            #expect(server.requests.count == 1 && server.connections == 1)
        }
    }

    /// A close waits, within its time, also for what no call waits for any more.
    @Test func aCloseWaitsForWhatIsRead() throws {
        let gate = Gate()
        try withServer({ _ in
            gate.pass()
            return [.reply(201, Sample.bookingReply)]
        }) { server in
            let client = try PartnerBookingClient(server.url, #","report_settled":true"#)
            let ending = Ending()
            let ticket = try client.submit(.createBooking, request: Sample.booking(), handler: ending.handler)
            #expect(gate.hasVisitor())
            try client.cancel(ticket)
            #expect(try ending.error().outcome == .unknown)
            let closer = background { #expect((try? client.close(timeout: .seconds(20))) == 0) }
            #expect(eventually { client.search().failure?.code == .clientClosed }, "the close has begun")
            gate.open()
            closer.join()
            guard case .entry(let entry) = client.completions.next(timeoutMilliseconds: 0) else {
                Issue.record("nothing was reported")
                return
            }
            #expect(entry.completion.event.settled == .success(Sample.bookingReply))
        }
    }

    /// Neither sent nor answered: the listener's queue is full.
    @Test func cancelWhileConnecting() throws {
        let (listener, port) = try Socket.listener(backlog: 0)
        let others = try (0..<8).map { _ in try Socket.connect(port: port) }
        defer { for descriptor in others + [listener] { close(descriptor) } }
        sleep(milliseconds: 20)
        let client = try PartnerBookingClient("http://127.0.0.1:\(port)")
        let ending = Ending()
        let ticket = try client.submit(
            .createBooking, request: Sample.booking(#","slow_after_ms":20"#), handler: ending.handler)
        #expect(ending.isSlow())
        try client.cancel(ticket)
        #expect(try ending.error().code == .cancelled)
        #expect(try ending.error().outcome == .notSent)
        #expect(try ending.error().attempts == 1)
        #expect(try ending.error().timing?.lastAttempt == nil)
        try client.close(timeout: .zero)
    }

    /// Others on the same client do not notice.
    @Test func cancelTouchesNoOtherCall() throws {
        try withServer({ request in
            request.header("Idempotency-Key") == nil
                ? [.pause(milliseconds: 50), .reply(200, Sample.searchReply)] : [.stall]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            let (booking, searches) = ((0..<8).map { _ in Ending() }, (0..<8).map { _ in Ending() })
            var tickets: [CallTicket] = []
            for (booking, search) in zip(booking, searches) {
                tickets.append(try client.submit(.createBooking, request: Sample.booking(), handler: booking.handler))
                try client.submit(.searchAvailability, request: Sample.search(), handler: search.handler)
            }
            for ticket in tickets { try client.cancel(ticket) }
            for ending in booking { #expect(try ending.error().code == .cancelled) }
            for ending in searches { #expect(try ending.result() == .success(Sample.searchReply)) }
            #expect(try client.close(timeout: .seconds(1)) == 0)
        }
    }
}

extension LoopbackServer.Request {
    fileprivate var operation: PartnerBooking.CallOperation {
        header("Idempotency-Key") == nil ? .searchAvailability : .createBooking
    }
}

/// RFC 1952, without compressing anything.
private enum Gzip {
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let length = UInt16(bytes.count)
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + [1] + little(length) + little(~length) + bytes
            + little(checksum(bytes)) + little(UInt32(bytes.count))
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}
