extension ClientConfiguration {
    /// The clinics of the bots, for tool calls and for plain dates in searches.
    public struct Voice: Sendable, Equatable {
        /// The clinic of all bots.
        public var clinic: Clinic
        /// Clinics of single bots, by bot. Members that are nil are those of `clinic`.
        public var bots: [String: Clinic]

        /// A clinic for all bots, and others for some.
        public init(_ clinic: Clinic = Clinic(), bots: [String: Clinic] = [:]) {
            self.clinic = clinic
            self.bots = bots
        }
    }

    /// A clinic. What is nil has its default, or that of all bots.
    public struct Clinic: Sendable, Equatable {
        /// IANA name, such as `America/New_York`. nil: plain dates are sent as they are written,
        /// and there are no tools.
        public var timeZone: String?
        /// The language of the words to say.
        public var locale: VoiceLocale?
        /// ISO 3166, such as `US`: where phone numbers without `+` are dialled.
        public var region: String?
        /// Kinds of appointments, at most 64. nil: one of 30 minutes.
        public var services: [Service]?
        /// Starts are multiples of this on the clinic's clock, 1 to 1440.
        public var stepMinutes: Int?
        /// When it is open: ranges such as `09:00-17:00`. Decides what a bare "three" means.
        public var openingHours: [Weekday: [String]]?
        /// No slot starts earlier than so many minutes from now.
        public var minNoticeMinutes: Int?
        /// No slot starts later than so many days after today.
        public var maxDaysAhead: Int?
        /// Slots in one offer, 1 to 10.
        public var offers: Int?
        /// The question before a booking.
        public var confirm: Confirm?
        /// Time for which a reply answers wishes without a round trip, at most 10 minutes.
        public var cacheTime: Duration?
        /// Days of one search, 1 to 31.
        public var prefetchDays: Int?
        /// The form in which the platform lists its free time.
        public var items: SlotOptions.Items?

        /// A clinic in a time zone.
        public init(timeZone: String? = nil, locale: VoiceLocale? = nil, region: String? = nil, services: [Service]? = nil) {
            self.timeZone = timeZone
            self.locale = locale
            self.region = region
            self.services = services
        }
    }

    /// A kind of appointment.
    public struct Service: Sendable, Equatable {
        /// The name that a model uses.
        public var name: String
        /// Its length, 1 to 1440.
        public var durationMinutes: Int

        /// A kind of appointment of that length.
        public init(_ name: String, durationMinutes: Int) {
            self.name = name
            self.durationMinutes = durationMinutes
        }
    }

    /// The question before a booking.
    public enum Confirm: String, Sendable, CaseIterable {
        /// The slot, the name and the number are read back first.
        case readback
        /// The model asks by itself.
        case none
    }
}

extension ClientConfiguration.Voice {
    func write(_ voice: inout JSONWriter) {
        clinic.write(&voice)
        guard !bots.isEmpty else { return }
        voice.object("bots") { object in
            for (bot, clinic) in bots.sorted(by: { $0.key < $1.key }) { object.object(named: bot, clinic.write) }
        }
    }
}

extension ClientConfiguration.Clinic {
    fileprivate func write(_ clinic: inout JSONWriter) {
        clinic.member("time_zone", ifAny: timeZone)
        clinic.member("locale", ifAny: locale?.name)
        clinic.member("region", ifAny: region)
        if let services {
            clinic.array("services", services) { object, service in
                object.member("name", service.name)
                object.member("duration_minutes", service.durationMinutes)
            }
        }
        clinic.member("step_minutes", ifAny: stepMinutes)
        if let openingHours {
            clinic.object("opening") { opening in
                for day in ClientConfiguration.Weekday.allCases { opening.member(day.name, ifAny: openingHours[day]) }
            }
        }
        clinic.member("min_notice_minutes", ifAny: minNoticeMinutes)
        clinic.member("max_days_ahead", ifAny: maxDaysAhead)
        clinic.member("offers", ifAny: offers)
        clinic.member("confirm", ifAny: confirm?.rawValue)
        clinic.member("cache_ms", ifAny: cacheTime?.wholeMilliseconds)
        clinic.member("prefetch_days", ifAny: prefetchDays)
        clinic.member("items", ifAny: items?.rawValue)
    }
}
