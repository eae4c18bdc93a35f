/// The answer to a tool call of a language model, with texts for the model and the caller.
public struct ToolResult: Sendable {
    /// The meaning of the answer, for a program. docs/json-contract.md describes each kind.
    public enum Kind: String, Sendable, CaseIterable {
        /// Kinds with the same name in JSON.
        case offered, none, unclear, invalid, readback, held, booked, already, failed, known
        /// The conversation was not offered this slot.
        case notOffered = "not_offered"
        /// Somebody else has the slot, or the clinic refused it.
        case slotGone = "slot_gone"
        /// The booking may exist. The same call again settles it.
        case inDoubt = "in_doubt"
        /// The platform does not know the caller.
        case notKnown = "not_known"
    }

    /// A slot of the answer.
    public struct Slot: Sendable, Equatable {
        /// Name of the slot for the model, such as `tue15-0930u`.
        public let token: String
        /// Start in RFC 3339 with the clinic's offset.
        public let startAt: String
        /// Length of the appointment.
        public let durationMinutes: Int
        /// The spoken words for the slot.
        public let say: String
    }

    /// The meaning of the answer.
    public let kind: Kind
    /// True when the model must do something else than it did.
    public let isError: Bool
    /// Text for the model, in English.
    public let text: String
    /// Words for the caller, in the bot's language. nil when there is nothing to say.
    public let say: String?
    /// The slots that are offered or read back.
    public let slots: [Slot]
    /// Idempotency key of the booking.
    public let idempotencyKey: String?
    /// The answer, byte for byte.
    public let json: [UInt8]

    /// Returns nil when the JSON is not an answer to a tool call.
    init?(_ json: [UInt8]) {
        guard let root = (try? JSONDocument(json, profile: .reply))?.root,
            let kind = root["result"]?.string.flatMap(Kind.init), let text = root["text"]?.string
        else { return nil }
        self.kind = kind
        self.text = text
        isError = root["is_error"]?.text == "true"
        say = root["say"]?.string
        idempotencyKey = root["idempotency_key"]?.string
        slots =
            root["slots"]?.elements.compactMap { slot in
                guard let token = slot["slot"]?.string, let startAt = slot["start_at"]?.string else { return nil }
                return Slot(
                    token: token, startAt: startAt, durationMinutes: slot["duration_minutes"]?.integer ?? 0,
                    say: slot["say"]?.string ?? "")
            } ?? []
        self.json = json
    }
}
