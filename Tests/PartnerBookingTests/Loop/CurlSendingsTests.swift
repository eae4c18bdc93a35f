import Glibc
import Testing

@testable import PartnerBooking

/// What is known of a request that the real transport has sent: how often, and over which connection.
@Suite struct CurlSendingsTests {
    // MARK: libcurl repeats by itself (field case A1)

    /// A kept connection drops after the request was read. libcurl sends it once more, unless it must not.
    @Test(arguments: [LoopbackServer.Step.reset, .cut], [true, false])
    func aDroppedRequestIsRepeatedUnlessItMustNotBe(_ death: LoopbackServer.Step, isSentOnce: Bool) throws {
        try withServer({ $0.total == 1 ? [death] : [.reply(201, Sample.bookingReply)] }) { server in
            try TransportProbe.with(server) { probe in
                #expect(try probe.send(isSentOnce: isSentOnce).sendings?.count == 1)
                let second = try probe.send(isSentOnce: isSentOnce)
                let sendings = try #require(second.sendings)
                #expect(sendings.count == (isSentOnce ? 1 : 2))
                #expect(server.requests.count == (isSentOnce ? 2 : 3))
                #expect(isSentOnce ? sendings.firstAt == sendings.lastAt : sendings.firstAt < sendings.lastAt)
                #expect(sendings.lastAt <= second.endedAt)
                switch second.result {
                case .reply(let reply): #expect(!isSentOnce && reply.status == 201)
                case .failure(let failure): #expect(isSentOnce && failure.code == .connectionLost && failure.isRetryable)
                }
                // The handle and the connection after that are as good as new.
                #expect(try probe.send(isSentOnce: isSentOnce).sendings?.count == 1)
            }
        }
    }

    /// Its caller has withdrawn the wish while the request was under way: from then on nothing is sent for it.
    @Test(arguments: [LoopbackServer.Step.reset, .cut])
    func whatIsWithdrawnUnderWayIsNotRepeated(_ death: LoopbackServer.Step) throws {
        let gate = Gate()
        try withServer({ request in
            guard request.total == 1 else { return [.reply(201, Sample.bookingReply)] }
            gate.pass()
            return [death]
        }) { server in
            try TransportProbe.with(server) { probe in
                #expect(try probe.send().sendings?.count == 1)
                let finished = try probe.send { transport, id in
                    guard server.requests.count == 2 else { return }
                    transport.sendNoMore(id)
                    gate.open()
                }
                #expect(finished.sendings?.count == 1 && server.requests.count == 2)
                guard case .failure(let failure) = finished.result else {
                    Issue.record("there was a reply")
                    return
                }
                #expect(failure.code == .connectionLost)
            }
        }
    }

    /// The first sending may have booked, whatever the answer to libcurl's own repetition says.
    @Test(arguments: [
        (409, "slot_unavailable"), (401, "unauthorized"), (404, "bot_not_found"), (404, "slot_gone"), (410, "gone"),
        (422, "outside_hours"), (429, "slow_down"),
    ])
    func aRefusalOfARepetitionLeavesTheFirstSendingInDoubt(_ status: Int, _ code: String) throws {
        try withServer({ request in
            switch request.total {
            case 0: [.reply(200, Sample.searchReply)]
            case 1: [.cut]
            default: [.reply(status, Sample.refusal(code))]
            }
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1, #","settle_for_ms":0"#)
            #expect(client.search() == .success(Sample.searchReply))
            let error = try client.failure(.createBooking, Sample.booking(Sample.shortOfAQuestion))
            #expect(server.requests.count == 3, "it was repeated")
            #expect(error.code == .inDoubt && error.outcome == .unknown && error.attempts == 1)
            #expect(error.doubt?.status == status && error.doubt?.code?.rawValue == code)
            #expect(try client.pendingBookings().map(\.state) == [.inDoubt])
        }
    }

    @Test func aRefusalOfARequestThatWasSentOnceIsOne() throws {
        try withServer({
            [.reply($0.total == 0 ? 200 : 409, $0.total == 0 ? Sample.searchReply : Sample.refusal("slot_taken"))]
        }) {
            server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(client.search() == .success(Sample.searchReply))
            let error = try client.failure(.createBooking)
            #expect(error.code.rawValue == "slot_taken" && error.outcome == .rejected && error.isSlotConflict)
        }
    }

    /// A platform without keys would book it twice: nothing is repeated, by libcurl or by us.
    @Test func whereThereAreNoKeysABookingIsSentOnce() throws {
        try withServer({ $0.header("Idempotency-Key") == nil ? [.reply(200, Sample.searchReply)] : [.cut] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 3, #","platform_keys":"none""#)
            #expect(client.search() == .success(Sample.searchReply))
            let error = try client.failure(.createBooking, Sample.booking())
            #expect(error.code == .inDoubt && error.outcome == .unknown && error.attempts == 1)
            #expect(
                try client.failure(.createBooking, Sample.booking()).outcome == .unknown, "nor when it is asked for again")
            #expect(server.requests.compactMap { $0.header("Idempotency-Key") } == ["key-1"])
        }
    }

    // MARK: Connections

    @Test func aNewConnectionIsMadeWhereOneIsNeeded() throws {
        try withServer({ _ in [.reply(201, Sample.bookingReply)] }) { server in
            try TransportProbe.with(server) { probe in
                for (needsNew, connections) in [(false, 1), (false, 1), (true, 2), (false, 2), (true, 3)] {
                    let finished = try probe.send(needsNewConnection: needsNew)
                    guard case .reply = finished.result else {
                        Issue.record("no reply")
                        continue
                    }
                    #expect(server.connections == connections)
                    #expect(finished.timing?.isConnectionReused == (server.requests.last.map { $0.number > 0 }))
                }
            }
        }
    }

    /// A reply about another booking may have been on its way to somebody else: the question goes over a new connection.
    @Test func anotherBookingsReplyIsAskedAboutOnANewConnection() throws {
        let other = Array(#"{"booking":{"id":"bkg_9","start_at":"2030-01-14T11:00:00Z"}}"#.utf8)
        let own = Array(#"{"booking":{"id":"bkg_1","start_at":"2030-01-14T05:00:00-05:00"}}"#.utf8)
        try withServer({ [.reply(201, $0.total == 0 ? other : own)] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            #expect(client.book() == .success(own), "the same instant, in another zone")
            #expect(server.requests.count == 2 && server.connections == 2)
            #expect(Set(server.requests.compactMap { $0.header("Idempotency-Key") }) == ["key-1"])
        }
    }

    // MARK: Unread bytes (field case A10)

    /// What lies on a kept connection that nobody has asked for.
    private static let unasked: [[UInt8]] = [
        LoopbackServer.Step.whole(409, Sample.refusal("slot_unavailable")),
        LoopbackServer.Step.whole(400, Sample.refusal("invalid_payload")),
        LoopbackServer.Step.whole(201, Array(#"{"booking":{"id":"bkg_of_somebody_else"}}"#.utf8)),
        LoopbackServer.Step.whole(200, Array(#"{"availabilities":["of_somebody_else"]}"#.utf8)),
        Array("HTTP/1.1 4".utf8), [0], Array("\r\n".utf8),
    ]

    @Test(arguments: unasked, [PartnerBooking.CallOperation.createBooking, .searchAvailability])
    func anUnaskedReplyIsNeverTaken(_ unasked: [UInt8], _ operation: PartnerBooking.CallOperation) throws {
        let told = Counter()
        try withServer({ request in
            // Apart from the reply that was asked for: else libcurl reads both at once.
            request.connection == 0
                ? [.reply(200, Sample.reply(to: operation)), .pause(milliseconds: 30), .send(unasked), .tell(told)]
                : [.reply(200, Sample.reply(to: operation))]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            for call in 0..<3 {
                let request = Sample.request(operation, key: "key-\(call)")
                #expect(client.call(operation, request: request) == .success(Sample.reply(to: operation)))
                #expect(told.reaches(1))
            }
            #expect(server.requests.map(\.connection) == [0, 1, 1], "the first connection is given up, the second is kept")
            #expect(server.requests.count == 3)
        }
    }

    /// A server that answers the HEAD of a warm-up with a body leaves it on the connection.
    @Test func aConnectionIsNotUsedAfterAWarmUpThatWasAnsweredWithABody() throws {
        let told = Counter()
        let body = Array("<html>welcome</html>".utf8)
        try withServer({ request in
            request.head.hasPrefix("HEAD ")
                ? [
                    .send(LoopbackServer.Step.head(200, ["Content-Length: \(body.count)"])), .pause(milliseconds: 30),
                    .send(body), .tell(told),
                ]
                : [.reply(201, Sample.bookingReply)]
        }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1)
            for call in 0..<2 {
                try client.prewarm()
                #expect(told.reaches(call + 1))
                #expect(client.book(Sample.booking(key: "key-\(call)")) == .success(Sample.bookingReply))
            }
            let bookings = server.requests.filter { $0.head.hasPrefix("POST ") }
            let warmUps = server.requests.filter { $0.head.hasPrefix("HEAD ") }
            #expect(bookings.count == 2)
            for booking in bookings {
                #expect(!warmUps.contains { $0.connection == booking.connection && $0.total < booking.total })
            }
        }
    }

    /// Nothing was sent over the connection with the unread bytes: it is one sending, over another one.
    @Test func aConnectionWithUnreadBytesCostsNoSending() throws {
        let told = Counter()
        try withServer({ request in
            request.connection == 0
                ? [.reply(201, Sample.bookingReply), .pause(milliseconds: 30), .send([0]), .tell(told)]
                : [.reply(201, Sample.bookingReply)]
        }) { server in
            try TransportProbe.with(server) { probe in
                for isSentOnce in [false, true] {
                    let finished = try probe.send(isSentOnce: isSentOnce)
                    #expect(told.reaches(1))
                    #expect(finished.sendings?.count == 1)
                    guard case .reply(let reply) = finished.result else {
                        Issue.record("no reply")
                        continue
                    }
                    #expect(reply.status == 201 && reply.body == Sample.bookingReply)
                }
                #expect(server.requests.map(\.connection) == [0, 1])
            }
        }
    }
}

/// The real transport without a client around it: one booking after another, on the test's own thread.
private final class TransportProbe {
    private let transport: CurlTransport
    private let target: HTTPTarget
    private var lastID: TransferID = 0

    static func with(_ server: LoopbackServer, _ body: (TransportProbe) throws -> Void) throws {
        let probe = try TransportProbe(server)
        // As the transfer thread does: `wait` leaves the gate and comes back.
        try #require(ExitGate.tryToEnter())
        defer {
            probe.transport.close()
            ExitGate.leave()
        }
        try body(probe)
    }

    private init(_ server: LoopbackServer) throws {
        let json = #"{"api_key":"sk_ptnr_probe","base_url":"\#(server.url)","keep_warm_ms":0}"#
        let configuration = try Configuration(json: Array(json.utf8))
        transport = try CurlTransport(configuration.connection)
        let origin = try #require(configuration.service.origins.first)
        target = HTTPTarget(url: server.url + "/v1/bookings", headers: HTTPTarget.commonHeaders, origin: origin)
    }

    /// `meanwhile` is done again and again while the transfer is under way.
    func send(
        isSentOnce: Bool = false, needsNewConnection: Bool = false,
        meanwhile: (CurlTransport, TransferID) -> Void = { _, _ in }
    ) throws -> FinishedTransfer {
        lastID = lastID.next
        let request = HTTPRequest(
            target: target, headers: [], body: Sample.booking(), isSentOnce: isSentOnce,
            needsNewConnection: needsNewConnection)
        if let failure = transport.start(lastID, request) { throw TestFailure(failure.message) }
        let patience = MonotonicTime.now().adding(milliseconds: 20_000)
        while MonotonicTime.now() < patience {
            var finished = FIFO<FinishedTransfer>()
            transport.perform(&finished)
            while let transfer = finished.popFirst() {
                if transfer.id == lastID { return transfer }
            }
            meanwhile(transport, lastID)
            transport.wait(until: .now().adding(milliseconds: 10))
        }
        throw TestFailure("no result")
    }
}

extension LoopbackServer.Step {
    fileprivate static func whole(_ status: Int, _ body: [UInt8]) -> [UInt8] {
        head(status, ["Content-Length: \(body.count)"]) + body
    }
}
