// Pure functions, from a reply on the wire to the words on the phone: JSON in, JSON out.
import CPartnerBooking
import PartnerBooking

@_cdecl("pbk_slots") @implementation
public func pbk_slots(
    _ replyJSON: UnsafePointer<CChar>?, _ optionsJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    answer(status) { () throws(PartnerBookingError) in
        guard let replyJSON else { throw .argument(ErrorMessage.null("reply_json")) }
        return try SlotList.reply(search: bytes(replyJSON), options: bytes(optionsJSON, "options_json"))
    }
}

@_cdecl("pbk_when") @implementation
public func pbk_when(
    _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    answer(status) { () throws(PartnerBookingError) in
        try TimeWish.reply(json: bytes(requestJSON, "request_json"))
    }
}

@_cdecl("pbk_say") @implementation
public func pbk_say(
    _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    answer(status) { () throws(PartnerBookingError) in
        try Speech.reply(json: bytes(requestJSON, "request_json"))
    }
}

@_cdecl("pbk_phone") @implementation
public func pbk_phone(
    _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    answer(status) { () throws(PartnerBookingError) in
        try PhoneNumber.reply(json: bytes(requestJSON, "request_json"))
    }
}

@_cdecl("pbk_tools") @implementation
public func pbk_tools(
    _ optionsJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    answer(status) { () throws(PartnerBookingError) in
        try BookingTools.reply(json: bytes(optionsJSON, "options_json"))
    }
}

/// Returns the answer of a pure function, or its error reply.
private func answer(
    _ status: UnsafeMutablePointer<pbk_status>?, _ body: () throws(PartnerBookingError) -> [UInt8]
) -> UnsafeMutablePointer<CChar>? {
    var (json, code): ([UInt8], pbk_status)
    do throws(PartnerBookingError) {
        (json, code) = (try body(), PBK_OK)
    } catch {
        (json, code) = (error.json, error.pbkStatus)
    }
    let reply = string(json)
    status?.pointee = reply == nil ? PBK_RESOURCE_UNAVAILABLE : code
    return reply
}
