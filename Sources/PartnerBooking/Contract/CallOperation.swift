/// The operations of a service.
public enum CallOperation: String, Sendable, CaseIterable {
    /// Free appointment slots.
    case searchAvailability = "search_availability"
    /// One of them, booked.
    case createBooking = "create_booking"
    /// Looks up the caller. Not with `partner_api`.
    case lookupCustomer = "lookup_customer"
}

/// The kind of a call that has ended: a call of the API, or a tool call of a language model.
public enum CallKind: String, Sendable, CaseIterable {
    /// A search.
    case searchAvailability = "search_availability"
    /// A booking.
    case createBooking = "create_booking"
    /// A look-up of a customer.
    case lookupCustomer = "lookup_customer"
    /// A tool call.
    case callTool = "call_tool"

    init(_ operation: CallOperation) {
        switch operation {
        case .searchAvailability: self = .searchAvailability
        case .createBooking: self = .createBooking
        case .lookupCustomer: self = .lookupCustomer
        }
    }
}
