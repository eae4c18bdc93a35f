/// A booking that a model asks for: an offered slot, and the customer.
struct BookingWish: Sendable {
    let offer: ConversationState.Offer
    let name: String
    /// E.164.
    let phone: String
    let email: String?
    let notes: String?

    var startSeconds: Int { offer.start.instant }

    /// Returns the idempotency key, made from the conversation and the whole booking. The model
    /// never chooses it. A repeat after a refusal gets another key.
    func key(_ call: ToolRequest.CallName, refusals: Int) -> String {
        var hash = SHA256()
        // The lengths keep different lists from giving the same input.
        for part in [call.botID, call.callID, name, phone, email ?? "", notes ?? ""] {
            hash.update("\(part.utf8.count):")
            hash.update(Array(part.utf8))
        }
        hash.update("\(startSeconds) \(offer.durationMinutes) \(refusals)")
        return "call-" + Array(hash.finalize().prefix(16)).hex
    }

    /// Refuses a wish that could not be sent, before the caller hears it read back.
    func check(_ call: ToolRequest.CallName) throws(PartnerBookingError) {
        let json = request(call, key: key(call, refusals: 0), CallMembers(timeoutMilliseconds: 1))
        _ = try Request(.createBooking, json: json)
    }

    /// Returns the request of the booking. Ledger and journal keep the phone call's name with
    /// it.
    func request(_ call: ToolRequest.CallName, key: String, _ members: CallMembers) -> [UInt8] {
        let slot = Slot(offer.start, durationMinutes: offer.durationMinutes)
        return JSONWriter.object(capacity: 512) { request in
            request.member("bot_id", call.botID)
            request.member("idempotency_key", key)
            request.member("conversation", call.callID)
            request.object("booking") { booking in
                booking.member("start_at", slot.startAt)
                booking.member("duration_minutes", slot.durationMinutes)
                booking.object("customer") { customer in
                    customer.member("phone", phone)
                    customer.member("name", name)
                    customer.member("email", ifAny: email)
                }
                booking.member("notes", ifAny: notes)
            }
            members.write(&request)
        }
    }
}

/// The parts of a booking's reply that a bot may speak of.
struct BookedReply {
    /// The start in the reply, or else the requested start.
    let startSeconds: Int
    /// True when the platform has yet to confirm the booking.
    let isRequested: Bool
    /// The object `booking`, as the platform wrote it.
    let booking: [UInt8]?

    init(of appointment: Appointment) {
        let booking = appointment.reply.flatMap { try? JSONDocument($0, profile: .reply) }?.root["booking"]
        let startSeconds = booking?["start_at"]?.withText { Timestamp($0)?.instantSeconds } ?? nil
        self.startSeconds = startSeconds ?? appointment.startSeconds
        isRequested = ["pending", "requested", "tentative"].contains(booking?["status"]?.string?.lowercased() ?? "")
        self.booking = booking.map { Array($0.text.utf8) }
    }
}
