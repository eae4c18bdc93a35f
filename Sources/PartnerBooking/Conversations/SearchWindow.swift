/// The days of one search. Windows follow one another from today on, so that equal wishes make
/// equal searches.
struct SearchWindow: Hashable, Sendable {
    /// Days since 1970 in the clinic's zone, both included.
    let firstDay: Int
    let lastDay: Int

    /// Creates the window that contains a day. `today` begins the first window.
    init(day: Int, today: Int, _ profile: VoiceProfile) {
        let days = profile.prefetchDays
        firstDay = today + max(0, day - today) / days * days
        lastDay = min(firstDay + days, max(firstDay, today + profile.maxDaysAhead) + 1) - 1
    }

    /// Returns the window after this one. nil after the last day that can be booked.
    func next(today: Int, _ profile: VoiceProfile) -> SearchWindow? {
        guard lastDay < today + profile.maxDaysAhead else { return nil }
        return SearchWindow(day: lastDay + 1, today: today, profile)
    }

    /// Returns the request of the search.
    func request(botID: String, _ zone: Zone, _ options: CallMembers) -> [UInt8] {
        JSONWriter.object(capacity: 256) { request in
            request.member("bot_id", botID)
            request.object("query") { query in
                query.object("filter") { filter in
                    filter.object("start_at_range") { range in
                        range.member("start_at", WishFormat.instant(zone.startOfDay(firstDay), zone))
                        range.member("end_at", WishFormat.instant(zone.startOfDay(lastDay + 1), zone))
                    }
                }
            }
            options.write(&request)
        }
    }
}

/// The library's own members of a request.
struct CallMembers {
    let timeoutMilliseconds: Int
    var slowAfterMilliseconds: Int?
    var tag: String?
    var traceparent: String?
    var isDetached = false

    func write(_ request: inout JSONWriter) {
        request.member("timeout_ms", timeoutMilliseconds)
        request.member("slow_after_ms", ifAny: slowAfterMilliseconds)
        request.member("tag", ifAny: tag)
        request.member("traceparent", ifAny: traceparent)
        if isDetached { request.member("detach", true) }
    }
}
