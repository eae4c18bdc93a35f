extension ToolCall {
    /// The caller's words become a range of days and times, or a question.
    mutating func beginFind(_ conversation: inout ConversationState) -> Effect {
        guard let service = profile.service(named: request.arguments.text("service")) else { return finish(whichService) }
        let last = request.arguments.isTrue("more") ? conversation.lastFind : nil
        let find: ConversationState.Find
        do throws(TimeProblem) {
            let wish = try readWish()
            if let last, !wish.isClear || wish.readings.first == last.reading || hasNoWords {
                find = last
            } else {
                guard wish.isClear, let reading = wish.readings.first else { return finish(whichReading(wish.readings)) }
                if wish.corrected.contains(.weekday) {
                    notes.append(("Date and weekday did not agree; the weekday was taken. Say the date to the caller.", nil))
                }
                find = ConversationState.Find(reading: reading, durationMinutes: service.durationMinutes)
            }
        } catch {
            guard let last else { return finish(unclear(error)) }
            find = last
        }
        conversation.lastFind = find
        return search(find, firstDay: find.firstDay ?? today, isFirst: true)
    }

    private mutating func search(_ find: ConversationState.Find, firstDay: Int, isFirst: Bool) -> Effect {
        let window = SearchWindow(day: firstDay, today: today, profile)
        state = .searching(.find(find, window, isFirst: isFirst))
        return .search(window, durationMinutes: find.durationMinutes)
    }

    private var hasNoWords: Bool { request.arguments.text("when") == nil && request.arguments.text("time") == nil }

    private func readWish() throws(TimeProblem) -> TimeWish {
        let settings = WishSettings(
            zone: profile.zone, locale: profile.locale, now: now, opening: profile.opening,
            maxDaysAhead: max(1, profile.maxDaysAhead))
        var (when, time) = (request.arguments.text("when") ?? "", request.arguments.text("time") ?? "")
        guard when.utf8.count <= TimeWish.maxTextBytes, time.utf8.count <= TimeWish.maxTextBytes else {
            throw TimeProblem(.notUnderstood, field: "when")
        }
        return try when.withUTF8 { when in
            time.withUTF8 { time in
                Result { () throws(TimeProblem) in
                    try TimeWish(when: UnsafeRawBufferPointer(when), time: UnsafeRawBufferPointer(time), settings)
                }
            }
        }.get()
    }

    // MARK: Questions

    private var whichService: ToolReply {
        let names = profile.services.compactMap(\.name).joined(separator: ", ")
        return ToolReply(
            result: .unclear,
            text: "Ask which kind of appointment the caller wants, then call again with service as one of: " + names + ".",
            say: words.say(words.text.askService))
    }

    private func unclear(_ problem: TimeProblem) -> ToolReply {
        let isPast = problem.reason == .past
        return ToolReply(
            result: .unclear,
            text: isPast
                ? "That time is past. Ask for another day, and pass on the caller's own words."
                : "The time was not understood. Ask for a day and a time, and pass on the caller's own words.",
            say: words.say(isPast ? words.text.askLater : words.text.askTime), error: .timeUnclear(problem))
    }

    private func whichReading(_ readings: [TimeWish.Reading]) -> ToolReply {
        let days = readings.map(\.firstDay)
        let isOneDay = days.allSatisfy { $0 == days.first }
        let isOneTime = readings.allSatisfy { $0.startMinute == readings.first?.startMinute }
        let instants = readings.compactMap { reading in
            reading.firstDay.map { profile.zone.instant(day: $0, minute: isOneTime ? 720 : reading.startMinute ?? 0) }
        }
        let list = words.times(instants, .or, isOneTime ? .day : isOneDay ? .time : .full)
        return ToolReply(
            result: .unclear,
            text: "The words have several meanings: " + list + ". Ask which one is meant, and call again with the answer.",
            say: words.say(words.text.whichTime, list))
    }

    // MARK: Answers

    mutating func found(
        _ result: Result<[SlotStart], PartnerBookingError>, _ find: ConversationState.Find, _ window: SearchWindow,
        isFirst: Bool,
        _ conversation: inout ConversationState
    ) -> Effect {
        let slots: [SlotStart]
        switch result {
        case .success(let found): slots = found
        case .failure(let error): return finish(failed(error))
        }
        let offered = request.arguments.isTrue("more") ? conversation.offers : []
        let left = slots.filter { slot in
            !offered.contains { $0.start.instant == slot.instant && $0.durationMinutes == find.durationMinutes }
        }
        let matching = find.reading.matching(left, profile, durationMinutes: find.durationMinutes, now: now)
        if !matching.isEmpty { return finish(offer(matching, find, &conversation)) }
        let near = nearest(to: find, left)
        if near.isEmpty || find.lastDay > window.lastDay, isFirst, let next = window.next(today: today, profile) {
            return search(find, firstDay: next.firstDay, isFirst: false)
        }
        guard !near.isEmpty else {
            return finish(
                ToolReply(
                    result: .none, text: "Nothing is free then, nor near it. Ask for another day.",
                    say: words.say(words.text.nothing)))
        }
        return finish(
            offer(
                near.offers(durationMinutes: find.durationMinutes), .none,
                "Nothing is free then. The nearest times: ", say: words.text.nearest, &conversation))
    }

    private func offer(
        _ matching: [SlotStart], _ find: ConversationState.Find, _ conversation: inout ConversationState
    ) -> ToolReply {
        let chosen = find.reading.choice(of: matching, profile)
        let offers = chosen.offers(durationMinutes: find.durationMinutes)
        var reply = offer(
            offers, .offered, "Offer these times, and no others: ",
            say: offers.count == 1 ? words.text.offerOne : words.text.offer, &conversation)
        if matching.count > offers.count { reply.text += " More are free: call again with more true." }
        return reply
    }

    /// Returns the slots of the day that is nearest to the wish, at the wanted time of the day if
    /// there are some.
    private func nearest(to find: ConversationState.Find, _ slots: [SlotStart]) -> [SlotStart] {
        let wanted = find.firstDay ?? today
        let atTime = slots.filter { find.reading.allows($0.local) }
        let options = atTime.contains { abs($0.local.day - wanted) <= 3 } ? atTime : slots
        let best = options.min { left, right in
            (abs(left.local.day - wanted), -left.local.day) < (abs(right.local.day - wanted), -right.local.day)
        }
        guard let day = best?.local.day else { return [] }
        let ofDay = options.filter { $0.local.day == day }
        return find.reading.choice(of: ofDay, profile)
    }
}

extension ConversationState.Find {
    /// Days since 1970.
    var firstDay: Int? { reading.firstDay }
    var lastDay: Int { reading.lastDay ?? Int.max }
}

extension TimeWish.Reading {
    /// Days since 1970.
    var firstDay: Int? { Self.day(from) }
    var lastDay: Int? { Self.day(to) }

    private static func day(_ date: String) -> Int? {
        guard case .date(let day)? = Timestamp(date) else { return nil }
        return day
    }

    /// The time of the day that the words name first; nil: none.
    fileprivate var startMinute: Int? { aroundMinute ?? notBeforeMinute ?? beforeMinute }

    private func options(_ profile: VoiceProfile, durationMinutes: Int, now: Int) -> SlotOptions {
        var options = profile.slotOptions(durationMinutes: durationMinutes, now: now)
        (options.from, options.to) = (from, to)
        options.weekdays = Set(weekdays ?? [])
        (options.notBefore, options.before) = (notBeforeMinute, beforeMinute)
        options.parts = slotParts
        return options
    }

    private var slotParts: Set<SlotOptions.Part> {
        Set((parts ?? []).compactMap { SlotOptions.Part(rawValue: $0.rawValue) })
    }

    /// Returns the slots that the wish allows.
    fileprivate func matching(_ slots: [SlotStart], _ profile: VoiceProfile, durationMinutes: Int, now: Int) -> [SlotStart] {
        let options = options(profile, durationMinutes: durationMinutes, now: now)
        guard let filter = try? SlotFilter(options, zone: profile.zone) else { return [] }
        return slots.filter { filter.earliest <= $0.instant && $0.instant <= filter.latest && filter.allows($0.local) }
    }

    /// Returns whether the time of the day fits.
    fileprivate func allows(_ local: LocalTime) -> Bool {
        let minute = local.minuteOfDay
        return (notBeforeMinute ?? 0) <= minute && minute < (beforeMinute ?? 1_440)
            && (slotParts.isEmpty || slotParts.contains { $0.contains(minuteOfDay: minute) })
    }

    /// Chooses what to offer.
    fileprivate func choice(of slots: [SlotStart], _ profile: VoiceProfile) -> [SlotStart] {
        if isEarliest { return Array(slots.prefix(profile.offers)) }
        if let aroundMinute, let day = slots.first?.local.day {
            let target = profile.zone.instant(day: day, minute: aroundMinute)
            return SlotChoice.around(target, slots, in: profile.zone, count: profile.offers)
        }
        return SlotChoice.spread(slots, count: profile.offers)
    }
}

extension Zone {
    /// Returns the instant of a time on the clock of a day.
    func instant(day: Int, minute: Int) -> Int {
        switch instants(atWall: day * 86_400 + minute * 60) {
        case .one(let instant), .two(let instant, _), .gap(let instant): instant
        }
    }
}
