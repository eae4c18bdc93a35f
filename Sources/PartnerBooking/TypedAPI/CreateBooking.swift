/// A request to book a slot.
public struct CreateBookingRequest: Sendable, Equatable {
    /// The person with the appointment.
    public struct Customer: Sendable, Equatable {
        /// Phone number in E.164, such as `+15551234567`.
        public var phone: String
        /// Name, 1 to 256 bytes, not only white space.
        public var name: String
        /// E-mail address `somebody@host`, at most 254 bytes.
        public var email: String?

        /// Creates a customer from the caller's details.
        public init(phone: String, name: String, email: String? = nil) {
            self.phone = phone
            self.name = name
            self.email = email
        }
    }

    /// The bot that sends the request.
    public var botID: String
    /// Idempotency key. The same key returns the same booking, and never makes a second booking.
    public var idempotencyKey: String
    /// Start, as an RFC 3339 date-time with offset.
    public var startAt: String
    /// Length in minutes, 1 to 1440.
    public var durationMinutes: Int
    /// The person with the appointment.
    public var customer: Customer
    /// Notes for the clinic's staff, at most 16384 bytes.
    public var notes: String?
    /// Name of the phone call, 1 to 256 bytes. It is not sent. The journal keeps it, and
    /// `pendingBookings` lists it.
    public var conversation: String?
    /// True to continue the booking when its task is cancelled. The task still gets the result.
    public var isDetached = false
    /// Deadline, tag and other options.
    public var options: CallOptions

    /// Creates a request. The client checks it when it is sent. The error names the `field`.
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
    /// Returns a key derived from the booking and the phone call. Repeats of a booking by a
    /// language model get the same key. Another time gives another key.
    ///
    /// - Parameters:
    ///   - callID: Name of the phone call, 1 to 256 bytes.
    ///   - request: The booking. Only its bot, start instant, duration and phone number count.
    ///     Its own key may be "".
    /// - Throws: The first error in either parameter, with its `field`.
    public static func derived(
        callID: String, request: CreateBookingRequest
    ) throws(PartnerBookingError) -> String {
        try derived(callID: callID, request: request.json)
    }
}

/// A request for the booking that is recorded under a key.
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

/// The booking, as the platform behind the bot describes it. Platforms differ, so any member
/// may be missing.
public struct CreateBookingReply: Sendable, Equatable {
    /// ID of the booking at the platform.
    public let id: String?
    /// Status in the platform's words: `confirmed`, `pending` and others.
    public let status: String?
    /// Start in RFC 3339, as the platform wrote it.
    public let startAt: String?
    /// End in RFC 3339, as the platform wrote it.
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
