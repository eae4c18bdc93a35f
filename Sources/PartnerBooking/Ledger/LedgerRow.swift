/// A row of the host's store, as an answer contains it.
struct LedgerRow: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case open
        case booked(reply: [UInt8])
        case refused(PartnerBookingError.Outcome)
        /// A person has ended the doubt.
        case givenUp
    }

    let key: String
    let wish: Wish
    /// The claim that has the row, or that ended it.
    let claim: String
    let owner: String?
    /// The rest of its lease, negative when the lease is over. nil when the row is settled.
    let leaseMilliseconds: Int?
    let recordedAt: Int
    let accountID: String?
    /// The request of an open row.
    let body: [UInt8]
    let state: State
    let isWithdrawn: Bool
    let isHeard: Bool

    /// True when an engine that may be alive has the row.
    var isLive: Bool { state == .open && leaseMilliseconds.map { $0 > 0 } ?? false }

    /// True when the booking was certainly not made, or a person has ended the doubt.
    var isRefused: Bool {
        switch state {
        case .refused, .givenUp: true
        case .open, .booked: false
        }
    }

    /// Returns the entry that a journal would contain for the row. `clock` identifies its end.
    func entry(clock: Int) -> JournalEntry {
        let state: JournalEntry.State =
            switch self.state {
            case .open: .unsettled(body: body)
            case .booked(let reply): .booked(reply: reply)
            case .refused(let outcome): .refused(outcome)
            case .givenUp: .refused(.notSent)
            }
        return JournalEntry(
            key: key, wish: wish, recordedAt: recordedAt, clock: clock, state: state, accountID: accountID,
            isWithdrawn: isWithdrawn, isHeard: isHeard)
    }

    /// The description of the booking, for a request that asks for another booking under the key.
    var existing: PartnerBookingError.Existing {
        let booking: JSONValue? =
            if case .booked(let reply) = state {
                (try? JSONDocument(reply, profile: .reply))?.root["booking"]
            } else {
                nil
            }
        return PartnerBookingError.Existing(
            state: pendingState, startAt: wish.summary?.startAt ?? booking?["start_at"]?.string,
            bookingID: booking?["id"]?.string)
    }

    var pendingState: PendingBooking.State {
        switch state {
        case .open: isLive ? .inFlight : .inDoubt
        case .booked: .booked
        case .refused, .givenUp: .refused
        }
    }

    /// Returns the booking for the list. nil: the row does not contain what was requested.
    func pending(_ state: PendingBooking.State) -> BookingLedger.Pending? {
        wish.summary.map { summary in
            BookingLedger.Pending(
                key: key, summary: summary, recordedAt: recordedAt, conversation: wish.conversation, state: state)
        }
    }
}

extension LedgerRow {
    /// The end of the year 9999.
    private static let lastMillisecond = 253_402_300_799_999

    /// Reads a row. Returns nil if a member that its state needs is missing or wrong.
    init?(_ json: JSONValue) {
        guard let key = json["key"]?.string, let claim = json["claim"]?.string,
            let fingerprint = json["fingerprint"]?.withText({ Fingerprint(hex: $0) }) ?? nil,
            let recordedAt = json["recorded_at"]?.integer, (0...Self.lastMillisecond).contains(recordedAt)
        else { return nil }
        let text = json["body"]?.string
        switch json["state"]?.string {
        case "open":
            guard text != nil, let lease = json["lease_ms"]?.integer else { return nil }
            state = .open
            leaseMilliseconds = lease
        case "booked":
            guard let reply = json["reply"]?.string else { return nil }
            state = .booked(reply: Array(reply.utf8))
            leaseMilliseconds = nil
        case "refused" where json["outcome"]?.string == "given_up":
            state = .givenUp
            leaseMilliseconds = nil
        case "refused":
            guard let outcome = json["outcome"]?.string.flatMap(PartnerBookingError.Outcome.init(rawValue:)),
                outcome != .unknown
            else { return nil }
            state = .refused(outcome)
            leaseMilliseconds = nil
        default: return nil
        }
        self.key = key
        self.claim = claim
        self.recordedAt = recordedAt
        owner = json["owner"]?.string
        body = text.map { Array($0.utf8) } ?? []
        accountID = json["account_id"]?.string
        isWithdrawn = json["withdrawn"]?.boolean ?? false
        isHeard = json["heard"]?.boolean ?? false
        let summary = text.flatMap { BookingSummary(body: Array($0.utf8)) } ?? BookingSummary(botID: json["bot_id"], json)
        wish = Wish(fingerprint: fingerprint, summary: summary, conversation: json["conversation"]?.string)
    }
}
