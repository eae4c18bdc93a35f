/// A required member that is missing. It looks for the intended member, with a similar name or
/// in another object.
struct MissingMember {
    private let name: StaticString
    private let reader: ObjectReader

    init(_ name: StaticString, of reader: ObjectReader) {
        self.name = name
        self.reader = reader
    }

    /// Returns the fault. `expected` completes "is required: …".
    func fault(_ expected: String) -> InputFault {
        let sentence = MemberMessage.required(expected) + RequestShape.of(reader.path(to: name.description))
        if let other = lookalike(in: reader.place) {
            return InputFault(.otherName, MemberMessage.otherName(other, sentence))
        }
        if let other = elsewhere() { return InputFault(.otherPlace, MemberMessage.otherPlace(other, sentence)) }
        return InputFault(.missing, sentence)
    }

    /// Returns the name of a member with the letters of one of the intended names. It contains
    /// no other text, which could be private.
    private func lookalike(in object: Int) -> String? {
        let names = Self.otherNames[name.description] ?? []
        let ownLetters = Self.letters(name.description)
        var found: String?
        reader.document.forEachKey(of: object) { key in
            guard found == nil, reader.document.span(at: key).count <= 40 else { return }
            let letters = Self.letters(reader.document.string(at: key) ?? "")
            if letters == ownLetters || names.contains(letters) { found = letters }
        }
        return found.flatMap { spelling(of: $0, in: object) }
    }

    /// Returns the name as it is written, if it has only letters, digits, `_`, `-` and blanks.
    private func spelling(of letters: String, in object: Int) -> String? {
        var found: String?
        reader.document.forEachKey(of: object) { key in
            guard found == nil, reader.document.span(at: key).count <= 40, let name = reader.document.string(at: key),
                Self.letters(name) == letters
            else { return }
            if name.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "_- ".utf8.contains($0) }) { found = name }
        }
        return found
    }

    /// Returns the path of a member with exactly this name in another object of the request.
    private func elsewhere() -> String? {
        let places =
            [[], ["booking"], ["booking", "customer"], ["customer"], ["query"], ["query", "filter"]] as [[StaticString]]
        for way in places {
            var object: JSONValue? = JSONValue(document: reader.document, place: 0)
            for step in way { object = object?[step] }
            guard let object, object.kind == .object, object.place != reader.place, object[name] != nil else { continue }
            return (way.map(\.description) + [name.description]).joined(separator: ".")
        }
        return nil
    }

    private static func letters(_ name: String) -> String {
        String(decoding: name.utf8.filter(\.isLetter).map { $0 | 0x20 }, as: UTF8.self)
    }

    /// Other names that language models use: letters only, in lower case.
    private static let otherNames: [String: Set<String>] = [
        "bot_id": ["bot"],
        "query": ["search"],
        "filter": ["filters"],
        "start_at_range": ["range", "timerange", "daterange", "startrange"],
        "start_at": [
            "start", "starttime", "startdate", "startdatetime", "starttimestamp", "starts", "startsat", "datetime", "time",
            "appointmenttime", "appointmentdatetime", "from", "begin", "scheduledat", "slot",
        ],
        "end_at": ["end", "endtime", "enddate", "enddatetime", "ends", "endsat", "to", "until"],
        "booking": ["appointment", "reservation"],
        "duration_minutes": [
            "duration", "minutes", "durationmin", "durationmins", "durationinminutes", "lengthminutes", "length",
        ],
        "customer": ["client", "caller", "patient", "contact", "guest"],
        "phone": [
            "phonenumber", "telephone", "tel", "mobile", "mobilenumber", "customerphone", "callerphone", "callerid",
            "phoneno",
        ],
        "name": ["fullname", "customername", "callername", "clientname", "patientname", "displayname"],
        "idempotency_key": ["key"],
    ]
}
