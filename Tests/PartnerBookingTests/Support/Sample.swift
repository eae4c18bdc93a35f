import PartnerBooking

/// Operations that the Partner API has.
let partnerAPIOperations: [PartnerBooking.CallOperation] = [.searchAvailability, .createBooking]

/// Requests and replies of the Partner API.
enum Sample {
    static let searchReply = Array(#"{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}"#.utf8)
    static let bookingReply = Array(#"{"booking":{"id":"bkg_1","status":"confirmed"}}"#.utf8)

    static func refusal(_ code: String) -> [UInt8] { Array(#"{"error":{"code":"\#(code)","message":"No."}}"#.utf8) }

    /// A search; `more` is put behind its members, and starts with a comma.
    static func search(bot: String = "bot_1", _ more: String = "") -> [UInt8] {
        let range = #"{"start_at":"2030-01-14T09:00:00Z","end_at":"2030-01-14T17:00:00Z"}"#
        return Array(#"{"bot_id":"\#(bot)","query":{"filter":{"start_at_range":\#(range)}}\#(more)}"#.utf8)
    }

    static func booking(bot: String = "bot_1", key: String = "key-1", _ more: String = "") -> [UInt8] {
        let booking =
            #"{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"customer":{"phone":"+15551234567","name":"J"}}"#
        return Array(#"{"bot_id":"\#(bot)","idempotency_key":"\#(key)","booking":\#(booking)\#(more)}"#.utf8)
    }

    static func resume(key: String = "key-1", _ more: String = "") -> [UInt8] {
        Array(#"{"idempotency_key":"\#(key)","resume":true\#(more)}"#.utf8)
    }

    static func giveUp(key: String = "key-1", _ more: String = "") -> [UInt8] {
        Array(#"{"idempotency_key":"\#(key)","give_up":true\#(more)}"#.utf8)
    }

    /// The same request, not to be ended by a cancel.
    static func detached(_ request: [UInt8]) -> [UInt8] { Array(#"{"detach":true,"#.utf8) + request.dropFirst() }

    static func lookup(bot: String = "bot_1", _ more: String = "") -> [UInt8] {
        Array(#"{"bot_id":"\#(bot)","customer":{"phone":"+15551234567"}\#(more)}"#.utf8)
    }

    static func request(_ operation: PartnerBooking.CallOperation, key: String = "key-1", _ more: String = "") -> [UInt8] {
        switch operation {
        case .searchAvailability: search(more)
        case .createBooking: booking(key: key, more)
        case .lookupCustomer: lookup(more)
        }
    }

    static func reply(to operation: PartnerBooking.CallOperation) -> [UInt8] {
        switch operation {
        case .searchAvailability: searchReply
        case .createBooking: bookingReply
        case .lookupCustomer: Array(#"{"found":false}"#.utf8)
        }
    }

    static func timeout(_ milliseconds: Int) -> String { #","timeout_ms":\#(milliseconds)"# }

    /// The longest time in which a booking in doubt is not asked for again: the first pause would end after the deadline.
    static let shortOfAQuestion = timeout(1_000)
}
