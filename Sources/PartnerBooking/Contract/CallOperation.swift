/// An operation of a service.
public enum CallOperation: String, Sendable, CaseIterable {
    /// A search for free appointment slots.
    case searchAvailability = "search_availability"
    /// The booking of a slot.
    case createBooking = "create_booking"
    /// A look-up of the caller. Not available with `partner_api`.
    case lookupCustomer = "lookup_customer"
}

/// The kind of a completed call: an API call, or a tool call of a language model.
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
