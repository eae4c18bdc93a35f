/// The answer to a tool call of a language model: what to tell the model, and what to say to the
/// caller.
public struct ToolResult: Sendable {
    /// The meaning, for a program. docs/json-contract.md describes when each comes.
    public enum Kind: String, Sendable, CaseIterable {
        /// The meanings, by their names.
        case offered, none, unclear, invalid, readback, held, booked, already, failed, known
        /// The conversation was not offered that slot.
        case notOffered = "not_offered"
        /// Somebody else was faster.
        case slotGone = "slot_gone"
        /// It may be booked. The same call again settles it.
        case inDoubt = "in_doubt"
        /// The caller is not known.
        case notKnown = "not_known"
    }

    /// A slot of the answer.
    public struct Slot: Sendable, Equatable {
        /// Its name for the model: `tue15-0930u`.
        public let token: String
        /// RFC 3339 with the clinic's offset.
        public let startAt: String
        /// Its length.
        public let durationMinutes: Int
        /// Its words.
        public let say: String
    }

    /// The meaning.
    public let kind: Kind
    /// The model has to do something else than it did.
    public let isError: Bool
    /// For the model, in English.
    public let text: String
    /// For the caller, in the language of the bot; nil when there is nothing to say.
    public let say: String?
    /// The slots that are offered, or read back.
    public let slots: [Slot]
    /// The booking's key.
    public let idempotencyKey: String?
    /// The answer, byte for byte.
    public let json: [UInt8]

    /// nil for what is no answer to a tool call.
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
