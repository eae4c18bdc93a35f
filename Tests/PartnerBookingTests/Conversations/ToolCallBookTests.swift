import Testing

@testable import PartnerBooking

/// A booking tool call, event by event.
@Suite struct ToolCallBookTests {
    private var sample: ToolCallSample

    init() throws { sample = try ToolCallSample() }

    private static let yes = #""name":"Ann Smith","caller_confirmed":true"#

    /// A conversation that was offered three times tomorrow.
    private mutating func offered() throws {
        let slots = [sample.slot(1, 15), sample.slot(1, 15, 30), sample.slot(1, 16)]
        #expect(try sample.find(#"{"when":"tomorrow"}"#, slots)?.result == .offered)
    }

    private func key(_ wish: BookingWish?, refusals: Int = 0) throws -> String {
        try #require(wish).key(ToolRequest.CallName(botID: "bot_1", callID: "call-1"), refusals: refusals)
    }

    @Test mutating func nothingIsBookedThatWasNotOffered() throws {
        let token = SlotToken(sample.slot(1, 15).local, durationMinutes: 30).text
        #expect(try sample.book(#"{"slot":"\#(token)",\#(Self.yes)}"#).effect.result == nil, "a restart: it is looked for")
        try offered()
        let (_, effect) = try sample.book(#"{"slot":"wed16-1500x",\#(Self.yes)}"#)
        #expect(effect.result == .notOffered)
        #expect(effect.reply?.slots.count == 3)
    }

    @Test mutating func nothingIsBookedBeforeTheCallerHasSaidYes() throws {
        try offered()
        let token = SlotToken(sample.slot(1, 15).local, durationMinutes: 30).text
        #expect(try sample.book(#"{"slot":"\#(token)","name":"Ann Smith"}"#).effect.result == .readback)
        let (_, effect) = try sample.book(#"{"slot":"\#(token)",\#(Self.yes)}"#)
        #expect(effect.wish?.startSeconds == ToolCallSample.instant(1, 15))
        #expect(effect.wish?.phone == "+12125550123")
    }

    /// "The second one" is another slot in the next list, so a yes is for the slot that was read
    /// back.
    @Test mutating func yesToAPlaceNeedsAReadback() throws {
        try offered()
        let book = #"{"slot":"the second one",\#(Self.yes)}"#
        #expect(try sample.book(book).effect.result == .readback)
        #expect(try sample.book(book).effect.wish?.startSeconds == ToolCallSample.instant(1, 15, 30))
        #expect(try sample.find(#"{"when":"tomorrow"}"#, [sample.slot(1, 9), sample.slot(1, 10)])?.result == .offered)
        #expect(try sample.book(book).effect.result == .readback, "the list has changed")
    }

    /// Such a text depends on the list, or on a computation.
    @Test(arguments: ["tue15-1500", "2030-01-15T20:00:00Z", "1894737600", "the first one"])
    mutating func yesToAnUnsureTextNeedsAReadback(_ text: String) throws {
        for confirm in [VoiceProfile.Confirm.readback, .none] {
            sample = try ToolCallSample()
            sample.profile.confirm = confirm
            try offered()
            let book = #"{"slot":"\#(text)",\#(Self.yes)}"#
            #expect(try sample.book(book).effect.result == .readback)
            #expect(try sample.book(book).effect.wish?.startSeconds == ToolCallSample.instant(1, 15))
        }
        #expect(try sample.book(#"{"slot":"2030-01-15T15:30:00-05:00",\#(Self.yes)}"#).effect.wish != nil)
    }

    @Test mutating func aQuestionEndsTheList() throws {
        try offered()
        #expect(try sample.find(#"{"when":"next friday"}"#, []) == nil)
        var call = try sample.call("find_appointment_slots", #"{"when":"next friday"}"#)
        #expect(sample.handle(&call, .began).result == .unclear)
        #expect(try sample.book(#"{"slot":"the second one",\#(Self.yes)}"#).effect.result == .notOffered)
        #expect(try sample.book(#"{"slot":"the second one",\#(Self.yes)}"#).effect.result == .readback, "it was said again")
    }

    @Test mutating func aSlotOfAnotherLengthNeedsItsToken() throws {
        try offered()
        let token = SlotToken(sample.slot(1, 15).local, durationMinutes: 30).text
        sample.conversation.offer([.init(start: sample.slot(2, 9), durationMinutes: 60)])
        #expect(try sample.book(#"{"slot":"2030-01-15T15:00",\#(Self.yes)}"#).effect.result == .notOffered)
        try offered()
        sample.conversation.offer([.init(start: sample.slot(2, 9), durationMinutes: 60)])
        #expect(try sample.book(#"{"slot":"\#(token)",\#(Self.yes)}"#).effect.wish?.offer.durationMinutes == 30)
    }

    @Test(arguments: [
        (#""slot":"a","slot":"b""#, "slot"), (#""phone":["212 555 0199"]"#, "phone"), (#""name":true"#, "name"),
        (#""phone":3012345678.5"#, "phone"), (#""caller_confirmed":true,"caller_confirmed":false"#, "caller_confirmed"),
        (#""notes":{}"#, "notes"), (#""name":5"#, "name"),
    ])
    mutating func memberWithoutOneTextIsInvalid(_ members: String, _ field: String) throws {
        try offered()
        let reply = try sample.book("{\(members)}").effect.reply
        #expect(reply?.result == .invalid && reply?.error?.field == field)
    }

    @Test(arguments: [(#""phone":"12""#, "phone"), (#""email":"nobody""#, "email"), (#""name":"\t""#, "name")])
    mutating func errorNamesTheArgument(_ members: String, _ field: String) throws {
        try offered()
        let name = field == "name" ? "" : #","name":"Ann Smith""#
        let reply = try sample.book(#"{"slot":"the first one",\#(members)\#(name)}"#).effect.reply
        #expect(reply?.result == .invalid && reply?.error?.field == field)
    }

    @Test(arguments: ["?", "-", "+12125550199", "not given"]) mutating func nameHasALetter(_ name: String) throws {
        try offered()
        let reply = try sample.book(#"{"slot":"the first one","name":"\#(name)"}"#).effect.reply
        #expect(reply?.result == .invalid && reply?.error?.field == "name")
    }

    @Test mutating func placeIsThatOfTheListAtTheBeginning() throws {
        try offered()
        let book = #"{"slot":"the second one",\#(Self.yes)}"#
        _ = try sample.book(book)
        sample.appointments = [
            Appointment(key: "k", startSeconds: ToolCallSample.instant(2, 9), durationMinutes: 30, state: .open)
        ]
        var (call, effect) = try sample.book(book)
        #expect(effect.settledKey == "k")
        // Meanwhile another call puts a new list before the caller.
        _ = try sample.find(#"{"when":"tomorrow"}"#, [sample.slot(1, 9), sample.slot(1, 10)])
        effect = sample.handle(&call, .settled(ToolCallSample.failure(409, "slot_unavailable", .rejected)))
        #expect(effect.wish?.startSeconds == ToolCallSample.instant(1, 15, 30))
    }

    @Test mutating func bookedTellsTheTimeOfTheReply() throws {
        try offered()
        _ = try sample.book(#"{"slot":"the first one","name":"Ann"}"#)
        var (call, effect) = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#)
        let key = try key(effect.wish)
        effect = sample.handle(&call, .bookingEnded(ToolCallSample.booked(at: "2030-01-16T10:00:00-05:00"), key: key))
        #expect(effect.result == .booked)
        #expect(effect.reply?.say == "You're booked for Wednesday, January sixteenth at ten in the morning.")
        #expect(effect.reply?.idempotencyKey == key)
    }

    @Test mutating func pendingBookingIsNotCalledBooked() throws {
        try offered()
        _ = try sample.book(#"{"slot":"the first one","name":"Ann"}"#)
        var (call, effect) = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#)
        let reply = ToolCallSample.booked(at: "2030-01-15T15:00:00-05:00", status: "pending")
        effect = sample.handle(&call, .bookingEnded(reply, key: try key(effect.wish)))
        #expect(effect.reply?.say?.hasPrefix("I've asked for") ?? false)
    }

    @Test mutating func goneSlotGivesOthersOfTheSameReply() throws {
        try offered()
        _ = try sample.book(#"{"slot":"the first one","name":"Ann"}"#)
        var (call, effect) = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#)
        let key = try key(effect.wish)
        effect = sample.handle(&call, .bookingEnded(ToolCallSample.failure(409, "slot_unavailable", .rejected), key: key))
        guard case .search = effect else { return #expect(Bool(false), "no search") }
        effect = sample.handle(&call, .searched(.success([sample.slot(1, 15), sample.slot(1, 15, 30)])))
        #expect(effect.result == .slotGone && effect.reply?.error?.status == 409)
        #expect(effect.reply?.slots.map(\.offer.start.instant) == [ToolCallSample.instant(1, 15, 30)])
        // The same wish again has a key of its own: a platform may repeat its refusal for the old
        // one.
        let again = try sample.book(#"{"slot":"tue15-1500\#(token(1, 15))",\#(Self.yes)}"#).effect.wish
        #expect(sample.conversation.refusals[try self.key(again)] == 1)
    }

    private func token(_ day: Int, _ hour: Int) -> Character {
        SlotToken(sample.slot(day, hour).local, durationMinutes: 30).text.last ?? "?"
    }

    @Test mutating func refusalOfTheKeyOffersNoOtherSlot() throws {
        try offered()
        _ = try sample.book(#"{"slot":"the first one","name":"Ann"}"#)
        var (call, effect) = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#)
        let key = try key(effect.wish)
        effect = sample.handle(&call, .bookingEnded(ToolCallSample.failure(401, "unauthorized", .rejected), key: key))
        #expect(effect.result == .failed)
    }

    @Test mutating func oneConversationHasOneAppointment() throws {
        try offered()
        let start = ToolCallSample.instant(1, 15)
        sample.appointments = [Appointment(key: "k", startSeconds: start, durationMinutes: 30, state: .made)]
        let other = #"{"slot":"tue15-1600\#(token(1, 16))","name":"Bob","caller_confirmed":true"#
        let already = try sample.book(other + "}").effect
        #expect(already.result == .already)
        #expect(already.reply?.say?.hasSuffix("I have not booked another one.") ?? false)
        #expect(try sample.book(other + #","another":true}"#).effect.wish != nil)
        let same = #"{"slot":"tue15-1500\#(token(1, 15))","name":"Bob","caller_confirmed":true,"another":true}"#
        #expect(try sample.book(same).effect.result == .already, "the same time is no other one")
    }

    @Test mutating func doubtIsSettledBeforeTheNextBooking() throws {
        try offered()
        let start = ToolCallSample.instant(1, 15)
        sample.appointments = [Appointment(key: "k", startSeconds: start, durationMinutes: 30, state: .open)]
        let other = #"{"slot":"tue15-1600\#(token(1, 16))","name":"Ann","caller_confirmed":true"#
        let doubt = ToolCallSample.failure(nil, "timeout", .unknown)

        var (call, effect) = try sample.book(other + #","another":true}"#)
        #expect(effect.settledKey == "k")
        effect = sample.handle(&call, .settled(doubt))
        #expect(effect.result == .inDoubt, "the model has not been warned yet")

        (call, effect) = try sample.book(other + "}")
        effect = sample.handle(&call, .settled(doubt))
        #expect(effect.result == .inDoubt, "and does not insist")

        (call, effect) = try sample.book(other + #","another":true}"#)
        effect = sample.handle(&call, .settled(doubt))
        #expect(effect.wish?.startSeconds == ToolCallSample.instant(1, 16))

        let same = #"{"slot":"tue15-1500\#(token(1, 15))","name":"Ann","caller_confirmed":true,"another":true}"#
        (call, effect) = try sample.book(same)
        effect = sample.handle(&call, .settled(doubt))
        #expect(effect.result == .inDoubt, "never the time that is in doubt")

        (call, effect) = try sample.book(other + "}")
        effect = sample.handle(&call, .settled(ToolCallSample.booked(at: "2030-01-15T15:00:00-05:00")))
        #expect(effect.result == .already)
    }

    /// Two calls wait for the same doubt. When it settles, the first one books, and the second one
    /// must hear of that.
    @Test mutating func bookingOfAnotherCallIsSettledToo() throws {
        try offered()
        sample.appointments = [
            Appointment(key: "k", startSeconds: ToolCallSample.instant(2, 9), durationMinutes: 30, state: .open)
        ]
        var (call, effect) = try sample.book(#"{"slot":"tue15-1500\#(token(1, 15))",\#(Self.yes)}"#)
        call.learn([
            Appointment(key: "other", startSeconds: ToolCallSample.instant(1, 16), durationMinutes: 30, state: .open)
        ])
        effect = sample.handle(&call, .settled(ToolCallSample.failure(409, "slot_unavailable", .rejected)))
        #expect(effect.settledKey == "other")
        effect = sample.handle(&call, .settled(ToolCallSample.booked(at: "2030-01-15T16:00:00-05:00")))
        #expect(effect.result == .already)
    }

    @Test mutating func sameCallAgainHearsThatItIsBooked() throws {
        try offered()
        let start = ToolCallSample.instant(1, 15)
        sample.appointments = [Appointment(key: "k", startSeconds: start, durationMinutes: 30, state: .open)]
        sample.conversation.untold = ["k"]
        var (call, effect) = try sample.book(#"{"slot":"tue15-1500\#(token(1, 15))",\#(Self.yes)}"#)
        effect = sample.handle(&call, .settled(ToolCallSample.booked(at: "2030-01-15T15:00:00-05:00")))
        #expect(effect.result == .booked)
        #expect(effect.reply?.idempotencyKey == "k")
    }

    /// A conversation that is not known here: the slot counts as offered when the caller has heard
    /// it, and not before.
    @Test mutating func slotOfAnotherProcessIsReadBackFirst() throws {
        let token = "tue15-1500\(token(1, 15))"
        let slots = [sample.slot(1, 15), sample.slot(1, 16)]
        for (members, count) in [(#""caller_confirmed":true"#, 0), (Self.yes + #","email":"nowhere""#, 0), (Self.yes, 1)] {
            var (call, effect) = try sample.book(#"{"slot":"\#(token)",\#(members)}"#)
            guard case .search = effect else { return #expect(Bool(false), "no search") }
            effect = sample.handle(&call, .searched(.success(slots)))
            #expect(effect.wish == nil)
            #expect(sample.conversation.offers.count == count)
        }
        #expect(try sample.book(#"{"slot":"\#(token)",\#(Self.yes)}"#).effect.wish != nil)
    }

    /// A name has no month, and its slot may lie behind the first window.
    @Test mutating func slotOfAnotherProcessIsLookedForOnItsDay() throws {
        for day in [1, 20, 59] {
            let slot = sample.slot(day, 15)
            for name in [SlotToken(slot.local, durationMinutes: 30).text, Slot(slot, durationMinutes: 30).startAt] {
                guard case .search(let window, _) = try sample.book(#"{"slot":"\#(name)",\#(Self.yes)}"#).effect else {
                    return #expect(Bool(false), "no search for \(name)")
                }
                #expect((window.firstDay...window.lastDay).contains(slot.local.day))
            }
        }
    }

    @Test(arguments: ["tue15-1500a", "tue15-1500", "2031-01-15T15:00:00-05:00", "9999-12-31T23:59", "2029-01-15T15:00:00Z"])
    mutating func slotThatCannotBeIsNotLookedFor(_ name: String) throws {
        #expect(try sample.book(#"{"slot":"\#(name)",\#(Self.yes)}"#).effect.result == .notOffered)
    }

    /// What no service gets to see is refused before the caller hears it.
    @Test(arguments: [(#""name":"Ann","email":"nowhere""#, "email"), (#""name":"Ann\nLee""#, "name")])
    mutating func wrongMemberIsRefusedBeforeTheReadback(_ member: String, _ field: String) throws {
        try offered()
        let reply = try sample.book(#"{"slot":"the first one",\#(member)}"#).effect.reply
        #expect(reply?.result == .invalid)
        #expect(reply?.text.hasPrefix("Nothing is booked: \(field) is missing") ?? false)
        #expect(reply?.say?.hasSuffix("call you back?") == false)
    }

    /// A name that nobody can speak leaves no hole in the sentence.
    @Test mutating func nameWithoutLettersIsNotSaid() throws {
        try offered()
        let reply = try sample.book(##"{"slot":"the first one","name":"#1 😀"}"##).effect.reply
        #expect(reply?.result == .readback)
        #expect(reply?.say == nil)
    }

    /// Only a slot that somebody else has was "just taken".
    @Test(arguments: [(409, "slot_unavailable", true), (422, "email_required", false), (200, "not_confirmed", false)])
    mutating func reasonOfARefusalIsNotInvented(_ status: Int, _ code: String, _ isTaken: Bool) throws {
        for slots in [[sample.slot(1, 16)], []] {
            try offered()
            _ = try sample.book(#"{"slot":"the first one","name":"Ann"}"#)
            var (call, effect) = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#)
            _ = sample.handle(
                &call, .bookingEnded(ToolCallSample.failure(status, code, .rejected), key: try key(effect.wish)))
            effect = sample.handle(&call, .searched(.success(slots)))
            #expect(effect.result == .slotGone)
            #expect(effect.reply?.text.contains("taken") == isTaken)
            #expect(effect.reply?.say?.contains("taken") == isTaken)
        }
    }

    /// The appointment is told as it stands with the clinic, also by later calls.
    @Test(arguments: [("confirmed", "You already have an appointment"), ("pending", "I've asked for")])
    mutating func laterCallsTellTheReplyOfTheFirst(_ status: String, _ say: String) throws {
        try offered()
        let reply = try ToolCallSample.booked(at: "2030-01-15T15:00:00-05:00", status: status).get()
        let start = ToolCallSample.instant(1, 15)
        sample.appointments = [Appointment(key: "k", startSeconds: start, durationMinutes: 30, state: .made, reply: reply)]
        let already = try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#).effect.reply
        #expect(already?.result == .already)
        #expect(already?.say?.hasPrefix(Substring(say)) ?? false)
        #expect(already?.booking != nil)
        sample.conversation.untold = ["k"]
        let found = try sample.find(#"{"when":"tomorrow"}"#, [sample.slot(1, 16)])
        #expect(found?.text.contains("is booked") == (status == "confirmed"))
        sample.conversation.untold = ["k"]
        #expect(
            try sample.book(#"{"slot":"tue15-1500\#(token(1, 15))",\#(Self.yes)}"#).effect.result == .booked, "once more")
        #expect(sample.conversation.untold.isEmpty)
    }

    /// Perhaps the booking is on its way, and the ledger has yet to hear of it.
    @Test mutating func refusedSettlingLeavesTheDoubt() throws {
        try offered()
        sample.appointments = [
            Appointment(key: "k", startSeconds: ToolCallSample.instant(2, 9), durationMinutes: 30, state: .open)
        ]
        var (call, _) = try sample.book(#"{"slot":"tue15-1500\#(token(1, 15))",\#(Self.yes)}"#)
        #expect(sample.handle(&call, .refused(.queueFull(2))).result == .inDoubt)
    }

    @Test mutating func speculativeCallBooksNothing() throws {
        try offered()
        #expect(try sample.book(#"{"slot":"the first one",\#(Self.yes)}"#, #","speculative":true"#).effect.result == .held)
    }

    @Test(arguments: [
        (#"{"slot":"the first one","caller_confirmed":true}"#, "name"),
        (#"{"slot":"the first one","name":"Ann","phone":"five five","caller_confirmed":true}"#, "phone"),
        (#"{"name":"Ann","caller_confirmed":true}"#, "slot"),
    ])
    mutating func missingMemberIsNamed(_ arguments: String, _ field: String) throws {
        try offered()
        let reply = try sample.book(arguments).effect.reply
        #expect(reply?.result == .invalid)
        #expect(reply?.text.hasPrefix("Nothing is booked: \(field) is missing") ?? false)
        #expect(reply?.say != nil)
    }
}
