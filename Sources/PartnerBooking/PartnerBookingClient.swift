/// A client of the Partner API, or of the platforms behind it: searches appointment slots and books them.
///
/// `searchAvailability`, `createBooking` and `lookupCustomer` are for Swift concurrency. `call` and `submit` take and return
/// JSON, as docs/json-contract.md describes it. Any thread may call any member at any time. A client owns a thread for the
/// network and, with a journal, one for the disk. They end with `close` or with the client.
public final class PartnerBookingClient: Sendable {
    let callDefaults: CallDefaults
    /// Used again, one after another.
    let waiters = CompletionWaiters()
    let endpoint: any Endpoint
    let ledger: LedgerStore
    let loop: TransferLoop
    private let threads: Threads
    /// nil when the service is not the sandbox.
    private let sandbox: Monitor<Sandbox>?
    /// The zones of plain dates in searches.
    let voice: VoiceSettings
    /// By which a request is for the past.
    let clock: ServiceClock
    let state: Monitor<State>
    let observer: Observer
    let openedAt = MonotonicTime.now()
    /// The conversations, and the tool calls under way.
    let tools = Monitor(ToolDesk())
    /// Where the completions of calls submitted without a handler wait.
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

    /// Opens a client. Begins to connect, and does not wait for it. Reads the journal, if there is one.
    ///
    /// - Parameter json: The configuration as docs/json-contract.md describes it, UTF-8.
    /// - Throws: `invalidJSON` or `invalidConfig` naming what is wrong; `journalLocked`, `journalUnavailable`;
    ///   `resourceUnavailable`.
    public init(json: [UInt8]) throws(PartnerBookingError) {
        let configuration = try Configuration(json: json)
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
        var recovered: [JournalEntry] = []
        var journal: Journal?
        if let settings = configuration.journal {
            (journal, recovered) = try Journal.open(settings, mostHeard: configuration.ledger.settings.capacity)
            // Without a required journal a booking may have been sent again behind a record that it was not made.
            if !configuration.policy.isJournalRequired { recovered.removeAll(where: \.isRefused) }
        }
        ledger = LedgerStore(
            configuration.ledger, journal, restoring: recovered, service: { [endpoint] in endpoint.service(of: $0) })
        completions = CompletionQueue(limit: configuration.limits.total)
        var seed = SystemRandomNumberGenerator()
        state = Monitor(State(random: SplitMix64(state: seed.next())))
        let (loop, transfer) = try TransferLoop.start(
            transport, endpoint, configuration.limits, configuration.policy, ledger, observer,
            report: { [completions] in completions.append($0) })
        self.loop = loop
        do throws(PartnerBookingError) {
            let journalThread = try ledger.startJournal { loop.receive($0) }
            threads = Threads(transfer: transfer, journal: journalThread)
        } catch {
            loop.beginClose(at: .now())
            transfer.detach()
            throw error
        }
        guard configuration.resumesOnOpen else { return }
        resume(recovered)
        ledger.resumeInherited { [weak self] in self?.resume($0) }
    }

    /// Sends again what an earlier process may have sent. Of a damaged journal nothing is sent unasked: what tells that a booking
    /// was not made may be among what is lost.
    private func resume(_ entries: [JournalEntry]) {
        guard ledger.opening?.found.damagedBytes == 0 else { return }
        let now = WallClock.milliseconds()
        for entry in entries {
            guard !entry.isSettled, !entry.isWithdrawn, let start = entry.wish.summary?.startMilliseconds, start > now
            else { continue }
            // One that finds no place stays among the pending ones.
            let request = ResumeBookingRequest(idempotencyKey: entry.key).json
            _ = try? submit(prepare(.createBooking, request: request, for: .none))
        }
    }

    /// A client that nobody closed ends its calls with `client_closed`. It waits for nothing: the last reference may go on a
    /// thread that must not wait, the transfer thread itself among them.
    deinit {
        guard markClosed() else { return }
        loop.beginClose(at: .now())
        threads.detach()
    }

    // MARK: Calls that do not wait

    /// Hands over a call. Waits for nothing: neither network nor file.
    ///
    /// - Parameters:
    ///   - operation: What to ask.
    ///   - json: The request as docs/json-contract.md describes it, UTF-8.
    ///   - handler: Told exactly once that the call is done, and before that perhaps that it is slow; on the transfer thread.
    ///     The end of a booking counts as heard when it has returned.
    /// - Returns: The call's ticket.
    /// - Throws: Why the call is refused; the handler then hears nothing.
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

    /// The first half of a submission, for those who must know the ticket before anything can happen to the call. The handler
    /// acknowledges receipts.
    package func prepare(
        _ operation: CallOperation, request json: [UInt8], handler: @escaping CompletionHandler
    ) throws(PartnerBookingError) -> Call {
        try prepare(operation, request: json, for: .handler(handler))
    }

    /// The same for a call whose completions are to wait in `completions`, together with a number of the caller's own.
    package func prepare(
        _ operation: CallOperation, request json: [UInt8], context: UInt
    ) throws(PartnerBookingError) -> Call {
        try prepare(operation, request: json, for: .queue(completions, context: context))
    }

    /// The second half. To be called once.
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

    /// Returns the error of a call that was not accepted.
    func annotating(_ error: PartnerBookingError, _ call: Call) -> PartnerBookingError {
        let annotated = ledger.annotating(call.context.annotating(error))
        return call.isOwn ? annotated : counted(annotated, of: call.request.operation)
    }

    /// Asks for a call to be ended; its completion tells what came of it. A call that is over, and a booking that is detached,
    /// are left alone.
    ///
    /// - Throws: `invalidArgument` for a ticket that this client never gave, `clientClosed`.
    public func cancel(_ ticket: CallTicket) throws(PartnerBookingError) {
        let (isClosed, ticketCount) = state.withLock { ($0.isClosed, $0.ticketCount) }
        guard !isClosed else { throw .clientClosed }
        guard ticket.rawValue > 0, ticket.rawValue <= ticketCount else {
            throw .argument("The ticket was never given by this client")
        }
        if !cancelTool(ticket) { loop.cancel(ticket) }
    }

    /// Gets a connection ready in the background for the next call.
    public func prewarm() throws(PartnerBookingError) {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        loop.prewarm()
    }

    // MARK: Bookings

    /// The bookings whose end the host has not heard, oldest first: in flight, in doubt, booked or refused. They are of this
    /// client and, with a journal, of those before it. `resumeBooking` settles one, or gives its end once more.
    ///
    /// - Throws: `clientClosed`.
    public func pendingBookings() throws(PartnerBookingError) -> [PendingBooking] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        return ledger.pendingBookings
    }

    /// The same, and what was found damaged in the journal, as JSON: `{"pending_bookings":[…],"journal":…}`, member by member in
    /// docs/json-contract.md.
    public func pendingBookingsJSON() throws(PartnerBookingError) -> [UInt8] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        return ledger.pendingBookingsJSON
    }

    /// The bookings that the embedded sandbox has made, in the order in which it made them: what a service would have in its books.
    ///
    /// - Returns: JSON: `{"bookings":[…]}`, member by member in docs/json-contract.md.
    /// - Throws: `invalidArgument` when the service is not the sandbox; `clientClosed`.
    public func sandboxBookings() throws(PartnerBookingError) -> [UInt8] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        guard let sandbox else { throw .argument("The client does not talk to the sandbox") }
        return sandbox.withLock { $0 }.bookingsJSON
    }

    // MARK: Calls that wait

    /// Makes a call and waits for its end, at the latest until its deadline. The end of a booking counts as heard one second
    /// after the return.
    @available(*, noasync, message: "It blocks its thread: use searchAvailability and the like")
    public func call(_ operation: CallOperation, request json: [UInt8]) -> CallResult {
        let waiter = waiters.borrow()
        do throws(PartnerBookingError) {
            let call = try prepare(operation, request: json, for: .waiter(waiter))
            guard !Thread.isCallbackThread else { throw annotating(.wouldDeadlock, call) }
            let deadline = call.deadline
            try submit(call)
            // The transfer thread keeps the deadline. The second more is for a machine in trouble: whatever holds up that
            // thread, the caller on the phone is not held up with it.
            if let end = waiters.wait(waiter, until: deadline.adding(milliseconds: 1_000)) {
                end.receipt?.acknowledgeSoon()
                if case .done(let result) = end.event { return result }
            }
            return .failure(call.context.annotating(.timeout, outcome: .unknown))
        } catch {
            return .failure(error)
        }
    }

    /// Refuses new calls, lets those under way finish, and ends the rest with `client_closed` when the time is up.
    ///
    /// - Parameter timeout: At most 10 minutes. Less than nothing counts as nothing.
    /// - Returns: How many calls had to be ended.
    /// - Throws: `clientClosed` when it was closed before, `wouldDeadlock` on the transfer thread.
    @available(*, noasync, message: "It blocks its thread: use the asynchronous close")
    @discardableResult
    public func close(timeout: Duration) throws(PartnerBookingError) -> Int {
        guard !Thread.isCallbackThread else { throw .wouldDeadlock }
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
                // No thread is left on this machine. The calls are ended all the same, and nobody waits for that.
                loop.beginClose(at: .now())
                threads.detach()
                continuation.resume(returning: 0)
            }
        }
    }

    /// Whether this is the transfer thread of some client, on which handlers run: nothing may wait here.
    package static var isCallbackThread: Bool { Thread.isCallbackThread }

    /// False when it was closed before.
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
            // The disk may hang; then its thread stays behind, and the journal locked.
            if ledger.waitForEnd(until: patience) { journal.join() } else { journal.detach() }
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

    /// A key that may have a booking is let through: its repeat gets the end of that booking, whenever it starts.
    private func checkNotPast(_ request: Request) throws(PartnerBookingError) {
        do throws(PartnerBookingError) { try request.checkNotPast(now: clock.coarseSeconds()) } catch {
            guard let key = request.idempotencyKey, ledger.mayBeMade(key) else { throw error }
        }
    }

    /// The request becomes a call with a ticket and a deadline.
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
