import Glibc

/// A reply with an error status. See "When the service answers" in docs/errors.md.
struct Refusal {
    private let status: Int
    /// The service's own reason. nil: the body has no known reason.
    let reason: ServiceReason?
    let retryAfterMilliseconds: Int?

    init(_ reply: HTTPReply, wallClock: () -> Int) {
        status = reply.status
        reason = ServiceReason(reply.body, status: reply.status)
        retryAfterMilliseconds = RetryAfter.milliseconds(reply, wallClock: wallClock)
    }

    /// True when the same request may succeed if it is sent again.
    var isTransient: Bool {
        switch status {
        case 408, 425, 429: true
        case 501, 505: false
        default: (500...599).contains(status)
        }
    }

    /// The meaning of the reply for the booking. Only 4xx are refusals. A redirect may follow a
    /// booking that was made (303). A 408 may come after the platform got the request. Any 5xx
    /// may hide a booking.
    var answer: Answer {
        switch status {
        case 408: .none
        case 409: conflict
        // Without a code about the booking, a gateway may have answered, or the bot, the
        // account or the route is wrong.
        case 400, 404, 410, 422: reason?.code.map(Self.isAboutBooking) ?? false ? .bookingRefused : .callerRefused
        case 401...499: .callerRefused
        default: .none
        }
    }

    private var conflict: Answer {
        let code = reason?.code ?? ""
        if Self.isSlotConflict(code) { return .bookingRefused }
        return retryAfterMilliseconds != nil || Self.tellsOfProgress(code) ? .inProgress : .conflict
    }

    /// Codes of a 409 about the slot. Case, hyphens and blanks make no difference.
    private static let slotConflicts: Set<String> = [
        "alreadybooked", "alreadyreserved", "appointmentconflict", "bookingconflict", "conflictingappointment",
        "conflictingbooking",
        "doublebooked", "doublebooking", "notavailable", "nolongeravailable", "overlappingbooking", "scheduleconflict",
        "schedulingconflict", "slotalreadybooked", "slotalreadytaken", "slotbooked", "slotconflict", "slotfull", "slotinuse",
        "slotnotavailable", "slotnolongeravailable", "slotoccupied", "slotreserved", "slottaken", "slotunavailable",
        "timeconflict",
        "timenotavailable", "timeslotnotavailable", "timeslottaken", "timeslotunavailable", "timetaken", "timeunavailable",
    ]

    static func isSlotConflict(_ code: String) -> Bool {
        code.utf8.count <= 64 && slotConflicts.contains(letters(of: code))
    }

    /// Returns the letters of a code in lower case. Services differ in case, hyphens and
    /// blanks.
    private static func letters(of code: String) -> String {
        String(decoding: code.utf8.prefix(128).filter(\.isLetter).map { $0 | 0x20 }, as: UTF8.self)
    }

    /// Returns whether the code means that the key is in progress, such as
    /// `idempotency_key_in_use` or `request_in_progress`.
    private static func tellsOfProgress(_ code: String) -> Bool {
        let code = letters(of: code)
        if contains(code, ["inprogress", "processing"]) { return true }
        return contains(code, ["inuse"]) && contains(code, ["key", "request"])
    }

    /// Returns whether the code names a part of a booking, and nothing that is checked before
    /// the booking.
    private static func isAboutBooking(_ code: String) -> Bool {
        contains(
            code,
            [
                "slot", "booking", "appointment", "time", "start", "hour", "closed", "past", "future", "date", "notice",
                "avail",
                "customer", "phone", "name", "email", "duration", "note", "payload", "validation", "field",
            ])
            && !contains(
                code,
                [
                    "bot", "account", "webhook", "key", "signature", "token", "auth", "route", "path", "method", "version",
                    "enabled", "config", "timestamp", "timeout",
                ])
    }

    private static func contains(_ code: String, _ words: [String]) -> Bool {
        let code = code.lowercased()
        return words.contains { strstr(code, $0) != nil }
    }

    /// Returns whether a code is a platform's. The Partner API passes on a platform's refusals,
    /// so only the code differs.
    static func isPlatformCode(_ code: String) -> Bool {
        isSlotConflict(code) || code == "invalid_signature" || code == "invalid_payload"
    }
}

extension PartnerBookingError {
    /// True when the service refused the booking because its slot is taken, with any known
    /// code.
    public var isSlotConflict: Bool { isFromService && status == 409 && Refusal.isSlotConflict(code.rawValue) }
}
