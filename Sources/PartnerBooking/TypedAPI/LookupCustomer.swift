/// Asks who is calling.
public struct LookupCustomerRequest: Sendable, Equatable {
    /// The bot that asks.
    public var botID: String
    /// E.164: `+15551234567`.
    public var phone: String
    /// Deadline, tag and the like.
    public var options: CallOptions

    /// A request for the customer with that number.
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

/// The customer data of the platform behind the bot. Platforms differ: any member may be missing.
public struct LookupCustomerReply: Sendable, Equatable {
    /// Somebody the platform knows.
    public struct Customer: Sendable, Equatable {
        /// As they gave it.
        public let name: String?
        /// E.164.
        public let phone: String?
        /// The appointment they have.
        public let existingAppointment: Appointment?
    }

    /// When they are to come.
    public struct Appointment: Sendable, Equatable {
        /// RFC 3339, as the platform wrote it.
        public let startAt: String?
        /// RFC 3339, as the platform wrote it.
        public let endAt: String?
        /// The platform's word for it.
        public let status: String?
    }

    /// nil: the platform does not know them.
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
    /// nil for what is no object: some say that there is none by `null`.
    fileprivate init?(_ appointment: JSONValue) {
        guard appointment.kind == .object else { return nil }
        self.init(
            startAt: appointment["start_at"]?.string, endAt: appointment["end_at"]?.string,
            status: appointment["status"]?.string)
    }
}
