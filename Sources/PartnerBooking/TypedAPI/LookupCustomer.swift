/// A request for the customer who is calling.
public struct LookupCustomerRequest: Sendable, Equatable {
    /// The bot that sends the request.
    public var botID: String
    /// The caller's phone number in E.164, such as `+15551234567`.
    public var phone: String
    /// Deadline, tag and other options.
    public var options: CallOptions

    /// Creates a request for the customer with this phone number.
    public init(botID: String, phone: String, options: CallOptions = CallOptions()) {
        self.botID = botID
        self.phone = phone
        self.options = options
    }

    /// The request as docs/json-contract.md describes it.
    public var json: [UInt8] {
        JSONWriter.object { request in
            request.member("bot_id", botID)
            request.object("customer") { $0.member("phone", phone) }
            options.write(&request)
        }
    }
}

/// The platform's data about a customer. Platforms differ, so any member may be missing.
public struct LookupCustomerReply: Sendable, Equatable {
    /// A customer known to the platform.
    public struct Customer: Sendable, Equatable {
        /// Name, as the customer gave it.
        public let name: String?
        /// Phone number in E.164.
        public let phone: String?
        /// The customer's existing appointment.
        public let existingAppointment: Appointment?
    }

    /// The time and status of an appointment.
    public struct Appointment: Sendable, Equatable {
        /// Start in RFC 3339, as the platform wrote it.
        public let startAt: String?
        /// End in RFC 3339, as the platform wrote it.
        public let endAt: String?
        /// Status in the platform's words.
        public let status: String?
    }

    /// The customer. nil when the platform does not know the caller.
    public let customer: Customer?
    /// The reply, byte for byte.
    public let json: [UInt8]
    /// The times of the steps of the call.
    public let timing: CallTiming

    init(_ json: [UInt8], _ timing: CallTiming) {
        let root = (try? JSONDocument(json, profile: .reply))?.root
        let isFound = root?["found"]?.boolean ?? false
        customer = isFound ? root?["customer"].map(Customer.init) ?? Customer(name: nil, phone: nil) : nil
        self.json = json
        self.timing = timing
    }
}

extension LookupCustomerReply.Customer {
    fileprivate init(_ customer: JSONValue) {
        self.init(
            name: customer["name"]?.string, phone: customer["phone"]?.string,
            existingAppointment: customer["existing_appointment"].flatMap(LookupCustomerReply.Appointment.init))
    }

    fileprivate init(name: String?, phone: String?) { self.init(name: name, phone: phone, existingAppointment: nil) }
}

extension LookupCustomerReply.Appointment {
    /// Returns nil when the value is not an object. Some platforms send `null` for none.
    fileprivate init?(_ appointment: JSONValue) {
        guard appointment.kind == .object else { return nil }
        self.init(
            startAt: appointment["start_at"]?.string, endAt: appointment["end_at"]?.string,
            status: appointment["status"]?.string)
    }
}
