extension ToolCall {
    mutating func beginBooking(_ conversation: inout ConversationState) -> Effect {
        guard !request.isSpeculative else {
            return finish(
                ToolReply(
                    result: .held,
                    text: "Nothing is booked: the call was made ahead. Call again when the caller has finished."))
        }
        // Now: while the call waits, another call may offer the caller a new list.
        wanted = request.arguments.text("slot").flatMap { conversation.offer(named: $0, profile.locale) }
        return settleNext(&conversation)
    }

    /// Settles earlier bookings that may have been made, before another is sent.
    private mutating func settleNext(_ conversation: inout ConversationState) -> Effect {
        let next = appointments.last { appointment in
            appointment.state == .open && !skipped.contains(appointment.key)
        }
        if let next {
            state = .settling(key: next.key)
            return .settle(key: next.key)
        }
        return decide(&conversation)
    }

    /// Handles the end of the wait for an earlier booking.
    mutating func settled(_ result: CallResult, _ key: String, _ conversation: inout ConversationState) -> Effect {
        guard let place = appointments.lastIndex(where: { $0.key == key }) else { return finish(failed(nil)) }
        switch result {
        case .success(let reply):
            (appointments[place].state, appointments[place].reply) = (.made, reply)
            conversation.warned.remove(key)
        case .failure(let error) where error.outcome == .unknown && error.code != .notRecorded:
            let isInsisting = request.arguments.isTrue("another") && conversation.warned.contains(key)
            guard isInsisting, wanted?.start.instant != appointments[place].startSeconds else {
                return finish(inDoubt(appointments[place], error, isLong: true, &conversation))
            }
            skipped.insert(key)
        case .failure:
            appointments[place].state = .refused
            conversation.untold.remove(key)
        }
        return settleNext(&conversation)
    }

    /// Books, or answers why not. Earlier bookings are settled or skipped.
    private mutating func decide(_ conversation: inout ConversationState) -> Effect {
        let made = appointments.filter { $0.state == .made }
        if let last = made.last {
            let same = made.last { $0.startSeconds == wanted?.start.instant }
            // The model repeats a call that was in doubt or interrupted.
            if let same, conversation.untold.contains(same.key) { return finish(booked(same, &conversation)) }
            guard same == nil, request.arguments.isTrue("another") else {
                return finish(already(same ?? last, &conversation))
            }
        }
        guard let text = request.arguments.text("slot") else {
            return finish(missing("slot", "Ask which of the offered times it shall be.", words.text.askTime))
        }
        guard let wanted else { return notOffered(text, &conversation) }
        return book(wanted, &conversation)
    }

    private mutating func book(
        _ offer: ConversationState.Offer, isConfirmed: Bool = true, _ conversation: inout ConversationState
    ) -> Effect {
        let arguments = request.arguments
        guard let name = arguments.text("name"), name.utf8.contains(where: { $0 >= 0x80 || $0.isLetter }) else {
            return finish(missing("name", "Ask for the caller's name.", words.text.askName))
        }
        let phone: PhoneNumber
        do throws(PartnerBookingError) {
            guard let number = try self.phone else {
                return finish(missing("phone", "Ask for the caller's phone number.", words.text.askPhone))
            }
            phone = number
        } catch {
            var reply = missing("phone", "Ask for the number again, digit by digit.", words.text.askPhone)
            reply.error = error.naming("phone")
            return finish(reply)
        }
        let wish = BookingWish(
            offer: offer, name: name, phone: phone.e164, email: arguments.text("email"), notes: arguments.text("notes"))
        guard isConfirmed, isAgreed(offer, conversation) else {
            do throws(PartnerBookingError) { try wish.check(request.call) } catch { return finish(refused(error)) }
            // A slot that was found again counts as offered once the caller hears it.
            if !isConfirmed { conversation.offer([offer]) }
            conversation.readBack = offer
            return finish(readback(wish, phone))
        }
        state = .booking(wish)
        return .book(wish)
    }

    /// Returns whether the slot may be booked now. A text such as "the second one" does not name
    /// it for sure, so it must have been read back before.
    private func isAgreed(_ offer: ConversationState.Offer, _ conversation: ConversationState) -> Bool {
        guard var text = request.arguments.text("slot") else { return false }
        let isSure = text.withUTF8 { SlotPick.isSure(UnsafeRawBufferPointer($0), of: offer.start) }
        guard isSure || conversation.readBack?.isSame(as: offer) ?? false else { return false }
        return profile.confirm == .none || request.arguments.isTrue("caller_confirmed")
    }

    /// The number that the model heard, or else the caller's number.
    private var phone: PhoneNumber? {
        get throws(PartnerBookingError) {
            if let heard = request.arguments.text("phone") { return try number(heard) }
            return request.callerPhone.flatMap { try? number($0) }
        }
    }

    func number(_ text: String) throws(PartnerBookingError) -> PhoneNumber {
        guard text.utf8.count <= PhoneNumber.maxTextBytes else {
            throw .field("phone", MemberMessage.mustBe(Form.spokenPhone), .tooLong)
        }
        var text = text
        return try text.withUTF8 { text in
            Result { () throws(PhoneProblem) in
                try PhoneNumber(UnsafeRawBufferPointer(text), region: profile.region, locale: profile.locale)
            }
        }.mapError(PartnerBookingError.phoneUnclear).get()
    }

    // MARK: The slot

    /// Offers the last list again, or searches for a slot that another process has offered.
    private mutating func notOffered(_ text: String, _ conversation: inout ConversationState) -> Effect {
        if conversation.offers.isEmpty, let day = recoverableDay(text) {
            return recover(text, SearchWindow(day: day, today: today, profile), service: 0)
        }
        guard !conversation.lastOffers.isEmpty else {
            return finish(
                ToolReply(
                    result: .notOffered,
                    text: "That slot was not offered in this call. Nothing is booked. Call find_appointment_slots first.",
                    say: words.say(words.text.askTime)))
        }
        return finish(offerAgain(conversation.lastOffers, &conversation))
    }

    private func offerAgain(_ offers: [ConversationState.Offer], _ conversation: inout ConversationState) -> ToolReply {
        offer(
            offers, .notOffered, "That slot was not offered in this call. Nothing is booked. Offer only: ",
            say: offers.count == 1 ? words.text.askSlotOne : words.text.askSlot, &conversation)
    }

    /// Returns the day to search for a slot that is named in full. nil when the name is wrong,
    /// or the day cannot be booked.
    private func recoverableDay(_ text: String) -> Int? {
        let days = today...today + profile.maxDaysAhead
        var text = text
        return text.withUTF8 { text in
            let text = UnsafeRawBufferPointer(text)
            if let (token, isChecked) = SlotToken.read(text) {
                guard isChecked else { return nil }
                return days.first { day in
                    profile.services.contains { token.isOn(day, durationMinutes: $0.durationMinutes) }
                }
            }
            let day = ItemTime(text)?.instant(in: profile.zone).map { profile.zone.local(at: $0).day }
            return day.flatMap { days.contains($0) ? $0 : nil }
        }
    }

    /// Looks for the slot among each service's slots in turn: one search, then the cache.
    private mutating func recover(_ text: String, _ window: SearchWindow, service: Int) -> Effect {
        state = .searching(.recovery(text: text, window, service: service))
        return .search(window, durationMinutes: duration(ofService: service))
    }

    private func duration(ofService place: Int) -> Int {
        profile.services.indices.contains(place) ? profile.services[place].durationMinutes : 30
    }

    /// Handles the search after a restart. The slot that it finds is read back before it is
    /// booked, because the model may have made up the name.
    mutating func recovered(
        _ result: Result<[SlotStart], PartnerBookingError>, _ text: String, _ window: SearchWindow, service: Int,
        _ conversation: inout ConversationState
    ) -> Effect {
        let durationMinutes = duration(ofService: service)
        let slots: [SlotStart]
        switch result {
        case .success(let found): slots = found
        case .failure(let error): return finish(failed(error))
        }
        var text = text
        let pick = text.withUTF8 {
            SlotPick.slot(
                named: UnsafeRawBufferPointer($0), in: slots, offers: [], durationMinutes: durationMinutes, profile.locale)
        }
        if let pick {
            let offer = ConversationState.Offer(start: pick, durationMinutes: durationMinutes)
            return book(offer, isConfirmed: false, &conversation)
        }
        if service + 1 < profile.services.count { return recover(text, window, service: service + 1) }
        let choice = SlotChoice.spread(slots, count: profile.offers)
        guard !choice.isEmpty else {
            return finish(
                ToolReply(
                    result: .notOffered, text: "That slot is not free, and nothing is near it. Ask for another day.",
                    say: words.say(words.text.nothing)))
        }
        let offers = choice.offers(durationMinutes: durationMinutes)
        return finish(offerAgain(offers, &conversation))
    }

    // MARK: The end of the booking

    mutating func bookingEnded(
        _ result: CallResult, _ wish: BookingWish, key: String, _ conversation: inout ConversationState
    ) -> Effect {
        let appointment = Appointment(
            key: key, startSeconds: wish.startSeconds, durationMinutes: wish.offer.durationMinutes, state: .made,
            reply: try? result.get())
        switch result {
        case .success: return finish(booked(appointment, &conversation))
        case .failure(let error) where error.outcome == .unknown:
            conversation.untold.insert(key)
            return finish(inDoubt(appointment, error, isLong: false, &conversation))
        case .failure(let error):
            conversation.refusals[wish.key(request.call, refusals: 0), default: 0] += 1
            guard error.isAboutSlot else { return finish(refused(error)) }
            state = .searching(.alternatives(to: wish, error))
            return .search(
                SearchWindow(day: wish.offer.start.local.day, today: today, profile),
                durationMinutes: wish.offer.durationMinutes)
        }
    }

    mutating func alternatives(
        _ result: Result<[SlotStart], PartnerBookingError>, to wish: BookingWish, _ refusal: PartnerBookingError,
        _ conversation: inout ConversationState
    ) -> Effect {
        let (minutes, isTaken) = (wish.offer.durationMinutes, refusal.isSlotConflict)
        let slots = ((try? result.get()) ?? []).filter { slot in
            slot.instant != wish.startSeconds && !isCallers(slot, durationMinutes: minutes)
        }
        let choice = SlotChoice.around(wish.startSeconds, slots, in: profile.zone, count: profile.offers)
        let why = isTaken ? "That time was just taken." : "The clinic did not accept that time."
        guard !choice.isEmpty else {
            return finish(
                ToolReply(
                    result: .slotGone, text: why + " Nothing is booked. Ask for another day.",
                    say: words.say(isTaken ? words.text.goneOnly : words.text.notAcceptedOnly), error: refusal))
        }
        var reply = offer(
            choice.offers(durationMinutes: minutes), .slotGone, why + " Nothing is booked. Offer instead: ",
            say: isTaken ? words.text.gone : words.text.notAccepted, &conversation)
        reply.error = refusal
        return finish(reply)
    }
}

extension PartnerBookingError {
    /// Returns the error of a tool call, with the argument's name in place of a request's field.
    func naming(_ argument: String?) -> PartnerBookingError {
        var error = self
        error.field = argument
        return error
    }

    /// True when the service refused this slot and may accept another. False when it refused
    /// the key or the bot.
    var isAboutSlot: Bool {
        guard outcome == .rejected, let status else { return false }
        return isSlotConflict || status == 409 || status == 410 || status == 422 || (200..<300).contains(status)
    }
}
