/// A Partner API with a clinic behind it, in memory. It answers HTTP requests. It knows the wire
/// format, but not the pipeline in front of it. Like a service, it checks every request again.
struct Sandbox: Sendable {
    /// A booking that was made.
    struct Booking: Sendable {
        /// The time at which the platform makes the booking.
        let madeAt: MonotonicTime
        /// The time of the cancellation, or nil if nobody cancels the booking.
        let cancelledAt: MonotonicTime?
        /// The status until the cancellation.
        let status: String
        let key: String
        let id: String
        let botID: String
        let slot: Range<Int>
        let phone: String
        let name: String
        let notes: String?
        /// Creation on the clinic's clock, in seconds since 1970.
        let createdAt: Int
    }

    /// One request at the clinic.
    struct Visit: Sendable {
        /// Time on the clinic's clock, in seconds since 1970.
        let now: Int
        let moment: MonotonicTime
        var manner = Manner()
    }

    /// The clinic's treatment of one request.
    struct Manner: Sendable, Equatable {
        /// Duration of the clinic's work on a booking. The slot is held meanwhile.
        var workMilliseconds = 0
        /// The status of a booking.
        var status = "confirmed"
        /// The time after which somebody cancels the booking. Nil means never.
        var cancelledAfterMilliseconds: Int?
        var spelling = Spelling.own
    }

    /// The spelling of times in the reply.
    enum Spelling: Sendable, Equatable {
        case own
        /// The same instants with another offset.
        case otherOffset
        /// Another offset with the digits of the clinic's own, so the instants are wrong.
        case wrongOffset
    }

    let clinic: SandboxSettings
    private let settings: PartnerAPISettings
    /// Indexes into `bookings`, by each UTC day that the booking touches, in days since
    /// 1970-01-01.
    var booked: [Int: [Int]] = [:]
    /// All bookings, oldest first.
    var bookings: [Booking] = []
    var bookingByKey: [String: Int] = [:]
    /// The keys that are reported as in progress, each with the end of that time.
    var held: [String: MonotonicTime] = [:]

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        self.settings = settings
    }

    /// Answers a request. `now` is the time on the clinic's clock, in seconds since 1970.
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

    /// Returns the operation that a request asks for, even if the request has faults. If several
    /// paths match, the longest counts.
    func operation(of request: HTTPRequest) -> CallOperation? {
        let paths: [(path: String?, operation: CallOperation)] = [
            (settings.searchPath, .searchAvailability), (settings.bookingPath, .createBooking),
            (settings.customerPath, .lookupCustomer),
        ]
        return paths.filter { $0.path.map(request.target.url.hasSuffix) ?? false }
            .max { ($0.path?.utf8.count ?? 0) < ($1.path?.utf8.count ?? 0) }?.operation
    }

    /// Holds the key of a request: until `moment`, all requests with that key get "in progress".
    mutating func hold(_ request: HTTPRequest, until moment: MonotonicTime) {
        if let key = header("Idempotency-Key", of: request) { held[key] = moment }
    }

    /// The bookings as the JSON object that docs/json-contract.md describes.
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

    /// Formats an instant, by default in the clinic's own time.
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

    /// Returns true while the booking is an appointment.
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

    /// Reads a body by the rules of the pipeline, and refuses unknown bots.
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
    /// Answers a look-up. A caller with a booking is known. The reply contains the last name
    /// given and the next appointment that is not over.
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
