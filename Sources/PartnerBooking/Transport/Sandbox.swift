/// A Partner API with a clinic behind it, in memory: what the sandbox answers to one HTTP request. It knows the wire and
/// nothing of the pipeline in front of it, and reads every request as a service would, whoever checked it before.
struct Sandbox: Sendable {
    /// A booking that was made.
    struct Booking: Sendable {
        let key: String
        let id: String
        let botID: String
        let slot: Range<Int>
        let phone: String
        let name: String
        let reply: [UInt8]
    }

    private let clinic: SandboxConfiguration
    private let settings: PartnerAPISettings
    /// Bookings by each local day they touch, in days since 1970-01-01.
    private var booked: [Int: [Range<Int>]] = [:]
    /// All of them, oldest first.
    private(set) var bookings: [Booking] = []
    private var bookingByKey: [String: Int] = [:]
    /// Keys whose first request is said to be in progress, and until when.
    private var held: [String: MonotonicTime] = [:]
    private static let slotLimit = 10_000

    init(_ clinic: SandboxConfiguration, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        self.settings = settings
    }

    /// `now` is the clinic's clock, in seconds since 1970.
    mutating func answer(_ request: HTTPRequest, now: Int) -> HTTPReply {
        do throws(Refusal) {
            try checkKey(request)
            switch path(request) {
            case settings.searchPath: return try search(request, now: now)
            case settings.bookingPath: return try book(request, now: now)
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
        JSONWriter.object {
            $0.array("bookings", bookings) { item, booking in
                item.member("idempotency_key", booking.key)
                item.member("id", booking.id)
                item.member("bot_id", booking.botID)
                item.member("start_at", time(booking.slot.lowerBound))
                item.member("end_at", time(booking.slot.upperBound))
            }
        }
    }

    /// In the clinic's own time.
    private func time(_ seconds: Int) -> String {
        Timestamp.format(seconds: seconds, offsetMinutes: clinic.utcOffsetMinutes)
    }

    private struct Refusal: Error {
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
    private func header(_ name: String, of request: HTTPRequest) -> String? {
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
    private func read<Payload>(
        _ request: HTTPRequest, _ check: (ObjectReader) throws(PartnerBookingError) -> Payload
    ) throws(Refusal) -> Payload {
        guard let document = try? JSONDocument(request.body, profile: .request) else {
            throw Refusal(400, "invalid_payload", "The body is not JSON")
        }
        let bot: String?
        let payload: Payload
        do throws(PartnerBookingError) {
            let root = try ObjectReader(document.root, what: "The body") { .field($0, $1) }
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

    private func localDay(_ seconds: Int) -> Int {
        (seconds + clinic.utcOffsetMinutes * 60).flooringDivision(by: 86_400)
    }

    private func openingHours(on day: Int) -> [Range<Int>] {
        let weekday = (day + 4) % 7  // 1970-01-01 was a Thursday
        return clinic.openingHours[weekday < 0 ? weekday + 7 : weekday]
    }

    private func isFree(_ slot: Range<Int>) -> Bool {
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
        let known = bookings.filter { $0.botID == botID && $0.phone == phone }
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

// MARK: - Booking

extension Sandbox {
    private mutating func book(_ request: HTTPRequest, now: Int) throws(Refusal) -> HTTPReply {
        guard let key = header("Idempotency-Key", of: request) else {
            throw Refusal(400, "idempotency_key_required", "The header Idempotency-Key is required")
        }
        if let until = held[key] {
            if MonotonicTime.now() < until {
                throw Refusal(409, "idempotency_key_in_progress", "The first request with this key is still running")
            }
            held[key] = nil
        }
        // As the service does: the same key gives the original booking, whatever else the request says.
        if let index = bookingByKey[key] { return HTTPReply(status: 200, body: bookings[index].reply) }
        let (botID, start, minutes, customer, notes) = try read(request) { root throws(PartnerBookingError) in
            let booking = try root.object("booking")
            let (start, minutes, reader) = try FieldRules.checkBooking(booking)
            let customer = try (phone: reader.value("phone")?.string ?? "", name: reader.value("name")?.string ?? "")
            return try (root.value("bot_id")?.string ?? "", start, minutes, customer, booking.value("notes")?.string)
        }
        let slot = start..<start + minutes * 60
        try checkAvailable(slot, minutes: minutes, now: now)
        let id = "bkg_\(typeID(now: now))"
        let body = JSONWriter.object {
            $0.object("booking") { write(id, slot, customer, notes, now: now, to: &$0) }
        }
        for day in localDay(slot.lowerBound)...localDay(slot.upperBound - 1) { booked[day, default: []].append(slot) }
        bookingByKey[key] = bookings.count
        bookings.append(
            Booking(key: key, id: id, botID: botID, slot: slot, phone: customer.phone, name: customer.name, reply: body))
        return HTTPReply(status: 201, body: body)
    }

    private func checkAvailable(_ slot: Range<Int>, minutes: Int, now: Int) throws(Refusal) {
        let day = localDay(slot.lowerBound)
        let second = slot.lowerBound + clinic.utcOffsetMinutes * 60 - day * 86_400
        guard slot.lowerBound > now else { throw .slot("is in the past") }
        guard day < localDay(now) + clinic.days else { throw .slot("is too far ahead") }
        let isOpen = openingHours(on: day).contains { hours in
            second % 60 == 0 && hours.lowerBound <= second / 60 && second / 60 + minutes <= hours.upperBound
                && (second / 60 - hours.lowerBound) % clinic.slotMinutes == 0
        }
        guard isOpen else { throw .slot("is outside opening hours or does not start where a slot starts") }
        guard isFree(slot) else { throw .slot("is no longer available") }
    }

    private func write(
        _ id: String, _ slot: Range<Int>, _ customer: (phone: String, name: String), _ notes: String?, now: Int,
        to booking: inout JSONWriter
    ) {
        booking.member("id", id)
        booking.member("status", "confirmed")
        booking.member("start_at", time(slot.lowerBound))
        booking.member("end_at", time(slot.upperBound))
        booking.object("customer") {
            $0.member("phone", customer.phone)
            $0.member("name", customer.name)
        }
        booking.object("location") {
            $0.member("name", "Sandbox Clinic")
            $0.member("address", "1 Loopback Lane")
        }
        if let notes { booking.member("notes", notes) }
        booking.member("created_at", Timestamp.format(seconds: now, offsetMinutes: 0))
    }

    /// An id like the service's: a UUID of version 7 in Crockford's base 32, 26 characters (https://github.com/jetify-com/typeid).
    private func typeID(now: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        let random = UInt128(generator.next()) << 64 | UInt128(generator.next())
        let milliseconds = UInt128(UInt64(clamping: now) & 0xFFFF_FFFF) * 1_000
        let version: UInt128 = 0x7 << 76
        let variant: UInt128 = 0x2 << 62
        let randomBits: UInt128 = (0xFFF << 64) | 0x3FFF_FFFF_FFFF_FFFF
        let uuid = milliseconds << 80 | version | variant | (random & randomBits)
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        return String((0..<26).reversed().map { alphabet[Int(truncatingIfNeeded: uuid >> (5 * UInt128($0))) & 31] })
    }
}
