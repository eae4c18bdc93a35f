extension TimeWish {
    /// Answers a request in JSON.
    ///
    ///     {"when":"tomorrow","time":"after three","time_zone":"America/New_York",
    ///      "now":"2030-01-14T13:00:00Z"}
    ///     {"clear":true,"readings":[{"from":"2030-01-15","to":"2030-01-15","not_before":"15:00",
    ///      "start_at":"2030-01-15T00:00:00-05:00","end_at":"2030-01-16T00:00:00-05:00"}],
    ///      "corrected":[],"assumed":["afternoon"]}
    ///
    /// - Throws: `time_unclear`, `unknown_time_zone`, `invalid_json`, `invalid_field`.
    package static func reply(json request: [UInt8]) throws(PartnerBookingError) -> [UInt8] {
        let document = try JSONDocument(request, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: "request", .request)
        let settings = try WishSettings(root)
        let when = try text("when", root)
        let time = try text("time", root)
        let result = withText(of: when) { when in
            withText(of: time) { time in
                Result { () throws(TimeProblem) in try TimeWish(when: when, time: time, settings) }
            }
        }
        return try result.mapError(PartnerBookingError.timeUnclear).get().json
    }

    /// Returns the text of a member that may be missing or null.
    private static func text(_ name: StaticString, _ root: ObjectReader) throws(PartnerBookingError) -> JSONValue? {
        if let value = try root.value(name), value.kind == .null { return nil }
        return try root.checkOptionalText(name, maxBytes: maxTextBytes, Form.spokenTime)
    }

    private static func withText<Result>(of value: JSONValue?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        value?.withText(body) ?? body(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// The reply that docs/json-contract.md describes.
    public var json: [UInt8] {
        JSONWriter.object(capacity: 384) { reply in
            reply.member("clear", isClear)
            reply.array("readings", readings) { reading, element in element.write(to: &reading) }
            reply.member("corrected", ifAny: corrected.map(\.rawValue))
            reply.member("assumed", ifAny: assumed.map(\.rawValue))
        }
    }
}

extension TimeWish.Reading {
    private static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// The first minute of a day at which a slot may begin, such as `15:00`.
    public var notBefore: String? { notBeforeMinute.map(WishFormat.time) }
    /// The first minute of a day at which no slot may begin any more, such as `17:00`.
    public var before: String? { beforeMinute.map(WishFormat.time) }
    /// The time to search around, such as `15:00`.
    public var around: String? { aroundMinute.map(WishFormat.time) }

    fileprivate func write(to object: inout JSONWriter) {
        object.member("from", from)
        object.member("to", to)
        object.member("weekdays", ifAny: weekdays?.map { Self.weekdays[$0] })
        object.member("not_before", ifAny: notBefore)
        object.member("before", ifAny: before)
        object.member("parts", ifAny: parts?.map(\.rawValue))
        object.member("around", ifAny: around)
        if isEarliest { object.member("earliest", true) }
        object.member("start_at", startAt)
        object.member("end_at", endAt)
    }
}

extension WishSettings {
    private static let weekdays: [(short: StaticString, long: StaticString)] = [
        ("mon", "monday"), ("tue", "tuesday"), ("wed", "wednesday"), ("thu", "thursday"), ("fri", "friday"),
        ("sat", "saturday"), ("sun", "sunday"),
    ]

    /// Reads the members that all functions for spoken words have, and the members of wishes.
    init(_ root: ObjectReader) throws(PartnerBookingError) {
        let locale = try VoiceLocale.read(root)
        var instant: Int?
        try root.checkOptionalText("now", maxBytes: 64, Form.rfc3339) { text in
            instant = Timestamp(text)?.instantSeconds
            return instant != nil
        }
        let days = try root.optionalInteger("max_days_ahead", in: 1...Self.mostDaysAhead) ?? 60
        let hours = try root.optionalObject("opening")
        let name = try root.checkText("time_zone", maxBytes: ZoneFile.maxNameBytes, Form.zoneName)
        let zone = try Zone.named(name.string ?? "")
        self.init(
            zone: zone, locale: locale, now: instant ?? WallClock.seconds(),
            opening: try hours.map(Self.opening), maxDaysAhead: days)
    }

    /// Reads opening hours in the sandbox's form. Names of weekdays may be cut to three letters.
    static func opening(_ reader: ObjectReader) throws(PartnerBookingError) -> [[Range<Int>]] {
        try reader.refuseMembers(except: weekdays.flatMap { [$0.short.description, $0.long.description] })
        var hours: [[Range<Int>]] = []
        for weekday in weekdays {
            var ranges: [Range<Int>] = []
            for name in [weekday.short, weekday.long] {
                for element in try reader.optionalList(name, maxCount: 8) ?? [] {
                    guard let range = element.withText(Self.range) ?? nil else {
                        throw reader.refuse(name, MemberMessage.hours)
                    }
                    ranges.append(range)
                }
            }
            hours.append(ranges)
        }
        return hours
    }

    /// Parses a range such as `09:00-17:00` into minutes after midnight.
    private static func range(_ text: UnsafeRawBufferPointer) -> Range<Int>? {
        guard text.count == 11, text[5] == UInt8(ascii: "-"),
            let start = Timestamp.minuteOfDay(.init(rebasing: text[..<5])),
            let end = Timestamp.minuteOfDay(.init(rebasing: text[6...])), start < end
        else { return nil }
        return start..<end
    }
}
