/// A request for a bot's free appointment slots.
public struct SearchAvailabilityRequest: Sendable, Equatable {
    /// The bot that sends the request.
    public var botID: String
    /// Start of the range: an RFC 3339 date-time with offset, or a plain date.
    public var startAt: String
    /// End of the range, in the same form, after `startAt`. A plain date includes its day.
    public var endAt: String
    /// Deadline, tag and other options.
    public var options: CallOptions

    /// Creates a request for the slots between `startAt` and `endAt`.
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

/// The answer of the platform behind the bot. Some platforms list slots, others free windows.
public struct SearchAvailabilityReply: Sendable, Equatable {
    /// A slot, or a free window.
    public struct Availability: Sendable, Equatable {
        /// Start in RFC 3339, as the platform wrote it.
        public let startAt: String
        /// Length in minutes. A free window is longer than an appointment. The program decides
        /// the appointment's length.
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
