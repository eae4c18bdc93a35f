// Operations that the client sends to the host's store.

extension LedgerTraffic {
    /// Puts a record on its way to the store.
    ///
    /// `isOrphan`: a dead engine has left the booking.
    mutating func add(_ record: JournalRecord, id: TransferID?, isOrphan: Bool = false) {
        guard case .event(let event, let key, let stamp) = record else { return }
        let own = "\(settings.owner)-\(stamp.clock ?? 0)"
        let held = lease.claim(of: key)
        switch event {
        case .intent(let wish, let body, let accountID, let recordedAt):
            // An intent without an ID means that the host repeats a cancelled booking in flight.
            guard id != nil || held != nil else { return }
            let intent = LedgerOperation.Intent(
                wish: wish, body: body, accountID: accountID, recordedAt: recordedAt ?? stamp.at, replaces: held,
                isOrphan: isOrphan)
            add(.claim(own, intent), key: key, record: record, id: id)
        case .booked(let wish, let recordedAt, let reply):
            add(.settle(held ?? own, wish, recordedAt: recordedAt, reply: reply ?? []), key: key, record: record)
        case .void(let wish, let recordedAt, let outcome):
            guard let wish else { return }
            // A claim under way has the name of its own record.
            let claim = held ?? claimUnderWay(of: key)?.claim ?? own
            add(.void(claim, wish, recordedAt: recordedAt, outcome), key: key, record: record, id: id)
        case .withdrawn:
            if let claim = held ?? claimUnderWay(of: key)?.claim { add(.withdraw(claim), key: key) }
        case .heard:
            if let claim = endClaims.removeValue(forKey: key) ?? endUnderWay(of: key) { add(.heard(claim), key: key) }
        // `giveUp` asks the store first.
        case .givenUp: break
        }
    }

    func claimUnderWay(of key: String) -> (number: Int, claim: String)? {
        let last = items.values.filter { $0.key == key && $0.isClaim }.max { $0.number < $1.number }
        guard let last, case .claim(let claim, _) = last.operation else { return nil }
        return (last.number, claim)
    }

    /// Returns the claim of an end that the store does not have yet.
    private func endUnderWay(of key: String) -> String? {
        items.values.filter { $0.key == key }.max { $0.number < $1.number }.flatMap { item in
            switch item.operation {
            case .settle(let claim, _, _, _), .void(let claim, _, _, _): claim
            default: nil
            }
        }
    }

    /// Asks for a row, for an exchange.
    mutating func look(_ key: String, id: TransferID) {
        if !items.values.contains(where: { $0.id == id && $0.operation == .wait }) { add(.wait, key: key, id: id) }
    }

    /// Starts a round in which a person gives up bookings in doubt.
    mutating func giveUp(_ selection: GiveUp, id: TransferID) {
        giveUps[id] = LedgerGiveUp(selection)
        switch selection {
        case .booking(let key): add(.wait, key: key, id: id)
        case .bookings(let botID, _): add(.pending(botID: botID, limit: LedgerGiveUp.mostRows), key: nil, id: id)
        }
    }
}
