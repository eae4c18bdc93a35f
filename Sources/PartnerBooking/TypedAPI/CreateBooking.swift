/// Asks to book a slot.
public struct CreateBookingRequest: Sendable, Equatable {
    /// The person with the appointment.
    public struct Customer: Sendable, Equatable {
        /// E.164: `+15551234567`.
        public var phone: String
        /// 1 to 256 bytes, not only white space.
        public var name: String
        /// `somebody@host`, at most 254 bytes.
        public var email: String?

        /// A customer, by what the caller has said.
        public init(phone: String, name: String, email: String? = nil) {
            self.phone = phone
            self.name = name
            self.email = email
        }
    }

    /// The bot that asks.
    public var botID: String
    /// Names the booking: the same key gives the same booking again and never makes a second one.
    public var idempotencyKey: String
    /// RFC 3339 date-time with offset.
    public var startAt: String
    /// 1 to 1440.
    public var durationMinutes: Int
    /// The person with the appointment.
    public var customer: Customer
    /// For the people at the clinic, at most 16384 bytes.
    public var notes: String?
    /// Names the phone call, 1 to 256 bytes. It is not sent. The journal keeps it, and `pendingBookings` lists it.
    public var conversation: String?
    /// The booking runs on when its task is cancelled, and the task gets its end.
    public var isDetached = false
    /// Deadline, tag and the like.
    public var options: CallOptions

    /// A request for that booking. Whether it is right is found when it is made; the error names the `field`.
    public init(
        botID: String, idempotencyKey: String, startAt: String, durationMinutes: Int, customer: Customer,
        notes: String? = nil, conversation: String? = nil, isDetached: Bool = false, options: CallOptions = CallOptions()
    ) {
        self.botID = botID
        self.idempotencyKey = idempotencyKey
        self.startAt = startAt
        self.durationMinutes = durationMinutes
        self.customer = customer
        self.notes = notes
        self.conversation = conversation
        self.isDetached = isDetached
        self.options = options
    }

    /// The request as docs/json-contract.md describes it.
    public var json: [UInt8] {
        JSONWriter.object { request in
            request.member("bot_id", botID)
            request.member("idempotency_key", idempotencyKey)
            request.object("booking") { booking in
                booking.member("start_at", startAt)
                booking.member("duration_minutes", durationMinutes)
                booking.object("customer") { customer in
                    customer.member("phone", self.customer.phone)
                    customer.member("name", self.customer.name)
                    customer.member("email", ifAny: self.customer.email)
                }
                booking.member("notes", ifAny: notes)
            }
            request.member("conversation", ifAny: conversation)
            if isDetached { request.member("detach", true) }
            options.write(&request)
        }
    }
}

extension BookingKey {
    /// A key that says what is booked and in which call: the same for every repetition of a booking by a language model, another
    /// one as soon as the caller wants another time.
    ///
    /// - Parameters:
    ///   - callID: Names the phone call, 1 to 256 bytes.
    ///   - request: The booking; its bot, start instant, duration and phone count, and nothing else of it. Its own key may be "".
    /// - Throws: What is wrong with either, with its `field`.
    public static func derived(
        callID: String, request: CreateBookingRequest
    ) throws(PartnerBookingError) -> String {
        try derived(callID: callID, request: request.json)
    }
}

/// Asks for the booking that is recorded under a key.
struct ResumeBookingRequest {
    var idempotencyKey: String
    var options = CallOptions()

    var json: [UInt8] {
        JSONWriter.object { request in
            request.member("idempotency_key", idempotencyKey)
            request.member("resume", true)
            options.write(&request)
        }
    }
}

/// The booking, as the platform behind the bot describes it. Platforms differ: any member may be
/// missing.
public struct CreateBookingReply: Sendable, Equatable {
    /// The platform's name for it.
    public let id: String?
    /// The platform's word for it: `confirmed`, `pending` and others.
    public let status: String?
    /// RFC 3339, as the platform wrote it.
    public let startAt: String?
    /// RFC 3339, as the platform wrote it.
    public let endAt: String?
    /// The reply, byte for byte.
    public let json: [UInt8]
    /// The times of the steps of the call.
    public let timing: CallTiming

    init(_ json: [UInt8], _ timing: CallTiming) {
        let booking = (try? JSONDocument(json, profile: .reply))?.root["booking"]
        id = booking?["id"]?.string
        status = booking?["status"]?.string
        startAt = booking?["start_at"]?.string
        endAt = booking?["end_at"]?.string
        self.json = json
        self.timing = timing
    }
}
