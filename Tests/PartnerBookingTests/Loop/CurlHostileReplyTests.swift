import Testing

@testable import PartnerBooking

/// Replies that are cut, endless or not as asked for: the error names the server's fault, and a cut is a lost connection.
@Suite struct CurlHostileReplyTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    private static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
    private static let body = String(decoding: Sample.searchReply, as: UTF8.self)

    private static let cuts: [String] = [
        "HTTP/1.1 200 OK\r\n", head, head + "\r\n", head + "Connection: close\r\n\r\n" + body.dropLast(3),
        "HTTP/1.1 100 Continue\r\n\r\n" + head, head + "Connection: close\r\n\r\n  {\"availabilities\":[{}",
    ]

    /// Behind a header line, and in a body that ends with its connection.
    @Test(arguments: cuts)
    func aCutReplyIsALostConnectionAndIsAskedForAgain(_ cut: String) throws {
        try withServer({ $0.total == 0 ? [.send(Array(cut.utf8)), .cut] : [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 2)
            #expect(client.search() == .success(Sample.searchReply))
            #expect(server.requests.count == 2)
        }
        try withServer({ _ in [.send(Array(cut.utf8)), .cut] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(try client.failure(.searchAvailability).code == .connectionLost)
            let booking = try client.failure(.createBooking, Sample.booking(Sample.shortOfAQuestion))
            #expect(booking.code == .inDoubt && booking.outcome == .unknown)
        }
    }

    @Test func aWholeBodyMayEndWithItsConnection() throws {
        let reply = Self.head + "Connection: close\r\n\r\n" + Self.body
        try withServer({ _ in [.send(Array(reply.utf8)), .cut] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(client.search() == .success(Sample.searchReply))
        }
    }

    private static let faults: [(String, String)] = [
        ("too long or has no end", head + "X-Header: " + String(repeating: "a", count: 200_000)),
        ("too long or has no end", "HTTP/1.1 200 " + String(repeating: "a", count: 200_000)),
        ("longer than 262144 bytes", head + String(repeating: "a:\r\n", count: 5_000) + "\r\n"),
        ("longer than 262144 bytes", String(repeating: "HTTP/1.1 103 Hints\r\nA: b\r\n\r\n", count: 2_000)),
        ("longer than 262144 bytes", chunked + "1\r\n{\r\n0\r\n" + String(repeating: "a:\r\n", count: 5_000)),
        ("folded", head + "A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}"),
        ("folded", chunked + "1\r\n{\r\n0\r\nA: b\r\n c\r\n\r\n"),
        ("encoding", head + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"),
        ("encoding", head + "Content-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}"),
        ("tiny pieces", chunked + String(repeating: "1\r\n \r\n", count: 10_000)),
    ]

    @Test(arguments: faults)
    func aReplyWithoutEndIsTheServersFault(_ message: String, _ reply: String) throws {
        try withServer({ _ in [.send(Array(reply.utf8)), .stall] }) { server in
            let error = try PartnerBookingClient(server.url, attempts: 1).failure(.searchAvailability)
            #expect(error.code == .invalidReply && error.source == .partnerAPI && !error.isRetryable)
            #expect(error.message.contains(message), "\(error.message)")
        }
    }

    /// A server that sends the body of its reply to HEAD only with the next reply.
    @Test func aBodyThatIsOwedReachesNoBooking() throws {
        let body = Array("<html>welcome</html>".utf8)
        try withServer({ request in
            if request.head.hasPrefix("HEAD ") {
                return [.send(LoopbackServer.Step.head(200, ["Content-Length: \(body.count)"]))]
            }
            let owed = request.number > 0 && request.total < 10 ? body : []
            return [
                .send(
                    owed + LoopbackServer.Step.head(201, ["Content-Length: \(Sample.bookingReply.count)"])
                        + Sample.bookingReply)
            ]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            try client.prewarm()
            #expect(eventually { server.requests.count >= 1 })
            sleep(milliseconds: 50)
            #expect(client.book(Sample.booking(key: "key-1")) == .success(Sample.bookingReply))
            let bookings = server.requests.filter { $0.head.hasPrefix("POST ") }
            #expect(bookings.count == 1 && bookings.first?.connection == 1)
        }
    }

    /// A request that cannot book tries it out, and one that succeeds keeps the connection for bookings.
    @Test func aSearchShowsThatTheServerOwesNothing() throws {
        try withServer({ request in
            if request.head.hasPrefix("HEAD ") { return [.send(LoopbackServer.Step.head(200, ["Content-Length: 20"]))] }
            return request.head.contains("bookings") ? [.reply(201, Sample.bookingReply)] : [.reply(200, Sample.searchReply)]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            try client.prewarm()
            #expect(eventually { server.requests.count >= 1 })
            sleep(milliseconds: 50)
            #expect(client.search() == .success(Sample.searchReply))
            #expect(client.book() == .success(Sample.bookingReply))
            #expect(server.requests.map(\.connection) == [0, 0, 0])
        }
    }
}
