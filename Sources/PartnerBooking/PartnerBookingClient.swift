/// A client of the Partner API: searches appointment slots and books them.
///
/// JSON in, JSON out, as docs/json-contract.md describes it. Any thread may call any member at any time. A client owns one
/// thread, which does all network work; it ends with `close` or with the client.
public final class PartnerBookingClient: Sendable {
    private let configuration: Configuration
    private let endpoint: PartnerAPIEndpoint
    private let loop: TransferLoop
    private let thread: Thread
    private let state: Monitor<State>

    private struct State {
        var isClosed = false
        var lastID: TransferID = 0
        var random: SplitMix64
    }

    /// Opens a client. Does not wait for the network.
    ///
    /// - Parameter configuration: The configuration as JSON, UTF-8.
    /// - Throws: `invalid_json` or `invalid_config` naming what is wrong; `resource_unavailable`.
    public init(configuration json: [UInt8]) throws(PartnerBookingError) {
        let configuration = try Configuration(json: json)
        self.configuration = configuration
        endpoint = PartnerAPIEndpoint(configuration)
        let transport: any Transport =
            switch configuration.service {
            case .partnerAPI:
                try CurlTransport(configuration.connection)
            case .sandbox(let clinic):
                SandboxTransport(clinic, searchPath: configuration.searchPath, bookingPath: configuration.bookingPath)
            }
        (loop, thread) = try TransferLoop.start(transport, maxInFlight: configuration.maxInFlight)
        var seed = SystemRandomNumberGenerator()
        state = Monitor(State(random: SplitMix64(state: seed.next())))
    }

    deinit { close(timeoutMilliseconds: 0) }

    /// Makes a call and waits for its end, at the latest until its deadline. Not for threads of Swift concurrency, which must
    /// never block.
    public func call(_ operation: Operation, request json: [UInt8]) -> Completion {
        let waiter = CompletionWaiter()
        do throws(PartnerBookingError) {
            let request = try Request(operation, json: json)
            let deadline = try submit(request) { waiter.complete($0) }
            // The transfer thread keeps the deadline. The second more is for a machine in trouble: whatever holds up that
            // thread, the caller on the phone is not held up with it.
            if let completion = waiter.wait(until: deadline.adding(milliseconds: 1_000)) { return completion }
            return .failure(ErrorContext(request).completing(.timeout, outcome: .unknown))
        } catch {
            return .failure(error)
        }
    }

    /// Refuses new calls, lets those under way finish, and ends the rest with `client_closed` when the time is up.
    ///
    /// - Parameter timeoutMilliseconds: 0 to 600000.
    /// - Returns: How many calls had to be ended; nil when the client was closed before.
    @discardableResult
    public func close(timeoutMilliseconds: Int) -> Int? {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return nil }
        let moment = MonotonicTime.now().adding(milliseconds: min(timeoutMilliseconds, 600_000))
        guard let ended = loop.close(until: moment) else {
            thread.detach()
            return 1
        }
        thread.join()
        return ended
    }

    /// The pipeline: the request becomes an HTTP request and goes into delivery. Returns the call's deadline.
    private func submit(
        _ request: Request, _ complete: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> MonotonicTime {
        let context = ErrorContext(request)
        let timeout = request.timeoutMilliseconds ?? configuration.timeoutMilliseconds(for: request.operation)
        let deadline = MonotonicTime.now().adding(milliseconds: timeout)
        let (id, seed) = state.withLock { state in
            state.lastID &+= 1
            return (state.lastID, state.random.next())
        }
        let call = Call(
            id: id, request: endpoint.httpRequest(for: request), context: context,
            delivery: Delivery(policy: configuration.retry, deadline: deadline, seed: seed), complete: complete)
        do throws(PartnerBookingError) {
            try loop.submit(call)
        } catch {
            throw context.completing(error)
        }
        return deadline
    }
}

extension ErrorContext {
    init(_ request: Request) {
        self.init(operation: request.operation, tag: request.tag, idempotencyKey: request.idempotencyKey)
    }
}
