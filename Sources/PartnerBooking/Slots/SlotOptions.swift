/// The appointment that is looked for, and the slots that come into question.
public struct SlotOptions: Sendable, Equatable {
    /// The form in which the platform lists its free time.
    public enum Items: String, Sendable, CaseIterable {
        /// An item as long as the appointment is a slot, a longer one a window.
        case automatic = "auto"
        /// Each item is one slot, however long.
        case slots
        /// Each item is a window. Windows that touch are one.
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

    /// A part of the day that a caller may ask for. Parts overlap, as people's words do.
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

    /// The clinic's zone, by its IANA name.
    public var timeZone: String
    /// The length of the appointment, 1 to 1440 minutes.
    public var durationMinutes = 30
    /// Starts are multiples of this on the clinic's clock, 1 to 1440 minutes. nil: 30, or 15 for an appointment below
    /// 30 minutes, or 5 below 15.
    public var stepMinutes: Int?
    /// The form in which the platform lists its free time.
    public var items = Items.automatic
    /// The present, in seconds since 1970. nil: the system's clock.
    public var now: Int?
    /// No slot starts earlier than so many minutes from now.
    public var minNoticeMinutes = 0
    /// No slot starts later than so many local days after today. nil: any.
    public var maxDaysAhead: Int?
    /// The first local day (`2030-01-15`) or the first instant (RFC 3339) of a slot's start.
    public var from: String?
    /// The last local day, or the instant before which a slot starts.
    public var to: String?
    /// The weekdays, 0 for Monday to 6. Empty: all.
    public var weekdays: Set<Int> = []
    /// The earliest start on the clinic's clock, in minutes after midnight.
    public var notBefore: Int?
    /// Starts are before this time on the clinic's clock, in minutes after midnight.
    public var before: Int?
    /// The parts of the day. Empty: all.
    public var parts: Set<Part> = []
    /// The most slots to list, 1 to 1000. `more` says that there are others.
    public var limit = 500
    /// The number of slots to choose for an offer, 1 to 10. nil: none.
    public var offers: Int?
    /// The offer has the first slots, not a spread choice.
    public var isEarliest = false
    /// The time that the caller asked for: the offer lies around it. An instant (RFC 3339), or a time on the clinic's
    /// clock (`15:00`) on the first day that has slots.
    public var around: String?

    /// Appointments of 30 minutes.
    public init(timeZone: String) { self.timeZone = timeZone }

    var step: Int { stepMinutes ?? (durationMinutes >= 30 ? 30 : durationMinutes >= 15 ? 15 : 5) }
}
