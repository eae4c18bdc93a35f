/// The state machine of one tool call: events in, effects out. It requests one part after
/// another until it has an answer. It uses no network and no clock.
struct ToolCall: Sendable {
    /// The next step.
    enum Effect: Sendable {
        /// A search, or a look into the cache.
        case search(SearchWindow, durationMinutes: Int)
        /// A wait for an earlier booking.
        case settle(key: String)
        /// A booking to send.
        indirect case book(BookingWish)
        case lookUp(phone: String)
        indirect case finish(ToolReply)
    }

    enum State: Sendable {
        case ready
        indirect case searching(Search)
        case settling(key: String)
        indirect case booking(BookingWish)
        case lookingUp
        case finished
    }

    /// The reason for a search.
    enum Search: Sendable {
        case find(ConversationState.Find, SearchWindow, Seen)
        /// Other slots, after a slot was refused.
        case alternatives(to: BookingWish, PartnerBookingError)
        /// A slot that another process has offered.
        case recovery(text: String, SearchWindow, service: Int)
    }

    /// The windows before this one, in which nothing fits the wish.
    struct Seen: Sendable {
        /// The nearest slots there.
        var nearest: [SlotStart] = []
        /// True when all fitting slots there were offered before: the caller wants others.
        var wasOffered = false
    }

    let request: ToolRequest
    let profile: VoiceProfile
    /// Seconds since 1970.
    let now: Int
    var state = State.ready
    /// The bookings of the phone call, oldest first.
    var appointments: [Appointment]
    /// The offered slot that the model named when the call began.
    var wanted: ConversationState.Offer?
    /// Bookings in doubt that this call no longer waits for.
    var skipped: Set<String> = []
    /// The booking whose end the notes mention.
    var toldKey: String?
    /// Sentences about earlier bookings, for the model and for the caller.
    var notes: [(text: String, say: String?)] = []

    init(_ request: ToolRequest, _ profile: VoiceProfile, _ appointments: [Appointment], now: Int) {
        self.request = request
        self.profile = profile
        self.appointments = appointments
        self.now = now
    }

    var words: ToolWords { ToolWords(profile: profile, now: now) }
    var today: Int { profile.zone.local(at: now).day }

    /// Adds bookings that other calls of the conversation have made since this call began.
    mutating func learn(_ current: [Appointment]) {
        appointments += current.filter { new in !appointments.contains { $0.key == new.key } }
    }

    // MARK: Events

    /// An event for a tool call.
    enum Event: Sendable {
        case began
        case searched(Result<[SlotStart], PartnerBookingError>)
        /// The end of the wait for an earlier booking.
        case settled(CallResult)
        case bookingEnded(CallResult, key: String)
        case lookedUp(CallResult)
        /// A refusal of a part by the pipeline. Nothing of the part was sent.
        case refused(PartnerBookingError)
    }

    @inline(never)
    mutating func handle(_ event: Event, _ conversation: inout ConversationState) -> Effect {
        switch (state, event) {
        case (.ready, .began): return begin(&conversation)
        case (.searching(let search), .searched(let result)): return searched(result, search, &conversation)
        case (.searching(let search), .refused(let error)): return searched(.failure(error), search, &conversation)
        case (.settling(let key), .settled(let result)): return settled(result, key, &conversation)
        case (.settling(let key), .refused(var error)):
            // Nobody has asked about the booking, so its fate is still unknown.
            error.outcome = .unknown
            return settled(.failure(error), key, &conversation)
        case (.booking(let wish), .bookingEnded(let result, let key)):
            return bookingEnded(result, wish, key: key, &conversation)
        case (.booking, .refused(let error)): return finish(refused(error))
        case (.lookingUp, .lookedUp(let result)): return lookedUp(result)
        case (.lookingUp, .refused(let error)): return lookedUp(.failure(error))
        case (_, .refused(let error)): return finish(failed(error))
        default: return finish(failed(nil))
        }
    }

    private mutating func begin(_ conversation: inout ConversationState) -> Effect {
        guard let tool = request.tool else {
            // look_up_caller is left out: few hosts give it to the model.
            let text = "There is no such tool. The tools are find_appointment_slots and book_appointment."
            return finish(ToolReply(result: .invalid, text: text))
        }
        guard request.arguments.isReadable else {
            return finish(
                ToolReply(result: .invalid, text: "The arguments are no JSON object. Call the tool again with its members."))
        }
        if let name = request.arguments.misshapen {
            return finish(missing(name, "Send it once, as one text.", nil))
        }
        switch tool {
        case .find:
            tellEnds(&conversation)
            return beginFind(&conversation)
        case .book: return beginBooking(&conversation)
        case .lookUp: return beginLookUp()
        }
    }

    /// Handles the end of a search.
    private mutating func searched(
        _ result: Result<[SlotStart], PartnerBookingError>, _ search: Search, _ conversation: inout ConversationState
    ) -> Effect {
        switch search {
        case .find(let find, let window, let seen): return found(result, find, window, seen, &conversation)
        case .alternatives(let wish, let error): return alternatives(result, to: wish, error, &conversation)
        case .recovery(let text, let window, let service):
            return recovered(result, text, window, service: service, &conversation)
        }
    }

    mutating func finish(_ reply: ToolReply) -> Effect {
        state = .finished
        var reply = reply
        reply.toldKey = toldKey
        for note in notes.reversed() {
            reply.text = note.text + " " + reply.text
            if let first = note.say { reply.say = reply.say.map { first + " " + $0 } ?? first }
        }
        return .finish(reply)
    }

    /// Returns the answer when nothing was booked or found out.
    func failed(_ error: PartnerBookingError?) -> ToolReply {
        ToolReply(
            result: .failed,
            text: "The calendar cannot be reached. Do not invent times. Offer a call back or a person.",
            say: words.say(words.text.failed), error: error)
    }

    /// Offers slots. From now on they can be booked.
    func offer(
        _ offers: [ConversationState.Offer], _ result: ToolReply.Result, _ introduction: String, say: StaticString,
        _ conversation: inout ConversationState
    ) -> ToolReply {
        conversation.offer(offers)
        let slots = words.spoken(offers)
        return ToolReply(
            result: result, text: introduction + words.list(slots) + ". Book with the name before the brackets.",
            say: words.say(say, words.times(offers.map(\.start.instant))), slots: slots)
    }

    // MARK: Earlier bookings

    /// Returns whether the caller has a slot, or may have it.
    func isCallers(_ slot: SlotStart, durationMinutes: Int) -> Bool {
        appointments.contains { $0.state != .refused && $0.overlaps(slot, durationMinutes: durationMinutes) }
    }

    /// Notes the ends of bookings that the model does not know, because it was interrupted.
    private mutating func tellEnds(_ conversation: inout ConversationState) {
        for appointment in appointments {
            let isUntold = conversation.untold.contains(appointment.key)
            let booked = BookedReply(of: appointment)
            let time = words.times([booked.startSeconds])
            switch appointment.state {
            case .made where isUntold || !appointment.isHeard:
                toldKey = appointment.key
                let end = booked.isRequested ? " is requested, and the clinic has yet to confirm it." : " is booked."
                notes.append(("The booking before went through: " + time + end, words.say(booked, time)))
            case .refused where isUntold:
                notes.append(("The booking before was not made: " + time + " is not booked.", nil))
            case .open:
                let text = "It is not known yet whether " + time + " is booked."
                notes.append((text, words.say(words.text.pending, time)))
                continue
            case .made, .refused: break
            }
            conversation.untold.remove(appointment.key)
        }
        // The ledger has forgotten these bookings, or a person has given them up.
        let gone = conversation.untold.filter { key in !appointments.contains { $0.key == key } }
        if !gone.isEmpty { notes.append(("It is not known what became of the booking before.", nil)) }
        conversation.untold.subtract(gone)
    }
}
