/// What can be asked of a service.
public enum CallOperation: String, Sendable, CaseIterable {
    /// Free appointment slots.
    case searchAvailability = "search_availability"
    /// One of them, booked.
    case createBooking = "create_booking"
    /// Who is calling. Not with `partner_api`.
    case lookupCustomer = "lookup_customer"
}
