/// The answer to a tool call: a text for the model, and words for the caller.
struct ToolReply: Sendable {
    /// The meaning, for a program.
    enum Result: String, Sendable, CaseIterable {
        case offered, none, unclear, invalid
        case notOffered = "not_offered"
        case readback, held, booked, already
        case slotGone = "slot_gone"
        case inDoubt = "in_doubt"
        case failed, known
        case notKnown = "not_known"
    }

    /// An offered slot with its words.
    struct SpokenSlot: Sendable {
        let offer: ConversationState.Offer
        let words: String
    }

    let result: Result
    /// For the model, in English.
    var text: String
    /// For the speech synthesiser, in the language of the bot.
    var say: String?
    var slots: [SpokenSlot] = []
    /// The service's own object, as it wrote it.
    var booking: [UInt8]?
    var idempotencyKey: String?
    /// The key of an earlier booking whose end the answer mentions.
    var toldKey: String?
    var error: PartnerBookingError?

    /// True when the model must do something else than it did.
    var isError: Bool {
        switch result {
        case .invalid, .notOffered, .failed: true
        default: false
        }
    }

    func json(_ toolName: String) -> [UInt8] {
        JSONWriter.object(capacity: 1_024) { reply in
            reply.member("tool", toolName)
            reply.member("result", result.rawValue)
            reply.member("is_error", isError)
            reply.member("text", text)
            reply.member("say", ifAny: say)
            if !slots.isEmpty {
                reply.array("slots", slots) { object, slot in
                    let start = Slot(slot.offer.start, durationMinutes: slot.offer.durationMinutes)
                    object.member("slot", start.token)
                    object.member("start_at", start.startAt)
                    object.member("duration_minutes", start.durationMinutes)
                    object.member("say", slot.words)
                }
            }
            if let booking { reply.member("booking", json: booking) }
            reply.member("idempotency_key", ifAny: idempotencyKey)
            if let error { reply.object("error", error.write) }
        }
    }
}
