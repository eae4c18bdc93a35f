/// What can be asked of a service.
public enum Operation: String, Sendable, CaseIterable {
    case searchAvailability = "search_availability"
    case createBooking = "create_booking"
    case lookupCustomer = "lookup_customer"
}
