/// A client of the Partner API, or of the platforms behind it, that finds and books appointments.
///
/// `searchAvailability`, `createBooking` and `lookupCustomer` are for Swift concurrency. `call` and
/// `submit` take and return JSON: docs/json-contract.md. Any thread may call any member at any
/// time. A client owns threads for the network, and one for a journal or ledger. They end with
/// `close` or with the client.
public final class PartnerBookingClient: Sendable {
    let callDefaults: CallDefaults
    /// The waiters of blocking calls, which are reused.
    let waiters = CompletionWaiters()
    let endpoint: any Endpoint
    let ledger: LedgerStore
    let loop: TransferLoop
    private let threads: Threads
    /// nil when the service is not the sandbox.
    private let sandbox: Monitor<Sandbox>?
    /// The zones of plain dates in searches, and the settings of tool calls.
    let voice: VoiceSettings
    /// The service's clock. It decides which requests are for the past.
    let clock: ServiceClock
    let state: Monitor<State>
    let observer: Observer
    let openedAt = MonotonicTime.now()
    /// The conversations, and the tool calls under way.
    let tools = Monitor(ToolDesk())
    /// The completions of calls without a handler.
    package let completions: CompletionQueue

    private struct Threads {
        let transfer: Thread
        let journal: Thread?

        func detach() {
            transfer.detach()
            journal?.detach()
        }
    }

    struct State {
        var isClosed = false
        var ticketCount: UInt64 = 0
        var random: SplitMix64
    }

    /// Opens a client. Reads the journal, if there is one, and connects in the background.
    ///
    /// - Parameter json: The configuration as docs/json-contract.md describes it, UTF-8.
    /// - Throws: `invalidJSON` or `invalidConfig`, which name the fault. `journalLocked` or
    ///   `journalUnavailable`. `resourceUnavailable`.
    public convenience init(json: [UInt8]) throws(PartnerBookingError) {
        try self.init(json: json, ledger: nil)
    }

    /// Opens a client. `ledger` is the host's store. nil means memory, or the configured journal.
    init(json: [UInt8], ledger options: LedgerOptions?) throws(PartnerBookingError) {
        let configuration = try Configuration(json: json, hasLedger: options != nil)
        callDefaults = configuration.callDefaults
        observer = Observer(configuration.countsCalls ? CallStatistics() : nil)
        endpoint = configuration.service.endpoint
        voice = configuration.voice
        let transport: any Transport
        switch configuration.service {
        case .partnerAPI, .platformWebhook:
            transport = try CurlTransport(configuration.connection)
            sandbox = nil
            clock = ServiceClock()
        case .sandbox(let clinic, let settings):
            let sandbox = SandboxTransport(clinic, settings)
            self.sandbox = sandbox.sandbox
            clock = sandbox.clock
            transport = sandbox
        }
        let (journal, recovered) = try configuration.openJournal()
        let host = options.map { HostLedger(configuration.hostLedger, $0.handler) }
        ledger = LedgerStore(
            configuration.ledger, journal, host: host, restoring: recovered,
            service: { [endpoint] in endpoint.service(of: $0) })
        completions = CompletionQueue(limit: configuration.limits.total)
        var seed = SystemRandomNumberGenerator()
        state = Monitor(State(random: SplitMix64(state: seed.next())))
        let (loop, transfer) = try TransferLoop.start(
            transport, endpoint, configuration.limits, configuration.policy, ledger, observer,
            report: { [completions] in completions.append($0) })
        self.loop = loop
        do throws(PartnerBookingError) {
            let journalThread = try ledger.startJournal(
                report: { loop.receive($0) }, find: { loop.receive($0) })
            threads = Threads(transfer: transfer, journal: journalThread)
        } catch {
            loop.beginClose(at: .now())
            transfer.detach()
            throw error
        }
        guard configuration.resumesOnOpen || host != nil else { return }
        resume(recovered)
        ledger.resumeInherited { [weak self] in self?.resume($0) }
    }

    /// Sends again the bookings that an earlier process may have sent. Sends nothing when the
    /// journal is damaged: the lost part may contain the record that a booking was not made.
    private func resume(_ entries: [JournalEntry]) {
        guard ledger.opening?.found.damagedBytes ?? 0 == 0 else { return }
        let now = WallClock.milliseconds()
        for entry in entries {
            guard !entry.isSettled, !entry.isWithdrawn, let start = entry.wish.summary?.startMilliseconds, start > now
            else { continue }
            // A booking that the queue does not take stays pending.
            let request = ResumeBookingRequest(idempotencyKey: entry.key).json
            _ = try? submit(prepare(.createBooking, request: request, for: .none))
        }
    }

    /// Ends the open calls with `client_closed`, if nobody has closed the client. Does not block:
    /// the last reference may end on a thread that must not block, such as the transfer thread.
    deinit {
        guard markClosed() else { return }
        loop.beginClose(at: .now())
        threads.detach()
    }

    // MARK: Calls that do not wait

    /// Submits a call. Does not block on network or file.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - json: The request as docs/json-contract.md describes it, UTF-8.
    ///   - handler: Called on the transfer thread: at most once when the call is slow, then exactly
    ///     once when it is done. A booking's end counts as heard when the handler returns.
    /// - Returns: The call's ticket.
    /// - Throws: The reason of the refusal. The handler is then not called.
    @discardableResult
    public func submit(
        _ operation: CallOperation, request json: [UInt8], handler: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> CallTicket {
        let call = try prepare(operation, request: json) { completion in
            handler(completion)
            completion.receipt?.acknowledge()
        }
        try submit(call)
        return call.ticket
    }

    /// Prepares a submission, for callers that need the ticket before the call starts. The handler
    /// acknowledges receipts.
    package func prepare(
        _ operation: CallOperation, request json: [UInt8], handler: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> Call {
        try prepare(operation, request: json, for: .handler(handler))
    }

    /// Prepares a call whose completions wait in `completions`. They carry the caller's `context`.
    package func prepare(
        _ operation: CallOperation, request json: [UInt8], context: UInt
    ) throws(PartnerBookingError) -> Call {
        try prepare(operation, request: json, for: .queue(completions, context: context))
    }

    /// Submits a prepared call. Call it once.
    package func submit(_ call: Call) throws(PartnerBookingError) {
        do throws(PartnerBookingError) {
            if call.isQueued { try completions.reserve() }
        } catch {
            throw annotating(error, call)
        }
        do throws(PartnerBookingError) {
            try loop.submit(call)
        } catch {
            if call.isQueued { completions.unreserve() }
            throw annotating(error, call)
        }
    }

    /// Completes the error of a refused call, and counts it unless the call is the library's own.
    func annotating(_ error: PartnerBookingError, _ call: Call) -> PartnerBookingError {
        let annotated = ledger.annotating(call.context.annotating(error))
        return call.isOwn ? annotated : counted(annotated, of: call.request.operation)
    }

    /// Cancels a call, unless it is over or a detached booking. The completion has the outcome.
    ///
    /// - Throws: `invalidArgument` for a ticket that this client never gave. `clientClosed`.
    public func cancel(_ ticket: CallTicket) throws(PartnerBookingError) {
        let (isClosed, ticketCount) = state.withLock { ($0.isClosed, $0.ticketCount) }
        guard !isClosed else { throw .clientClosed }
        guard ticket.rawValue > 0, ticket.rawValue <= ticketCount else {
            throw .argument(ErrorMessage.unknownTicket)
        }
        if !cancelTool(ticket) { loop.cancel(ticket) }
    }

    /// Makes a connection ready for the next call, in the background.
    public func prewarm() throws(PartnerBookingError) {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        loop.prewarm()
    }

    // MARK: Bookings

    /// Returns the bookings whose end the host has not heard, oldest first: in flight, in doubt,
    /// booked or refused. A journal adds those of earlier clients. `resumeBooking` settles one or
    /// repeats its end.
    ///
    /// - Throws: `clientClosed`.
    public func pendingBookings() throws(PartnerBookingError) -> [PendingBooking] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        return ledger.pendingBookings
    }

    /// Returns the same as JSON, with the damage of the journal:
    /// `{"pending_bookings":[…],"journal":…}`. docs/json-contract.md describes the members.
    public func pendingBookingsJSON() throws(PartnerBookingError) -> [UInt8] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        return ledger.pendingBookingsJSON
    }

    /// Returns the bookings of the embedded sandbox, in the order in which it made them.
    ///
    /// - Returns: JSON: `{"bookings":[…]}`. docs/json-contract.md describes the members.
    /// - Throws: `invalidArgument` when the service is not the sandbox. `clientClosed`.
    public func sandboxBookings() throws(PartnerBookingError) -> [UInt8] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        guard let sandbox else { throw .argument(ErrorMessage.noSandbox) }
        return sandbox.withLock { $0 }.bookingsJSON
    }

    // MARK: Calls that wait

    /// Makes a call and blocks until its end, at most until its deadline. A booking's end counts as
    /// heard one second after the return.
    @available(*, noasync, message: "It blocks its thread: use searchAvailability and the like")
    public func call(_ operation: CallOperation, request json: [UInt8]) -> CallResult {
        let waiter = waiters.borrow()
        do throws(PartnerBookingError) {
            let call = try prepare(operation, request: json, for: .waiter(waiter))
            guard !isOnOwnThread else { throw annotating(.wouldDeadlock, call) }
            let deadline = call.deadline
            try submit(call)
            // The transfer thread keeps the deadline. The extra second is for a machine in trouble:
            // if that thread is stuck, the caller on the phone must not wait with it.
            if let end = waiters.wait(waiter, until: deadline.adding(milliseconds: 1_000)) {
                end.receipt?.acknowledgeSoon()
                if case .done(let result) = end.event { return result }
            }
            return .failure(call.context.annotating(.timeout, outcome: .unknown))
        } catch {
            return .failure(error)
        }
    }

    /// Refuses new calls and waits for open ones. After `timeout` ends them with `client_closed`.
    ///
    /// - Parameter timeout: At most 10 minutes. A negative value counts as 0.
    /// - Returns: The number of calls that were ended.
    /// - Throws: `clientClosed` if closed before. `wouldDeadlock` on a transfer or ledger thread.
    @available(*, noasync, message: "It blocks its thread: use the asynchronous close")
    @discardableResult
    public func close(timeout: Duration) throws(PartnerBookingError) -> Int {
        guard !isOnOwnThread else { throw .wouldDeadlock }
        guard markClosed() else { throw .clientClosed }
        return closeOnce(timeout)
    }

    /// Closes the client as the other `close` does, without blocking a thread of Swift concurrency.
    @discardableResult
    public func close(timeout: Duration) async throws(PartnerBookingError) -> Int {
        guard markClosed() else { throw .clientClosed }
        return await withCheckedContinuation { continuation in
            do throws(SystemError) {
                let closer = try Thread(name: "pbk-close") {
                    continuation.resume(returning: self.closeOnce(timeout))
                }
                closer.detach()
            } catch {
                // No thread is left on this machine. The calls still end, but nobody waits.
                loop.beginClose(at: .now())
                threads.detach()
                continuation.resume(returning: 0)
            }
        }
    }

    /// Marks the client as closed. Returns false when it was closed before.
    private func markClosed() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }

    private func closeOnce(_ timeout: Duration) -> Int {
        endPrefetches()
        let moment = MonotonicTime.now().adding(milliseconds: min(timeout.wholeMilliseconds, 600_000))
        loop.beginClose(at: moment)
        let patience = moment.adding(milliseconds: 2_000)
        let ended = loop.waitForEnd(until: patience)
        if ended == nil && !ExitGate.isShut { loop.endAll(.now()) }
        completions.close()
        if ended == nil { threads.transfer.detach() } else { threads.transfer.join() }
        if let journal = threads.journal {
            // If the disk hangs, the journal's thread stays behind, and the journal stays locked.
            if ledger.waitForEnd(until: patience) { journal.join() } else { ledger.abandon(journal) }
        }
        observer.log.set(nil, nil, until: patience)
        return ended ?? 1
    }

    // MARK: The pipeline

    private func request(_ operation: CallOperation, _ json: [UInt8]) throws(PartnerBookingError) -> Request {
        do throws(PartnerBookingError) {
            let request = try Request(operation, json: json)
            do throws(PartnerBookingError) {
                try endpoint.check(request)
                try checkNotPast(request)
                if request.hasPlainDates, let zone = voice.zone(bot: request.botID) { return try request.withDays(of: zone) }
            } catch {
                throw ErrorContext(request).annotating(error)
            }
            return request
        } catch {
            throw counted(ledger.annotating(error), of: operation)
        }
    }

    /// Refuses a request for the past. A key that may have a booking is accepted: its repeat gets
    /// the end of that booking, whenever it starts.
    private func checkNotPast(_ request: Request) throws(PartnerBookingError) {
        do throws(PartnerBookingError) { try request.checkNotPast(now: clock.coarseSeconds()) } catch {
            guard let key = request.idempotencyKey, ledger.mayBeMade(key) else { throw error }
        }
    }

    /// Makes a call of a request, with a ticket and a deadline.
    func prepare(
        _ operation: CallOperation, request json: [UInt8], for receiver: CompletionReceiver, isShared: Bool = false
    ) throws(PartnerBookingError) -> Call {
        let request = try request(operation, json)
        let now = MonotonicTime.now()
        let timeout = request.timeoutMilliseconds ?? callDefaults.timeoutMilliseconds(for: request.operation)
        let (ticket, seed) = state.withLock { state in
            state.ticketCount &+= 1
            return (CallTicket(state.ticketCount), state.random.next())
        }
        return Call(
            ticket: ticket, request: request, deadline: now.adding(milliseconds: timeout), seed: seed, submittedAt: now,
            slowAt: (request.slowAfterMilliseconds ?? callDefaults.slowAfterMilliseconds).map(now.adding),
            isShared: isShared, receiver: receiver)
    }
}
