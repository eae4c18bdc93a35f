/// Tool calls of language models. Each consists of parts: calls of the pipeline, one after
/// another.
extension PartnerBookingClient {
    /// Answers a tool call. Blocks until its end, at most until its deadline.
    @available(*, noasync, message: "It blocks its thread: use submitTool")
    public func callTool(_ json: [UInt8]) -> CallResult {
        guard !isOnOwnThread else {
            observer.refused(.callTool, .wouldDeadlock, tag: nil)
            return .failure(.wouldDeadlock)
        }
        let waiter = waiters.borrow()
        do throws(PartnerBookingError) {
            let (ticket, deadline) = try beginTool(json, .waiter(waiter))
            if let end = waiters.wait(waiter, until: deadline.adding(milliseconds: 1_000)) {
                end.receipt?.acknowledgeSoon()
                if case .done(let result) = end.event { return result }
            }
            cancelTool(ticket)
            return .failure(.timeout)
        } catch {
            return .failure(error)
        }
    }

    /// Submits a tool call, and returns at once. The handler gets the end on the transfer
    /// thread, as with `submit`.
    @discardableResult
    public func submitTool(_ json: [UInt8], handler: @escaping CompletionHandler) throws(PartnerBookingError) -> CallTicket {
        let receiver = CompletionReceiver.handler { completion in
            handler(completion)
            completion.receipt?.acknowledge()
        }
        return try beginTool(json, receiver).ticket
    }

    /// Submits a tool call with a handler that acknowledges receipts. `noteTicket` gets the
    /// ticket before anything can happen to the call.
    package func submitTool(
        _ json: [UInt8], noteTicket: (CallTicket) -> Void, handler: @escaping CompletionHandler
    ) throws(PartnerBookingError) {
        _ = try beginTool(json, .handler(handler), noteTicket)
    }

    /// Submits a tool call whose completions wait in `completions`.
    package func submitTool(
        _ json: [UInt8], context: UInt, noteTicket: (CallTicket) -> Void
    ) throws(PartnerBookingError) {
        try observer.counting(.callTool) { () throws(PartnerBookingError) in try completions.reserve() }
        do throws(PartnerBookingError) {
            _ = try beginTool(json, .queue(completions, context: context), noteTicket)
        } catch {
            completions.unreserve()
            throw error
        }
    }

    /// Ends a tool call with `cancelled`. A sent booking goes on, and with `detach` the call
    /// goes on with it. Returns false when the ticket belongs to no open tool call.
    @discardableResult
    func cancelTool(_ ticket: CallTicket) -> Bool {
        let part = tools.withLock { desk in
            desk.jobs[ticket].map { job -> CallTicket? in
                // A detached wait goes on and delivers the earlier booking's end. Nothing new
                // is booked.
                job.isCancelled = job.isCancelled || !job.isDetached || job.isSettling
                guard !job.isDetached else { return nil }
                return job.part
            }
        }
        guard let part else { return false }
        if let part { loop.cancel(part) }
        return true
    }

    func profile(_ botID: String) throws(PartnerBookingError) -> VoiceProfile {
        guard let profile = voice.profile(bot: botID) else {
            throw .field("bot_id", MemberMessage.noClinic, .missing)
        }
        return profile
    }

    // MARK: The life of a tool call

    private func beginTool(
        _ json: [UInt8], _ receiver: CompletionReceiver, _ noteTicket: (CallTicket) -> Void = { _ in }
    ) throws(PartnerBookingError) -> (ticket: CallTicket, deadline: MonotonicTime) {
        let (request, profile) = try observer.counting(.callTool) { () throws(PartnerBookingError) in
            let request = try ToolRequest(json: json)
            return (request, try self.profile(request.botID))
        }
        let ticket = try state.withLock { state throws(PartnerBookingError) in
            guard !state.isClosed else { throw .clientClosed }
            state.ticketCount &+= 1
            return CallTicket(state.ticketCount)
        }
        noteTicket(ticket)
        let submittedAt = MonotonicTime.now()
        let operation: CallOperation = request.tool == .book ? .createBooking : .searchAvailability
        let timeout = request.timeoutMilliseconds ?? callDefaults.timeoutMilliseconds(for: operation)
        let slowAfter = request.slowAfterMilliseconds ?? callDefaults.slowAfterMilliseconds
        let now = clock.coarseSeconds()
        let deadline = submittedAt.adding(milliseconds: timeout)
        let end = tools.withLock { desk in
            let (appointments, known) = appointments(of: request.call, now: now, &desk)
            let job = ToolJob(
                ticket, ToolCall(request, profile, appointments, now: now), receiver,
                submittedAt: submittedAt, deadline: deadline, slowAt: slowAfter.map(submittedAt.adding),
                receipts: Dictionary(known.compactMap { entry in entry.receipt.map { (entry.booking.key, $0) } }) { $1 })
            desk.jobs[ticket] = job
            return step(job, .began, nil, &desk)
        }
        guard let end else { return (ticket, deadline) }
        if case .handler = receiver {
            // Handlers run on the transfer thread only.
            try loop.perform { [observer] in end.tell(observer) }
        } else {
            end.tell(observer)
        }
        return (ticket, deadline)
    }

    /// Returns the bookings of a phone call: those in the ledger, and those on their way to it.
    private func appointments(
        of call: ToolRequest.CallName, now: Int, _ desk: inout ToolDesk
    ) -> (appointments: [Appointment], known: [(booking: BookingLedger.Known, receipt: Receipt?)]) {
        let known = ledger.bookings(of: call.callID, botID: call.botID)
        let listed = known.map { Appointment($0.booking) }
        let sending = desk.conversations.change(call, now: now) { $0.sending }
        return (listed + sending.filter { sent in !listed.contains { $0.key == sent.key } }, known)
    }

    /// The end of a tool call. It is delivered when the desk's lock is free.
    private struct End: Sendable {
        let job: ToolJob
        let attempts: Int
        let result: CallResult
        var receipt: Receipt?
        var key: String?
        /// The result for the model. nil when the call failed.
        var told: ToolReply.Result?

        func tell(_ observer: Observer) {
            let microseconds = MonotonicTime.now().microseconds(since: job.submittedAt)
            observer.toolEnded(
                job.request.tool, told, result, microseconds, attempts: attempts, ticket: job.ticket, tag: job.request.tag)
            job.tell(.done(result), receipt, attempts: attempts, key: key)
        }
    }

    /// Hands an event to a tool call, and executes the effects. Returns the call's end, if it
    /// is reached.
    @inline(never)
    private func step(_ job: ToolJob, _ event: ToolCall.Event, _ receipt: Receipt?, _ desk: inout ToolDesk) -> End? {
        let name = job.request.call
        var event = event
        // While this call waited, another call may have booked.
        if case .settled = event { job.call.learn(appointments(of: name, now: job.now, &desk).appointments) }
        while true {
            let effect = desk.conversations.change(name, now: job.now) { job.call.handle(event, &$0) }
            if case .finish(let reply) = effect {
                desk.jobs[job.ticket] = nil
                let told = receipt ?? (reply.idempotencyKey ?? reply.toldKey).flatMap { job.receipts[$0] }
                return End(
                    job: job, attempts: job.attempts, result: .success(reply.json(job.request.toolName)), receipt: told,
                    key: reply.idempotencyKey, told: reply.result)
            }
            if job.isCancelled {
                desk.jobs[job.ticket] = nil
                return End(job: job, attempts: job.attempts, result: .failure(.cancelled))
            }
            do throws(PartnerBookingError) {
                if let slots = try begin(effect, job, &desk) {
                    event = .searched(.success(slots))
                } else {
                    return nil
                }
            } catch {
                event = .refused(error)
            }
        }
    }

    /// Begins a part. Returns the slots if the cache answers a search.
    private func begin(
        _ effect: ToolCall.Effect, _ job: ToolJob, _ desk: inout ToolDesk
    ) throws(PartnerBookingError) -> [SlotStart]? {
        let (name, profile, now) = (job.request.call, job.profile, job.now)
        switch effect {
        case .finish: break
        case .search(let window, let duration):
            let key = AvailabilityCache.Key(botID: name.botID, window: window)
            let askedAt = MonotonicTime.now()
            let slots = desk.cache.slots(key, durationMinutes: duration, profile, now: now, at: askedAt)
            observer.statistics?.count(slots == nil ? .cacheMisses : .cacheHits)
            if let slots { return slots }
            let json = window.request(botID: name.botID, profile.zone, job.members())
            try submit(.search(key, durationMinutes: duration, askedAt: askedAt), job, json)
        case .settle(let key):
            let json = JSONWriter.object { request in
                request.member("idempotency_key", key)
                request.member("resume", true)
                job.settleMembers().write(&request)
            }
            try submit(.settle, job, json)
        case .book(let wish):
            let first = wish.key(name, refusals: 0)
            let refusals = desk.conversations.change(name, now: now) { $0.refusals[first] ?? 0 }
            let key = refusals == 0 ? first : wish.key(name, refusals: refusals)
            var members = job.members()
            members.isDetached = job.request.isDetached
            try submit(.book(wish, key: key), job, wish.request(name, key: key, members))
            let appointment = Appointment(
                key: key, startSeconds: wish.startSeconds, durationMinutes: wish.offer.durationMinutes, state: .open)
            desk.conversations.change(name, now: now) { $0.sending.append(appointment) }
        case .lookUp(let phone):
            let json = JSONWriter.object { request in
                request.member("bot_id", name.botID)
                request.object("customer") { $0.member("phone", phone) }
                job.members().write(&request)
            }
            try submit(.lookUp, job, json)
        }
        return nil
    }

    // MARK: Parts

    /// Submits a part. Its end is the next event.
    private func submit(_ part: ToolJob.Part, _ job: ToolJob, _ json: [UInt8]) throws(PartnerBookingError) {
        let handler: CompletionHandler = { [weak self] completion in
            switch completion.event {
            case .done(let result):
                guard let self else { return job.tell(.done(.failure(.clientClosed)), nil, attempts: job.attempts) }
                partEnded(part, job, result, completion)
            case .slow: self?.tellSlow(job)
            case .settled: break
            }
        }
        let receiver: CompletionReceiver
        if case .handler = job.receiver { receiver = .handler(handler) } else { receiver = .relay(handler) }
        let isSearch = part.operation == .searchAvailability
        let call = try prepare(part.operation, request: json, for: receiver, isShared: isSearch)
        job.part = call.ticket
        job.isDetached = job.request.isDetached && part.operation == .createBooking
        if case .settle = part { job.isSettling = true } else { job.isSettling = false }
        try submit(call)
    }

    private func tellSlow(_ job: ToolJob) {
        let attempts = tools.withLock { desk -> Int? in
            guard desk.jobs[job.ticket] != nil, !job.isSlowTold else { return nil }
            job.isSlowTold = true
            return job.attempts
        }
        if let attempts { job.tell(.slow, nil, attempts: attempts) }
    }

    private func partEnded(_ part: ToolJob.Part, _ job: ToolJob, _ result: CallResult, _ completion: CallCompletion) {
        let event = event(part, result, job)
        let end = tools.withLock { desk -> End? in
            job.attempts += completion.timing.attempts
            note(part, result, job, &desk)
            guard desk.jobs[job.ticket] != nil else { return nil }
            if case .failure(let error) = result, error.code == .cancelled || error.code == .clientClosed {
                desk.jobs[job.ticket] = nil
                return End(job: job, attempts: job.attempts, result: .failure(error), key: error.idempotencyKey)
            }
            return step(job, event, completion.receipt, &desk)
        }
        end?.tell(observer)
    }

    /// Returns the event for the end of a part. Call it without the desk's lock: a reply may
    /// have thousands of items.
    private func event(_ part: ToolJob.Part, _ result: CallResult, _ job: ToolJob) -> ToolCall.Event {
        switch (part, result) {
        case (.search(let key, let duration, let askedAt), .success(let reply)):
            .searched(keep(reply, key, duration, job.profile, now: job.now, askedAt: askedAt))
        case (.search, .failure(let error)): .searched(.failure(error))
        case (.settle, _): .settled(result)
        case (.book(_, let key), _): .bookingEnded(result, key: key)
        case (.lookUp, _): .lookedUp(result)
        }
    }

    /// Records a booking's end in its conversation, and removes a lost slot from the cache.
    private func note(_ part: ToolJob.Part, _ result: CallResult, _ job: ToolJob, _ desk: inout ToolDesk) {
        guard case .book(let wish, let key) = part else { return }
        desk.conversations.change(job.request.call, now: job.now) { conversation in
            conversation.sending.removeAll { $0.key == key }
            if result.outcome == .unknown { conversation.untold.insert(key) }
        }
        if result.mayHaveTakenSlot {
            desk.cache.remove(
                botID: job.request.botID, startSeconds: wish.startSeconds, durationMinutes: wish.offer.durationMinutes,
                at: .now())
        }
    }

    /// Reads a reply, and puts it into the cache. Returns its slots.
    @discardableResult
    func keep(
        _ reply: [UInt8], _ key: AvailabilityCache.Key, _ duration: Int, _ profile: VoiceProfile, now: Int,
        askedAt: MonotonicTime
    ) -> Result<[SlotStart], PartnerBookingError> {
        do throws(PartnerBookingError) {
            let slots = try AvailabilityCache.slots(of: reply, durationMinutes: duration, profile, now: now)
            return .success(
                tools.withLock { desk in
                    desk.cache.insert(
                        reply, slots, durationMinutes: duration, for: key, askedAt: askedAt, profile, at: .now())
                })
        } catch {
            return .failure(error)
        }
    }
}

extension CallResult {
    /// True when the slot of this booking must not be offered again.
    fileprivate var mayHaveTakenSlot: Bool {
        switch self {
        case .success: true
        case .failure(let error): error.outcome == .unknown || error.isAboutSlot
        }
    }

    fileprivate var outcome: PartnerBookingError.Outcome? {
        if case .failure(let error) = self { error.outcome } else { nil }
    }
}

extension Appointment {
    fileprivate init(_ booking: BookingLedger.Known) {
        self.init(
            key: booking.key, startSeconds: booking.summary.startSeconds, durationMinutes: booking.summary.durationMinutes,
            state: State(booking.state), reply: booking.reply, isHeard: booking.isHeard)
    }
}

extension Appointment.State {
    fileprivate init(_ state: PendingBooking.State) {
        switch state {
        case .inFlight, .inDoubt: self = .open
        case .booked: self = .made
        case .refused: self = .refused
        }
    }
}
