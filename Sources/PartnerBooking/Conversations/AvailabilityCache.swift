/// Replies of recent searches. The next wish is answered from them without network.
struct AvailabilityCache: Sendable {
    struct Key: Hashable, Sendable {
        let botID: String
        let window: SearchWindow
    }

    /// A slot that is gone, although a reply has it.
    private struct Removal: Sendable {
        let botID: String
        let seconds: Range<Int>
        let at: MonotonicTime
    }

    private struct Entry: Sendable {
        let reply: [UInt8]
        let askedAt: MonotonicTime
        /// By length of the appointment, in minutes.
        var slots: [Int: [SlotStart]] = [:]
    }

    private var entries: [Key: Entry] = [:]
    private var removals: [Removal] = []

    private static let maxEntries = 64
    private static let maxReplyBytes = 262_144
    /// A search that began before a removal has ended after this time.
    private static let removalMilliseconds = 660_000
    private static let maxRemovals = 1_000

    /// Returns the slots of a reply that is not older than the profile allows. nil when the
    /// service must be asked.
    mutating func slots(_ key: Key, durationMinutes: Int, _ profile: VoiceProfile, now: Int, at moment: MonotonicTime)
        -> [SlotStart]?
    {
        guard let entry = entries[key], moment.milliseconds(since: entry.askedAt) < profile.cacheMilliseconds else {
            return nil
        }
        if let slots = entry.slots[durationMinutes] { return slots }
        guard let slots = try? Self.slots(of: entry.reply, durationMinutes: durationMinutes, profile, now: now) else {
            return nil
        }
        let left = without(removalsSince: entry.askedAt, slots, key.botID, durationMinutes)
        entries[key]?.slots[durationMinutes] = left
        return left
    }

    /// Keeps a reply. Returns its slots without those removed since the search began.
    mutating func insert(
        _ reply: [UInt8], _ slots: [SlotStart], durationMinutes: Int, for key: Key, askedAt: MonotonicTime,
        _ profile: VoiceProfile, at moment: MonotonicTime
    ) -> [SlotStart] {
        let left = without(removalsSince: askedAt, slots, key.botID, durationMinutes)
        guard profile.cacheMilliseconds > 0, reply.count <= Self.maxReplyBytes else { return left }
        if let known = entries[key], known.askedAt > askedAt { return left }
        if entries[key] == nil, entries.count >= Self.maxEntries,
            let oldest = entries.min(by: { $0.value.askedAt < $1.value.askedAt })
        {
            entries[oldest.key] = nil
        }
        entries[key] = Entry(reply: reply, askedAt: askedAt, slots: [durationMinutes: left])
        return left
    }

    /// Removes a slot that is gone: booked, or refused.
    mutating func remove(botID: String, startSeconds: Int, durationMinutes: Int, at moment: MonotonicTime) {
        removals.removeAll { moment.milliseconds(since: $0.at) > Self.removalMilliseconds }
        if removals.count >= Self.maxRemovals { removals.removeFirst() }
        let seconds = startSeconds..<startSeconds + durationMinutes * 60
        removals.append(Removal(botID: botID, seconds: seconds, at: moment))
        for (key, entry) in entries where key.botID == botID {
            for (duration, slots) in entry.slots {
                entries[key]?.slots[duration] = slots.filter { !$0.overlaps(seconds, durationMinutes: duration) }
            }
        }
    }

    private func without(
        removalsSince moment: MonotonicTime, _ slots: [SlotStart], _ botID: String, _ durationMinutes: Int
    ) -> [SlotStart] {
        let gone = removals.filter { $0.botID == botID && $0.at >= moment }
        guard !gone.isEmpty else { return slots }
        return slots.filter { slot in !gone.contains { slot.overlaps($0.seconds, durationMinutes: durationMinutes) } }
    }

    /// Reads the slots of a reply.
    static func slots(
        of reply: [UInt8], durationMinutes: Int, _ profile: VoiceProfile, now: Int
    ) throws(PartnerBookingError) -> [SlotStart] {
        let options = profile.slotOptions(durationMinutes: durationMinutes, now: now)
        return try SlotList.search(reply: reply, options, profile.zone).slots
    }
}

extension SlotStart {
    func overlaps(_ seconds: Range<Int>, durationMinutes: Int) -> Bool {
        instant < seconds.upperBound && seconds.lowerBound < instant + durationMinutes * 60
    }
}
