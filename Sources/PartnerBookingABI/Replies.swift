// Functions that read replies and write requests, for hosts without a JSON library.
import CPartnerBooking
import Glibc
import PartnerBooking

@_cdecl("pbk_reply_status") @implementation
public func pbk_reply_status(_ reply: UnsafePointer<CChar>?) -> pbk_status {
    guard let reply else { return PBK_INVALID_ARGUMENT }
    return switch Reply(bytes(reply)) {
    case nil: PBK_INVALID_JSON
    case .success: PBK_OK
    case .failure(let error): error.pbkStatus
    }
}

@_cdecl("pbk_reply_outcome") @implementation
public func pbk_reply_outcome(_ reply: UnsafePointer<CChar>?) -> pbk_outcome {
    switch reply.flatMap({ Reply(bytes($0)) }) {
    case nil: PBK_OUTCOME_UNKNOWN
    case .success: PBK_OUTCOME_NONE
    case .failure(let error): error.pbkOutcome
    }
}

@_cdecl("pbk_reply_retryable") @implementation
public func pbk_reply_retryable(_ reply: UnsafePointer<CChar>?) -> Int32 {
    error(reply)?.isRetryable ?? false ? 1 : 0
}

@_cdecl("pbk_reply_retry_after_ms") @implementation
public func pbk_reply_retry_after_ms(_ reply: UnsafePointer<CChar>?) -> Int64 {
    Int64(error(reply)?.retryAfterMilliseconds ?? -1)
}

@_cdecl("pbk_json_get") @implementation
public func pbk_json_get(
    _ json: UnsafePointer<CChar>?, _ pointer: UnsafePointer<CChar>?
) -> UnsafeMutablePointer<CChar>? {
    guard let json, let pointer else { return nil }
    return JSON.value(at: bytes(pointer), in: bytes(json)).flatMap(string)
}

@_cdecl("pbk_json_quote") @implementation
public func pbk_json_quote(_ text: UnsafePointer<CChar>?) -> UnsafeMutablePointer<CChar>? {
    text.flatMap { string(JSON.quoted(bytes($0))) }
}

/// Returns the error of an error reply, or nil for any other reply.
private func error(_ reply: UnsafePointer<CChar>?) -> PartnerBookingError? {
    guard let reply, case .failure(let error) = Reply(bytes(reply)) else { return nil }
    return error
}

/// Returns a copy without the NUL byte. It has no length limit, as replies have none here.
func bytes(_ string: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: string, count: strlen(string)))
}
