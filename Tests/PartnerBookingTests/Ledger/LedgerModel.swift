@testable import PartnerBooking

/// The rules of the ledger as one dictionary: every question scans all of it. The ledger chooses which of several old
/// ends it forgets for lack of room. `lose` checks that.
struct LedgerModel {
    enum State: Equatable {
        case inFlight(TransferID)
        case inDoubt(Evidence)
        case booked([UInt8])
        case refused(PartnerBookingError.Outcome)

        var isSettled: Bool {
            switch self {
            case .booked, .refused: true
            case .inFlight, .inDoubt: false
            }
        }

        var name: PendingBooking.State {
            switch self {
            case .inFlight: .inFlight
            case .inDoubt: .inDoubt
            case .booked: .booked
            case .refused: .refused
            }
        }
    }

    struct Booking {
        var wish: Wish
        var body: [UInt8]
        var recordedAt: Int
        var service: Int?
        var state: State
        var owed: BookingLedger.OwedReport?
        var isRecorded = false
        var isWithdrawn = false
        var end: TransferID = 0
        var lastRecord: Int?
        var recordedEnd: Int?
        /// The moment and the order of its end.
        var settled = (at: 0, order: 0)
        var heardAt: Int?

        func isHeard(_ now: Int) -> Bool { heardAt.map { $0 <= now } ?? false }
    }

    let settings: BookingLedger.Settings
    private(set) var bookings: [String: Booking] = [:]
    private var order = 0
    /// When the refused bookings were heard that may still take room.
    private var refusals: [Int] = []

    /// The longest delay of a receipt, in microseconds. So long it may count or not, where there is no room.
    static let grace = 20_000

    init(_ settings: BookingLedger.Settings) { self.settings = settings }

    var settledCount: Int { bookings.values.count { $0.state.isSettled } }

    func unsettledCount(_ service: Int) -> Int {
        bookings.values.count { !$0.state.isSettled && $0.service == service }
    }

    /// Forgets ends that are too old, and refused ones that were heard.
    mutating func forget(_ now: Int) {
        refusals += bookings.values.filter { $0.state.name == .refused && $0.isHeard(now) }.compactMap(\.heardAt)
        refusals = refusals.filter { now < $0 + Self.grace }
        bookings = bookings.filter { _, booking in
            let isOld = booking.settled.at + settings.retentionMilliseconds * 1_000 <= now
            return switch booking.state {
            case .inFlight, .inDoubt: true
            case .booked: !isOld
            case .refused: !isOld && !booking.isHeard(now)
            }
        }
    }

    // MARK: The life of a key

    mutating func begin(
        _ key: String, _ wish: Wish?, body: [UInt8], service: Int?, id: TransferID, wallClock: Int
    ) -> BookingLedger.Decision {
        guard var booking = bookings[key] else { return start(key, wish, body, service, id, wallClock) }
        switch booking.state {
        case .refused(let outcome):
            return wish == nil ? .notMade(outcome, end: booking.end) : start(key, wish, body, service, id, wallClock)
        case _ where wish.map { $0.fingerprint != booking.wish.fingerprint } ?? false:
            return .refuse(
                PartnerBookingError.Existing(
                    state: booking.state.name, startAt: booking.wish.summary?.startAt,
                    bookingID: booking.state.name == .booked ? "bkg_1" : nil))
        case .inFlight(let other): return .join(other)
        case .booked(let reply): return .replay(reply, end: booking.end)
        case .inDoubt(let evidence):
            booking.isRecorded = booking.isRecorded && !booking.isWithdrawn
            booking.isWithdrawn = false
            booking.state = .inFlight(id)
            bookings[key] = booking
            return .send(
                BookingLedger.Grant(
                    body: booking.body, evidence: evidence, isRecorded: booking.isRecorded, owedReport: booking.owed))
        }
    }

    private mutating func start(
        _ key: String, _ wish: Wish?, _ body: [UInt8], _ service: Int?, _ id: TransferID, _ wallClock: Int
    ) -> BookingLedger.Decision {
        guard let wish else { return .absent }
        let limit = settings.capacity / 2
        if let service, unsettledCount(service) >= limit { return .full(limit: limit) }
        let recordedEnd = bookings[key]?.recordedEnd
        bookings[key] = Booking(
            wish: wish, body: body, recordedAt: wallClock, service: service, state: .inFlight(id))
        bookings[key]?.recordedEnd = recordedEnd
        return .send(BookingLedger.Grant(body: body))
    }

    mutating func ended(_ key: String, _ ending: BookingLedger.Ending, end: TransferID, now: Int) {
        bookings[key]?.end = end
        switch ending {
        case .booked(let reply): settle(key, .booked(reply), now)
        case .notBooked(let outcome): settle(key, .refused(outcome), now)
        case .inDoubt(let evidence, let owed):
            bookings[key]?.state = .inDoubt(evidence)
            bookings[key]?.owed = owed
        }
    }

    private mutating func settle(_ key: String, _ state: State, _ now: Int) {
        order += 1
        bookings[key]?.state = state
        bookings[key]?.settled = (now, order)
        bookings[key]?.owed = nil
        bookings[key]?.body = []
    }

    mutating func restore(_ entry: JournalEntry, service: Int?, _ evidence: Evidence) {
        var booking = Booking(
            wish: entry.wish, body: [], recordedAt: entry.recordedAt, service: service, state: .inDoubt(evidence),
            isRecorded: true, isWithdrawn: entry.isWithdrawn)
        if case .unsettled(let body) = entry.state {
            booking.body = body
            booking.owed = BookingLedger.OwedReport()
        } else {
            booking.recordedEnd = entry.clock
            booking.heardAt = entry.isHeard ? entry.clock : nil
        }
        bookings[entry.key] = booking
        switch entry.state {
        case .unsettled: break
        case .booked(let reply): settle(entry.key, .booked(reply ?? []), entry.clock)
        case .refused(let outcome): settle(entry.key, .refused(outcome), entry.clock)
        }
    }

    mutating func change(_ key: String, _ change: (inout Booking) -> Void) {
        guard var booking = bookings[key] else { return }
        change(&booking)
        bookings[key] = booking
    }

    // MARK: Who hears of an end

    /// Returns the record to acknowledge in the journal; the outer nil: the booking is not known.
    mutating func heard(_ key: String, end: TransferID, at moment: Int) -> Int?? {
        guard let booking = bookings[key] else { return nil }
        guard booking.state.isSettled, booking.end == end else { return .some(nil) }
        bookings[key]?.heardAt = [booking.heardAt, moment].compactMap { $0 }.min()
        return .some(booking.heardAt == nil ? booking.recordedEnd : nil)
    }

    func pending(_ now: Int) -> [BookingLedger.Pending] { list(bookings.filter { !$0.value.isHeard(now) }) }

    private func list(_ bookings: [String: Booking]) -> [BookingLedger.Pending] {
        bookings.compactMap { key, booking in
            booking.wish.summary.map { summary in
                BookingLedger.Pending(
                    key: key, summary: summary, recordedAt: booking.recordedAt, conversation: booking.wish.conversation,
                    state: booking.state.name)
            }
        }.sorted { ($0.recordedAt, $0.key) < ($1.recordedAt, $1.key) }
    }

    // MARK: Given up

    private func selected(_ selection: GiveUp) -> [String: Booking] {
        bookings.filter { key, booking in
            switch selection {
            case .booking(let other): key == other
            case .bookings(let botID, let startBefore):
                !booking.state.isSettled && booking.wish.summary?.botID == botID
                    && booking.wish.summary.flatMap { Timestamp($0.startAt)?.instantSeconds }.map {
                        $0 < startBefore.instantSeconds ?? 0
                    } ?? false
            }
        }
    }

    func inFlight(_ selection: GiveUp) -> [TransferID] {
        selected(selection).values.compactMap { if case .inFlight(let id) = $0.state { id } else { nil } }.sorted()
    }

    mutating func giveUp(_ selection: GiveUp) -> BookingLedger.GivenUp? {
        let selected = selected(selection)
        if case .booking = selection, selected.isEmpty { return nil }
        let givenUp = selected.filter { $0.value.state.name == .inDoubt }
        for key in givenUp.keys { bookings[key] = nil }
        return BookingLedger.GivenUp(givenUp: list(givenUp), kept: list(selected.filter { givenUp[$0.key] == nil }))
    }

    // MARK: Room

    /// The ledger has forgotten these keys at the beginning of a booking, of `count` ends. Returns the mistake, if any.
    mutating func lose(_ keys: Set<String>, of count: Int, _ now: Int) -> String? {
        let settled = bookings.filter { $0.value.state.isSettled }
        let lost = settled.filter { keys.contains($0.key) }.values
        let left = settled.filter { !keys.contains($0.key) }.values
        let (lostUnheard, leftUnheard) = (lost.filter { $0.heardAt == nil }, left.filter { $0.heardAt == nil })
        let leftHeard = left.filter { $0.isHeard(now - Self.grace) }
        for key in keys { bookings[key] = nil }
        if lost.count != keys.count { return "a booking that is not settled was forgotten" }
        if lost.count > max(0, count + refusals.count + 1 - settings.capacity) {
            return "\(lost.count) of \(count) ends were forgotten"
        }
        if !lostUnheard.isEmpty, !leftHeard.isEmpty { return "an unheard end went before a heard one" }
        let isOutOfOrder = lostUnheard.contains { lost in leftUnheard.contains { $0.settled.order < lost.settled.order }
        }
        if isOutOfOrder { return "an unheard end went before an older one" }
        // The oldest by its end or by its receipt: either order is right.
        let isYoung = lost.contains { lost in
            leftHeard.contains { left in
                guard let leftAt = left.heardAt, let lostAt = lost.heardAt else { return false }
                return leftAt + Self.grace < lostAt && left.settled.order < lost.settled.order
            }
        }
        return isYoung ? "a heard end went before an older one" : nil
    }
}
