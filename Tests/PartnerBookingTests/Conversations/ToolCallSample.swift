@testable import PartnerBooking

/// A tool call without client, network and clock: Monday, 2030-01-14, 08:00 in New York.
struct ToolCallSample {
    static let now = 1_894_579_200 + 8 * 3_600 + 5 * 3_600
    static let day = 86_400

    var conversation = ConversationState()
    var profile: VoiceProfile
    var appointments: [Appointment] = []

    init() throws {
        profile = VoiceProfile(zone: try Zone.named("America/New_York"))
        profile.region = "US".withPlan
    }

    /// The instant of a time on the clinic's clock, so many days from now.
    static func instant(_ days: Int, _ hour: Int, _ minute: Int = 0) -> Int {
        1_894_579_200 + days * day + (hour + 5) * 3_600 + minute * 60
    }

    /// A slot on the clinic's clock.
    func slot(_ days: Int, _ hour: Int, _ minute: Int = 0) -> SlotStart {
        let instant = Self.instant(days, hour, minute)
        return SlotStart(
            instant: instant, local: profile.zone.local(at: instant), endOffset: profile.zone.offset(at: instant), item: 0)
    }

    func call(_ tool: String, _ arguments: String = "{}", _ more: String = "") throws -> ToolCall {
        let json =
            #"{"tool":"\#(tool)","call_id":"call-1","bot_id":"bot_1","caller_phone":"+12125550123","arguments":\#(arguments)\#(more)}"#
        return ToolCall(try ToolRequest(json: Array(json.utf8)), profile, appointments, now: Self.now)
    }

    mutating func handle(_ call: inout ToolCall, _ event: ToolCall.Event) -> ToolCall.Effect {
        call.handle(event, &conversation)
    }

    /// A find that the platform answers with these slots.
    mutating func find(_ arguments: String, _ slots: [SlotStart]) throws -> ToolReply? {
        var call = try call("find_appointment_slots", arguments)
        guard case .search = handle(&call, .began) else { return nil }
        return handle(&call, .searched(.success(slots))).reply
    }

    /// A booking, up to its first effect.
    mutating func book(_ arguments: String, _ more: String = "") throws -> (call: ToolCall, effect: ToolCall.Effect) {
        var call = try call("book_appointment", arguments, more)
        let effect = handle(&call, .began)
        return (call, effect)
    }

    static func booked(at start: String, status: String = "confirmed") -> CallResult {
        .success(Array(#"{"booking":{"id":"b1","status":"\#(status)","start_at":"\#(start)"}}"#.utf8))
    }

    static func failure(_ status: Int?, _ code: String, _ outcome: PartnerBookingError.Outcome) -> CallResult {
        var error = PartnerBookingError(PartnerBookingError.Code(rawValue: code), "No.", source: .platform)
        error.status = status
        error.isFromService = status != nil
        error.outcome = outcome
        return .failure(error)
    }
}

extension ToolCall.Effect {
    var reply: ToolReply? { if case .finish(let reply) = self { reply } else { nil } }
    var result: ToolReply.Result? { reply?.result }
    var settledKey: String? { if case .settle(let key) = self { key } else { nil } }
    var wish: BookingWish? { if case .book(let wish) = self { wish } else { nil } }
}

extension String {
    fileprivate var withPlan: PhonePlan? {
        var text = self
        return text.withUTF8 { PhonePlan(region: UnsafeRawBufferPointer($0)) }
    }
}
