import Glibc

/// Reads a reply with an error status: docs/errors.md, "When the service answers".
struct Refusal {
    private let status: Int
    /// The service's own reason. nil: the body has none that is known.
    let reason: ServiceReason?
    let retryAfterMilliseconds: Int?

    init(_ reply: HTTPReply, wallClock: () -> Int) {
        status = reply.status
        reason = ServiceReason(reply.body, status: reply.status)
        retryAfterMilliseconds = RetryAfter.milliseconds(reply, wallClock: wallClock)
    }

    /// The same request may succeed when it is sent again.
    var isTransient: Bool {
        switch status {
        case 408, 425, 429: true
        case 501, 505: false
        default: (500...599).contains(status)
        }
    }

    /// The meaning for the booking. Only 4xx are refusals. A redirect may follow a booking that was made (303), a 408 may
    /// come after the platform got the request, and any 5xx may hide a booking.
    var answer: Answer {
        switch status {
        case 408: .none
        case 409: conflict
        // Without a code about the booking, a gateway may have answered, or the bot, the account or the route is wrong.
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

    /// Returns the letters of a code in lower case, because services differ in case, hyphens and blanks.
    private static func letters(of code: String) -> String {
        String(decoding: code.utf8.prefix(128).filter(\.isLetter).map { $0 | 0x20 }, as: UTF8.self)
    }

    /// Returns whether the code says that the key is in progress: `idempotency_key_in_use`, `request_in_progress` and
    /// similar ones.
    private static func tellsOfProgress(_ code: String) -> Bool {
        let code = letters(of: code)
        if contains(code, ["inprogress", "processing"]) { return true }
        return contains(code, ["inuse"]) && contains(code, ["key", "request"])
    }

    /// Returns whether the code names a part of a booking, and nothing that is checked before the booking.
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

    /// Returns whether a code is a platform's. The Partner API passes a platform's refusals on; only their codes differ.
    static func isPlatformCode(_ code: String) -> Bool {
        isSlotConflict(code) || code == "invalid_signature" || code == "invalid_payload"
    }
}

extension PartnerBookingError {
    /// The service refused the booking because its slot is taken, with any of the known codes.
    public var isSlotConflict: Bool { isFromService && status == 409 && Refusal.isSlotConflict(code.rawValue) }
}
