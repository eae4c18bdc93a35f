/// The searches under way whose reply equal searches may share.
struct SharedSearches {
    private var exchanges: [[UInt8]: TransferID] = [:]

    /// Table size at which finished searches are removed.
    private static let maxCount = 256

    /// Returns the exchange of an equal search, which the call joins. nil: from now on, other
    /// calls can join the call's own exchange.
    mutating func join(_ call: Call, _ table: inout ExchangeTable) -> TransferID? {
        let body = call.request.body
        if let id = exchanges[body], table.canShare(id, body) {
            table.add(call, to: id)
            return id
        }
        if exchanges.count >= Self.maxCount { exchanges = exchanges.filter { table.canShare($0.value, $0.key) } }
        exchanges[body] = TransferID(firstCall: call.ticket)
        return nil
    }
}

extension ExchangeTable {
    /// Returns whether an exchange can still give a reply to this request.
    fileprivate func canShare(_ id: TransferID, _ body: [UInt8]) -> Bool {
        reads(id) { exchange in
            guard !exchange.calls.isEmpty, exchange.request.body == body else { return false }
            switch exchange.phase {
            case .queued, .attempting, .pausing: return true
            case .claiming, .recording, .awaiting, .abandoning, .voiding, .givingUp, .ended: return false
            }
        } ?? false
    }
}
