/// The appointment to look for, and the limits for its slots.
public struct SlotOptions: Sendable, Equatable {
    /// The form in which the platform lists its free time.
    public enum Items: String, Sendable, CaseIterable {
        /// An item as long as the appointment is a slot. A longer item is a window.
        case automatic = "auto"
        /// Each item is one slot, even if it is longer than the appointment.
        case slots
        /// Each item is a window. Windows that touch are merged.
        case windows
    }

    /// A part of the day.
    public enum PartOfDay: String, Sendable, CaseIterable {
        /// From 6 to 12 o'clock.
        case morning
        /// From 12 to 18 o'clock.
        case afternoon
        /// From 18 to 21 o'clock.
        case evening
        /// From 21 to 6 o'clock.
        case night

        init(minuteOfDay: Int) {
            self =
                switch minuteOfDay / 60 {
                case 6..<12: .morning
                case 12..<18: .afternoon
                case 18..<21: .evening
                default: .night
                }
        }
    }

    /// A part of the day that a caller may ask for. Parts overlap, as in everyday speech.
    public enum Part: String, Sendable, CaseIterable {
        /// From 6 to 12 o'clock.
        case morning
        /// From 12 to 14 o'clock.
        case lunchtime
        /// From 12 to 18 o'clock.
        case afternoon
        /// From 18 to 24 o'clock.
        case evening
        /// From 21 to 6 o'clock.
        case night

        func contains(minuteOfDay minute: Int) -> Bool {
            let hour = minute / 60
            return switch self {
            case .morning: 6..<12 ~= hour
            case .lunchtime: 12..<14 ~= hour
            case .afternoon: 12..<18 ~= hour
            case .evening: hour >= 18
            case .night: hour >= 21 || hour < 6
            }
        }
    }

    /// The clinic's time zone, as an IANA name.
    public var timeZone: String
    /// Length of the appointment, 1 to 1440 minutes.
    public var durationMinutes = 30
    /// Step between starts on the clinic's clock, counted from midnight, 1 to 1440 minutes.
    /// nil: 30 minutes, or 15 for appointments below 30, or 5 below 15.
    public var stepMinutes: Int?
    /// The form in which the platform lists its free time.
    public var items = Items.automatic
    /// Current time, in seconds since 1970. nil: the system's clock.
    public var now: Int?
    /// Minimum time from now to the start of a slot, in minutes.
    public var minNoticeMinutes = 0
    /// Number of local days after today in which slots may start. nil: no limit.
    public var maxDaysAhead: Int?
    /// The first local day (`2030-01-15`) or the first instant (RFC 3339) of a slot's start.
    public var from: String?
    /// The last local day, or the instant before which a slot must start.
    public var to: String?
    /// Allowed weekdays, from 0 (Monday) to 6 (Sunday). Empty: all.
    public var weekdays: Set<Int> = []
    /// Earliest start on the clinic's clock, in minutes after midnight.
    public var notBefore: Int?
    /// Time on the clinic's clock before which slots must start, in minutes after midnight.
    public var before: Int?
    /// Allowed parts of the day. Empty: all.
    public var parts: Set<Part> = []
    /// Maximum number of slots to list, 1 to 1000. `SlotList.hasMore` is true when others match.
    public var limit = 500
    /// Number of slots to choose for an offer, 1 to 10. nil: none.
    public var offers: Int?
    /// True when the offer has the first slots instead of a spread choice.
    public var isEarliest = false
    /// The time that the caller asked for. Offers are chosen around it. An instant (RFC 3339),
    /// or a time on the clinic's clock (`15:00`) on the first day with slots.
    public var around: String?

    /// Creates options for appointments of 30 minutes.
    public init(timeZone: String) { self.timeZone = timeZone }

    var step: Int { stepMinutes ?? (durationMinutes >= 30 ? 30 : durationMinutes >= 15 ? 15 : 5) }
}
