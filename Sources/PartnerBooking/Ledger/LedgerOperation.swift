/// One operation on the host's store: a compare-and-set on one row. docs/ledger-protocol.md
/// defines each operation.
enum LedgerOperation: Equatable, Sendable {
    /// The members of a booking that go into its row.
    struct Intent: Equatable, Sendable {
        let wish: Wish
        let body: [UInt8]
        let accountID: String?
        /// In milliseconds since 1970.
        let recordedAt: Int
        /// The claim that this claim may replace.
        var replaces: String?
        /// True when the claim may only take over an open row.
        var isOrphan = false
    }

    /// A row that this client has, with the name of its claim.
    struct Held: Equatable, Sendable {
        let key: String
        let claim: String
    }

    case claim(String, Intent)
    case wait
    case settle(String, Wish, recordedAt: Int, reply: [UInt8])
    case void(String, Wish, recordedAt: Int, PartnerBookingError.Outcome)
    case withdraw(String)
    case giveUp(String)
    case heard(String)
    case renew([Held])
    case orphans(limit: Int, notBefore: Int)
    case pending(botID: String?, limit: Int)

    var name: StaticString {
        switch self {
        case .claim: "claim"
        case .wait: "wait"
        case .settle: "settle"
        case .void: "void"
        case .withdraw: "withdraw"
        case .giveUp: "give_up"
        case .heard: "heard"
        case .renew: "renew"
        case .orphans: "orphans"
        case .pending: "pending"
        }
    }

    /// True when the operation comes again by itself. Then it is not repeated after a failure.
    var isUpkeep: Bool {
        switch self {
        case .renew, .orphans: true
        default: false
        }
    }
}

extension LedgerOperation {
    var isRenewal: Bool { if case .renew = self { true } else { false } }

    /// True when the operation makes a lasting change in the store.
    var isWriting: Bool {
        switch self {
        case .claim, .settle, .void, .withdraw, .giveUp, .heard: true
        case .wait, .renew, .orphans, .pending: false
        }
    }
}

// MARK: - JSON

extension LedgerOperation {
    /// Writes the members of the operation, except its name and ID.
    func write(_ key: String?, _ settings: LedgerTraffic.Settings, _ object: inout JSONWriter) {
        object.member("scope", settings.scope)
        object.member("key", ifAny: key)
        switch self {
        case .claim(let claim, let intent):
            object.member("claim", claim)
            writeOwner(settings, lease: true, &object)
            write(intent.wish, intent.recordedAt, &object)
            object.member("replaces", ifAny: intent.replaces)
            if intent.isOrphan { object.member("orphan", true) }
            object.member("account_id", ifAny: intent.accountID)
            object.member("body", String(decoding: intent.body, as: UTF8.self))
        case .wait: break
        case .settle(let claim, let wish, let recordedAt, let reply):
            object.member("claim", claim)
            writeOwner(settings, &object)
            write(wish, recordedAt, &object)
            object.member("reply", String(decoding: reply, as: UTF8.self))
        case .void(let claim, let wish, let recordedAt, let outcome):
            object.member("claim", claim)
            writeOwner(settings, &object)
            write(wish, recordedAt, &object)
            object.member("outcome", outcome.rawValue)
        case .withdraw(let claim):
            object.member("claim", claim)
            object.member("withdrawn", true)
        case .giveUp(let claim):
            object.member("claim", claim)
            writeOwner(settings, &object)
        case .heard(let claim): object.member("claim", claim)
        case .renew(let held):
            writeOwner(settings, lease: true, &object)
            object.array("claims", held) { item, row in
                item.member("key", row.key)
                item.member("claim", row.claim)
            }
        case .orphans(let limit, let notBefore):
            object.member("limit", limit)
            object.member("not_before_ms", notBefore)
        case .pending(let botID, let limit):
            object.member("limit", limit)
            object.member("bot_id", ifAny: botID)
        }
    }

    private func writeOwner(_ settings: LedgerTraffic.Settings, lease: Bool = false, _ object: inout JSONWriter) {
        object.member("owner", settings.owner)
        if lease { object.member("lease_ms", settings.leaseMilliseconds) }
    }

    private func write(_ wish: Wish, _ recordedAt: Int, _ object: inout JSONWriter) {
        object.member("fingerprint", wish.fingerprint.hex)
        object.member("recorded_at", recordedAt)
        if let summary = wish.summary {
            object.member("bot_id", summary.botID)
            object.member("start_at", summary.startAt)
            object.member("duration_minutes", summary.durationMinutes)
            object.member("start_ms", summary.startMilliseconds)
        }
        object.member("conversation", ifAny: wish.conversation)
    }
}
