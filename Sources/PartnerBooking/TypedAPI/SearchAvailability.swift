/// Asks for a bot's free appointment slots.
public struct SearchAvailabilityRequest: Sendable, Equatable {
    /// The bot that asks.
    public var botID: String
    /// RFC 3339 date-time with offset, or a plain date.
    public var startAt: String
    /// The same, after `startAt`; a plain date includes its day.
    public var endAt: String
    /// Deadline, tag and the like.
    public var options: CallOptions

    /// A request for the slots between the two.
    public init(botID: String, startAt: String, endAt: String, options: CallOptions = CallOptions()) {
        self.botID = botID
        self.startAt = startAt
        self.endAt = endAt
        self.options = options
    }

    /// The request as docs/json-contract.md describes it.
    public var json: [UInt8] {
        JSONWriter.object { request in
            request.member("bot_id", botID)
            request.object("query") { query in
                query.object("filter") { filter in
                    filter.object("start_at_range") { range in
                        range.member("start_at", startAt)
                        range.member("end_at", endAt)
                    }
                }
            }
            options.write(&request)
        }
    }
}

/// The answer of the platform behind the bot. Platforms differ: some list slots, others free
/// windows.
public struct SearchAvailabilityReply: Sendable, Equatable {
    /// A slot, or a free window.
    public struct Availability: Sendable, Equatable {
        /// RFC 3339, as the platform wrote it.
        public let startAt: String
        /// Its length. A free window is longer than an appointment: the program decides the appointment's length.
        public let durationMinutes: Int?
    }

    /// The items that have a `start_at`, in the platform's order.
    public let availabilities: [Availability]
    /// The reply, byte for byte.
    public let json: [UInt8]
    /// The times of the steps of the call.
    public let timing: CallTiming

    init(_ json: [UInt8], _ timing: CallTiming) {
        let document = try? JSONDocument(json, profile: .reply)
        availabilities =
            document?.root["availabilities"]?.elements.compactMap { item in
                guard let startAt = item["start_at"]?.string else { return nil }
                return Availability(startAt: startAt, durationMinutes: item["duration_minutes"]?.integer)
            } ?? []
        self.json = json
        self.timing = timing
    }
}
