// Bookings of the sandbox. The clinic's settings decide the order of the checks.

extension Sandbox {
    mutating func book(_ request: HTTPRequest, _ visit: Visit) throws(Refusal) -> HTTPReply {
        guard let key = header("Idempotency-Key", of: request) else {
            throw Refusal(400, "idempotency_key_required", "The header Idempotency-Key is required")
        }
        let looksAtSlot = clinic.keys == .kept || clinic.inWork == .look && isInWork(key, at: visit.moment)
        if clinic.keys != .none, !looksAtSlot, let reply = try original(key, visit) { return reply }
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
        try checkTime(slot, now: visit.now)
        guard isFree(slot, visit.moment) else {
            throw Refusal(409, "slot_unavailable", "The requested time slot is no longer available")
        }
        if clinic.keys != .none, looksAtSlot, let reply = try original(key, visit) { return reply }
        let madeAt = visit.moment.adding(milliseconds: visit.manner.workMilliseconds)
        let booking = Booking(
            madeAt: madeAt, cancelledAt: visit.manner.cancelledAfterMilliseconds.map(madeAt.adding),
            status: visit.manner.status, key: key, id: "bkg_\(typeID(now: visit.now))", botID: botID, slot: slot,
            phone: customer.phone, name: customer.name, notes: notes, createdAt: visit.now)
        for day in Self.days(of: slot) { booked[day, default: []].append(bookings.count) }
        bookingByKey[key] = bookings.count
        bookings.append(booking)
        return reply(201, booking, visit)
    }

    /// Returns the booking of the key, whatever else the request contains. Throws a 409 until the
    /// booking is made, and while the key is held.
    private mutating func original(_ key: String, _ visit: Visit) throws(Refusal) -> HTTPReply? {
        if let until = held[key], until <= visit.moment { held[key] = nil }
        if held[key] != nil || isInWork(key, at: visit.moment) {
            throw Refusal(409, "idempotency_key_in_progress", "The first request with this key is still running")
        }
        return bookingByKey[key].map { reply(200, bookings[$0], visit) }
    }

    private func isInWork(_ key: String, at moment: MonotonicTime) -> Bool {
        bookingByKey[key].map { moment < bookings[$0].madeAt } ?? false
    }

    /// Returns the end of the work that a request must wait for, or nil if it need not wait.
    func workEnd(for request: HTTPRequest, at moment: MonotonicTime) -> MonotonicTime? {
        guard clinic.keys == .first, clinic.inWork == .wait, operation(of: request) == .createBooking,
            let key = header("Idempotency-Key", of: request), isInWork(key, at: moment)
        else { return nil }
        return bookingByKey[key].map { bookings[$0].madeAt }
    }

    /// Refuses a slot that no request can book, even if it is free.
    private func checkTime(_ slot: Range<Int>, now: Int) throws(Refusal) {
        let day = clinic.zone.day(at: slot.lowerBound)
        guard slot.lowerBound > now else {
            throw Refusal(422, "slot_in_past", "The requested time slot is in the past")
        }
        guard day < clinic.zone.day(at: now) + clinic.days else {
            let message = "The requested time slot is too far ahead: \(clinic.days) days can be booked"
            throw Refusal(422, "beyond_booking_horizon", message)
        }
        let open = openingHours(on: day).first {
            $0.lowerBound <= slot.lowerBound && slot.upperBound <= $0.upperBound
        }
        guard let open else {
            throw Refusal(422, "outside_opening_hours", "The requested time slot is outside opening hours")
        }
        guard clinic.listing == .windows || (slot.lowerBound - open.lowerBound) % (clinic.slotMinutes * 60) == 0 else {
            let message = "A time slot starts every \(clinic.slotMinutes) minutes from opening"
            throw Refusal(400, "slot_not_on_grid", message)
        }
    }

    private func reply(_ status: Int, _ booking: Booking, _ visit: Visit) -> HTTPReply {
        let body = JSONWriter.object {
            $0.object("booking") { write(booking, visit, to: &$0) }
        }
        return HTTPReply(status: status, body: body)
    }

    private func write(_ booking: Booking, _ visit: Visit, to object: inout JSONWriter) {
        let moment = max(visit.moment, booking.madeAt)
        object.member("id", booking.id)
        object.member("status", booking.status(at: moment))
        object.member("start_at", time(booking.slot.lowerBound, visit.manner.spelling))
        object.member("end_at", time(booking.slot.upperBound, visit.manner.spelling))
        object.object("customer") {
            $0.member("phone", booking.phone)
            $0.member("name", booking.name)
        }
        object.object("location") {
            $0.member("name", "Sandbox Clinic")
            $0.member("address", "1 Loopback Lane")
        }
        if let notes = booking.notes { object.member("notes", notes) }
        object.member("created_at", Timestamp.format(seconds: booking.createdAt, offsetMinutes: 0))
    }

    /// Returns an ID like the service's: a UUID of version 7 in Crockford's base 32, 26
    /// characters (https://github.com/jetify-com/typeid).
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
