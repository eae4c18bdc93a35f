extension BookingTools {
    /// Returns the reply of `pbk_tools`. docs/json-contract.md describes options and reply.
    ///
    ///     {"dialect":"anthropic",
    ///      "voice":{"locale":"en-GB","services":[{"name":"cleaning","duration_minutes":30}]}}
    ///     {"tools":[{"name":"find_appointment_slots",…},…],
    ///      "prompt":"You book appointments…","filler":"One moment, please."}
    ///
    /// - Throws: `invalid_json`, `invalid_field`.
    package static func reply(json options: [UInt8]) throws(PartnerBookingError) -> [UInt8] {
        let document = try JSONDocument(options, what: "options", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: "The options", .request)
        try root.refuseMembers(except: ["dialect", "voice", "bot_id", "look_up_caller"])
        let dialects: StaticString = "openai, openai_responses, openai_realtime, anthropic, gemini or mcp"
        guard let name = try root.optionalString("dialect", maxBytes: 32, dialects) else {
            throw root.missing("dialect", dialects.description)
        }
        guard let dialect = Dialect(name) else { throw root.refuse("dialect", "must be " + dialects.description) }
        let bot = try root.optionalString("bot_id", maxBytes: 256, "the bot's id")
        var tools = BookingTools(looksUpCaller: try root.optionalBoolean("look_up_caller") ?? false)
        if let voice = try root.optionalObject("voice") {
            try tools.read(voice, isOfBot: false)
            for (name, own) in try voice.optionalObjectsByName("bots") ?? [] {
                var other = tools
                try other.read(own, isOfBot: true)
                if name == bot { tools = other }
            }
        }
        return JSONWriter.object(capacity: 4608) { reply in
            reply.member("tools", json: tools.json(for: dialect))
            reply.member("prompt", tools.prompt)
            reply.member("filler", tools.filler)
        }
    }

    /// Reads the members of the configuration's `voice`, or a bot's members, which replace
    /// them. Most members do not concern a model.
    @inline(never)
    private mutating func read(_ voice: ObjectReader, isOfBot: Bool) throws(PartnerBookingError) {
        var known = [
            "time_zone", "locale", "region", "services", "step_minutes", "opening", "min_notice_minutes", "max_days_ahead",
            "offers", "confirm", "cache_ms", "prefetch_days", "items",
        ]
        if !isOfBot { known.append("bots") }
        try voice.refuseMembers(except: known)
        if voice.hasMember("locale") { locale = try VoiceLocale.read(voice) }
        if let word = try voice.optionalString("confirm", maxBytes: 16, "readback or none") {
            readsBack = word == "readback"
            guard readsBack || word == "none" else { throw voice.refuse("confirm", "must be readback or none") }
        }
        let objects = try voice.optionalObjects("services", maxCount: 64)
        if !objects.isEmpty { services = [] }
        for service in objects {
            try service.refuseMembers(except: ["name", "duration_minutes"])
            if let name = try service.optionalString("name", maxBytes: 64, "a name of at most 64 bytes") {
                services.append(name)
            }
        }
    }
}
