// The sandbox's bookings, checked in the order of its clinic.

extension Sandbox {
    mutating func book(_ request: HTTPRequest, now: Int, madeAt: MonotonicTime) throws(Refusal) -> HTTPReply {
        guard let key = header("Idempotency-Key", of: request) else {
            throw Refusal(400, "idempotency_key_required", "The header Idempotency-Key is required")
        }
        if clinic.keys == .first, let reply = try original(key) { return reply }
        let (botID, start, minutes, customer, notes) = try read(request) { root throws(PartnerBookingError) in
            let object = try root.object("booking")
            let booking = try FieldRules.checkBooking(object)
            let (phone, name) = try (booking.customer.value("phone")?.string, booking.customer.value("name")?.string)
            return try (
                root.value("bot_id")?.string ?? "", booking.startSeconds, booking.minutes,
                (phone: phone ?? "", name: name ?? ""), object.value("notes")?.string
            )
        }
        let slot = start..<start + minutes * 60
        try checkAvailable(slot, minutes: minutes, now: now)
        if clinic.keys == .kept, let reply = try original(key) { return reply }
        let id = "bkg_\(typeID(now: now))"
        let body = JSONWriter.object {
            $0.object("booking") { write(id, slot, customer, notes, now: now, to: &$0) }
        }
        for day in localDay(slot.lowerBound)...localDay(slot.upperBound - 1) { booked[day, default: []].append(slot) }
        bookingByKey[key] = bookings.count
        bookings.append(
            Booking(
                madeAt: madeAt, key: key, id: id, botID: botID, slot: slot, phone: customer.phone, name: customer.name,
                reply: body))
        if MonotonicTime.now() < madeAt { held[key] = madeAt }
        return HTTPReply(status: 201, body: body)
    }

    /// Returns the key's booking, whatever else the request contains. Until it is made, the key is in progress.
    private mutating func original(_ key: String) throws(Refusal) -> HTTPReply? {
        if let until = held[key] {
            if MonotonicTime.now() < until {
                throw Refusal(409, "idempotency_key_in_progress", "The first request with this key is still running")
            }
            held[key] = nil
        }
        return bookingByKey[key].map { HTTPReply(status: 200, body: bookings[$0].reply) }
    }

    private func checkAvailable(_ slot: Range<Int>, minutes: Int, now: Int) throws(Refusal) {
        let day = localDay(slot.lowerBound)
        let second = slot.lowerBound + clinic.utcOffsetMinutes * 60 - day * 86_400
        guard slot.lowerBound > now else { throw .slot("is in the past") }
        guard day < localDay(now) + clinic.days else { throw .slot("is too far ahead") }
        let isOpen = openingHours(on: day).contains { hours in
            second % 60 == 0 && hours.lowerBound <= second / 60 && second / 60 + minutes <= hours.upperBound
                && (second / 60 - hours.lowerBound) % clinic.slotMinutes == 0
        }
        guard isOpen else { throw .slot("is outside opening hours or does not start where a slot starts") }
        guard isFree(slot) else { throw .slot("is no longer available") }
    }

    private func write(
        _ id: String, _ slot: Range<Int>, _ customer: (phone: String, name: String), _ notes: String?, now: Int,
        to booking: inout JSONWriter
    ) {
        booking.member("id", id)
        booking.member("status", "confirmed")
        booking.member("start_at", time(slot.lowerBound))
        booking.member("end_at", time(slot.upperBound))
        booking.object("customer") {
            $0.member("phone", customer.phone)
            $0.member("name", customer.name)
        }
        booking.object("location") {
            $0.member("name", "Sandbox Clinic")
            $0.member("address", "1 Loopback Lane")
        }
        if let notes { booking.member("notes", notes) }
        booking.member("created_at", Timestamp.format(seconds: now, offsetMinutes: 0))
    }

    /// An id like the service's: a UUID of version 7 in Crockford's base 32, 26 characters
    /// (https://github.com/jetify-com/typeid).
    private func typeID(now: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        let random = UInt128(generator.next()) << 64 | UInt128(generator.next())
        let milliseconds = UInt128(UInt64(clamping: now) & 0xFFFF_FFFF) * 1_000
        let version: UInt128 = 0x7 << 76
        let variant: UInt128 = 0x2 << 62
        let randomBits: UInt128 = (0xFFF << 64) | 0x3FFF_FFFF_FFFF_FFFF
        let uuid = milliseconds << 80 | version | variant | (random & randomBits)
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        return String((0..<26).reversed().map { alphabet[Int(truncatingIfNeeded: uuid >> (5 * UInt128($0))) & 31] })
    }
}
