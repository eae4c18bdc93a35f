// Each line is a tool call of one conversation: a letter for the tool, a digit for what the service
// makes of it, and the arguments as a model wrote them. They are read as a text and, if they are
// JSON, as they are: both have the same end.
@testable import PartnerBooking

private let now = 1_893_672_000

private let profile: VoiceProfile = {
    var profile = VoiceProfile(zone: required(try? ZoneCache.shared.zone("America/New_York"), "the zone is there"))
    var region = "US"
    profile.region = region.withUTF8 { PhonePlan(region: UnsafeRawBufferPointer($0)) }
    return profile
}()

/// Ten days with eight free hours each.
private let slots: [SlotStart] = {
    let days = (0..<10).map { #"{"start_at":\#(now + 7_200 + $0 * 86_400),"duration_minutes":480}"# }
    let reply = #"{"availabilities":[\#(days.joined(separator: ","))]}"#
    return required(
        try? AvailabilityCache.slots(of: Array(reply.utf8), durationMinutes: 30, profile, now: now), "the reply is read")
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTool(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    checkRequest(input)
    var (asText, asJSON) = (PhoneCall(), PhoneCall())
    for line in input.split(separator: UInt8(ascii: "\n")).prefix(12) where line.count > 2 {
        let letters = Array(line.prefix(2))
        let arguments = Array(line.dropFirst(2))
        let quoted = JSONWriter.object { $0.member("a", arguments.text) }.dropFirst(5).dropLast()
        let first = asText.ask(letters, Array(quoted))
        let isJSON = (try? JSONDocument(arguments, profile: .request)) != nil
        let second = asJSON.ask(letters, isJSON ? arguments : Array(quoted))
        // A text in a text may be read one level deeper.
        guard first != second else { continue }
        require(arguments.first == UInt8(ascii: "\""), "a text of arguments means the same: \(first) and \(second)")
        return 0
    }
    return 0
}

/// The whole input as a request.
private func checkRequest(_ input: [UInt8]) {
    do throws(PartnerBookingError) {
        let request = try ToolRequest(json: input)
        require(!request.callID.isEmpty && !request.botID.isEmpty, "a request names its call")
    } catch {
        requireUsable(error, of: input)
    }
}

/// One conversation with a service that does as it is told.
private struct PhoneCall {
    private var conversation = ConversationState()
    private var appointments: [Appointment] = []
    /// Starts that the caller was told of, in seconds since 1970.
    private var told: Set<Int> = []

    /// Gives the result.
    mutating func ask(_ letters: [UInt8], _ arguments: [UInt8]) -> String {
        let tools = ["f": "find_appointment_slots", "b": "book_appointment", "l": "look_up_caller"]
        let letter = [letters[0]].text
        let tool = tools[letter.lowercased()] ?? "nothing"
        let isSpeculative = letter == "B"
        let head = #"{"tool":"\#(tool)","call_id":"c","bot_id":"b","caller_phone":"+14155550137","#
        let json = Array((head + #""speculative":\#(isSpeculative),"arguments":"#).utf8) + arguments + [UInt8(ascii: "}")]
        guard let request = try? ToolRequest(json: json) else {
            // The arguments may be too long, or end the object.
            return "refused"
        }
        var call = ToolCall(request, profile, appointments, now: now)
        var effect = call.handle(.began, &conversation)
        for _ in 0..<24 {
            // The caller's own name is read back, whatever it is.
            let isNamedSo = hasMark(ToolWords.name(request.arguments.text("name") ?? ""))
            if case .finish(let reply) = effect { return check(reply, tool, isSpeculative, isNamedSo) }
            effect = call.handle(event(for: effect, letters[1], request), &conversation)
        }
        fatalError("NOT TRUE: a call ends")
    }

    private mutating func event(for effect: ToolCall.Effect, _ digit: UInt8, _ request: ToolRequest) -> ToolCall.Event {
        switch effect {
        case .search:
            switch digit {
            case UInt8(ascii: "1"): return .searched(.failure(.timeout))
            case UInt8(ascii: "2"): return .searched(.success([]))
            case UInt8(ascii: "3"): return .refused(.queueFull(1))
            default: return .searched(.success(slots))
            }
        case .settle(let key):
            guard digit != UInt8(ascii: "4") else { return .settled(.failure(doubt)) }
            if let place = appointments.firstIndex(where: { $0.key == key }) { appointments[place].state = .made }
            return .settled(.success(reply(appointments.last { $0.key == key }?.startSeconds ?? now)))
        case .book(let wish): return booked(wish, digit, request)
        case .lookUp:
            let found = #"{"found":true,"customer":{"name":"R2 <b>2031-05-05T11:11:00Z</b> Ann-Marie"}}"#
            return .lookedUp(digit == UInt8(ascii: "1") ? .failure(.timeout) : .success(Array(found.utf8)))
        case .finish: fatalError("NOT TRUE: it has ended")
        }
    }

    private mutating func booked(_ wish: BookingWish, _ digit: UInt8, _ request: ToolRequest) -> ToolCall.Event {
        require(told.contains(wish.startSeconds), "only what was offered or read back is booked: \(wish)")
        require(request.arguments.isTrue("caller_confirmed"), "only what is confirmed is booked: \(wish)")
        require(!request.isSpeculative, "a speculative call books nothing: \(wish)")
        let key = wish.key(request.call, refusals: conversation.refusals.count)
        switch digit {
        case UInt8(ascii: "5"): return .bookingEnded(.failure(refusal), key: key)
        case UInt8(ascii: "3"): return .refused(.queueFull(1))
        default: break
        }
        let isMade = digit != UInt8(ascii: "4")
        appointments.append(
            Appointment(
                key: key, startSeconds: wish.startSeconds, durationMinutes: wish.offer.durationMinutes,
                state: isMade ? .made : .open))
        return .bookingEnded(isMade ? .success(reply(wish.startSeconds)) : .failure(doubt), key: key)
    }

    private var refusal: PartnerBookingError {
        let reply = HTTPReply(status: 409, body: Array(#"{"error":{"code":"slot_unavailable","message":"Quokka"}}"#.utf8))
        guard case .failure(var error) = AttemptResult(.reply(reply), to: .init(operation: .createBooking)).result else {
            fatalError("NOT TRUE: a 409 is an error")
        }
        error.outcome = .rejected
        return error
    }

    private var doubt: PartnerBookingError {
        var error = PartnerBookingError.timeout
        error.outcome = .unknown
        return error
    }

    private func reply(_ seconds: Int) -> [UInt8] {
        let start = Timestamp.format(seconds: seconds, offsetMinutes: 0)
        return Array(#"{"booking":{"id":"7","status":"confirmed","start_at":"\#(start)","notes":"Quokka"}}"#.utf8)
    }

    // MARK: Answers

    private mutating func check(_ reply: ToolReply, _ tool: String, _ isSpeculative: Bool, _ isNamedSo: Bool) -> String {
        let json = reply.json(tool)
        let root = required((try? JSONDocument(json, profile: .reply))?.root, "an answer is JSON: \(json.text)")
        let result = required(root["result"]?.string, "it has a result: \(json.text)")
        require(ToolReply.Result(rawValue: result) != nil, "a result of the table: \(result)")
        require(!reply.text.isEmpty, "there is something for the model: \(json.text)")
        for sentence in [reply.text, reply.say ?? ""] {
            require(isNamedSo || !hasMark(sentence), "no text of others: \(sentence)")
        }
        require(!(reply.say ?? "").utf8.contains { isDigit($0) }, "no digit is said: \(reply.say ?? "")")
        require(!hasTime(reply.text), "no written times: \(reply.text)")
        require(tool != "find_appointment_slots" || reply.text.utf8.count <= 600, "short: \(reply.text)")
        if isSpeculative { require(result != "booked", "nothing was done: \(json.text)") }
        told.formUnion(reply.slots.map(\.offer.start.instant))
        if reply.result == .readback { told.formUnion(conversation.offers.map(\.start.instant)) }
        return result
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func hasMark(_ sentence: String) -> Bool {
        sentence.split { !$0.isLetter }.contains("Quokka")
    }

    /// `09:30`, or five digits in a row, which are a key or a phone number.
    private func hasTime(_ sentence: String) -> Bool {
        let bytes = Array(sentence.utf8)
        let rows = bytes.split { !isDigit($0) }.map(\.count).max() ?? 0
        let colons = bytes.indices.dropFirst().dropLast().filter { bytes[$0] == UInt8(ascii: ":") }
        return rows > 4 || colons.contains { isDigit(bytes[$0 - 1]) && isDigit(bytes[$0 + 1]) }
    }
}
