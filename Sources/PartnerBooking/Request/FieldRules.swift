/// Checks of the members of request bodies. The service checks them too. A mistake found here
/// costs no round trip, and the caller is still on the line to correct it.
enum FieldRules {
    /// Checks `query`, and returns the range of time to search.
    @discardableResult
    static func checkQuery(_ query: ObjectReader) throws(PartnerBookingError) -> (start: Timestamp, end: Timestamp) {
        let range = try query.object("filter").object("start_at_range")
        let start = try timestamp("start_at", of: range, allowsDate: true)
        let end = try timestamp("end_at", of: range, allowsDate: true)
        if !isRange(start, end) { throw range.refuse("end_at", MemberMessage.notAfterStart, .outOfRange) }
        return (start, end)
    }

    /// The members of a booking that the library needs.
    struct Booking {
        let startAt: JSONValue
        let startSeconds: Int
        let minutes: Int
        let customer: ObjectReader
    }

    /// Checks `booking`: the appointment and its customer.
    static func checkBooking(_ booking: ObjectReader) throws(PartnerBookingError) -> Booking {
        let start = try timestamp("start_at", of: booking)
        guard let startAt = try booking.value("start_at") else {
            throw booking.missing("start_at", Form.instant.description)
        }
        guard case .instant(let seconds, _) = start else {
            throw booking.refuse("start_at", MemberMessage.mustBe(Form.instant))
        }
        let minutes = try booking.integer("duration_minutes", in: 1...1440)
        let customer = try booking.object("customer")
        try checkCustomer(customer)
        try customer.checkText("name", maxBytes: 256, Form.customerName, isName)
        try customer.checkOptionalText("email", maxBytes: 254, Form.email, isEmail)
        let notes = try booking.checkOptionalText("notes", maxBytes: 16_384, Form.notes, hasText)
        if let notes, notes.withText({ $0.contains { $0 < 0x20 && ![0x09, 0x0A, 0x0D].contains($0) } }) ?? false {
            throw booking.refuse("notes", MemberMessage.controlCharacters, .controlCharacter)
        }
        return Booking(startAt: startAt, startSeconds: seconds, minutes: minutes, customer: customer)
    }

    /// Checks the phone of `customer`, which is all that a look-up needs.
    @discardableResult
    static func checkCustomer(_ customer: ObjectReader) throws(PartnerBookingError) -> JSONValue {
        guard let value = try customer.value("phone") else { throw customer.missing("phone", Form.phone.description) }
        if value.withText(isPhone) ?? false { return value }
        throw customer.refuse("phone", .ofPhone(value))
    }

    /// Reads a date-time in its canonical form. With `allowsDate` it also reads a plain date.
    static func timestamp(
        _ name: StaticString, of reader: ObjectReader, allowsDate: Bool = false
    ) throws(PartnerBookingError) -> Timestamp {
        if let timestamp = try reader.read(name, { canonicalTimestamp($0, allowsDate: allowsDate) }) { return timestamp }
        guard let value = try reader.value(name) else {
            throw reader.missing(name, (allowsDate ? Form.instantOrDate : Form.instant).description)
        }
        throw reader.refuse(name, .ofTimestamp(value, allowsDate: allowsDate))
    }

    /// Reads a date-time of at most 64 bytes with capital `T` and `Z`, a second below 60, and a
    /// year other than 0.
    @inline(__always)
    private static func canonicalTimestamp(_ text: UnsafeRawBufferPointer, allowsDate: Bool) -> Timestamp? {
        guard text.count <= 64, let timestamp = Timestamp(text) else { return nil }
        let isInYear0 = text.loadUnaligned(as: UInt32.self) == 0x3030_3030
        guard text.count > 10 else { return allowsDate && !isInYear0 ? timestamp : nil }
        let isCanonical =
            text[10] == UInt8(ascii: "T") && text[17] != UInt8(ascii: "6") && text[text.count - 1] != UInt8(ascii: "z")
        return isCanonical && !isInYear0 ? timestamp : nil
    }

    /// Returns whether the range can contain anything. Dates are days of the clinic, in an
    /// unknown time zone. So a date and a date-time are in the wrong order only if they are so
    /// in every time zone (UTC-12 to UTC+14).
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

    static func isVisibleASCII(_ text: UnsafeRawBufferPointer) -> Bool {
        !text.isEmpty && text.allSatisfy { (0x21...0x7E).contains($0) }
    }

    static func isVisibleASCII(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    static func isPartnerKey(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count > 8 && text.prefix(8).elementsEqual("sk_ptnr_".utf8) && isVisibleASCII(text)
    }

    static func isPhone(_ text: UnsafeRawBufferPointer) -> Bool {
        let digits = text.dropFirst()
        return text.first == UInt8(ascii: "+") && (2...15).contains(digits.count)
            && digits.first != UInt8(ascii: "0") && digits.allSatisfy(\.isDigit)
    }

    /// Returns whether the text is one line without blanks at its ends.
    static func isName(_ text: UnsafeRawBufferPointer) -> Bool { isLine(text) && !InputText.hasBlankEnds(text) }

    /// Returns whether the text has more than blanks.
    private static func hasText(_ text: UnsafeRawBufferPointer) -> Bool {
        text.contains { (0x21...0x7E).contains($0) } || !InputText.isBlank(String(decoding: text, as: UTF8.self))
    }

    static func isLine(_ text: UnsafeRawBufferPointer) -> Bool { text.allSatisfy { $0 >= 0x20 } }

    /// Returns whether the text is plausible: one @ with something before it and a host after
    /// it. Only the mail server knows the rest.
    static func isEmail(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let at = text.firstIndex(of: UInt8(ascii: "@")), at > 0 else { return false }
        var previous = UInt8(ascii: ".")  // refuses a host with an empty first label
        for byte in text[(at + 1)...] {
            if byte == UInt8(ascii: "@") || byte == UInt8(ascii: ".") && previous == byte { return false }
            previous = byte
        }
        return previous != UInt8(ascii: ".") && (isVisibleASCII(text) || isVisible(text))
    }

    private static func isVisible(_ text: UnsafeRawBufferPointer) -> Bool {
        String(decoding: text, as: UTF8.self).unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !$0.isWhiteSpace
        }
    }

    static func isTraceparent(_ text: UnsafeRawBufferPointer) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [2, 32, 16, 2] && parts[0].elementsEqual("00".utf8)
            && parts.allSatisfy { $0.allSatisfy { $0.hexDigitValue != nil && !(0x41...0x46).contains($0) } }
            && parts[1...2].allSatisfy { $0.contains { $0 != UInt8(ascii: "0") } }
    }
}
