extension SandboxFault {
    private static let members = [
        "fault", "operation", "calls", "percent", "ms", "work_ms", "status", "code", "body", "content_type",
        "booking_status", "wrong",
    ]

    init(_ reader: ObjectReader) throws(PartnerBookingError) {
        try reader.refuseMembers(except: Self.members)
        let kind = try Self.kind(reader)
        let operation = try reader.optionalChoice("operation", CallOperation.self) ?? .createBooking
        if operation != .createBooking, !kind.isGeneral {
            throw reader.refuse("operation", MemberMessage.faultOfBookings)
        }
        let listed = try reader.optionalList("calls", maxCount: 1_000) ?? []
        let numbers = listed.compactMap(\.integer)
        guard numbers.count == listed.count, numbers.allSatisfy({ $0 >= 1 }) else {
            throw reader.refuse("calls", MemberMessage.callNumbers)
        }
        let percent = try reader.optionalInteger("percent", in: 0...100) ?? (listed.isEmpty ? 100 : 0)
        self.init(kind: kind, operation: operation, calls: Set(numbers), percent: percent)
    }

    private static func kind(_ reader: ObjectReader) throws(PartnerBookingError) -> Kind {
        let name = try reader.checkText("fault", maxBytes: 64, Form.fault).string ?? ""
        switch name {
        case "lose_request": return .loseRequest
        case "lose_reply": return .loseReply
        case "cuts": return .cuts
        case "queues": return .queues(milliseconds: try milliseconds(reader))
        case "late": return .late(milliseconds: try milliseconds(reader))
        case "error": return .error(try scriptedReply(reader))
        case "limits": return .limits(milliseconds: try milliseconds(reader))
        case "respells": return .respells(isWrong: try reader.optionalBoolean("wrong") ?? false)
        case "error_after": return .errorAfter(status: try status(reader))
        case "slow_duplicate": return .slowDuplicate(milliseconds: try milliseconds(reader))
        case "in_progress": return .inProgress(milliseconds: try milliseconds(reader))
        case "works":
            let status = try reader.optionalInteger("status", in: 500...599)
            return .works(milliseconds: try milliseconds(reader), status: status)
        case "gives_up":
            let work = try reader.integer("work_ms", in: 0...600_000)
            let status = try reader.optionalInteger("status", in: 500...599) ?? 504
            return .givesUp(milliseconds: try milliseconds(reader), workMilliseconds: work, status: status)
        case "drops": return .drops(milliseconds: try milliseconds(reader))
        case "own_conflict": return .ownConflict
        case "declined": return .declined
        case "books_as":
            let status = try reader.checkText("booking_status", maxBytes: 64, Form.bookingStatus) { !$0.isEmpty }
            return .booksAs(status: status.string ?? "")
        case "cancels_later": return .cancelsLater(milliseconds: try milliseconds(reader))
        case "other_booking": return .otherBooking
        case "empty_booking": return .emptyBooking
        case "error_in_booking": return .errorInBooking
        default: throw reader.refuse("fault", MemberMessage.mustBe(Form.faults))
        }
    }

    private static func milliseconds(_ reader: ObjectReader) throws(PartnerBookingError) -> Int {
        try reader.integer("ms", in: 0...600_000)
    }

    private static func status(_ reader: ObjectReader) throws(PartnerBookingError) -> Int {
        try reader.optionalInteger("status", in: 300...599) ?? 500
    }

    /// Reads a scripted reply. A success needs a `body`.
    private static func scriptedReply(_ reader: ObjectReader) throws(PartnerBookingError) -> ScriptedReply {
        let body = try reader.optionalString("body", maxBytes: 65_536, Form.textUpTo65536)
        let status = try reader.optionalInteger("status", in: (body == nil ? 300 : 200)...599) ?? 500
        let code = try reader.optionalString("code", maxBytes: 64, Form.errorCode) { !$0.isEmpty }
        let contentType = try reader.optionalString(
            "content_type", maxBytes: 256, Form.contentType
        ) { !$0.isEmpty && $0.allSatisfy { (0x20...0x7E).contains($0) } }
        return ScriptedReply(status: status, code: code ?? "scripted_error", body: body, contentType: contentType)
    }
}
