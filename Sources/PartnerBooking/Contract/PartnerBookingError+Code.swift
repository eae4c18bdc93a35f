extension PartnerBookingError {
    /// The cause of an error. Services have their own codes, and a program may define names
    /// for codes:
    ///
    ///     extension PartnerBookingError.Code {
    ///         static let clinicClosed = Self(rawValue: "clinic_closed")
    ///     }
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code, as in JSON.
        public let rawValue: String
        /// Creates a code of the library or of a service.
        public init(rawValue: String) { self.rawValue = rawValue }
        private init(_ rawValue: String) { self.rawValue = rawValue }

        // MARK: Codes of the library

        /// An argument is wrong, such as a text over its limit or an unknown ticket.
        public static let invalidArgument = Code("invalid_argument")
        /// The handle never came from the library. Only the C ABI returns this code.
        package static let invalidClient = Code("invalid_client")
        /// The client was closed before the call, or while it was under way.
        public static let clientClosed = Code("client_closed")
        /// A member of the configuration is wrong: `field`.
        public static let invalidConfig = Code("invalid_config")
        /// The text is not JSON from byte `offset` on.
        public static let invalidJSON = Code("invalid_json")
        /// A member of the request is missing or wrong: `field`.
        public static let invalidField = Code("invalid_field")
        /// `cancel` was called, or the task was cancelled.
        public static let cancelled = Code("cancelled")
        /// A blocking function was called on the transfer thread.
        public static let wouldDeadlock = Code("would_deadlock")
        /// The key belongs to another booking. Nothing was sent.
        public static let idempotencyKeyReused = Code("idempotency_key_reused")
        /// No booking to resume or to give up is recorded under the key, or it was not made.
        public static let notRecorded = Code("not_recorded")
        /// The Partner API has no customer look-up.
        public static let unsupportedOperation = Code("unsupported_operation")
        /// The platforms in the configuration do not name the bot.
        public static let unknownBot = Code("unknown_bot")
        /// The platforms in the configuration name the bot, but no webhook for it.
        public static let noWebhook = Code("no_webhook")
        /// The booking in doubt was sent in another account than its bot has now.
        public static let accountChanged = Code("account_changed")
        /// The queue is full: `maxInFlight` + `maxQueued` calls are outstanding.
        public static let queueFull = Code("queue_full")
        /// The system is out of memory, threads or descriptors.
        public static let resourceUnavailable = Code("resource_unavailable")
        /// The journal could not be opened, or the booking could not be recorded.
        public static let journalUnavailable = Code("journal_unavailable")
        /// Another client has the journal open.
        public static let journalLocked = Code("journal_locked")
        /// Too many bookings of the service are in doubt or in flight.
        public static let ledgerFull = Code("ledger_full")
        /// The circuit breaker is open: the service failed too often in a row. Calls fail at
        /// once.
        public static let circuitOpen = Code("circuit_open")
        /// No definite answer came in time.
        public static let timeout = Code("timeout")
        /// The host name did not resolve.
        public static let dnsFailed = Code("dns_failed")
        /// No connection could be made.
        public static let connectFailed = Code("connect_failed")
        /// The handshake failed, or the certificate is not trusted.
        public static let tlsFailed = Code("tls_failed")
        /// The connection broke after it was made.
        public static let connectionLost = Code("connection_lost")
        /// The proxy's name did not resolve, or the proxy refused.
        public static let proxyFailed = Code("proxy_failed")
        /// The webhook's host has a private address that is not allowed.
        public static let addressRefused = Code("address_refused")
        /// A success reply is not JSON of the promised shape.
        public static let invalidReply = Code("invalid_reply")
        /// The reply is longer than `maxReplyBytes`.
        public static let replyTooLarge = Code("reply_too_large")
        /// The platform declined or cancelled the booking. There is no appointment.
        public static let notConfirmed = Code("not_confirmed")
        /// The reply contains another start than the request. The booking may exist.
        public static let otherBooking = Code("other_booking")
        /// The booking was sent and is in doubt: `doubt`.
        public static let inDoubt = Code("in_doubt")
        /// The time zone is not known, or its file is damaged.
        public static let unknownTimeZone = Code("unknown_time_zone")
        /// A wish for a time is unclear: `timeProblem`.
        public static let timeUnclear = Code("time_unclear")
        /// A phone number is unclear: `phoneProblem`.
        public static let phoneUnclear = Code("phone_unclear")
        /// The reply has an error status, but not the API's error object.
        public static let httpError = Code("http_error")

        // MARK: Codes of services

        /// The slot is taken. `isSlotConflict` also recognizes the codes of platforms.
        public static let slotUnavailable = Code("slot_unavailable")
        /// The service does not know the bot.
        public static let botNotFound = Code("bot_not_found")
        /// The service does not accept the API key, or the platform does not accept the
        /// request.
        public static let unauthorized = Code("unauthorized")
        /// The platform does not accept the request's signature.
        public static let invalidSignature = Code("invalid_signature")
        /// The service does not accept a member of the request.
        public static let invalidPayload = Code("invalid_payload")
        /// More slots are free than one reply may contain.
        public static let rangeTooLong = Code("range_too_long")
        /// The first request with this key is still running.
        public static let idempotencyKeyInProgress = Code("idempotency_key_in_progress")
    }
}
