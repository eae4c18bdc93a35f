import Glibc
import Testing

@testable import PartnerBooking

/// The real transport when nothing comes, and many calls at once.
@Suite struct CurlDeadlineTests {
    /// How far a stalling server gets.
    enum Progress: CaseIterable {
        case nothing, halfTheHead, head, halfTheBody

        var steps: [LoopbackServer.Step] {
            let head = LoopbackServer.Step.head(201, ["Content-Length: \(Sample.bookingReply.count)"])
            return switch self {
            case .nothing: [.stall]
            case .halfTheHead: [.send(Array(head.prefix(20))), .stall]
            case .head: [.send(head), .stall]
            case .halfTheBody: [.send(head + Sample.bookingReply.prefix(10)), .stall]
            }
        }
    }

    // MARK: Deadlines

    @Test(arguments: Progress.allCases)
    func deadlineWhileStalled(_ progress: Progress) throws {
        try withServer({ _ in progress.steps }) { server in
            let client = try PartnerBookingClient(server.url)
            let booking = try client.failure(.createBooking, Sample.booking(Sample.timeout(150)))
            #expect(booking.code == .timeout)
            #expect(booking.outcome == .unknown)
            #expect(booking.attempts == 1)
            #expect(booking.isRetryable)
            let search = try client.failure(.searchAvailability, Sample.search(Sample.timeout(150)))
            #expect(search.code == .timeout)
            #expect(search.outcome == nil)
        }
    }

    @Test func deadlineOfTheConfiguration() throws {
        try withServer({ _ in [.stall] }) { server in
            let client = try PartnerBookingClient(server.url, #","timeout_ms":120"#)
            var error: PartnerBookingError?
            let elapsed = elapsedMilliseconds { error = client.book().failure }
            #expect(error?.code == .timeout)
            #expect((120..<20_000).contains(elapsed))
        }
    }

    /// A connection that neither comes nor fails: the listener's queue is full.
    @Test func deadlineWhileConnecting() throws {
        let (listener, port) = try Socket.listener(backlog: 0)
        let others = try (0..<8).map { _ in try Socket.connect(port: port) }
        defer { for descriptor in others + [listener] { close(descriptor) } }
        sleep(milliseconds: 20)
        let client = try PartnerBookingClient("http://127.0.0.1:\(port)")
        let deadline = try client.failure(.createBooking, Sample.booking(Sample.timeout(150)))
        #expect(deadline.code == .timeout)
        #expect(deadline.outcome == .notSent)

        let limited = try PartnerBookingClient("http://127.0.0.1:\(port)", attempts: 2, #","connect_timeout_ms":60"#)
        let error = try limited.failure(.createBooking)
        #expect(error.code == .connectFailed)
        #expect(error.outcome == .notSent)
        #expect(error.attempts == 2)
    }

    @Test func stalledCallHoldsUpNoOther() throws {
        try withServer({ $0.header("Idempotency-Key") == nil ? [.reply(200, Sample.searchReply)] : [.stall] }) { server in
            let client = try PartnerBookingClient(server.url)
            let ending = Ending()
            let stalled = background { ending.end(client.book(Sample.booking(Sample.timeout(20_000)))) }
            #expect(server.sees(requests: 1))
            for _ in 0..<20 { #expect(client.search() == .success(Sample.searchReply)) }
            #expect(ending.isEmpty)
            try client.close(timeout: .zero)
            stalled.join()
            #expect(try ending.error().code == .clientClosed)
        }
    }

    /// A reply on a connection that is late must never be taken for that of the next call.
    @Test func lateReplyGoesToNobody() throws {
        try withServer({ request in
            let marker = request.body.marker
            return marker == "late" ? [.pause(milliseconds: 200), .echo(marker)] : [.echo(marker)]
        }) { server in
            let client = try PartnerBookingClient(server.url)
            #expect(
                try client.failure(.searchAvailability, Sample.search(bot: "late", Sample.timeout(100))).code == .timeout)
            for call in 0..<10 {
                #expect(client.search(Sample.search(bot: "\(call)")).success?.marker == "\(call)")
                sleep(milliseconds: 15)
            }
            #expect(server.connections == 2)
        }
    }

    // MARK: Closing

    @Test(arguments: Progress.allCases)
    func closeWhileStalled(_ progress: Progress) throws {
        try withServer({ _ in progress.steps }) { server in
            let client = try PartnerBookingClient(server.url)
            let endings = (0..<2).map { _ in Ending() }
            let callers = [
                background { endings[0].end(client.book()) }, background { endings[1].end(client.search()) },
            ]
            #expect(server.sees(requests: 2))
            var ended: Int?
            let elapsed = try elapsedMilliseconds { ended = try client.close(timeout: .milliseconds(50)) }
            #expect(ended == 2)
            #expect((50..<20_000).contains(elapsed))
            for caller in callers { caller.join() }
            #expect(try endings[0].error().code == .clientClosed)
            #expect(try endings[0].error().outcome == .unknown)
            #expect(try endings[0].error().attempts == 1)
            #expect(try endings[1].error().code == .clientClosed)
            #expect(try endings[1].error().outcome == nil)

            #expect(throws: PartnerBookingError.clientClosed) { try client.close(timeout: .milliseconds(50)) }
            let late = try client.failure(.createBooking)
            #expect(late.code == .clientClosed)
            #expect(late.outcome == .notSent)
            #expect(late.attempts == 0)
            #expect(server.requests.count == 2)
        }
    }

    @Test func closeLetsAReplyIn() throws {
        try withServer({ _ in [.pause(milliseconds: 60), .reply(201, Sample.bookingReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            let ending = Ending()
            let caller = background { ending.end(client.book()) }
            #expect(server.sees(requests: 1))
            #expect(try client.close(timeout: .seconds(20)) == 0)
            caller.join()
            #expect(try ending.result() == .success(Sample.bookingReply))
        }
    }

    @Test func closeOfAnIdleClientIsQuick() throws {
        try withServer({ _ in [.reply(200, Sample.searchReply)] }) { server in
            let client = try PartnerBookingClient(server.url)
            _ = client.search()
            var ended: Int?
            let elapsed = try elapsedMilliseconds { ended = try client.close(timeout: .seconds(600)) }
            #expect(ended == 0)
            #expect(elapsed < 20_000)
        }
    }

    // MARK: Many calls

    /// Each call has a marker of its own, which the server sends back: each gets its own reply.
    @Test func eachCallGetsItsOwnReply() throws {
        try withServer({ [.echo($0.body.marker)] }) { server in
            let client = try PartnerBookingClient(server.url, attempts: 1, #","timeout_ms":60000"#)
            let threads = 16
            let right = Counter()
            onThreads(threads) { thread in
                for call in stride(from: thread, to: manyCalls, by: threads) {
                    let marker = "bot-\(thread)-\(call)"
                    let completion = client.search(Sample.search(bot: marker))
                    #expect(completion.success?.marker == marker)
                    if completion.success?.marker == marker { right.increment() }
                }
            }
            #expect(right.value == manyCalls)
            #expect(server.requests.count == manyCalls)
            #expect(server.connections <= threads)
        }
    }
}

extension LoopbackServer.Step {
    /// A reply to a search that holds a marker where requests have it.
    fileprivate static func echo(_ marker: String) -> LoopbackServer.Step {
        .reply(200, Array(#"{"bot_id":"\#(marker)","availabilities":[]}"#.utf8))
    }
}

extension [UInt8] {
    /// The `bot_id` that a text starts with.
    fileprivate var marker: String {
        let start = #"{"bot_id":""#.utf8.count
        return String(decoding: dropFirst(start).prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
    }
}
