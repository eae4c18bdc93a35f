import Testing

@testable import PartnerBooking

/// The conversations of a client, and its cache of replies.
@Suite struct ConversationTableTests {
    private static func name(_ call: Int) -> ToolRequest.CallName { .init(botID: "bot_1", callID: "call-\(call)") }

    @Test func leastRecentlyUsedGoFirst() {
        var table = ConversationTable(limit: 8)
        for call in 0..<8 { table.change(Self.name(call), now: call) { $0.refusals["x"] = call } }
        table.change(Self.name(0), now: 100) { _ in }
        table.change(Self.name(8), now: 101) { _ in }
        #expect(table.count == 8)
        #expect(table.change(Self.name(0), now: 102) { $0.refusals["x"] } == 0)
        #expect(table.change(Self.name(2), now: 103) { $0.refusals["x"] } == 2)
    }

    @Test func bookingUnderWayKeepsItsConversation() {
        var table = ConversationTable(limit: 2)
        table.change(Self.name(0), now: 0) {
            $0.sending = [Appointment(key: "k", startSeconds: 0, durationMinutes: 30, state: .open)]
        }
        for call in 1..<6 { table.change(Self.name(call), now: call) { _ in } }
        #expect(table.change(Self.name(0), now: 9) { $0.sending.count } == 1)
    }

    @Test func hourWithoutACallForgets() {
        var table = ConversationTable()
        table.change(Self.name(0), now: 0) { $0.refusals["x"] = 1 }
        #expect(table.change(Self.name(0), now: 3_600) { $0.refusals["x"] } == 1)
        #expect(table.change(Self.name(0), now: 7_201) { $0.refusals["x"] } == nil)
    }

    @Test func forgottenConversationBeginsAnew() {
        var table = ConversationTable()
        table.change(Self.name(0), now: 0) { $0.refusals["x"] = 1 }
        table.forget(Self.name(0))
        #expect(table.count == 0)
    }

    // MARK: The cache

    private static let reply = Array(
        #"{"availabilities":[{"start_at":"2030-01-15T15:00:00Z","duration_minutes":60},{"start_at":"2030-01-15T16:00:00Z","duration_minutes":30}]}"#
            .utf8)

    private func moment(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0).adding(milliseconds: milliseconds)
    }

    @Test func cacheAnswersForItsTimeAndWithoutWhatIsGone() throws {
        let profile = try ToolCallSample().profile
        let now = ToolCallSample.now
        let today = profile.zone.local(at: now).day
        let key = AvailabilityCache.Key(botID: "bot_1", window: SearchWindow(day: today, today: today, profile))
        var cache = AvailabilityCache()
        let slots = try AvailabilityCache.slots(of: Self.reply, durationMinutes: 30, profile, now: now)
        #expect(slots.count == 3)
        let kept = cache.insert(Self.reply, slots, durationMinutes: 30, for: key, askedAt: moment(0), profile, at: moment(5))
        #expect(kept.count == 3)
        #expect(cache.slots(key, durationMinutes: 60, profile, now: now, at: moment(10))?.count == 1, "from the same reply")
        cache.remove(botID: "bot_1", startSeconds: slots[0].instant, durationMinutes: 30, at: moment(20))
        #expect(cache.slots(key, durationMinutes: 30, profile, now: now, at: moment(30))?.count == 2)
        #expect(cache.slots(key, durationMinutes: 60, profile, now: now, at: moment(30))?.isEmpty ?? false)
        #expect(cache.slots(key, durationMinutes: 30, profile, now: now, at: moment(20_000)) == nil)
        // A search that began before the booking still lists the slot.
        let late = cache.insert(
            Self.reply, slots, durationMinutes: 30, for: key, askedAt: moment(19), profile, at: moment(40))
        #expect(late.count == 2)
        let new = cache.insert(
            Self.reply, slots, durationMinutes: 30, for: key, askedAt: moment(21), profile, at: moment(50))
        #expect(new.count == 3, "the platform says that it is free again")
    }

    @Test func windowsFollowOneAnother() throws {
        var profile = try ToolCallSample().profile
        profile.maxDaysAhead = 30
        let first = SearchWindow(day: 100, today: 100, profile)
        #expect((first.firstDay, first.lastDay) == (100, 113))
        #expect(SearchWindow(day: 113, today: 100, profile) == first)
        let next = try #require(first.next(today: 100, profile))
        #expect((next.firstDay, next.lastDay) == (114, 127))
        let last = try #require(next.next(today: 100, profile))
        #expect((last.firstDay, last.lastDay) == (128, 130))
        #expect(last.next(today: 100, profile) == nil)
    }
}
