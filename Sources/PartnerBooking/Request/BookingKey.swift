/// Idempotency keys for engines that have none of their own. docs/exactly-once.md describes
/// which function to use.
public enum BookingKey {
    /// Returns a key for a booking in a phone call. A language model that repeats the booking
    /// gets the same key. For another time it gets another key.
    ///
    /// - Parameters:
    ///   - callID: The name of the phone call, 1 to 256 bytes.
    ///   - json: The request of the booking, as docs/json-contract.md describes it. Only its
    ///     bot, start instant, duration and phone count.
    /// - Throws: The error in the call ID or the request, with its `field`.
    public static func derived(callID: String, request json: [UInt8]) throws(PartnerBookingError) -> String {
        try derived(callID: Array(callID.utf8), request: json)
    }

    /// Returns the key for a call ID that need not be UTF-8.
    package static func derived(callID: [UInt8], request json: [UInt8]) throws(PartnerBookingError) -> String {
        guard (1...256).contains(callID.count) else { throw .argument(ErrorMessage.callID) }
        let document = try JSONDocument(json, what: "request", maxBytes: Request.maxBytes)
        do throws(PartnerBookingError) {
            return try derived(callID, document)
        } catch {
            guard let canonical = CanonicalRequest.of(document, .createBooking) else { throw error }
            return try derived(callID, canonical)
        }
    }

    private static func derived(_ callID: [UInt8], _ document: JSONDocument) throws(PartnerBookingError) -> String {
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)
        let botID = try root.checkText("bot_id", maxBytes: 256, Form.text1To256) { !$0.isEmpty }
        let booking = try FieldRules.checkBooking(root.object("booking"))
        let phone = try booking.customer.value("phone")?.string ?? ""
        var hash = SHA256()
        // Hashes each length too, so that no two lists give the same input.
        for part in [callID, Array((botID.string ?? "").utf8), Array(phone.utf8)] {
            hash.update("\(part.count):")
            hash.update(part)
        }
        hash.update("\(booking.startSeconds) \(booking.minutes)")
        return prefix + Array(hash.finalize().prefix(16)).hex
    }

    /// Returns a new random key of 128 bits.
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return prefix + bytes.hex
    }

    private static let prefix = "booking-"
}
