extension PartnerBookingError {
    /// The cause. Open-ended: services have codes of their own, and a program may name those that it decides on:
    ///
    ///     extension PartnerBookingError.Code {
    ///         static let clinicClosed = Self(rawValue: "clinic_closed")
    ///     }
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code, as in JSON.
        public let rawValue: String
        /// A code, the library's or a service's.
        public init(rawValue: String) { self.rawValue = rawValue }
        private init(_ rawValue: String) { self.rawValue = rawValue }

        // MARK: The library's

        /// A text is longer than its limit, or a ticket was never given.
        public static let invalidArgument = Code("invalid_argument")
        /// A handle that never came from the library. Only the C ABI gives it.
        package static let invalidClient = Code("invalid_client")
        /// The client was closed before the call, or while it was under way.
        public static let clientClosed = Code("client_closed")
        /// A member of the configuration is wrong: `field`.
        public static let invalidConfig = Code("invalid_config")
        /// Not JSON from byte `offset` on.
        public static let invalidJSON = Code("invalid_json")
        /// A member of the request is missing or wrong: `field`.
        public static let invalidField = Code("invalid_field")
        /// `cancel`, or the task was cancelled.
        public static let cancelled = Code("cancelled")
        /// A blocking function was called on the transfer thread.
        public static let wouldDeadlock = Code("would_deadlock")
        /// The key belongs to another booking; nothing was sent.
        public static let idempotencyKeyReused = Code("idempotency_key_reused")
        /// Nothing is recorded under the key to resume or to give up, or its booking was not made.
        public static let notRecorded = Code("not_recorded")
        /// The Partner API looks up no customers.
        public static let unsupportedOperation = Code("unsupported_operation")
        /// The configuration's platforms do not name the bot.
        public static let unknownBot = Code("unknown_bot")
        /// The configuration's platforms name the bot, but no webhook for it.
        public static let noWebhook = Code("no_webhook")
        /// The booking in doubt was sent in another account than its bot has now.
        public static let accountChanged = Code("account_changed")
        /// As many calls as `maxInFlight` and `maxQueued` allow are accepted and not over.
        public static let queueFull = Code("queue_full")
        /// Out of memory, threads or descriptors.
        public static let resourceUnavailable = Code("resource_unavailable")
        /// The journal could not be opened, or did not take the booking.
        public static let journalUnavailable = Code("journal_unavailable")
        /// Another client has the journal open.
        public static let journalLocked = Code("journal_locked")
        /// Too many bookings of the service are in doubt or in flight.
        public static let ledgerFull = Code("ledger_full")
        /// The service failed too often in a row, and is left alone for a moment.
        public static let circuitOpen = Code("circuit_open")
        /// No definite answer came in time.
        public static let timeout = Code("timeout")
        /// The host name did not resolve.
        public static let dnsFailed = Code("dns_failed")
        /// No connection could be made.
        public static let connectFailed = Code("connect_failed")
        /// The handshake failed, or the certificate is not to be trusted.
        public static let tlsFailed = Code("tls_failed")
        /// The connection broke after it was made.
        public static let connectionLost = Code("connection_lost")
        /// The proxy's name did not resolve, or it refused.
        public static let proxyFailed = Code("proxy_failed")
        /// The webhook's host has a private address.
        public static let addressRefused = Code("address_refused")
        /// A success that is not JSON of the promised shape.
        public static let invalidReply = Code("invalid_reply")
        /// The reply is longer than `maxReplyBytes`.
        public static let replyTooLarge = Code("reply_too_large")
        /// The platform declined or cancelled the booking. There is no appointment.
        public static let notConfirmed = Code("not_confirmed")
        /// The reply contains another start than the request. The booking may exist.
        public static let otherBooking = Code("other_booking")
        /// The booking was sent and is not settled: `doubt`.
        public static let inDoubt = Code("in_doubt")
        /// The time zone is not known, or its file is damaged.
        public static let unknownTimeZone = Code("unknown_time_zone")
        /// No time can be made of a wish: `timeProblem`.
        public static let timeUnclear = Code("time_unclear")
        /// No phone number can be made of a text: `phoneProblem`.
        public static let phoneUnclear = Code("phone_unclear")
        /// An error status whose body is not the API's error object.
        public static let httpError = Code("http_error")

        // MARK: Services'

        /// The slot is taken. Platforms have other words for it, too: `isSlotConflict` knows them.
        public static let slotUnavailable = Code("slot_unavailable")
        /// The service does not know the bot.
        public static let botNotFound = Code("bot_not_found")
        /// The service does not accept the API key, or the platform the request.
        public static let unauthorized = Code("unauthorized")
        /// The platform does not accept the request's signature.
        public static let invalidSignature = Code("invalid_signature")
        /// The service cannot use a member of the request.
        public static let invalidPayload = Code("invalid_payload")
        /// More slots are free than one reply may list.
        public static let rangeTooLong = Code("range_too_long")
        /// The first request with this key is still running.
        public static let idempotencyKeyInProgress = Code("idempotency_key_in_progress")
    }
}
