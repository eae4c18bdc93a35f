// Webhook signatures, for platforms. Pointers are read in place, so no secret is copied.
import CPartnerBooking
import Glibc
import PartnerBooking

@_cdecl("pbk_webhook_verify") @implementation
public func pbk_webhook_verify(
    _ secrets: UnsafePointer<UnsafePointer<CChar>?>?, _ secretCount: Int, _ signatureHeader: UnsafePointer<CChar>?,
    _ body: UnsafeRawPointer?, _ bodyLength: Int, _ now: Int64, _ toleranceSeconds: Int64
) -> pbk_webhook_verdict {
    guard let secrets, (1...16).contains(secretCount), let body = buffer(body, bodyLength), now >= 0, toleranceSeconds >= 0
    else { return PBK_WEBHOOK_INVALID_ARGUMENT }
    let keys = UnsafeBufferPointer(start: secrets, count: secretCount).compactMap(secret)
    guard keys.count == secretCount else { return PBK_WEBHOOK_INVALID_ARGUMENT }
    // One byte more than a header may have, so that a longer header is detected.
    let header = UnsafeRawBufferPointer(
        start: signatureHeader, count: signatureHeader.map { strnlen($0, WebhookSignature.maxHeaderBytes + 1) } ?? 0)
    let refusal = WebhookSignature.refusal(
        of: header, body: body, secrets: keys, now: now == 0 ? nil : Int(now),
        toleranceSeconds: toleranceSeconds == 0 ? WebhookSignature.toleranceSeconds : Int(toleranceSeconds))
    return switch refusal {
    case nil: PBK_WEBHOOK_VALID
    case .missing: PBK_WEBHOOK_SIGNATURE_MISSING
    case .malformed: PBK_WEBHOOK_SIGNATURE_MALFORMED
    case .mismatch: PBK_WEBHOOK_SIGNATURE_MISMATCH
    case .tooOld: PBK_WEBHOOK_TIMESTAMP_TOO_OLD
    case .inFuture: PBK_WEBHOOK_TIMESTAMP_IN_FUTURE
    }
}

@_cdecl("pbk_webhook_verdict_text") @implementation
public func pbk_webhook_verdict_text(_ verdict: pbk_webhook_verdict) -> UnsafePointer<CChar>? {
    cString(text(of: verdict))
}

@_cdecl("pbk_webhook_sign") @implementation
public func pbk_webhook_sign(
    _ webhookSecret: UnsafePointer<CChar>?, _ body: UnsafeRawPointer?, _ bodyLength: Int, _ timestamp: Int64
) -> UnsafeMutablePointer<CChar>? {
    guard let key = secret(webhookSecret), let body = buffer(body, bodyLength),
        (0...Int64(WebhookSignature.maxTimestamp)).contains(timestamp)
    else { return nil }
    let header = WebhookSignature.header(secret: key, body: body, timestamp: timestamp == 0 ? nil : Int(timestamp))
    return string(Array(header.utf8))
}

private func text(of verdict: pbk_webhook_verdict) -> StaticString {
    switch verdict {
    case PBK_WEBHOOK_VALID: "the signature is valid"
    case PBK_WEBHOOK_INVALID_ARGUMENT: "an argument is wrong: the secrets, the body or a time"
    case PBK_WEBHOOK_SIGNATURE_MISSING: "the signature header is missing"
    case PBK_WEBHOOK_SIGNATURE_MALFORMED: "the signature header is not of the form t=<seconds>,v1=<hex>"
    case PBK_WEBHOOK_SIGNATURE_MISMATCH: "the signature does not match"
    case PBK_WEBHOOK_TIMESTAMP_TOO_OLD: "the signature is too old"
    case PBK_WEBHOOK_TIMESTAMP_IN_FUTURE: "the signature's time is in the future"
    default: "unknown verdict"
    }
}

/// Returns the bytes of a secret. nil for NULL and for an empty secret, which everybody knows.
private func secret(_ secret: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer? {
    guard let secret, secret.pointee != 0 else { return nil }
    return UnsafeRawBufferPointer(start: secret, count: strlen(secret))
}

/// Returns the bytes of a buffer. nil for NULL with a length, and for a length above `Int.max`.
private func buffer(_ bytes: UnsafeRawPointer?, _ length: Int) -> UnsafeRawBufferPointer? {
    guard length >= 0, bytes != nil || length == 0 else { return nil }
    return UnsafeRawBufferPointer(start: bytes, count: length)
}
