// The free time that the sandbox lists.

extension Sandbox {
    private static let itemLimit = 10_000

    func search(_ request: HTTPRequest, _ visit: Visit) throws(Refusal) -> HTTPReply {
        let (start, end) = try read(request) { root throws(PartnerBookingError) in
            try FieldRules.checkQuery(root.object("query"))
        }
        let free = try freeItems(from: instant(start), to: instant(end, isEnd: true), visit)
        let body = JSONWriter.object {
            $0.array("availabilities", free) { item, stretch in
                item.member("start_at", time(stretch.lowerBound, visit.manner.spelling))
                item.member("duration_minutes", stretch.count / 60)
            }
        }
        return HTTPReply(status: 200, body: body)
    }

    /// Returns seconds since 1970.
    private func instant(_ timestamp: Timestamp, isEnd: Bool = false) -> Int {
        switch (timestamp, clinic.dates) {
        case (.instant(let seconds, _), _): seconds
        case (.date(let days), .clinic): clinic.zone.startOfDay(days + (isEnd ? 1 : 0))
        case (.date(let days), .utc): days * 86_400
        }
    }

    /// Returns the free items that lie wholly within the range, in seconds since 1970.
    private func freeItems(from start: Int, to end: Int, _ visit: Visit) throws(Refusal) -> [Range<Int>] {
        let today = clinic.zone.day(at: visit.now)
        let first = max(clinic.zone.day(at: start), today)
        let last = min(clinic.zone.day(at: end), today + clinic.days - 1)
        guard first <= last else { return [] }
        // A booking must start after now.
        let earliest = max(start, visit.now + max(1, clinic.noticeMinutes * 60))
        var items: [Range<Int>] = []
        for day in first...last {
            for open in openingHours(on: day) {
                switch clinic.listing {
                case .slots: items += freeSlots(in: open, from: earliest, to: end, visit.moment)
                case .windows:
                    let (lower, upper) = (max(open.lowerBound, earliest), min(open.upperBound, end))
                    if lower < upper { items += freeWindows(in: lower..<upper, visit.moment) }
                }
            }
            guard items.count <= Self.itemLimit else {
                let message = "More than \(Self.itemLimit) \(clinic.listing.rawValue) are free: ask for a shorter range"
                throw Refusal(400, "range_too_long", message)
            }
        }
        return items
    }

    private func freeSlots(in open: Range<Int>, from earliest: Int, to end: Int, _ moment: MonotonicTime) -> [Range<Int>] {
        let length = clinic.slotMinutes * 60
        return stride(from: open.lowerBound, through: open.upperBound - length, by: length).map { $0..<$0 + length }
            .filter { $0.lowerBound >= earliest && $0.upperBound <= end && isFree($0, moment) }
    }

    /// Returns the stretches of at least a minute that have room for another booking.
    private func freeWindows(in range: Range<Int>, _ moment: MonotonicTime) -> [Range<Int>] {
        let rivals = rivals(of: range, moment)
        let edges = Set(rivals.flatMap { [$0.lowerBound, $0.upperBound] }.filter(range.contains) + [range.lowerBound])
        var windows: [Range<Int>] = []
        var start: Int?
        // The number of simultaneous bookings changes only where a booking starts or ends.
        for edge in edges.sorted() {
            let isFull = rivals.count { $0.contains(edge) } >= clinic.capacity
            if isFull, let from = start { windows.append(from..<edge) }
            start = isFull ? nil : start ?? edge
        }
        if let start { windows.append(start..<range.upperBound) }
        return windows.filter { $0.count >= 60 }
    }

    /// Returns the opening hours of a day of the clinic, in seconds since 1970. They follow
    /// changes of the clinic's clock.
    func openingHours(on day: Int) -> [Range<Int>] {
        let weekday = (day + 4) % 7  // 1970-01-01 was a Thursday
        return clinic.openingHours[weekday < 0 ? weekday + 7 : weekday].compactMap { hours in
            let open = clinic.zone.instant(day: day, minute: hours.lowerBound)
            let close = clinic.zone.instant(day: day, minute: hours.upperBound)
            // A clock that is put forward can skip the hours.
            return open < close ? open..<close : nil
        }
    }

    func isFree(_ slot: Range<Int>, _ moment: MonotonicTime) -> Bool {
        let rivals = rivals(of: slot, moment)
        // The number of simultaneous bookings is greatest at the start of one of them.
        return rivals.allSatisfy { rival in
            let start = max(rival.lowerBound, slot.lowerBound)
            return rivals.count { $0.contains(start) } < clinic.capacity
        }
    }

    /// Returns the UTC days that the slot touches, in days since 1970-01-01.
    static func days(of slot: Range<Int>) -> ClosedRange<Int> {
        slot.lowerBound.flooringDivision(by: 86_400)...(slot.upperBound - 1).flooringDivision(by: 86_400)
    }

    /// Returns the appointments that overlap the slot.
    private func rivals(of slot: Range<Int>, _ moment: MonotonicTime) -> [Range<Int>] {
        Set(Self.days(of: slot).flatMap { booked[$0] ?? [] }).map { bookings[$0] }
            .filter { $0.slot.overlaps(slot) && $0.isActive(at: moment) }.map(\.slot)
    }
}
