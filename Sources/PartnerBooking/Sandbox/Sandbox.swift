/// A Partner API with a clinic behind it, in memory: what the sandbox answers to one HTTP request. It knows the wire and
/// nothing of the pipeline in front of it, and reads every request as a service would, whoever checked it before.
struct Sandbox: Sendable {
    /// A booking that was made.
    struct Booking: Sendable {
        /// The time at which the platform has made it.
        let madeAt: MonotonicTime
        let key: String
        let id: String
        let botID: String
        let slot: Range<Int>
        let phone: String
        let name: String
        let reply: [UInt8]
    }

    let clinic: SandboxSettings
    private let settings: PartnerAPISettings
    /// Bookings by each local day they touch, in days since 1970-01-01.
    var booked: [Int: [Range<Int>]] = [:]
    /// All of them, oldest first.
    var bookings: [Booking] = []
    var bookingByKey: [String: Int] = [:]
    /// Keys whose first request is in progress, or reported so, and until when.
    var held: [String: MonotonicTime] = [:]
    private static let slotLimit = 10_000

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        self.settings = settings
    }

    /// `now` is the clinic's clock, in seconds since 1970. A booking is made at `madeAt`, with its slot held until then.
    mutating func answer(_ request: HTTPRequest, now: Int, madeAt: MonotonicTime = .now()) -> HTTPReply {
        do throws(Refusal) {
            try checkKey(request)
            switch path(request) {
            case settings.searchPath: return try search(request, now: now)
            case settings.bookingPath: return try book(request, now: now, madeAt: madeAt)
            case settings.customerPath: return try lookUp(request, now: now)
            default: throw Refusal(404, "not_found", "There is no such path")
            }
        } catch {
            return error.reply
        }
    }

    /// Whether a request asks for a booking, however well.
    func isBooking(_ request: HTTPRequest) -> Bool { path(request) == settings.bookingPath }

    /// Tells all requests with this one's key that it is in progress, for a while.
    mutating func hold(_ request: HTTPRequest, until moment: MonotonicTime) {
        if let key = header("Idempotency-Key", of: request) { held[key] = moment }
    }

    /// One path may be the end of the other: the longer one is meant.
    private func path(_ request: HTTPRequest) -> String? {
        [settings.searchPath, settings.bookingPath, settings.customerPath].compactMap { $0 }
            .filter { request.target.url.hasSuffix($0) }.max { $0.utf8.count < $1.utf8.count }
    }

    /// The object of docs/json-contract.md.
    var bookingsJSON: [UInt8] {
        let now = MonotonicTime.now()
        return JSONWriter.object {
            $0.array("bookings", bookings.filter { $0.madeAt <= now }) { item, booking in
                item.member("idempotency_key", booking.key)
                item.member("id", booking.id)
                item.member("bot_id", booking.botID)
                item.member("start_at", time(booking.slot.lowerBound))
                item.member("end_at", time(booking.slot.upperBound))
            }
        }
    }

    /// In the clinic's own time.
    func time(_ seconds: Int) -> String {
        Timestamp.format(seconds: seconds, offsetMinutes: clinic.utcOffsetMinutes)
    }

    struct Refusal: Error {
        let status: Int
        let code: String
        let message: String

        init(_ status: Int, _ code: String, _ message: String) {
            self.status = status
            self.code = code
            self.message = message
        }

        static func slot(_ why: String) -> Refusal { Refusal(409, "slot_unavailable", "The requested time slot \(why)") }

        var reply: HTTPReply {
            let body = JSONWriter.object {
                $0.object("error") { error in
                    error.member("code", code)
                    error.member("message", message)
                }
            }
            return HTTPReply(status: status, body: body)
        }
    }
}

// MARK: - Reading requests

extension Sandbox {
    func header(_ name: String, of request: HTTPRequest) -> String? {
        let line = (request.target.headers + request.headers).first { $0.hasPrefix("\(name): ") }
        return line.map { String($0.dropFirst(name.count + 2)) }
    }

    private func checkKey(_ request: HTTPRequest) throws(Refusal) {
        let bearer = header("Authorization", of: request) ?? ""
        let isKnown =
            if let apiKey = clinic.apiKey { bearer == "Bearer \(apiKey)" } else { bearer.hasPrefix("Bearer sk_ptnr_") }
        if !isKnown { throw Refusal(401, "unauthorized", "The API key is not known") }
    }

    /// Reads a body by the same rules as the pipeline does, from a bot that is known.
    func read<Payload>(
        _ request: HTTPRequest, _ check: (ObjectReader) throws(PartnerBookingError) -> Payload
    ) throws(Refusal) -> Payload {
        guard let document = try? JSONDocument(request.body, profile: .request) else {
            throw Refusal(400, "invalid_payload", "The body is not JSON")
        }
        let bot: String?
        let payload: Payload
        do throws(PartnerBookingError) {
            let root = try ObjectReader(document.root, what: "The body", .request)
            bot = try root.checkText("bot_id", maxBytes: 256, "a string").string
            payload = try check(root)
        } catch {
            throw Refusal(400, "invalid_payload", error.message)
        }
        if let bots = clinic.bots, !bots.contains(bot ?? "") {
            throw Refusal(404, "bot_not_found", "There is no such bot")
        }
        return payload
    }
}

// MARK: - Searching

extension Sandbox {
    private func search(_ request: HTTPRequest, now: Int) throws(Refusal) -> HTTPReply {
        let (start, end) = try read(request) { root throws(PartnerBookingError) in
            try FieldRules.checkQuery(root.object("query"))
        }
        let slots = try freeSlots(from: instant(start), to: instant(end, isEnd: true), now: now)
        let body = JSONWriter.object {
            $0.array("availabilities", slots) { slot, start in
                slot.member("start_at", Timestamp.format(seconds: start, offsetMinutes: clinic.utcOffsetMinutes))
                slot.member("duration_minutes", clinic.slotMinutes)
            }
        }
        return HTTPReply(status: 200, body: body)
    }

    /// In seconds since 1970. A plain date is a day of the clinic; as an end it includes its day.
    private func instant(_ timestamp: Timestamp, isEnd: Bool = false) -> Int {
        switch timestamp {
        case .instant(let seconds, _): seconds
        case .date(let days): (days + (isEnd ? 1 : 0)) * 86_400 - clinic.utcOffsetMinutes * 60
        }
    }

    private func freeSlots(from start: Int, to end: Int, now: Int) throws(Refusal) -> [Int] {
        let today = localDay(now)
        let first = max(localDay(start), today)
        let last = min(localDay(end), today + clinic.days - 1)
        guard first <= last else { return [] }
        var slots: [Int] = []
        for day in first...last {
            let midnight = day * 86_400 - clinic.utcOffsetMinutes * 60
            for hours in openingHours(on: day) {
                for minute in stride(
                    from: hours.lowerBound, through: hours.upperBound - clinic.slotMinutes, by: clinic.slotMinutes)
                {
                    let slot = midnight + minute * 60..<midnight + (minute + clinic.slotMinutes) * 60
                    guard slot.lowerBound > now, slot.lowerBound >= start, slot.upperBound <= end, isFree(slot) else {
                        continue
                    }
                    slots.append(slot.lowerBound)
                }
            }
            guard slots.count <= Self.slotLimit else {
                throw Refusal(400, "range_too_long", "More than \(Self.slotLimit) slots are free: ask for a shorter range")
            }
        }
        return slots
    }

    func localDay(_ seconds: Int) -> Int {
        (seconds + clinic.utcOffsetMinutes * 60).flooringDivision(by: 86_400)
    }

    func openingHours(on day: Int) -> [Range<Int>] {
        let weekday = (day + 4) % 7  // 1970-01-01 was a Thursday
        return clinic.openingHours[weekday < 0 ? weekday + 7 : weekday]
    }

    func isFree(_ slot: Range<Int>) -> Bool {
        let days = localDay(slot.lowerBound)...localDay(slot.upperBound - 1)
        return days.allSatisfy { day in
            // The number of bookings at once is greatest where one of them starts.
            let rivals = (booked[day] ?? []).filter { $0.overlaps(slot) }
            return rivals.allSatisfy { rival in
                let moment = max(rival.lowerBound, slot.lowerBound)
                return rivals.count { $0.contains(moment) } < clinic.capacity
            }
        }
    }
}

// MARK: - Looking up customers

extension Sandbox {
    /// Who has booked is known from then on: under the name given last, with the next appointment that is not over.
    private func lookUp(_ request: HTTPRequest, now: Int) throws(Refusal) -> HTTPReply {
        let (botID, phone) = try read(request) { root throws(PartnerBookingError) in
            let phone = try FieldRules.checkCustomer(root.object("customer")).string
            return (try root.value("bot_id")?.string, phone)
        }
        let moment = MonotonicTime.now()
        let known = bookings.filter { $0.madeAt <= moment && $0.botID == botID && $0.phone == phone }
        let next = known.filter { $0.slot.upperBound > now }.min { $0.slot.lowerBound < $1.slot.lowerBound }
        let body = JSONWriter.object { reply in
            reply.member("found", !known.isEmpty)
            guard let last = known.last else { return }
            reply.object("customer") { customer in
                customer.member("name", last.name)
                customer.member("phone", last.phone)
                guard let next else { return }
                customer.object("existing_appointment") { appointment in
                    appointment.member("start_at", time(next.slot.lowerBound))
                    appointment.member("end_at", time(next.slot.upperBound))
                    appointment.member("status", "confirmed")
                }
            }
        }
        return HTTPReply(status: 200, body: body)
    }
}
