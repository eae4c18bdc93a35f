/// What can be asked of the Partner API.
public enum Operation: String, Sendable, CaseIterable {
    case searchAvailability = "search_availability"
    case createBooking = "create_booking"
}
