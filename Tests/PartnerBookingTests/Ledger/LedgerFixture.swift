@testable import PartnerBooking

/// A ledger with a clock of the test's own, and bookings that differ in a few members.
struct LedgerFixture {
    static let retention = 60_000
    static let wallClock = 1_800_000_000_000
    static let reply = Array(#"{"booking":{"id":"bkg_1","start_at":"2030-01-14T10:00:00Z"}}"#.utf8)
    /// The evidence of a sending without an answer.
    static let doubt = Evidence(inheritedAt: MonotonicTime(nanoseconds: 1_000_000_000))

    var ledger: BookingLedger
    /// The ledger's clock, in microseconds.
    var now = 5_000_000

    init(retention: Int = retention, capacity: Int = 100) {
        ledger = BookingLedger(BookingLedger.Settings(retentionMilliseconds: retention, capacity: capacity))
    }

    static func body(_ start: String = "2030-01-14T10:00:00Z", bot: String = "b") -> [UInt8] {
        Array(#"{"bot_id":"\#(bot)","booking":{"start_at":"\#(start)","duration_minutes":30}}"#.utf8)
    }

    /// The wish of a request with that body. `number` makes it another one.
    static func wish(
        _ number: UInt8 = 1, _ start: String = "2030-01-14T10:00:00Z", bot: String = "b", conversation: String? = nil
    ) -> Wish {
        Wish(
            fingerprint: Fingerprint(digest: [number]), summary: BookingSummary(body: body(start, bot: bot)),
            conversation: conversation)
    }

    static func instant(_ text: String) -> Timestamp { Timestamp(text) ?? .date(days: 0) }

    /// After every booking.
    static var later: Timestamp { instant("9999-01-01T00:00:00Z") }

    static var fresh: BookingLedger.Decision { .send(BookingLedger.Grant(body: body())) }

    static func existing(
        _ state: PendingBooking.State, id: String? = nil, start: String? = "2030-01-14T10:00:00Z"
    ) -> BookingLedger.Decision {
        .refuse(PartnerBookingError.Existing(state: state, startAt: start, bookingID: id))
    }

    // MARK: Steps

    /// Without a wish: resumes.
    @discardableResult
    mutating func begin(
        _ key: String = "k", _ wish: Wish? = LedgerFixture.wish(), id: TransferID = 1, service: Int? = 0
    ) -> BookingLedger.Decision {
        ledger.begin(
            key, wish, body: wish == nil ? [] : Self.body(), service: service, id: id, now: now,
            wallClock: Self.wallClock + now / 1_000)
    }

    /// Its intent is on the disk.
    mutating func record(_ key: String = "k") {
        ledger.recording(key, clock: 1, isEnd: false)
        ledger.recorded(key, clock: 1)
    }

    @discardableResult
    mutating func resume(_ key: String = "k", id: TransferID = 9) -> BookingLedger.Decision { begin(key, nil, id: id) }

    mutating func ended(_ key: String, _ ending: BookingLedger.Ending, end: TransferID = 1) {
        ledger.ended(key, ending, end: end, now: now)
    }

    mutating func ended(_ ending: BookingLedger.Ending, end: TransferID = 1) { ended("k", ending, end: end) }

    /// Begins a booking, and ends it.
    mutating func end(
        _ key: String, _ ending: BookingLedger.Ending, id: TransferID = 1, service: Int? = 0, _ wish: Wish = wish()
    ) {
        begin(key, wish, id: id, service: service)
        ended(key, ending, end: id)
    }

    mutating func end(_ ending: BookingLedger.Ending, id: TransferID = 1) { end("k", ending, id: id) }

    @discardableResult
    mutating func heard(_ key: String = "k", end: TransferID = 1, afterMilliseconds delay: Int = 0) -> Int? {
        ledger.heard(key, end: end, at: now + delay * 1_000)
    }

    mutating func withdraw(_ key: String = "k") -> Bool { ledger.withdraw(key) }
    mutating func renew(_ key: String = "k") -> (wish: Wish, body: [UInt8])? { ledger.renew(key) }

    @discardableResult
    mutating func giveUp(_ selection: GiveUp) -> BookingLedger.GivenUp? {
        ledger.giveUp(selection, now: now).map {
            BookingLedger.GivenUp(givenUp: $0.givenUp.sorted(), kept: $0.kept.sorted())
        }
    }

    @discardableResult
    mutating func giveUp(_ key: String = "k") -> BookingLedger.GivenUp? { giveUp(.booking(key: key)) }

    mutating func wait(milliseconds: Int) { now += milliseconds * 1_000 }

    // MARK: Views

    var pending: [BookingLedger.Pending] { ledger.pending(now).sorted() }
    var keys: [String] { pending.map(\.key) }
    var states: [PendingBooking.State] { pending.map(\.state) }
}

extension BookingLedger.Ending {
    static var made: BookingLedger.Ending { .booked(reply: LedgerFixture.reply) }
    static var unknown: BookingLedger.Ending { .inDoubt(LedgerFixture.doubt, nil) }
}

extension BookingLedger.Decision {
    /// The grant to send, if any.
    var grant: BookingLedger.Grant? {
        if case .send(let grant) = self { grant } else { nil }
    }
}

extension JournalEntry {
    /// An entry of an earlier process.
    static func earlier(
        _ key: String, _ state: State, clock: Int = 4_000_000, wish: Wish = LedgerFixture.wish()
    ) -> JournalEntry {
        JournalEntry(key: key, wish: wish, recordedAt: LedgerFixture.wallClock, clock: clock, state: state)
    }

    static func earlier(
        _ state: State, clock: Int = 4_000_000, wish: Wish = LedgerFixture.wish()
    ) -> JournalEntry {
        earlier("k", state, clock: clock, wish: wish)
    }
}
