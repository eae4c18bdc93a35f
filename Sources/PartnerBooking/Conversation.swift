/// A phone call whose language model finds and books appointments with tools.
///
///     let conversation = Conversation(
///         client, callID: "call-7", botID: botID, callerPhone: "+12125550123")
///     let result = try await conversation.call(
///         "find_appointment_slots", arguments: #"{"when":"tomorrow"}"#)
///     result.text  // for the model
///     result.say   // for the caller
///
/// One conversation has one appointment, unless the caller wants another. Any task may use it.
public struct Conversation: Sendable {
    /// The client that makes the calls.
    public let client: PartnerBookingClient
    /// Names the phone call.
    public let callID: String
    /// The bot that is on the phone.
    public let botID: String
    /// The number that the caller calls from; nil when it is not known.
    public let callerPhone: String?

    /// Begins, or goes on with, the conversation of that name.
    public init(_ client: PartnerBookingClient, callID: String, botID: String, callerPhone: String? = nil) {
        self.client = client
        self.callID = callID
        self.botID = botID
        self.callerPhone = callerPhone
    }

    /// Answers a tool call.
    ///
    /// - Parameters:
    ///   - tool: The name that the model called.
    ///   - arguments: The model's arguments as they came: a JSON object, with or without a fence.
    ///   - isSpeculative: The model may take the call back: nothing is booked.
    ///   - options: Deadline, tag and the like.
    ///   - onSlow: Called once, on the transfer thread, when it takes longer than `slowAfter`.
    /// - Throws: `invalidField` when the client has no `voice.time_zone` for the bot;
    ///   `clientClosed`; `cancelled` when the task is cancelled. A booking that was sent goes on then, and
    ///   the next call returns its end.
    public func call(
        _ tool: String, arguments: String, isSpeculative: Bool = false, options: CallOptions = CallOptions(),
        onSlow: (@Sendable () -> Void)? = nil
    ) async throws(PartnerBookingError) -> ToolResult {
        let request = JSONWriter.object { request in
            request.member("tool", tool)
            request.member("call_id", callID)
            request.member("bot_id", botID)
            request.member("arguments", arguments)
            request.member("caller_phone", ifAny: callerPhone)
            if isSpeculative { request.member("speculative", true) }
            options.write(&request)
        }
        guard let result = ToolResult(try await client.callTool(request, onSlow: onSlow)) else { throw .timeout }
        return result
    }

    /// Searches ahead: the phone rings. The first `find_appointment_slots` then needs no round
    /// trip. Waits for nothing, and nothing reports its end.
    ///
    /// - Parameter service: One of `voice.services`; nil: the first one.
    public func prefetch(service: String? = nil) throws(PartnerBookingError) {
        try client.prefetch(
            JSONWriter.object { request in
                request.member("bot_id", botID)
                request.member("service", ifAny: service)
            })
    }

    /// Forgets what the conversation was offered: the caller has hung up. Its bookings stay in the
    /// ledger.
    public func end() throws(PartnerBookingError) {
        try client.endConversation(
            JSONWriter.object { request in
                request.member("bot_id", botID)
                request.member("call_id", callID)
            })
    }
}
