/// The parts of a booking that a list may show, without the customer.
struct BookingSummary: Sendable, Equatable {
    let botID: String
    /// The start as it is sent.
    let startAt: String
    let durationMinutes: Int
    let startSeconds: Int

    init(botID: String, startAt: String, durationMinutes: Int, startSeconds: Int) {
        self.botID = botID
        self.startAt = startAt
        self.durationMinutes = durationMinutes
        self.startSeconds = startSeconds
    }

    /// Reads a request's body. Returns nil when it contains no booking.
    init?(body: [UInt8]) {
        guard let root = (try? JSONDocument(body, profile: .request))?.root, let booking = root["booking"] else {
            return nil
        }
        self.init(botID: root["bot_id"], booking)
    }

    /// Reads the members `start_at` and `duration_minutes` of `booking`.
    init?(botID: JSONValue?, _ booking: JSONValue) {
        guard let botID = botID?.string, let start = booking["start_at"], let startAt = start.string,
            let minutes = booking["duration_minutes"]?.integer,
            let seconds = start.withText({ Timestamp($0)?.instantSeconds }) ?? nil
        else { return nil }
        self.init(botID: botID, startAt: startAt, durationMinutes: minutes, startSeconds: seconds)
    }

    /// The start of the appointment, in milliseconds since 1970.
    var startMilliseconds: Int { startSeconds * 1_000 }
}
