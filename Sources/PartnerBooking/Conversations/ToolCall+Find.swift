extension ToolCall {
    /// Turns the caller's words into a range of days and times, or into a question.
    mutating func beginFind(_ conversation: inout ConversationState) -> Effect {
        let last = request.arguments.isTrue("more") ? conversation.lastFind : nil
        let service = request.arguments.text("service")
        let lastDuration = service == nil ? last?.durationMinutes : nil
        guard let duration = lastDuration ?? profile.service(named: service)?.durationMinutes else {
            conversation.isAsking = true
            return finish(whichService)
        }
        let reading: TimeWish.Reading
        do throws(TimeProblem) {
            let wish = try readWish()
            if let last, !wish.isClear || wish.readings.first == last.reading || hasNoWords {
                reading = last.reading
            } else {
                guard wish.isClear, let first = wish.readings.first else {
                    conversation.isAsking = true
                    return finish(whichReading(wish.readings))
                }
                if wish.corrected.contains(.weekday) {
                    notes.append(("Date and weekday did not agree; the weekday was taken. Say the date to the caller.", nil))
                }
                reading = first
            }
        } catch {
            guard let last else { return finish(unclear(error)) }
            reading = last.reading
        }
        let find = ConversationState.Find(reading: reading, durationMinutes: duration)
        conversation.lastFind = find
        // For a wish after the last bookable day, the days before that day are the nearest.
        let day = min(find.firstDay ?? today, today + profile.maxDaysAhead)
        return search(find, SearchWindow(day: day, today: today, profile), Seen())
    }

    private mutating func search(_ find: ConversationState.Find, _ window: SearchWindow, _ seen: Seen) -> Effect {
        state = .searching(.find(find, window, seen))
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
        _ seen: Seen, _ conversation: inout ConversationState
    ) -> Effect {
        let slots: [SlotStart]
        let (minutes, earliest) = (find.durationMinutes, now + profile.minNoticeMinutes * 60)
        switch result {
        // The cache may have slots that were bookable only until a moment ago.
        case .success(let found):
            slots = found.filter { $0.instant >= earliest && !isCallers($0, durationMinutes: minutes) }
        case .failure(let error): return finish(failed(error))
        }
        let offered = request.arguments.isTrue("more") ? conversation.offers : []
        let left = slots.filter { slot in
            !offered.contains { $0.start.instant == slot.instant && $0.durationMinutes == minutes }
        }
        let matching = find.reading.matching(left, profile, durationMinutes: minutes, now: now)
        if !matching.isEmpty { return finish(offer(matching, find, &conversation)) }
        var seen = seen
        seen.nearest = nearest(to: find, seen.nearest + left)
        if !offered.isEmpty, !seen.wasOffered {
            seen.wasOffered = !find.reading.matching(slots, profile, durationMinutes: minutes, now: now).isEmpty
        }
        // Searches to the end of the wish, and one window further for slots near it.
        if find.lastDay > window.lastDay || seen.nearest.isEmpty && window.firstDay <= find.lastDay,
            let next = window.next(today: today, profile)
        {
            return search(find, next, seen)
        }
        return finish(nothingFits(find, seen, &conversation))
    }

    private func nothingFits(
        _ find: ConversationState.Find, _ seen: Seen, _ conversation: inout ConversationState
    ) -> ToolReply {
        let what = seen.wasOffered ? "No other time is free then" : "Nothing is free then"
        guard !seen.nearest.isEmpty else {
            return ToolReply(
                result: .none, text: what + ", nor near it. Ask for another day.",
                say: words.say(seen.wasOffered ? words.text.nothingElse : words.text.nothing))
        }
        return offer(
            seen.nearest.offers(durationMinutes: find.durationMinutes), .none, what + ". The nearest times: ",
            say: seen.wasOffered ? words.text.nearestElse : words.text.nearest, &conversation)
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

    /// Returns slots of the day nearest to the wish, at the wanted time if there are some
    /// within 3 days.
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

    /// The time of day that the words name first. nil when they name none.
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

    /// Returns whether the time of day fits.
    fileprivate func allows(_ local: LocalTime) -> Bool {
        let minute = local.minuteOfDay
        return (notBeforeMinute ?? 0) <= minute && minute < (beforeMinute ?? 1_440)
            && (slotParts.isEmpty || slotParts.contains { $0.contains(minuteOfDay: minute) })
    }

    /// Chooses the slots to offer.
    fileprivate func choice(of slots: [SlotStart], _ profile: VoiceProfile) -> [SlotStart] {
        if isEarliest { return Array(slots.prefix(profile.offers)) }
        if let aroundMinute, let day = slots.first?.local.day {
            let target = profile.zone.instant(day: day, minute: aroundMinute)
            return SlotChoice.around(target, slots, in: profile.zone, count: profile.offers)
        }
        return SlotChoice.spread(slots, count: profile.offers)
    }
}
