/// A phone call whose language model finds and books appointments with tools.
///
///     let conversation = Conversation(
///         client, callID: "call-7", botID: botID, callerPhone: "+12125550123")
///     let result = try await conversation.call(
///         "find_appointment_slots", arguments: #"{"when":"tomorrow"}"#)
///     result.text  // for the model
///     result.say   // for the caller
///
/// A conversation books one appointment, unless the caller wants another. Any task may use it.
public struct Conversation: Sendable {
    /// The client that makes the calls.
    public let client: PartnerBookingClient
    /// The name of the phone call.
    public let callID: String
    /// The bot on the phone.
    public let botID: String
    /// The caller's number. nil when it is not known.
    public let callerPhone: String?

    /// Begins the conversation of this phone call, or continues it.
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
    ///   - arguments: The model's arguments as they came: a JSON object, with or without a
    ///     fence.
    ///   - isSpeculative: True when the model may take the call back. Then nothing is booked.
    ///   - options: Deadline, tag and the like.
    ///   - onSlow: Called once, on the transfer thread, when it takes longer than `slowAfter`.
    /// - Throws: `invalidField` when the client has no `voice.time_zone` for the bot.
    ///   `clientClosed`. `cancelled` when the task is cancelled: a sent booking then goes on,
    ///   and the next call returns its end.
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

    /// Searches ahead, when the phone rings. The first `find_appointment_slots` then needs no
    /// round trip. Returns at once, and nothing reports the end of the search.
    ///
    /// - Parameter service: One of `voice.services`. nil means the first service.
    public func prefetch(service: String? = nil) throws(PartnerBookingError) {
        try client.prefetch(
            JSONWriter.object { request in
                request.member("bot_id", botID)
                request.member("service", ifAny: service)
            })
    }

    /// Forgets the conversation's offers, when the caller has hung up. Its bookings stay in the
    /// ledger.
    public func end() throws(PartnerBookingError) {
        try client.endConversation(
            JSONWriter.object { request in
                request.member("bot_id", botID)
                request.member("call_id", callID)
            })
    }
}
