extension ClientConfiguration {
    /// The clinics of the bots. Tool calls and plain dates in searches use them.
    public struct Voice: Sendable, Equatable {
        /// The clinic of all bots.
        public var clinic: Clinic
        /// Clinics of single bots, by `bot_id`. A nil member has the value of `clinic`.
        public var bots: [String: Clinic]

        /// Creates a clinic for all bots, and other clinics for some bots.
        public init(_ clinic: Clinic = Clinic(), bots: [String: Clinic] = [:]) {
            self.clinic = clinic
            self.bots = bots
        }
    }

    /// A clinic. A nil member has its default, or the value of the clinic of all bots.
    public struct Clinic: Sendable, Equatable {
        /// IANA name, such as `America/New_York`. nil: plain dates are sent as written, and
        /// tool calls do not work.
        public var timeZone: String?
        /// Language of the spoken words.
        public var locale: VoiceLocale?
        /// Country in which phone numbers without `+` are dialled: ISO 3166, such as `US`.
        public var region: String?
        /// Kinds of appointments, at most 64. nil: one kind of 30 minutes.
        public var services: [Service]?
        /// Step in minutes, 1 to 1440. Starts are multiples of it on the clinic's clock.
        public var stepMinutes: Int?
        /// Opening hours, such as `09:00-17:00`. They only decide what a bare "three" means.
        public var openingHours: [Weekday: [String]]?
        /// Minimum time from now to the start of a slot, in minutes.
        public var minNoticeMinutes: Int?
        /// Number of days after today in which slots may start.
        public var maxDaysAhead: Int?
        /// Number of slots in one offer, 1 to 10.
        public var offers: Int?
        /// The question before a booking.
        public var confirm: Confirm?
        /// Time for which search replies are reused without a new request, at most 10 minutes.
        public var cacheTime: Duration?
        /// Number of days in one search, 1 to 31.
        public var prefetchDays: Int?
        /// The form in which the platform lists its free time.
        public var items: SlotOptions.Items?

        /// Creates a clinic in a time zone.
        public init(timeZone: String? = nil, locale: VoiceLocale? = nil, region: String? = nil, services: [Service]? = nil) {
            self.timeZone = timeZone
            self.locale = locale
            self.region = region
            self.services = services
        }
    }

    /// A kind of appointment.
    public struct Service: Sendable, Equatable {
        /// Name that the model uses.
        public var name: String
        /// Length in minutes, 1 to 1440.
        public var durationMinutes: Int

        /// Creates a kind of appointment with this length.
        public init(_ name: String, durationMinutes: Int) {
            self.name = name
            self.durationMinutes = durationMinutes
        }
    }

    /// The question before a booking.
    public enum Confirm: String, Sendable, CaseIterable {
        /// The bot first reads back the slot, the name and the number.
        case readback
        /// The library asks nothing. The model asks by itself.
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
