// The answers to a booking and a look-up.

extension ToolCall {
    func missing(_ field: String, _ advice: String, _ say: StaticString?) -> ToolReply {
        ToolReply(
            result: .invalid,
            text: "Nothing is booked: " + field + " is missing or not clear. " + advice + " Then call again.",
            say: say.map { words.say($0) },
            error: .field(field, MemberMessage.unclear, .missing))
    }

    func readback(_ wish: BookingWish, _ phone: PhoneNumber) -> ToolReply {
        let slots = words.spoken([wish.offer])
        let time = slots.first?.words ?? ""
        let name = ToolWords.name(wish.name)
        return ToolReply(
            result: .readback,
            text: "Nothing is booked yet. Read back to the caller: " + time + ", the name, and the number " + phone.words
                + ". If the caller says yes, call again with the same values and caller_confirmed true.",
            say: name.isEmpty ? nil : words.say(words.text.readback, time, name, phone.words), slots: slots)
    }

    /// Returns the answer by which the model first learns that the booking was made.
    func booked(_ appointment: Appointment, _ conversation: inout ConversationState) -> ToolReply {
        conversation.untold.remove(appointment.key)
        let booked = BookedReply(of: appointment)
        let time = words.times([booked.startSeconds])
        return ToolReply(
            result: .booked,
            text: booked.isRequested
                ? "The appointment is requested: " + time + ". The clinic has yet to confirm it. Do not book again."
                : "Booked: " + time + ". Tell the caller. Do not book again.",
            say: words.say(booked, time), booking: booked.booking, idempotencyKey: appointment.key)
    }

    func already(_ appointment: Appointment, _ conversation: inout ConversationState) -> ToolReply {
        conversation.untold.remove(appointment.key)
        let booked = BookedReply(of: appointment)
        let isOther = wanted.map { $0.start.instant != appointment.startSeconds } ?? false
        let time = words.times([booked.startSeconds])
        return ToolReply(
            result: .already,
            text: (booked.isRequested
                ? "The caller has asked for an appointment in this call, which the clinic has yet to confirm: "
                : "The caller has an appointment from this call: ") + time
                + ". Nothing else was booked. Name, phone and notes"
                + " cannot be changed here: offer a call back. Only for a second appointment set another to true.",
            say: words.say(booked.isRequested ? words.text.requested : words.text.already, time)
                + (isOther ? " " + words.say(words.text.noOther) : ""),
            booking: booked.booking, idempotencyKey: appointment.key)
    }

    /// Returns the answer for a booking in doubt. `isLong` is true when it was in doubt before.
    func inDoubt(
        _ appointment: Appointment, _ error: PartnerBookingError, isLong: Bool, _ conversation: inout ConversationState
    ) -> ToolReply {
        let time = words.times([appointment.startSeconds])
        if isLong { conversation.warned.insert(appointment.key) }
        return ToolReply(
            result: .inDoubt,
            text: isLong
                ? "It is still not known whether " + time
                    + " is booked. Say neither that it is nor that it is not. Offer a person or"
                    + " a call back. Only if the caller wants another time now, call again with that slot and another true."
                : "The booking of " + time
                    + " is not confirmed yet. Say that it takes a moment, and call again with the same values.",
            say: words.say(isLong ? words.text.notConfirmed : words.text.confirming),
            idempotencyKey: appointment.key, error: error)
    }

    /// Returns the answer when nothing was booked, for a reason that another slot does not
    /// change.
    func refused(_ error: PartnerBookingError) -> ToolReply {
        if error.code == .invalidField, let field = error.field?.split(separator: ".").last {
            var reply =
                switch field {
                case "name": missing("name", "Ask for the caller's name.", words.text.askName)
                case "phone": missing("phone", "Ask for the number again.", words.text.askPhone)
                case "email": missing("email", "Set it to null, or ask for it again.", words.text.askEmail)
                case "notes": missing("notes", "Make them shorter.", nil)
                default: missing("slot", "Ask for another time.", words.text.askTime)
                }
            reply.error = error.naming(reply.error?.field)
            return reply
        }
        return ToolReply(
            result: .failed,
            text: error.isRetryable
                ? "Nothing is booked: the calendar cannot be reached. Try once more, then offer a call back or a person."
                : "Nothing is booked: the booking was refused. Offer a call back or a person.",
            say: words.say(error.isRetryable ? words.text.failed : words.text.refused),
            idempotencyKey: error.idempotencyKey, error: error)
    }

    // MARK: The caller

    mutating func beginLookUp() -> Effect {
        guard let phone = request.callerPhone.flatMap({ try? number($0) })?.e164 else {
            return finish(ToolReply(result: .notKnown, text: "The caller's number is not known. Ask for the name."))
        }
        state = .lookingUp
        return .lookUp(phone: phone)
    }

    mutating func lookedUp(_ result: CallResult) -> Effect {
        switch result {
        case .failure(let error):
            return finish(
                ToolReply(result: .notKnown, text: "The caller could not be looked up. Ask for the name.", error: error))
        case .success(let reply):
            let root = (try? JSONDocument(reply, profile: .reply))?.root
            let name = root?["customer"]?["name"]?.string.map(ToolWords.name) ?? ""
            guard root?["found"]?.text == "true", !name.isEmpty else {
                return finish(ToolReply(result: .notKnown, text: "The caller is not known. Ask for the name."))
            }
            return finish(
                ToolReply(
                    result: .known, text: "The number belongs to a customer of the clinic. Ask for the name.",
                    say: words.say(words.text.greeting, name)))
        }
    }
}
