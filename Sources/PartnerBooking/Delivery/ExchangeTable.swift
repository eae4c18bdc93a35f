/// The exchanges of a client, found by the tickets of their calls.
struct ExchangeTable {
    /// The exchanges by the ticket of their first call.
    private var exchanges = CounterTable<TransferID, Exchange>()
    /// The exchange of each call that has joined another call's exchange.
    private var joined: [CallTicket: TransferID] = [:]

    var isEmpty: Bool { exchanges.isEmpty }

    /// The approximate number of calls.
    var callCount: Int { exchanges.count + joined.count }

    /// All exchanges, in the order in which they began.
    var ids: [TransferID] { exchanges.sortedNames }

    /// Reads an exchange without a copy. Returns nil when it is over.
    func reads<Result>(_ id: TransferID, _ body: (borrowing Exchange) -> Result) -> Result? { exchanges.read(id, body) }

    func generation(of id: TransferID) -> Int? { exchanges.read(id) { $0.generation } }

    func id(of ticket: CallTicket) -> TransferID {
        (joined.isEmpty ? nil : joined[ticket]) ?? TransferID(firstCall: ticket)
    }

    /// Returns the call and its exchange, as long as the call waits.
    func call(_ ticket: CallTicket) -> (call: Call, exchange: Exchange)? {
        guard let exchange = exchanges[id(of: ticket)], let call = exchange.calls.first(where: { $0.ticket == ticket })
        else {
            return nil
        }
        return (call, exchange)
    }

    /// Returns whether the exchange runs in the background.
    func isUnattended(_ id: TransferID) -> Bool {
        exchanges[id].map { $0.purpose != .answering && $0.lateCalls.isEmpty } ?? false
    }

    /// Returns whether no call of the host waits for the exchange.
    func isWithoutHost(_ id: TransferID) -> Bool {
        exchanges[id].map { $0.lateCalls.isEmpty && $0.calls.allSatisfy(\.isOwn) } ?? false
    }

    func isAttempting(_ id: TransferID) -> Bool { exchanges[id]?.phase == .attempting }

    mutating func insert(_ exchange: consuming Exchange) {
        let id = exchange.id
        exchanges.insert(exchange, under: id)
    }

    mutating func remove(_ id: TransferID) { exchanges.removeValue(under: id) }

    /// Moves the only call of an exchange that has not begun to another exchange.
    mutating func join(_ id: TransferID, to other: TransferID) -> Call? {
        let call = exchanges.removeValue(under: id)?.calls.first
        if let call { joined[call.ticket] = other }
        return call
    }

    /// Adds a call that has no exchange of its own.
    mutating func add(_ call: Call, to other: TransferID) { joined[call.ticket] = other }

    mutating func left(_ ticket: CallTicket) {
        if !joined.isEmpty { joined[ticket] = nil }
    }

    /// Changes an exchange in place, or reads it without a copy. Returns nil when it is over.
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
