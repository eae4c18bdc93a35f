import Testing

@testable import PartnerBooking

/// A search tool call, event by event.
@Suite struct ToolCallFindTests {
    private var sample: ToolCallSample

    init() throws { sample = try ToolCallSample() }

    @Test mutating func wishIsFilteredAndOffered() throws {
        let slots = [sample.slot(0, 10), sample.slot(1, 9), sample.slot(1, 15), sample.slot(2, 15)]
        let reply = try sample.find(#"{"when":"tomorrow","time":"after three"}"#, slots)
        #expect(reply?.result == .offered)
        #expect(reply?.say == "I have tomorrow, Tuesday at three in the afternoon. Does that suit you?")
        #expect(reply?.slots.map(\.offer.start.instant) == [ToolCallSample.instant(1, 15)])
    }

    @Test mutating func nothingFreeGivesTheNearestDay() throws {
        let reply = try sample.find(#"{"when":"wednesday"}"#, [sample.slot(0, 10), sample.slot(1, 9), sample.slot(4, 9)])
        #expect(reply?.result == ToolReply.Result.none)
        #expect(reply?.slots.map(\.offer.start.instant) == [ToolCallSample.instant(1, 9)])
    }

    @Test mutating func emptyWindowLeadsToTheNextOneOnce() throws {
        var call = try sample.call("find_appointment_slots", #"{"when":"wednesday"}"#)
        guard case .search(let first, _) = sample.handle(&call, .began),
            case .search(let second, _) = sample.handle(&call, .searched(.success([])))
        else { return #expect(Bool(false), "no two searches") }
        #expect(second.firstDay == first.lastDay + 1)
        #expect(sample.handle(&call, .searched(.success([]))).result == ToolReply.Result.none)
    }

    /// Events of a find that the platform answers window by window.
    private mutating func answers(_ arguments: String, _ windows: [[SlotStart]]) throws -> (searches: Int, reply: ToolReply?)
    {
        var call = try sample.call("find_appointment_slots", arguments)
        var effect = sample.handle(&call, .began)
        var count = 0
        while case .search(let window, _) = effect {
            let slots = windows.joined().filter { (window.firstDay...window.lastDay).contains($0.local.day) }
            effect = sample.handle(&call, .searched(.success(slots)))
            count += 1
        }
        return (count, effect.reply)
    }

    /// "Nothing is free then" is said of days that were looked at.
    @Test mutating func openWishIsLookedForToItsEnd() throws {
        let last = sample.slot(50, 9)
        #expect(try answers("{}", [[last]]).reply?.slots.map(\.offer.start) == [last])
        let (searches, reply) = try answers("{}", [])
        #expect(searches == 5 && reply?.result == ToolReply.Result.none)
        #expect(try answers(#"{"when":"tomorrow"}"#, []).searches == 2)
    }

    @Test mutating func nearestOfAnEarlierWindowIsKept() throws {
        let friday = sample.slot(4, 9)
        let reply = try answers(#"{"when":"saturdays"}"#, [[friday]]).reply
        #expect(reply?.result == ToolReply.Result.none)
        #expect(reply?.slots.map(\.offer.start) == [friday])
    }

    /// Behind the last day that can be booked.
    @Test mutating func tooFarGivesTheLastDays() throws {
        let last = sample.slot(60, 9)
        #expect(try answers(#"{"when":"in three months"}"#, [[last]]).reply?.slots.map(\.offer.start) == [last])
    }

    @Test mutating func moreDoesNotDenyWhatIsFree() throws {
        let slots = [sample.slot(1, 9), sample.slot(1, 10)]
        for (others, say) in [([], "I'm afraid nothing else is free"), ([sample.slot(2, 9)], "I have nothing else free")] {
            sample.conversation = ConversationState()
            _ = try answers(#"{"when":"tomorrow"}"#, [slots])
            let reply = try answers(#"{"when":"tomorrow","more":true}"#, [slots, others]).reply
            #expect(reply?.result == ToolReply.Result.none)
            #expect(reply?.say?.hasPrefix(say) ?? false)
            #expect(reply?.text.hasPrefix("No other time is free then") ?? false)
        }
    }

    @Test mutating func moreKeepsTheServiceOrTakesAnother() throws {
        sample.profile.services = [
            .init(name: "Check up", durationMinutes: 30), .init(name: "Cleaning", durationMinutes: 60),
        ]
        _ = try answers(#"{"when":"tomorrow","service":"cleaning"}"#, [[sample.slot(1, 9)]])
        for (more, minutes) in [(#""more":true"#, 60), (#""more":true,"service":"check up""#, 30)] {
            var call = try sample.call("find_appointment_slots", #"{"when":"tomorrow",\#(more)}"#)
            guard case .search(_, let duration) = sample.handle(&call, .began) else {
                return #expect(Bool(false), "no search")
            }
            #expect(duration == minutes)
        }
    }

    /// Made or in doubt: it is nothing to offer to the one who asked for it.
    @Test mutating func ownAppointmentIsNotOffered() throws {
        sample.appointments = [
            Appointment(key: "k", startSeconds: ToolCallSample.instant(1, 9), durationMinutes: 30, state: .open)
        ]
        let reply = try answers(#"{"when":"tomorrow"}"#, [[sample.slot(1, 9), sample.slot(1, 10)]]).reply
        #expect(reply?.slots.map(\.offer.start) == [sample.slot(1, 10)])
    }

    @Test mutating func moreLeavesOutWhatWasOffered() throws {
        let slots = (9..<15).map { sample.slot(1, $0) }
        let first = try sample.find(#"{"when":"tomorrow"}"#, slots)
        let second = try sample.find(#"{"when":"tomorrow","more":"true"}"#, slots)
        #expect(first?.slots.count == 3)
        let heard = first?.slots.map(\.words) ?? []
        let others = second?.slots.map(\.words) ?? []
        #expect(!others.contains(where: heard.contains))
        #expect(second?.slots.count == 3)
    }

    @Test mutating func moreWithOtherWordsIsAnotherWish() throws {
        _ = try sample.find(#"{"when":"tomorrow"}"#, [sample.slot(1, 9)])
        let slots = [sample.slot(1, 10), sample.slot(2, 9)]
        #expect(try sample.find(#"{"when":"wednesday","more":true}"#, slots)?.slots.map(\.offer.start.local.day).count == 1)
        #expect(sample.conversation.offers.last?.start == sample.slot(2, 9))
    }

    @Test mutating func twoReadingsAreAQuestion() throws {
        var call = try sample.call("find_appointment_slots", #"{"when":"next Tuesday"}"#)
        let reply = sample.handle(&call, .began).reply
        #expect(reply?.result == .unclear)
        #expect(reply?.say?.hasPrefix("Do you mean ") ?? false)
        #expect(sample.conversation.offers.isEmpty)
    }

    @Test(arguments: [
        ("blah", "Which day and time would suit you?"),
        ("today at 7 am", "That time has passed. Which day would suit you?"),
    ])
    mutating func unclearWordsAskBack(_ when: String, _ say: String) throws {
        var call = try sample.call("find_appointment_slots", #"{"when":"\#(when)"}"#)
        let reply = sample.handle(&call, .began).reply
        #expect(reply?.result == .unclear)
        #expect(reply?.say == say)
    }

    @Test mutating func oneOfSeveralServicesMustBeNamed() throws {
        sample.profile.services = [
            .init(name: "Check up", durationMinutes: 30), .init(name: "Cleaning", durationMinutes: 60),
        ]
        var call = try sample.call("find_appointment_slots", #"{"when":"tomorrow"}"#)
        #expect(sample.handle(&call, .began).result == .unclear)
        call = try sample.call("find_appointment_slots", #"{"when":"tomorrow","service":"CLEANING"}"#)
        guard case .search(_, 60) = sample.handle(&call, .began) else { return #expect(Bool(false), "no search") }
    }

    /// After an interruption the model hears the end of the booking with its next search.
    @Test mutating func findTellsTheEndOfAnInterruptedBooking() throws {
        let start = ToolCallSample.instant(1, 15)
        sample.conversation.untold = ["k", "gone"]
        var call = try sample.call("find_appointment_slots")
        _ = sample.handle(&call, .began)
        #expect(call.notes.map(\.text) == ["It is not known what became of the booking before."], "the ledger forgot two")
        for (state, note) in [
            (Appointment.State.open, "not known yet"), (.made, "went through"), (.refused, "was not made"),
        ] {
            sample.appointments = [Appointment(key: "k", startSeconds: start, durationMinutes: 30, state: state)]
            sample.conversation.untold.insert("k")
            let reply = try sample.find(#"{"when":"tomorrow"}"#, [sample.slot(1, 16)])
            let text = try #require(reply).text
            #expect(text.contains(Substring(note)))
            #expect(sample.conversation.untold.contains("k") == (state == .open))
        }
    }

    @Test mutating func failedSearchOffersACallBack() throws {
        var call = try sample.call("find_appointment_slots", #"{"when":"tomorrow"}"#)
        _ = sample.handle(&call, .began)
        let reply = sample.handle(&call, .searched(.failure(.timeout))).reply
        #expect(reply?.result == .failed)
        #expect(reply?.isError ?? false)
    }

    @Test(arguments: ["en-US", "en-GB", "es", "fr"]) mutating func textStaysShort(_ name: String) throws {
        sample.profile.locale = try #require(VoiceLocale(name))
        let slots = (0..<14).flatMap { day in (9..<17).map { sample.slot(day, $0, 30) } }
        var call = try sample.call("find_appointment_slots", "{}")
        _ = sample.handle(&call, .began)
        let reply = try #require(sample.handle(&call, .searched(.success(slots))).reply)
        #expect(reply.text.utf8.count <= 600)
        #expect(!(reply.say ?? "").utf8.contains { (0x30...0x39).contains($0) })
    }
}
