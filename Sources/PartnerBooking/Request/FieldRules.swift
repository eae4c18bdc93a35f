/// What the members of the Partner API's two bodies must look like. The service checks them too; here a mistake costs no
/// round trip, and the caller is still on the line to correct it.
enum FieldRules {
    /// `query`: a range of time to search.
    static func checkQuery(_ query: ObjectReader) throws(PartnerBookingError) {
        let range = try query.object("filter").object("start_at_range")
        let expected = "an RFC 3339 date-time with offset, such as 2030-01-14T09:00:00Z, or a date such as 2030-01-14"
        let start = try timestamp("start_at", of: range, expected)
        let end = try timestamp("end_at", of: range, expected)
        if !isRange(start, end) { throw range.refuse("end_at", "must be after start_at") }
    }

    /// `booking`: what to book, and for whom.
    static func checkBooking(_ booking: ObjectReader) throws(PartnerBookingError) {
        let expected = "an RFC 3339 date-time with offset, such as 2030-01-14T10:00:00Z"
        guard case .instant = try timestamp("start_at", of: booking, expected) else {
            throw booking.refuse("start_at", "must be \(expected)")
        }
        _ = try booking.integer("duration_minutes", in: 1...1440)
        let customer = try booking.object("customer")
        _ = try customer.string(
            "phone", maxBytes: 16, "an E.164 number such as +15551234567: a plus sign and 2 to 15 digits",
            where: isPhone)
        _ = try customer.string("name", maxBytes: 256, "a name of 1 to 256 bytes, not only white space") {
            $0.unicodeScalars.contains { !$0.properties.isWhitespace }
        }
        _ = try customer.optionalString(
            "email", maxBytes: 254, "an address such as john@example.com, or left out", where: isEmail)
        _ = try booking.optionalString("notes", maxBytes: 16_384, "a string of at most 16384 bytes, or left out")
    }

    private static func timestamp(
        _ name: String, of reader: ObjectReader, _ expected: String
    ) throws(PartnerBookingError) -> Timestamp {
        let text = try reader.string(name, maxBytes: 64, expected)
        guard let timestamp = Timestamp(text) else { throw reader.refuse(name, "must be \(expected)") }
        return timestamp
    }

    /// Whether the range can hold anything. Dates are days of the clinic, whose time zone we do not know: a date and a
    /// date-time are in the wrong order only when they are so in every time zone of the world (UTC-12 to UTC+14).
    static func isRange(_ start: Timestamp, _ end: Timestamp) -> Bool {
        switch (start, end) {
        case (.instant(let startSeconds, let startNanoseconds), .instant(let endSeconds, let endNanoseconds)):
            (startSeconds, startNanoseconds) < (endSeconds, endNanoseconds)
        case (.date(let startDay), .date(let endDay)):
            startDay <= endDay
        case (.date(let startDay), .instant(let endSeconds, _)):
            startDay * 86_400 - 14 * 3_600 < endSeconds
        case (.instant(let startSeconds, _), .date(let endDay)):
            startSeconds < (endDay + 1) * 86_400 + 12 * 3_600
        }
    }

    static func isVisibleASCII(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    static func isPhone(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: "+") && (2...15).contains(digits.count)
            && digits.first != UInt8(ascii: "0") && digits.allSatisfy(\.isDigit)
    }

    /// Plausible, no more: one @ with something before it and a host after it. Only the mail server knows the rest.
    static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { !$0.isEmpty }
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace }
    }

    static func isTraceparent(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [2, 32, 16, 2] && parts[0] == "00"
            && parts.allSatisfy { $0.utf8.allSatisfy { $0.hexDigitValue != nil && !(0x41...0x46).contains($0) } }
            && parts[1...2].allSatisfy { $0.utf8.contains { $0 != UInt8(ascii: "0") } }
    }
}
