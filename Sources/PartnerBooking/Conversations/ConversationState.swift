/// The memory of one phone call: the slots that it was offered. Its bookings are in the ledger.
struct ConversationState: Sendable {
    /// A slot that this call was offered.
    struct Offer: Sendable {
        let start: SlotStart
        let durationMinutes: Int

        /// Returns whether it is the same time. Its item may have another place in the next reply.
        func isSame(as other: Offer) -> Bool {
            start.instant == other.start.instant && durationMinutes == other.durationMinutes
        }
    }

    /// The last search, for `more`.
    struct Find: Sendable {
        let reading: TimeWish.Reading
        let durationMinutes: Int
    }

    /// All that were offered, the newest last.
    private(set) var offers: [Offer] = []
    /// The last list, in its order: `the second one` is one of these.
    private(set) var lastOffers: [Offer] = []
    /// The slot that was read back last: a yes of the caller is for this one.
    var readBack: Offer?
    var lastFind: Find?
    /// Bookings that are handed to the ledger, until their calls have ended.
    var sending: [Appointment] = []
    /// Bookings of which the model does not know the end yet.
    var untold: Set<String> = []
    /// Bookings in doubt that did not settle in time: the model has been told so.
    var warned: Set<String> = []
    /// Refusals of one and the same wish. Each repetition has a key of its own.
    var refusals: [String: Int] = [:]
    /// Seconds since 1970.
    var usedAt = 0

    private static let maxOffers = 300

    /// The slots stand in a list that the caller hears.
    mutating func offer(_ offers: [Offer]) {
        lastOffers = offers
        self.offers.removeAll { known in offers.contains { $0.isSame(as: known) } }
        self.offers += offers
        if self.offers.count > Self.maxOffers { self.offers.removeFirst(self.offers.count - Self.maxOffers) }
    }

    /// Returns the offered slot that a model named. nil when it named none, or more than one; never
    /// the nearest.
    func offer(named text: String, _ locale: VoiceLocale) -> Offer? {
        var text = text
        return text.withUTF8 { text in
            let text = UnsafeRawBufferPointer(text)
            var found: Offer?
            for duration in Set(offers.map(\.durationMinutes)) {
                let starts = offers.lazy.filter { $0.durationMinutes == duration }.map(\.start)
                let last = lastOffers.first?.durationMinutes == duration ? lastOffers.map(\.start) : []
                let pick = SlotPick.slot(
                    named: text, in: starts.sorted { $0.instant < $1.instant }, offers: last, durationMinutes: duration,
                    locale)
                guard let pick else { continue }
                guard found == nil else { return nil }
                found = Offer(start: pick, durationMinutes: duration)
            }
            return found
        }
    }
}

extension [SlotStart] {
    /// These starts, as offers of one length.
    func offers(durationMinutes: Int) -> [ConversationState.Offer] {
        map { ConversationState.Offer(start: $0, durationMinutes: durationMinutes) }
    }
}

/// A booking of a conversation.
struct Appointment: Sendable, Equatable {
    enum State: Sendable {
        /// Under way, or in doubt.
        case open
        case made
        case refused
    }

    let key: String
    let startSeconds: Int
    let durationMinutes: Int
    var state: State
    /// The service's, of one that was made. nil: only the service has it.
    var reply: [UInt8]?
    /// The host has its end.
    var isHeard = false

    /// Returns whether a slot shares time with it.
    func overlaps(_ slot: SlotStart, durationMinutes: Int) -> Bool {
        slot.overlaps(startSeconds..<startSeconds + self.durationMinutes * 60, durationMinutes: durationMinutes)
    }
}

/// The conversations of a client. Those that were not used for an hour are forgotten, and the least
/// recently used of too many.
struct ConversationTable: Sendable {
    private var conversations: [ToolRequest.CallName: ConversationState] = [:]
    private let limit: Int

    static let lifeSeconds = 3_600

    init(limit: Int = 10_000) { self.limit = limit }

    var count: Int { conversations.count }

    /// Changes a conversation, or a new one.
    mutating func change<Result>(
        _ call: ToolRequest.CallName, now: Int, _ body: (inout ConversationState) -> Result
    ) -> Result {
        if let known = conversations[call], now - known.usedAt > Self.lifeSeconds { conversations[call] = nil }
        if conversations[call] == nil, conversations.count >= limit { makeRoom(now) }
        conversations[call, default: ConversationState()].usedAt = now
        return body(&conversations[call, default: ConversationState()])
    }

    mutating func forget(_ call: ToolRequest.CallName) { conversations[call] = nil }

    /// Forgets the old ones, and the least recently used eighth if that is not enough: a step for
    /// many newcomers.
    private mutating func makeRoom(_ now: Int) {
        conversations = conversations.filter { now - $0.value.usedAt <= Self.lifeSeconds }
        guard conversations.count >= limit else { return }
        let oldest = conversations.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(max(1, limit / 8))
        for (call, conversation) in oldest where conversation.sending.isEmpty { conversations[call] = nil }
    }
}
