/// The memory of one phone call: the slots offered in it. Its bookings are in the ledger.
struct ConversationState: Sendable {
    /// A slot that was offered in this call.
    struct Offer: Sendable {
        let start: SlotStart
        let durationMinutes: Int

        /// Returns whether start and length are the same. The item may have another place in
        /// the next reply.
        func isSame(as other: Offer) -> Bool {
            start.instant == other.start.instant && durationMinutes == other.durationMinutes
        }
    }

    /// The last search, which `more` continues.
    struct Find: Sendable {
        let reading: TimeWish.Reading
        let durationMinutes: Int
    }

    /// All offered slots, the newest last.
    private(set) var offers: [Offer] = []
    /// The last list, in its order. `the second one` refers to it.
    private(set) var lastOffers: [Offer] = []
    /// True when the caller was asked something else since the last list. Then `the second one`
    /// is no slot.
    var isAsking = false
    /// The slot that was read back last. The caller's yes is for this slot.
    var readBack: Offer?
    var lastFind: Find?
    /// Bookings handed to the ledger, until their calls have ended.
    var sending: [Appointment] = []
    /// Bookings whose end the model does not know yet.
    var untold: Set<String> = []
    /// Bookings in doubt that did not settle in time. The model knows about them.
    var warned: Set<String> = []
    /// Number of refusals of each wish. Each repeat has its own key.
    var refusals: [String: Int] = [:]
    /// Seconds since 1970.
    var usedAt = 0

    private static let maxOffers = 300

    /// Notes a list of slots that the caller hears.
    mutating func offer(_ offers: [Offer]) {
        lastOffers = offers
        isAsking = false
        self.offers.removeAll { known in offers.contains { $0.isSame(as: known) } }
        self.offers += offers
        if self.offers.count > Self.maxOffers { self.offers.removeFirst(self.offers.count - Self.maxOffers) }
    }

    /// Returns the offered slot that a model named. nil when it named none, or more than one.
    /// Never returns the nearest.
    func offer(named text: String, _ locale: VoiceLocale) -> Offer? {
        var text = text
        return text.withUTF8 { text in
            let text = UnsafeRawBufferPointer(text)
            var found: Offer?
            let isChecked = SlotToken.read(text)?.isChecked ?? false
            let listed = lastOffers.first?.durationMinutes
            // Without a check letter, only slots of the last list's length count.
            for duration in Set(offers.map(\.durationMinutes)) where isChecked || duration == listed {
                let starts = offers.lazy.filter { $0.durationMinutes == duration }.map(\.start)
                let last = listed == duration && !isAsking ? lastOffers.map(\.start) : []
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
    /// Returns these starts as offers of one length.
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
    /// The service's reply to a booking that was made. nil when only the service has it.
    var reply: [UInt8]?
    /// True when the host has the booking's end.
    var isHeard = false

    /// Returns whether a slot shares time with the appointment.
    func overlaps(_ slot: SlotStart, durationMinutes: Int) -> Bool {
        slot.overlaps(startSeconds..<startSeconds + self.durationMinutes * 60, durationMinutes: durationMinutes)
    }
}

/// The conversations of a client. They are forgotten after an hour without use. When there are
/// too many, the least recently used are forgotten earlier.
struct ConversationTable: Sendable {
    private var conversations: [ToolRequest.CallName: ConversationState] = [:]
    private let limit: Int

    static let lifeSeconds = 3_600

    init(limit: Int = 10_000) { self.limit = limit }

    var count: Int { conversations.count }

    /// Changes a conversation. Creates it if needed.
    mutating func change<Result>(
        _ call: ToolRequest.CallName, now: Int, _ body: (inout ConversationState) -> Result
    ) -> Result {
        if let known = conversations[call], now - known.usedAt > Self.lifeSeconds { conversations[call] = nil }
        if conversations[call] == nil, conversations.count >= limit { makeRoom(now) }
        conversations[call, default: ConversationState()].usedAt = now
        return body(&conversations[call, default: ConversationState()])
    }

    mutating func forget(_ call: ToolRequest.CallName) { conversations[call] = nil }

    /// Forgets old conversations. If too many are left, forgets the least recently used eighth,
    /// to make room for many at once.
    private mutating func makeRoom(_ now: Int) {
        conversations = conversations.filter { now - $0.value.usedAt <= Self.lifeSeconds }
        guard conversations.count >= limit else { return }
        let oldest = conversations.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(max(1, limit / 8))
        for (call, conversation) in oldest where conversation.sending.isEmpty { conversations[call] = nil }
    }
}
