/// Converts the store's findings about keys into events.
extension LedgerExecutor {
    /// Returns the exchange of a finding, and its event. nil: the finding is for no exchange.
    func event(
        _ finding: LedgerFinding, _ now: MonotonicTime, phase: (TransferID) -> Exchange.Phase?
    ) -> (TransferID, Event)? {
        let key = finding.key
        switch finding.state {
        case .failed(let message):
            observer.ledgerFailed(message)
            return nil
        case .gaveUp(let result, let keys):
            ledger.gaveUp(keys)
            return (finding.id, { $0.gaveUp(result, isAwaited: false, now) })
        case .tookOver(let row, let isOwn):
            ledger.tookOver(row)
            if case .event(_, _, let stamp) = finding.record { ledger.recorded(key, clock: stamp.clock) }
            if !isOwn { observer.tookOver() }
            return (finding.id, tookOver(row, isOwn: isOwn, now))
        case .held: return (finding.id, { $0.heldElsewhere(now) })
        case .other(let existing):
            ledger.refusedElsewhere(key)
            let existing = existing ?? PartnerBookingError.Existing(state: .inDoubt)
            return (finding.id, { $0.otherElsewhere(existing, now) })
        case .looked(let row, let isLive):
            guard phase(finding.id) != .claiming else { return (finding.id, resumed(row, now)) }
            if let row, !ledger.isEqual(row) {
                ledger.refusedElsewhere(key)
                return (finding.id, { $0.otherElsewhere(row.existing, now) })
            }
            if row?.state == .givenUp { return (finding.id, { $0.givenUpElsewhere(now) }) }
            guard let row, case .booked(let reply) = row.state else {
                return (finding.id, { $0.looked(isLive: isLive, now) })
            }
            ledger.endedElsewhere(row, end: finding.id)
            return (finding.id, { $0.bookedElsewhere(reply, now) })
        case .lost:
            if finding.id == .none { observer.leaseLost() }
            let id = finding.id == .none ? ledger.exchange(of: key, clock: finding.clock) : finding.id
            guard let id else { return nil }
            return (id, { $0.lost(now) })
        }
    }

    /// Returns the event of a takeover, which sends the recorded request, as for a journal.
    private func tookOver(_ row: LedgerRow, isOwn: Bool, _ now: MonotonicTime) -> Event {
        let endpoint = endpoint
        return { exchange in
            let request = exchange.request.sending(row.body)
            do throws(PartnerBookingError) {
                let message = try endpoint.message(for: request)
                if let account = row.accountID, account != message.accountID { throw .accountChanged }
                return exchange.tookOver(request, message, isOwn: isOwn, now)
            } catch {
                return exchange.takeoverFailed(error, now)
            }
        }
    }

    /// Returns the event for a booking to resume. Its key is unknown here, so the store was
    /// asked.
    private func resumed(_ row: LedgerRow?, _ now: MonotonicTime) -> Event {
        guard let row, row.state != .givenUp else { return { $0.refused(.notRecorded, .unknown, nil, now) } }
        if case .refused(let outcome) = row.state, row.isHeard { return { $0.notMade(outcome, end: .none, now) } }
        ledger.inherit(row)
        return { $0.claimAgain(now) }
    }
}
