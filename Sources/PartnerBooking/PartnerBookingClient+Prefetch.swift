/// The beginning and the end of conversations: the search ahead when the phone rings, and the
/// hang-up.
extension PartnerBookingClient {
    /// Searches ahead, when the phone rings. Returns at once.
    public func prefetch(_ json: [UInt8]) throws(PartnerBookingError) {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        let document = try JSONDocument(json, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)
        try root.refuseMembers(except: ["bot_id", "service", "timeout_ms", "tag"])
        let botID = try root.checkText("bot_id", maxBytes: 256, Form.text1To256) { !$0.isEmpty }.string ?? ""
        let profile = try profile(botID)
        let name = try root.optionalString("service", maxBytes: 64, Form.knownService)
        guard let service = name == nil ? profile.services.first : profile.service(ofName: name) else {
            throw root.refuse("service", MemberMessage.mustBe(Form.knownService))
        }
        let timeout =
            try root.optionalInteger("timeout_ms", in: 1...600_000)
            ?? callDefaults.timeoutMilliseconds(for: .searchAvailability)
        let members = CallMembers(
            timeoutMilliseconds: timeout, tag: try root.optionalString("tag", maxBytes: 256, Form.textUpTo256)
        )
        let now = clock.coarseSeconds()
        let today = profile.zone.local(at: now).day
        let key = AvailabilityCache.Key(botID: botID, window: SearchWindow(day: today, today: today, profile))
        let askedAt = MonotonicTime.now()
        let isNeeded = tools.withLock { desk in
            desk.prefetches[key] == nil
                && desk.cache.slots(key, durationMinutes: service.durationMinutes, profile, now: now, at: askedAt) == nil
        }
        guard isNeeded else { return }
        let call = try prepare(
            .searchAvailability, request: key.window.request(botID: botID, profile.zone, members),
            for: .relay { [weak self] completion in
                guard let self, case .done(let result) = completion.event else { return }
                tools.withLock { $0.prefetches[key] = nil }
                guard case .success(let reply) = result else { return }
                keep(reply, key, service.durationMinutes, profile, now: now, askedAt: askedAt)
            }, isShared: true)
        try tools.withLock { desk throws(PartnerBookingError) in
            try submit(call)
            desk.prefetches[key] = call.ticket
        }
    }

    /// Forgets a conversation. Its bookings stay in the ledger.
    public func endConversation(_ json: [UInt8]) throws(PartnerBookingError) {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        let document = try JSONDocument(json, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)
        try root.refuseMembers(except: ["bot_id", "call_id"])
        let call = try ToolRequest.CallName(root)
        tools.withLock { $0.conversations.forget(call) }
    }

    /// Ends the searches that no call waits for, because the client closes.
    func endPrefetches() { for ticket in tools.withLock({ Array($0.prefetches.values) }) { loop.cancel(ticket) } }
}
