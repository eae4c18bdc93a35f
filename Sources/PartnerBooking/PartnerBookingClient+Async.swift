// The client for Swift concurrency. It blocks no thread: a call goes to the transfer thread,
// and its end resumes the task.

extension PartnerBookingClient {
    /// Opens a client. Reads the journal, if there is one, and connects in the background.
    ///
    /// - Throws: `invalidConfig`, which names the fault. `journalLocked` or
    ///   `journalUnavailable`. `resourceUnavailable`.
    public convenience init(configuration: ClientConfiguration) throws(PartnerBookingError) {
        var json = configuration.json
        defer { json.withUnsafeMutableBytes(wipe) }  // it contains the API key or webhook secrets
        try self.init(json: json)
    }

    /// Opens a client. Reads the journal, if there is one, and connects in the background.
    ///
    /// - Parameter json: The configuration as docs/json-contract.md describes it:
    ///   `{"api_key":"sk_ptnr_…"}`, or `{"endpoint":"sandbox"}`.
    /// - Throws: `invalidJSON` or `invalidConfig`, which name the fault. `journalLocked` or
    ///   `journalUnavailable`. `resourceUnavailable`.
    public convenience init(json: String) throws(PartnerBookingError) {
        try self.init(json: Array(json.utf8))
    }

    /// Searches a bot's free appointment slots.
    ///
    /// - Parameters:
    ///   - request: The request. The client checks it before it sends anything.
    ///   - onSlow: Called once, on the transfer thread, when the call takes longer than
    ///     `slowAfter`.
    /// - Throws: The call's error. `cancelled` when the task was cancelled.
    public func searchAvailability(
        _ request: SearchAvailabilityRequest, onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> SearchAvailabilityReply {
        let (json, timing) = try await reply(.searchAvailability, request.json, onSlow)
        return SearchAvailabilityReply(json, timing)
    }

    /// Books an appointment slot. The booking's end counts as heard one second after the
    /// return.
    ///
    /// - Parameters:
    ///   - request: The request. The client checks it before it sends anything.
    ///   - onSlow: Called once, on the transfer thread, when the call takes longer than
    ///     `slowAfter`.
    /// - Throws: The error, with the booking's `outcome`. `cancelled` when the task was
    ///   cancelled. After the outcome `unknown`, repeat the request with the same key, never
    ///   with a new one.
    public func createBooking(
        _ request: CreateBookingRequest, onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> CreateBookingReply {
        let (json, timing) = try await reply(.createBooking, request.json, onSlow)
        return CreateBookingReply(json, timing)
    }

    /// Looks up a customer by phone number. Works with platforms and the sandbox. The Partner
    /// API has no such operation.
    ///
    /// - Parameters:
    ///   - request: The request. The client checks it before it sends anything.
    ///   - onSlow: Called once, on the transfer thread, when the call takes longer than
    ///     `slowAfter`.
    /// - Throws: The call's error. `unsupportedOperation` from a client of the Partner API.
    ///   `cancelled` when the task was cancelled.
    public func lookupCustomer(
        _ request: LookupCustomerRequest, onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> LookupCustomerReply {
        let (json, timing) = try await reply(.lookupCustomer, request.json, onSlow)
        return LookupCustomerReply(json, timing)
    }

    /// Settles a booking by its key alone. Sends a booking in doubt again, and it is made only
    /// once. Joins a booking in flight. Returns the reply of a booking that was made.
    ///
    /// - Parameters:
    ///   - idempotencyKey: The booking's key, as `pendingBookings` returns it.
    ///   - options: Deadline, tag and the like.
    /// - Throws: The errors of `createBooking`. `notRecorded` when the client does not know the
    ///   key. `notRecorded` with the outcome `notSent` or `rejected` when the booking was not
    ///   made.
    public func resumeBooking(
        idempotencyKey: String, options: CallOptions = CallOptions()
    ) async throws(PartnerBookingError) -> CreateBookingReply {
        let request = ResumeBookingRequest(idempotencyKey: idempotencyKey, options: options)
        let (json, timing) = try await reply(.createBooking, request.json, nil)
        return CreateBookingReply(json, timing)
    }

    /// Gives up a booking in doubt: a person has decided not to wait for its end. Sends
    /// nothing, and frees the key.
    ///
    /// - Parameters:
    ///   - idempotencyKey: The booking's key, as `pendingBookings` returns it.
    ///   - options: Deadline, tag and the like.
    /// - Throws: `notRecorded` when the client does not know the key.
    public func giveUpBooking(
        idempotencyKey: String, options: CallOptions = CallOptions()
    ) async throws(PartnerBookingError) -> GiveUpReply {
        try await giveUp(GiveUpRequest(.booking(key: idempotencyKey), options))
    }

    /// Gives up a bot's bookings in doubt that start before a moment.
    ///
    /// - Parameters:
    ///   - botID: The bot of the bookings.
    ///   - startBefore: RFC 3339 date-time with offset.
    ///   - options: Deadline, tag and the like.
    public func giveUpBookings(
        botID: String, startBefore: String, options: CallOptions = CallOptions()
    ) async throws(PartnerBookingError) -> GiveUpReply {
        try await giveUp(GiveUpRequest(.bookings(botID: botID, startBefore: startBefore), options))
    }

    private func giveUp(_ request: GiveUpRequest) async throws(PartnerBookingError) -> GiveUpReply {
        GiveUpReply(json: try await reply(.createBooking, request.json, nil).json)
    }

    /// Makes a call with a JSON request, for members that the typed requests do not have.
    ///
    /// - Parameters:
    ///   - operation: The operation.
    ///   - json: The request as docs/json-contract.md describes it, UTF-8.
    ///   - onSlow: Called once, on the transfer thread, when the call takes longer than
    ///     `slow_after_ms`.
    /// - Returns: The service's reply, byte for byte.
    public func call(
        _ operation: CallOperation, request json: [UInt8], onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> [UInt8] {
        try await reply(operation, json, onSlow).json
    }

    /// Answers a tool call of a language model.
    ///
    /// - Parameters:
    ///   - json: The call as docs/json-contract.md describes it, UTF-8. `Conversation` writes
    ///     it.
    ///   - onSlow: Called once, on the transfer thread, when the call takes longer than
    ///     `slow_after_ms`.
    /// - Returns: The answer, as JSON.
    public func callTool(
        _ json: [UInt8], onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> [UInt8] {
        let ending = Ending()
        if Task.isCancelled { throw .cancelled }
        let ticket = try submitTool(json) { completion in
            switch completion.event {
            case .slow: onSlow?()
            case .settled: break
            case .done(let result): ending.come((result.map { ($0, completion.timing) }, nil))
            }
        }
        let end = await withTaskCancellationHandler {
            await withCheckedContinuation(ending.wait)
        } onCancel: {
            try? self.cancel(ticket)
        }
        return try end.result.get().json
    }

    private func reply(
        _ operation: CallOperation, _ json: [UInt8], _ onSlow: (@Sendable () -> Void)?
    ) async throws(PartnerBookingError) -> (json: [UInt8], timing: CallTiming) {
        let ending = Ending()
        let call = try prepare(operation, request: json) { completion in
            switch completion.event {
            case .slow: onSlow?()
            case .settled: break
            case .done(let result): ending.come((result.map { ($0, completion.timing) }, completion.receipt))
            }
        }
        // A task that is cancelled already sends nothing.
        if Task.isCancelled { throw annotating(.cancelled, call) }
        try submit(call)
        let end = await withTaskCancellationHandler {
            await withCheckedContinuation(ending.wait)
        } onCancel: {
            try? self.cancel(call.ticket)
        }
        end.receipt?.acknowledgeSoon()
        return try end.result.get()
    }
}

/// The meeting of a task and the end of its call, in any order.
private final class Ending: Sendable {
    typealias End = (
        result: Result<(json: [UInt8], timing: CallTiming), PartnerBookingError>, receipt: Receipt?
    )

    private struct State {
        var end: End?
        var task: CheckedContinuation<End, Never>?
    }

    private let state = Monitor(State())

    func come(_ end: End) {
        let task = state.withLock { state in
            state.end = end
            return state.task
        }
        task?.resume(returning: end)
    }

    func wait(_ task: CheckedContinuation<End, Never>) {
        let end = state.withLock { state in
            state.task = task
            return state.end
        }
        if let end { task.resume(returning: end) }
    }
}
