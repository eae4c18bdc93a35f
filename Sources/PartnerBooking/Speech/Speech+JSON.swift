extension Speech {
    /// Answers `pbk_say`. docs/json-contract.md describes the request and the reply.
    ///
    ///     {"start_at":"2030-01-16T14:30:00Z","time_zone":"America/New_York"}
    ///     {"say":"Wednesday, January sixteenth at nine thirty in the morning"}
    ///
    /// - Throws: `unknown_time_zone`, `phone_unclear`, `invalid_json`, `invalid_field`.
    package static func reply(json request: [UInt8]) throws(PartnerBookingError) -> [UInt8] {
        let document = try JSONDocument(request, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)
        let subject = try Subject(root)
        let locale = try VoiceLocale.read(root)
        switch subject {
        case .starts(let name):
            let speech = try Speech(root, locale)
            let instants = try speech.instants(root, name)
            let style = try choice(root, "style", Form.speechStyle) { Style(rawValue: $0) } ?? .full
            let joiner = try choice(root, "joiner", Form.speechJoiner) { Joiner(rawValue: $0) } ?? .or
            return speech.writer(instants, joiner, style, now: try now(root)).json
        case .phone:
            let phone = try PhoneNumber.read(root, "phone", locale)
            return JSONWriter.object(capacity: 192) { $0.member("say", phone.words) }
        case .length:
            let minutes = try root.integer("duration_minutes", in: 1...maxMinutes)
            var writer = SpeechWriter(locale.speech)
            writer.length(minutes: minutes)
            return writer.json
        }
    }

    /// The kind of words to say.
    private enum Subject {
        case starts(StaticString)
        case phone, length

        private static let names: [StaticString] = ["start_at", "slot", "slots", "phone", "duration_minutes"]
        private static let options: [StaticString] = ["time_zone", "locale", "now", "style", "joiner", "region"]

        init(_ root: ObjectReader) throws(PartnerBookingError) {
            var found: StaticString?
            for (key, _) in root.object.members {
                if Self.options.contains(where: key.equals) { continue }
                guard let name = Self.names.first(where: key.equals) else {
                    throw root.refuseMember(key, (Self.names + Self.options).map(\.description))
                }
                if let found {
                    let isTwice = found.description == name.description
                    let reason = isTwice ? MemberMessage.twice : MemberMessage.tooMuch(beside: found)
                    throw root.refuse(name, reason)
                }
                found = name
            }
            guard let found else {
                throw root.refuse("slots", MemberMessage.nothingToSay)
            }
            switch found.description {
            case "phone": self = .phone
            case "duration_minutes": self = .length
            default: self = .starts(found)
            }
        }
    }

    private init(_ root: ObjectReader, _ locale: VoiceLocale) throws(PartnerBookingError) {
        let zone = try root.checkText("time_zone", maxBytes: 256, Form.zoneName).string
        try self.init(timeZone: zone ?? "", locale: locale)
    }

    /// Reads the starts in `start_at`, `slot` or `slots`.
    private func instants(_ root: ObjectReader, _ name: StaticString) throws(PartnerBookingError) -> [Int] {
        guard let value = try root.value(name) else { return [] }
        guard value.kind == .array else {
            let isSlot = value.kind == .object
            guard let instant = instant(value) else {
                let form = Form.spokenStart
                throw root.refuse(name, isSlot ? MemberMessage.startAt(form) : MemberMessage.mustBe(form))
            }
            return [instant]
        }
        let form = Form.list(of: 1...Self.maxCount)
        var instants: [Int] = []
        for element in value.elements {
            guard instants.count < Self.maxCount else { throw root.refuse(name, MemberMessage.mustBe(form)) }
            guard let instant = instant(element) else {
                throw root.refuse(name, MemberMessage.noStart(at: instants.count, form))
            }
            instants.append(instant)
        }
        guard !instants.isEmpty else { throw root.refuse(name, MemberMessage.mustBe(form)) }
        return instants
    }

    /// Reads a time, or an object that contains one.
    private func instant(_ value: JSONValue) -> Int? {
        let written = value.kind == .object ? value.first(of: "start_at", "start", "start_time", "startAt") : value
        return written.flatMap { ItemTime($0) }.flatMap(instant)
    }

    private static func now(_ root: ObjectReader) throws(PartnerBookingError) -> Int? {
        var now: Int?
        try root.checkOptionalText("now", maxBytes: 64, Form.dateTime) {
            now = Timestamp($0)?.instantSeconds
            return now != nil
        }
        return now
    }

    private static func choice<Choice>(
        _ root: ObjectReader, _ name: StaticString, _ expected: StaticString, _ make: (String) -> Choice?
    ) throws(PartnerBookingError) -> Choice? {
        var choice: Choice?
        try root.checkOptionalText(name, maxBytes: 16, expected) {
            choice = make(String(decoding: $0, as: UTF8.self))
            return choice != nil
        }
        return choice
    }
}

extension SpeechWriter {
    /// The reply as JSON. Its words need no escapes.
    fileprivate var json: [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(bytes.count + 16)
        json += #"{"say":""#.utf8
        json += bytes
        json += #""}"#.utf8
        return json
    }
}
