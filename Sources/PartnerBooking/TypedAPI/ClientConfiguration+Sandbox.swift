extension ClientConfiguration {
    /// The clinic of the sandbox. With its defaults it is open on weekdays from 09:00 to 17:00 UTC, with slots of 30 minutes, and
    /// knows every bot.
    public struct SandboxClinic: Sendable, Equatable {
        /// Its time when the client opens: an RFC 3339 date-time. nil: the system's clock.
        public var now: String?
        /// When it is open: ranges such as `09:00-17:00`. nil: Monday to Friday. A day that is left out is closed.
        public var openingHours: [Weekday: [String]]?
        /// Its time zone: an IANA name such as `America/New_York`, or a fixed offset, `Z` or `±HH:MM`. nil: `Z`.
        public var timeZone: String?
        /// Items of a search. nil: `slots`.
        public var answer: Listing?
        /// Slots start at opening and every so many minutes, 1 to 1440.
        public var slotMinutes: Int?
        /// A search lists nothing that starts earlier from now, in minutes: at most 366 days. nil: an hour with `windows`, else none.
        public var minNotice: Duration?
        /// Days from today that can be booked, 1 to 366.
        public var days: Int?
        /// Meaning of a date without a time in a search. nil: `clinic`.
        public var dates: DateReading?
        /// Bookings that may overlap, 1 to 1000.
        public var capacity: Int?
        /// Its treatment of idempotency keys. nil: `checkedFirst`.
        public var keys: KeyTreatment?
        /// Answer to a request whose key has a request at work. nil: `refuse`.
        public var inWork: RepeatTreatment?
        /// The bots that it knows. nil: any.
        public var bots: [String]?
        /// The only API key that it accepts. nil: any. It does not show when it is printed.
        public var apiKey: String? {
            get { hiddenKey.value }
            set { hiddenKey.value = newValue }
        }
        private var hiddenKey = Hidden<String?>(nil)
        /// Time that each reply takes, at most 10 minutes.
        public var latency: Duration?
        /// Trouble on purpose.
        public var faults: [Fault]
        /// The seed of random faults: the same seed gives the same faults.
        public var seed: Int?
        /// Address and key of the Partner API that the client uses. nil: a key that the clinic accepts.
        public var partnerAPI: PartnerAPI?

        /// A clinic whose clock shows that time, with defaults for what is left out.
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

    /// The sandbox's reading of a date without a time in a search.
    public enum DateReading: String, Sendable, CaseIterable {
        /// A day of the clinic. As an end it includes its day.
        case clinic
        /// Midnight in UTC.
        case utc
    }

    /// The sandbox's answer to a request while the first one with its key is at work. Only for keys that are checked first.
    public enum RepeatTreatment: String, Sendable, CaseIterable {
        /// A 409 that says so.
        case refuse
        /// The reply to the first request, when that is done.
        case wait
        /// The answer to any other key: the first request holds the slot.
        case look
    }

    /// A day of the week.
    public enum Weekday: String, Sendable, CaseIterable {
        /// The days, by their names.
        case sunday, monday, tuesday, wednesday, thursday, friday, saturday
    }

    /// Something that goes wrong in the sandbox.
    public struct Fault: Sendable, Equatable {
        /// Faults: docs/json-contract.md, "Trouble on purpose". Times are at most 10 minutes. Those behind `respells` need a
        /// booking.
        public enum Kind: Sendable, Equatable {
            /// The connection breaks, nothing is done.
            case loseRequest
            /// It is done, and the connection breaks.
            case loseReply
            /// It is done, and the connection breaks in the middle of the reply.
            case cuts
            /// Something on the way keeps the request for so long.
            case queues(for: Duration)
            /// It is done at once, and answered so much later.
            case late(by: Duration)
            /// Nothing is done, and that is the answer: a status of 300 to 599, or from 200 with a body.
            case error(status: Int? = nil, code: String? = nil, body: String? = nil, contentType: String? = nil)
            /// Nothing is done: 429, and the time to wait.
            case limits(for: Duration)
            /// Times in the reply have another offset: the same instants, or wrongly the same digits.
            case respells(isWrong: Bool = false)
            /// It is booked, and that is the answer nevertheless.
            case errorAfter(status: Int? = nil)
            /// Somebody on the way sends the request twice, and the second reply comes, so much later.
            case slowDuplicate(after: Duration)
            /// It books. For this time, every request with the same key gets the answer that the
            /// first is still running.
            case inProgress(for: Duration)
            /// The clinic holds the slot, works for so long, and books then. With a status a gateway answers that at once.
            case works(for: Duration, status: Int? = nil)
            /// The clinic works for so long. A gateway waits for a time of its own, and answers with a status of 500 to 599.
            case givesUp(after: Duration, work: Duration, status: Int? = nil)
            /// The connection breaks at once, and the clinic works for so long.
            case drops(work: Duration)
            /// It is booked, and the answer is a conflict about its own slot.
            case ownConflict
            /// Nothing is booked, and the reply is a booking that is declined.
            case declined
            /// It is booked with that status.
            case booksAs(status: String)
            /// It is booked, and somebody cancels it so much later.
            case cancelsLater(after: Duration)
            /// It is booked, and the reply is a booking with another start.
            case otherBooking
            /// It is booked, and the reply is an empty booking.
            case emptyBooking
            /// It is booked, and the reply is a booking with an error in it.
            case errorInBooking
        }

        /// The kind of the fault.
        public var kind: Kind
        /// The operation whose requests it happens to. nil: bookings.
        public var operation: CallOperation?
        /// The requests that it happens to, counted from 1.
        public var calls: [Int]
        /// Percentage of the others that it happens to. nil: none; without `calls` all.
        public var percent: Int?

        /// A fault of all requests of an operation, or of those.
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
