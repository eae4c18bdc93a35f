/// What a list of bookings may show of one: nothing of the customer.
struct BookingSummary: Equatable {
    let botID: String
    /// As the request wrote it.
    let startAt: String
    let durationMinutes: Int
    let startSeconds: Int

    /// nil when the body is not that of a booking.
    init?(body: [UInt8]) {
        guard let root = (try? JSONDocument(body, profile: .request))?.root,
            let botID = root["bot_id"]?.string, let booking = root["booking"],
            let startAt = booking["start_at"]?.string, let minutes = booking["duration_minutes"]?.integer,
            let seconds = booking["start_at"]?.withText({ Timestamp($0)?.instantSeconds }) ?? nil
        else { return nil }
        self.botID = botID
        self.startAt = startAt
        durationMinutes = minutes
        startSeconds = seconds
    }

    /// When the appointment starts, since 1970.
    var startMilliseconds: Int { startSeconds * 1_000 }
}
