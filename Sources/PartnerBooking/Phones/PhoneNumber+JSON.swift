extension PhoneNumber {
    /// Returns the reply to a request in JSON.
    ///
    ///     {"text":"oh seven four double oh, one two three, four five six",
    ///      "region":"GB","locale":"en-GB"}
    ///     {"phone":"+447400123456","region":"GB","groups":["07400","123","456"],
    ///      "say":"zero seven four zero zero, …"}
    ///
    /// - Throws: `phone_unclear`, `invalid_json`, `invalid_field`.
    package static func reply(json request: [UInt8]) throws(PartnerBookingError) -> [UInt8] {
        let document = try JSONDocument(request, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: "request", .request)
        try root.refuseMembers(except: ["text", "region", "locale"])
        let locale = try VoiceLocale.read(root)
        return try read(root, "text", locale).json
    }

    /// Reads a number from the member `name`, and its region from the member `region`.
    static func read(
        _ root: ObjectReader, _ name: StaticString, _ locale: VoiceLocale
    ) throws(PartnerBookingError) -> PhoneNumber {
        var plan: PhonePlan?
        try root.checkOptionalText("region", maxBytes: 2, Form.region) { region in
            plan = PhonePlan(region: region)
            return plan != nil
        }
        var result: Result<PhoneNumber, PhoneProblem> = .failure(PhoneProblem(.noDigits))
        try root.checkText(name, maxBytes: maxTextBytes, Form.spokenPhone) { text in
            result = Result { () throws(PhoneProblem) in try PhoneNumber(text, region: plan, locale: locale) }
            return true
        }
        return try result.mapError { problem in
            var error = PartnerBookingError.phoneUnclear(problem)
            error.field = name.description
            return error
        }.get()
    }

    /// The reply, as docs/json-contract.md describes it.
    public var json: [UInt8] {
        var list: [UInt8] = [UInt8(ascii: "[")]
        for group in groups {
            // Digits and a plus sign need no escapes.
            list += list.count > 1 ? ",\"".utf8 : "\"".utf8
            list += group.utf8
            list.append(UInt8(ascii: "\""))
        }
        list.append(UInt8(ascii: "]"))
        return JSONWriter.object(capacity: 320) { reply in
            reply.member("phone", e164)
            reply.member("region", region)
            reply.member("groups", json: list)
            if let extensionDigits { reply.member("extension", extensionDigits) }
            reply.member("say", words)
        }
    }
}
