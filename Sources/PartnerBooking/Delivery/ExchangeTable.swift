/// The exchanges of a client, and which of them a call belongs to.
struct ExchangeTable {
    /// By the ticket of the first call of each.
    private var exchanges = CounterTable<TransferID, Exchange>()
    /// The exchange that a call has joined.
    private var joined: [CallTicket: TransferID] = [:]

    var isEmpty: Bool { exchanges.isEmpty }

    /// Returns the approximate number of calls.
    var callCount: Int { exchanges.count + joined.count }

    /// All of them, in the order in which they began.
    var ids: [TransferID] { exchanges.sortedNames }

    /// Reads an exchange without a copy; nil when it is over.
    func reads<Result>(_ id: TransferID, _ body: (borrowing Exchange) -> Result) -> Result? { exchanges.read(id, body) }

    func generation(of id: TransferID) -> Int? { exchanges.read(id) { $0.generation } }

    func id(of ticket: CallTicket) -> TransferID {
        (joined.isEmpty ? nil : joined[ticket]) ?? TransferID(firstCall: ticket)
    }

    /// The call, as long as it waits for the end of its exchange.
    func call(_ ticket: CallTicket) -> (call: Call, exchange: Exchange)? {
        guard let exchange = exchanges[id(of: ticket)], let call = exchange.calls.first(where: { $0.ticket == ticket })
        else {
            return nil
        }
        return (call, exchange)
    }

    /// Returns whether it runs in the background.
    func isUnattended(_ id: TransferID) -> Bool {
        exchanges[id].map { $0.purpose != .answering && $0.lateCalls.isEmpty } ?? false
    }

    /// Returns whether no call of the host waits for its end.
    func isWithoutHost(_ id: TransferID) -> Bool {
        exchanges[id].map { $0.lateCalls.isEmpty && $0.calls.allSatisfy(\.isOwn) } ?? false
    }

    /// Returns whether an attempt is with the transport.
    func isAttempting(_ id: TransferID) -> Bool { exchanges[id]?.phase == .attempting }

    mutating func insert(_ exchange: consuming Exchange) {
        let id = exchange.id
        exchanges.insert(exchange, under: id)
    }

    mutating func remove(_ id: TransferID) { exchanges.removeValue(under: id) }

    /// The only call of an exchange that has not begun joins another one.
    mutating func join(_ id: TransferID, to other: TransferID) -> Call? {
        let call = exchanges.removeValue(under: id)?.calls.first
        if let call { joined[call.ticket] = other }
        return call
    }

    /// A call joins an exchange before it has one of its own.
    mutating func add(_ call: Call, to other: TransferID) { joined[call.ticket] = other }

    mutating func left(_ ticket: CallTicket) {
        if !joined.isEmpty { joined[ticket] = nil }
    }

    /// Changes an exchange in its place, or reads it without a copy; nil when it is over.
    mutating func change<Result>(_ id: TransferID, _ body: (inout Exchange) -> Result) -> Result? {
        exchanges.change(id, body)
    }
}

extension Exchange {
    /// Returns the transport's state of the attempt under way.
    func underWay(_ transport: any Transport, _ source: PartnerBookingError.Source) -> UnderWay {
        guard phase == .attempting else { return UnderWay() }
        let answer = AttemptResult(partial: transport.partialReply(id), to: question(source))
        return UnderWay(sentAt: transport.sendings(id)?.lastAt, hasAnswer: answer.map(isSettled) ?? false)
    }
}
