/// The meaning of a booking request, as the ledger needs it. A class, because requests are
/// copied more often than the wish is read.
final class Wish: Sendable, Equatable {
    let fingerprint: Fingerprint
    /// The summary of the booking. nil when the body is not that of a booking, which no reader
    /// accepts.
    let summary: BookingSummary?
    /// The name of the phone call.
    let conversation: String?
    /// The request as the caller wrote it, if it is sent in another form. Journals of older
    /// versions, which sent it unchanged, have its fingerprint.
    let written: [UInt8]?

    /// Reads the rest of the wish from a checked request.
    init(
        _ reader: ObjectReader, _ fingerprint: Fingerprint, _ summary: BookingSummary, written: [UInt8]?
    ) throws(PartnerBookingError) {
        if try reader.value("start_before") != nil {
            throw reader.refuse("start_before", MemberMessage.onlyForGiveUp, .unexpected)
        }
        self.fingerprint = fingerprint
        self.summary = summary
        self.written = written
        conversation = try reader.optionalString("conversation", maxBytes: 256, Form.text1To256) {
            !$0.isEmpty
        }
    }

    init(fingerprint: Fingerprint, summary: BookingSummary?, conversation: String? = nil) {
        self.fingerprint = fingerprint
        self.summary = summary
        self.conversation = conversation
        written = nil
    }

    static func == (left: Wish, right: Wish) -> Bool {
        left.fingerprint == right.fingerprint && left.summary == right.summary && left.conversation == right.conversation
    }
}

/// The bookings in doubt that a person gives up.
indirect enum GiveUp: Sendable, Equatable {
    case booking(key: String)
    /// The bookings of a bot that start before an instant.
    case bookings(botID: String, startBefore: Timestamp)

    /// Reads a request with `"give_up":true`.
    init(_ root: ObjectReader) throws(PartnerBookingError) {
        for name in ["booking", "resume", "conversation"] as [StaticString] where try root.value(name) != nil {
            throw root.refuse(name, MemberMessage.notForGiveUp, .unexpected)
        }
        if let key = try root.value("idempotency_key")?.string {
            for name in ["bot_id", "start_before"] as [StaticString] where try root.value(name) != nil {
                throw root.refuse(name, MemberMessage.notForGiveUpByKey, .unexpected)
            }
            self = .booking(key: key)
            return
        }
        let botID = try root.checkText("bot_id", maxBytes: 256, Form.botIDToGiveUp) { !$0.isEmpty }
        let start = try FieldRules.timestamp("start_before", of: root)
        self = .bookings(botID: botID.string ?? "", startBefore: start)
    }
}
