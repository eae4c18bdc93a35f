import Glibc
import Testing

@testable import PartnerBooking

/// The client around the loop: handlers, tickets, places in its queue, and its end.
@Suite struct ClientTests {
    private static func sandbox(_ members: String = "", latency: Int = 0) throws -> PartnerBookingClient {
        let clinic = #"{"now":"2030-01-14T08:00:00Z","latency_ms":\#(latency)}"#
        return try PartnerBookingClient(
            json: Array(#"{"endpoint":"sandbox","sandbox":\#(clinic)\#(members)}"#.utf8))
    }

    /// Runs `body` in a handler, on the transfer thread of `client`.
    private func onTransferThread<Value: Sendable>(
        of client: PartnerBookingClient, _ body: @escaping @Sendable () -> Value
    ) throws -> Value {
        let value = Monitor<Value?>(nil)
        try client.submit(.searchAvailability, request: Sample.search()) { _ in
            let result = body()
            value.update { $0 = result }
        }
        try #require(value.becomes { $0 != nil })
        return try #require(value.withLock { $0 })
    }

    // MARK: In a handler

    @Test func blockingCallInAHandlerIsRefused() throws {
        let (client, other) = (try Self.sandbox(), try Self.sandbox())
        for callee in [client, other] {
            let (search, booking) = try onTransferThread(of: client) { (callee.search(), callee.book()) }
            #expect(search.failure?.code == .wouldDeadlock)
            #expect(search.failure?.outcome == nil)
            #expect(booking.failure?.code == .wouldDeadlock)
            #expect(booking.failure?.outcome == .notSent)
            #expect(booking.failure?.source == .caller)
            #expect(booking.failure?.isRetryable == false)
        }
        // Elsewhere they go on as before; and the slot was booked by nobody.
        #expect(client.book().success != nil)
        #expect(try client.close(timeout: .seconds(1)) == 0)
        #expect(try other.close(timeout: .seconds(1)) == 0)
    }

    @Test func closeInAHandlerIsRefused() throws {
        let (client, other) = (try Self.sandbox(), try Self.sandbox())
        for closed in [client, other] {
            let code = try onTransferThread(of: client) { () -> PartnerBookingError.Code? in
                do throws(PartnerBookingError) {
                    _ = try closed.close(timeout: .zero)
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(code == .wouldDeadlock)
            // It is still open.
            #expect(closed.search().success != nil)
            #expect(try closed.close(timeout: .seconds(1)) == 0)
            if closed === client { break }
        }
        _ = try? other.close(timeout: .zero)
    }

    @Test func handlersAreToldOnTheTransferThreadAlone() throws {
        let client = try Self.sandbox()
        #expect(try onTransferThread(of: client) { PartnerBookingClient.isCallbackThread })
        #expect(!PartnerBookingClient.isCallbackThread)
        try client.close(timeout: .seconds(1))
    }

    /// The wait of `close` includes that for the handlers.
    @Test func noHandlerRunsAfterTheClose() throws {
        let client = try Self.sandbox(latency: 5)
        let (running, told) = (Counter(), Counter())
        for _ in 0..<20 {
            try client.submit(.searchAvailability, request: Sample.search()) { _ in
                running.increment()
                sleep(milliseconds: 2)
                told.increment()
            }
        }
        #expect(try client.close(timeout: .seconds(20)) == 0)
        #expect(running.value == 20)
        #expect(told.value == 20)
    }

    // MARK: The last reference

    /// What holds the only reference to a client.
    private final class Holder: Sendable {
        let client: Monitor<PartnerBookingClient?>
        init(_ client: PartnerBookingClient) { self.client = Monitor(client) }
    }

    /// A call of a server that never answers, and one whose handler drops the client.
    @Test func lastReferenceMayGoInAHandler() async {
        await #expect(processExitsWith: .success) {
            let server = try LoopbackServer { request in
                request.header("Idempotency-Key") == nil ? [.reply(200, Sample.searchReply)] : [.stall]
            }
            let (stalled, search) = (Ending(), Ending())
            let holder = Holder(try PartnerBookingClient(server.url))
            weak var weakly: PartnerBookingClient?
            weakly = holder.client.withLock { $0 }
            try holder.client.withLock { client in
                _ = try client?.submit(.createBooking, request: Sample.booking(), handler: stalled.handler)
            }
            #expect(server.sees(requests: 1))
            try holder.client.withLock { client in
                _ = try client?.submit(.searchAvailability, request: Sample.search()) { completion in
                    // Out of the lock, so that the reference that goes last is here.
                    let last = holder.client.withLock { client in
                        defer { client = nil }
                        return client
                    }
                    withExtendedLifetime(last) {}
                    search.handler(completion)
                }
            }
            #expect(try search.result() == .success(Sample.searchReply))
            let error = try stalled.error()
            #expect(error.code == .clientClosed)
            #expect(error.outcome == .unknown)
            #expect(error.idempotencyKey == "key-1")
            #expect(stalled.count == 1)
            #expect(weakly == nil)
            // Its thread goes as well, and nobody has to wait for it.
            #expect(eventually { !threadNames().contains("pbk-transfer") })
            server.stop()
        }
    }

    @Test func clientThatNobodyClosedEndsItsCalls() throws {
        let (first, second) = (Ending(), Ending())
        do {
            let client = try Self.sandbox(#","max_in_flight":1"#, latency: 60_000)
            try client.submit(.createBooking, request: Sample.booking(), handler: first.handler)
            try client.submit(.createBooking, request: Sample.booking(key: "key-2"), handler: second.handler)
        }
        #expect(try first.error().code == .clientClosed)
        #expect(try second.error().code == .clientClosed)
        #expect(try second.error().outcome == .notSent)
        #expect(try second.error().idempotencyKey == "key-2")
        #expect(first.count == 1 && second.count == 1)
    }

    // MARK: After the close

    @Test func closedClientRefuses() throws {
        let client = try Self.sandbox()
        let ticket = try client.submit(.searchAvailability, request: Sample.search()) { _ in }
        #expect(try client.close(timeout: .seconds(1)) == 0)
        #expect(throws: PartnerBookingError.clientClosed) { try client.cancel(ticket) }
        #expect(throws: PartnerBookingError.clientClosed) { try client.cancel(0) }
        #expect(throws: PartnerBookingError.clientClosed) { try client.prewarm() }
        let ending = Ending()
        let error = #expect(throws: PartnerBookingError.self) {
            try client.submit(.createBooking, request: Sample.booking(#","tag":"t-1""#), handler: ending.handler)
        }
        #expect(error?.code == .clientClosed)
        #expect(error?.outcome == .notSent)
        #expect(error?.idempotencyKey == "key-1")
        #expect(error?.tag == "t-1")
        #expect(ending.isEmpty)
    }

    // MARK: Tickets

    @Test func ticketsAreGivenOnce() throws {
        let client = try Self.sandbox()
        let tickets = Monitor<[CallTicket]>([])
        onThreads(8) { _ in
            for _ in 0..<50 {
                let ticket = try? client.submit(.searchAvailability, request: Sample.search()) { _ in }
                tickets.withLock { $0.append(ticket ?? 0) }
            }
        }
        let all = tickets.withLock { $0 }
        #expect(all.count == 400)
        #expect(Set(all).count == 400)
        #expect(!all.contains(0))
        try client.close(timeout: .seconds(20))
    }

    @Test func cancelKnowsTheTicketsOfItsClient() throws {
        let client = try Self.sandbox()
        for ticket in [0, 1, CallTicket(UInt64.max)] as [CallTicket] {
            let error = #expect(throws: PartnerBookingError.self) { try client.cancel(ticket) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.source == .caller)
        }
        let ending = Ending()
        let ticket = try client.submit(.searchAvailability, request: Sample.search(), handler: ending.handler)
        _ = try ending.result()
        try client.cancel(ticket)
        #expect(throws: PartnerBookingError.self) { try client.cancel(ticket.next) }
        #expect(ending.count == 1)
        try client.close(timeout: .seconds(1))
    }

    // MARK: The queue

    /// Calls accepted, and completions that nobody has taken, count together.
    @Test func hostThatTakesNothingIsToldSo() throws {
        let client = try Self.sandbox(#","max_in_flight":2,"max_queued":1"#)
        func submit(_ context: UInt) throws {
            try client.submit(client.prepare(.searchAvailability, request: Sample.search(), context: context))
        }
        for context in 1...3 as ClosedRange<UInt> { try submit(context) }
        let error = #expect(throws: PartnerBookingError.self) { try submit(4) }
        #expect(error?.code == .queueFull)
        // One that is taken makes room for one, and no more.
        for context in 4...10 as ClosedRange<UInt> {
            guard case .entry(let entry) = client.completions.next(timeoutMilliseconds: 20_000) else {
                Issue.record("no completion came")
                return
            }
            #expect(entry.context == context - 3)
            try submit(context)
            #expect(throws: PartnerBookingError.self) { try submit(99) }
        }
        #expect(try client.close(timeout: .seconds(20)) == 0)
    }

    @Test func callThatIsRefusedTakesNoPlace() throws {
        let client = try Self.sandbox(#","max_in_flight":1,"max_queued":0"#, latency: 60_000)
        // The place is taken by a call with a handler: those for the queue are refused by the loop, again and again.
        let ticket = try client.submit(.searchAvailability, request: Sample.search()) { _ in }
        for context in 1...5 as ClosedRange<UInt> {
            let error = #expect(throws: PartnerBookingError.self) {
                try client.submit(client.prepare(.createBooking, request: Sample.booking(), context: context))
            }
            #expect(error?.code == .queueFull)
            #expect(error?.outcome == .notSent)
            #expect(error?.idempotencyKey == "key-1")
        }
        try client.cancel(ticket)
        let isAccepted = eventually {
            (try? client.submit(client.prepare(.searchAvailability, request: Sample.search(), context: 7))) != nil
        }
        #expect(isAccepted)
        #expect(try client.close(timeout: .zero) == 1)
        guard case .entry(let entry) = client.completions.next(timeoutMilliseconds: 0) else {
            Issue.record("no completion came")
            return
        }
        #expect(entry.context == 7)
        #expect(client.completions.isDrained)
    }
}
