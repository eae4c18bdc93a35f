extension ClientConfiguration {
    /// The clinic of the sandbox. By default it is open on weekdays from 09:00 to 17:00 UTC,
    /// has slots of 30 minutes, and knows every bot.
    public struct SandboxClinic: Sendable, Equatable {
        /// Clinic's time when the client opens, an RFC 3339 date-time. nil: the system's clock.
        public var now: String?
        /// Opening hours, as ranges such as `09:00-17:00`. nil: Monday to Friday. A missing
        /// day is closed.
        public var openingHours: [Weekday: [String]]?
        /// Time zone: an IANA name such as `America/New_York`, or a fixed offset, `Z` or
        /// `±HH:MM`. nil: `Z`.
        public var timeZone: String?
        /// Items that a search lists. nil: `slots`.
        public var answer: Listing?
        /// Minutes between slot starts, counted from opening, 1 to 1440.
        public var slotMinutes: Int?
        /// Minimum time from now to the start of an item in a search. Whole minutes, at most
        /// 366 days. nil: 1 hour with `windows`, otherwise zero.
        public var minNotice: Duration?
        /// Number of days from today that can be booked, 1 to 366.
        public var days: Int?
        /// Meaning of a date without a time in a search. nil: `clinic`.
        public var dates: DateReading?
        /// Number of bookings that may overlap, 1 to 1000.
        public var capacity: Int?
        /// Treatment of idempotency keys. nil: `checkedFirst`.
        public var keys: KeyTreatment?
        /// Answer to a repeat while the first request with its key is at work. nil: `refuse`.
        public var inWork: RepeatTreatment?
        /// Bots that the clinic knows. nil: all bots.
        public var bots: [String]?
        /// The only API key that the clinic accepts. nil: any key. Hidden when printed.
        public var apiKey: String? {
            get { hiddenKey.value }
            set { hiddenKey.value = newValue }
        }
        private var hiddenKey = Hidden<String?>(nil)
        /// Duration of each reply, at most 10 minutes.
        public var latency: Duration?
        /// Failures to simulate.
        public var faults: [Fault]
        /// Seed of random faults. The same seed gives the same faults.
        public var seed: Int?
        /// Address and key of the Partner API that the client uses. nil: a key that the clinic
        /// accepts.
        public var partnerAPI: PartnerAPI?

        /// Creates a clinic whose clock shows `now`. Everything else has its default.
        public init(now: String? = nil, latency: Duration? = nil, faults: [Fault] = []) {
            self.now = now
            self.latency = latency
            self.faults = faults
        }
    }

    /// Items that a search of the sandbox lists.
    public enum Listing: String, Sendable, CaseIterable {
        /// One item for each slot.
        case slots
        /// One item for each free stretch of time.
        case windows
    }

    /// Meaning of a date without a time in a sandbox search.
    public enum DateReading: String, Sendable, CaseIterable {
        /// A day of the clinic. An end date includes its day.
        case clinic
        /// Midnight in UTC.
        case utc
    }

    /// The sandbox's answer to a repeat while the first request with its key is at work.
    /// Applies only with `checkedFirst`.
    public enum RepeatTreatment: String, Sendable, CaseIterable {
        /// Status 409, which says that the first request is at work.
        case refuse
        /// The reply to the first request, when that request is done.
        case wait
        /// The same answer as to any other key. The first request holds the slot.
        case look
    }

    /// A day of the week.
    public enum Weekday: String, Sendable, CaseIterable {
        /// The days, by their names.
        case sunday, monday, tuesday, wednesday, thursday, friday, saturday
    }

    /// A simulated failure of the sandbox.
    public struct Fault: Sendable, Equatable {
        /// Kinds of faults. See docs/json-contract.md, "Trouble on purpose". Times are at most
        /// 10 minutes. The kinds after `respells` apply only to bookings.
        public enum Kind: Sendable, Equatable {
            /// The connection breaks, and nothing is done.
            case loseRequest
            /// The request is carried out, and the connection breaks.
            case loseReply
            /// The request is carried out. The connection breaks in the middle of the reply.
            case cuts
            /// An intermediary holds the request for this time.
            case queues(for: Duration)
            /// The request is carried out at once, and answered after this time.
            case late(by: Duration)
            /// Nothing is done, and this is the answer. The status is 300 to 599, or from 200
            /// with a body.
            case error(status: Int? = nil, code: String? = nil, body: String? = nil, contentType: String? = nil)
            /// Nothing is done. The answer is 429 with the time to wait.
            case limits(for: Duration)
            /// Times in the reply have another offset but the same instants. With `isWrong`,
            /// the digits are the same instead, so the instants are wrong.
            case respells(isWrong: Bool = false)
            /// The booking is made, but the answer has this status.
            case errorAfter(status: Int? = nil)
            /// An intermediary sends the request twice. The second reply arrives after this time.
            case slowDuplicate(after: Duration)
            /// The booking is made. For this time, all requests with the same key get the
            /// answer that the first request is still running.
            case inProgress(for: Duration)
            /// The clinic holds the slot for this time, then books. A gateway answers with
            /// `status` at once, if there is one.
            case works(for: Duration, status: Int? = nil)
            /// The clinic works for the time `work`. A gateway answers after the time `after`, with
            /// a status of 500 to 599, unless the clinic is done before.
            case givesUp(after: Duration, work: Duration, status: Int? = nil)
            /// The connection breaks at once, and the clinic works for this time.
            case drops(work: Duration)
            /// The booking is made, and the answer is a conflict about its own slot.
            case ownConflict
            /// No booking is made. The reply is a declined booking.
            case declined
            /// The booking is made with this status.
            case booksAs(status: String)
            /// The booking is made, and cancelled by somebody after this time.
            case cancelsLater(after: Duration)
            /// The booking is made. The reply is a booking with another start.
            case otherBooking
            /// The booking is made. The reply is an empty booking.
            case emptyBooking
            /// The booking is made. The reply is a booking that contains an error.
            case errorInBooking
        }

        /// The kind of the fault.
        public var kind: Kind
        /// The operation whose requests are affected. nil: bookings.
        public var operation: CallOperation?
        /// Numbers of the affected requests, counted from 1.
        public var calls: [Int]
        /// Percentage of other requests that are affected. nil: none, or all without `calls`.
        public var percent: Int?

        /// Creates a fault of all requests of an operation, or of the given requests.
        public init(
            _ kind: Kind, operation: CallOperation? = nil, calls: [Int] = [], percent: Int? = nil
        ) {
            self.kind = kind
            self.operation = operation
            self.calls = calls
            self.percent = percent
        }
    }
}
