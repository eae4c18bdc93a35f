/// A Partner API with a clinic behind it, in memory: what the sandbox answers to one HTTP request. It knows the wire and
/// nothing of the pipeline in front of it, and reads every request as a service would, whoever checked it before.
struct Sandbox: Sendable {
    /// A booking that was made.
    struct Booking: Sendable {
        /// The time at which the platform has made it.
        let madeAt: MonotonicTime
        /// nil: nobody cancels it.
        let cancelledAt: MonotonicTime?
        /// Until it is cancelled.
        let status: String
        let key: String
        let id: String
        let botID: String
        let slot: Range<Int>
        let phone: String
        let name: String
        let notes: String?
        /// On the clinic's clock, in seconds since 1970.
        let createdAt: Int
    }

    /// One request at the clinic.
    struct Visit: Sendable {
        /// The clinic's clock, in seconds since 1970.
        let now: Int
        let moment: MonotonicTime
        var manner = Manner()
    }

    /// The clinic's treatment of one request.
    struct Manner: Sendable, Equatable {
        /// The time that it works on a booking, with the slot held.
        var workMilliseconds = 0
        /// The status of a booking.
        var status = "confirmed"
        /// The time after which somebody cancels the booking. nil: never.
        var cancelledAfterMilliseconds: Int?
        var spelling = Spelling.own
    }

    /// The spelling of times in the reply.
    enum Spelling: Sendable, Equatable {
        case own
        /// With another offset.
        case otherOffset
        /// With another offset, and the digits of the clinic's own.
        case wrongOffset
    }

    let clinic: SandboxSettings
    private let settings: PartnerAPISettings
    /// Places in `bookings`, by each day in UTC that they touch, in days since 1970-01-01.
    var booked: [Int: [Int]] = [:]
    /// All of them, oldest first.
    var bookings: [Booking] = []
    var bookingByKey: [String: Int] = [:]
    /// Keys that are reported to be in progress, and until when.
    var held: [String: MonotonicTime] = [:]

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        self.settings = settings
    }

    /// `now` is the clinic's clock, in seconds since 1970.
    mutating func answer(
        _ request: HTTPRequest, now: Int, at moment: MonotonicTime = .now(), _ manner: Manner = Manner()
    ) -> HTTPReply {
        let visit = Visit(now: now, moment: moment, manner: manner)
        do throws(Refusal) {
            try checkKey(request)
            switch operation(of: request) {
            case .searchAvailability: return try search(request, visit)
            case .createBooking: return try book(request, visit)
            case .lookupCustomer: return try lookUp(request, visit)
            case nil: throw Refusal(404, "not_found", "There is no such path")
            }
        } catch {
            return error.reply
        }
    }

    /// Returns what a request asks for, however well. One path may be the end of the other: the longer one is meant.
    func operation(of request: HTTPRequest) -> CallOperation? {
        let paths: [(path: String?, operation: CallOperation)] = [
            (settings.searchPath, .searchAvailability), (settings.bookingPath, .createBooking),
            (settings.customerPath, .lookupCustomer),
        ]
        return paths.filter { $0.path.map(request.target.url.hasSuffix) ?? false }
            .max { ($0.path?.utf8.count ?? 0) < ($1.path?.utf8.count ?? 0) }?.operation
    }

    /// Tells all requests with this one's key that it is in progress, for a while.
    mutating func hold(_ request: HTTPRequest, until moment: MonotonicTime) {
        if let key = header("Idempotency-Key", of: request) { held[key] = moment }
    }

    /// The object of docs/json-contract.md.
    var bookingsJSON: [UInt8] {
        let moment = MonotonicTime.now()
        return JSONWriter.object {
            $0.array("bookings", bookings.filter { $0.madeAt <= moment }) { item, booking in
                item.member("idempotency_key", booking.key)
                item.member("id", booking.id)
                item.member("bot_id", booking.botID)
                item.member("status", booking.status(at: moment))
                item.member("start_at", time(booking.slot.lowerBound))
                item.member("end_at", time(booking.slot.upperBound))
            }
        }
    }

    /// Writes an instant, in the clinic's own time unless the spelling is another.
    func time(_ seconds: Int, _ spelling: Spelling = .own) -> String {
        let own = clinic.zone.offsetMinutes(at: seconds)
        let other = own == -300 ? 60 : -300
        return switch spelling {
        case .own: Timestamp.format(seconds: seconds, offsetMinutes: own)
        case .otherOffset: Timestamp.format(seconds: seconds, offsetMinutes: other)
        case .wrongOffset: Timestamp.format(seconds: seconds + (own - other) * 60, offsetMinutes: other)
        }
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

extension Sandbox.Booking {
    func status(at moment: MonotonicTime) -> String {
        cancelledAt.map { $0 <= moment } ?? false ? "cancelled" : status
    }

    /// Returns whether it is an appointment.
    func isActive(at moment: MonotonicTime) -> Bool { !BookingReply.isRefusing(status(at: moment)) }
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

// MARK: - Looking up customers

extension Sandbox {
    /// Answers a look-up. A caller with a booking is known, under the last name, with the next
    /// appointment that is not over.
    private func lookUp(_ request: HTTPRequest, _ visit: Visit) throws(Refusal) -> HTTPReply {
        let (botID, phone) = try read(request) { root throws(PartnerBookingError) in
            let phone = try FieldRules.checkCustomer(root.object("customer")).string
            return (try root.value("bot_id")?.string, phone)
        }
        let known = bookings.filter { $0.madeAt <= visit.moment && $0.botID == botID && $0.phone == phone }
        let next = known.filter { $0.slot.upperBound > visit.now && $0.isActive(at: visit.moment) }
            .min { $0.slot.lowerBound < $1.slot.lowerBound }
        let body = JSONWriter.object { reply in
            reply.member("found", !known.isEmpty)
            guard let last = known.last else { return }
            reply.object("customer") { customer in
                customer.member("name", last.name)
                customer.member("phone", last.phone)
                guard let next else { return }
                customer.object("existing_appointment") { appointment in
                    appointment.member("start_at", time(next.slot.lowerBound, visit.manner.spelling))
                    appointment.member("end_at", time(next.slot.upperBound, visit.manner.spelling))
                    appointment.member("status", next.status(at: visit.moment))
                }
            }
        }
        return HTTPReply(status: 200, body: body)
    }
}
