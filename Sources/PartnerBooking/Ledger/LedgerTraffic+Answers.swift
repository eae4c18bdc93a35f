// The meaning of the answers of the host's store.

extension LedgerTraffic {
    enum Output: Sendable {
        case report(Journal.Report)
        case finding(LedgerFinding)
        /// Bookings that dead engines have left.
        case orphans([JournalEntry])
    }

    /// Takes the answer to an operation. `asked` is the operation as it was handed out. The
    /// item may have another operation by now.
    mutating func complete(
        _ item: Item, _ asked: LedgerOperation, _ answer: LedgerAnswer, _ takenAt: Now, _ now: Now
    ) -> [Output] {
        if case .failed(let message) = answer {
            failed(item.number, now)
            return [.finding(LedgerFinding(id: .none, key: item.key ?? "", state: .failed(message)))]
        }
        let key = item.key ?? ""
        let id = item.id ?? .none
        if let row = answer.row, row.key != key {
            failed(item.number, now)
            return [.finding(LedgerFinding(id: .none, key: key, state: .failed(Reason.rowOfOtherKey)))]
        }
        switch (asked, answer) {
        case (.renew, _), (.orphans, _): return maintained(item, asked, answer, takenAt, now)
        case (.claim, .refused(let row)) where !item.isAbandoned: repeatClaim(item, replacing: row.claim, now)
        case (.claim, .held(let row)) where !item.isAbandoned && (!row.isLive || row.owner == settings.owner):
            repeatClaim(item, replacing: row.claim, now)
        case (.claim(let claim, let intent), _): return claimed(item, claim, intent, answer, now)
        case (.wait, let answer):
            close(item)
            if giveUps[id] != nil { return giveUpFound(id, key, answer.row) }
            if let row = answer.row, row.state != .open { remember(key, row.claim) }
            let isLive = answer.row.map { $0.isLive && $0.owner != settings.owner } ?? false
            return [.finding(LedgerFinding(id: id, key: key, state: .looked(answer.row, isLive: isLive)))]
        case (.settle(let claim, _, _, _), .done):
            close(item)
            lease.release(key)
            remember(key, claim)
        case (.settle, _):
            close(item)
            lease.release(key)
            let message = Reason.keyOfOtherRequest
            return [.finding(LedgerFinding(id: .none, key: key, state: .failed(message)))]
        case (.void(let claim, _, _, _), .done):
            close(item)
            lease.release(key, claim)
            remember(key, claim)
            return report(item, .durable)
        case (.void(let claim, _, _, _), _):
            close(item)
            lease.release(key, claim)
            // Otherwise a later claim of this client has replaced this one.
            guard lease.claim(of: key) == nil else { return [] }
            return [.finding(LedgerFinding(id: id, key: key, state: .lost))]
        case (.giveUp(let claim), _):
            close(item)
            lease.release(key, claim)
            return gaveUp(id, key, answer)
        case (.pending, .rows(let rows)):
            close(item)
            return giveUpAll(id, rows)
        default: close(item)
        }
        return []
    }

    /// Takes the answer to an operation that comes again by itself.
    private mutating func maintained(
        _ item: Item, _ asked: LedgerOperation, _ answer: LedgerAnswer, _ takenAt: Now, _ now: Now
    ) -> [Output] {
        close(item)
        switch (asked, answer) {
        case (.renew(let held), .renewed(let lost)):
            // Lost rows must be known before sendings begin again.
            if !lost.isEmpty { renewSoon(now) }
            return lease.renewed(held, lost: lost, begin: takenAt.boot).map { row in
                .finding(LedgerFinding(id: .none, key: row.key, state: .lost, clock: clock(of: row.claim)))
            }
        case (.orphans, .rows(let rows)):
            let entries = rows.filter { takeovers.admit($0.key, now.time) }
            return entries.isEmpty ? [] : [.orphans(entries.map { $0.entry(clock: 0) })]
        default: return []
        }
    }

    private mutating func claimed(
        _ item: Item, _ claim: String, _ intent: LedgerOperation.Intent, _ answer: LedgerAnswer, _ now: Now
    ) -> [Output] {
        let key = item.key ?? ""
        var isOwn = true
        if case .inDoubt(let row) = answer {
            isOwn = self.isOwn(row, claim, replacing: intent.replaces)
            // No exchange here learns that other clients may have sent the booking.
            if !isOwn, item.isAbandoned || item.isReleased { foreign.insert(claim) }
        }
        if item.isAbandoned { return abandoned(item, claim, intent, answer, now) }
        close(item)
        let finding: LedgerFinding.State
        switch answer {
        case .claimed:
            if !item.isReleased { lease.claimed(key, claim, begin: item.firstTakenAt) }
            return report(item, .durable)
        case .inDoubt where item.id == nil:
            if !item.isReleased { lease.claimed(key, claim, begin: item.firstTakenAt) }
            return []
        case .inDoubt(let row):
            if !item.isReleased { lease.claimed(key, claim, begin: item.firstTakenAt) }
            finding = .tookOver(row, isOwn: isOwn)
        case .held(let row): finding = .held(row)
        case .booked(let row):
            remember(key, row.claim)
            finding = .looked(row, isLive: false)
        case .other(let row): finding = .other(row?.existing)
        // There is nothing to take over, or the booking has ended.
        default: finding = .lost
        }
        return [.finding(LedgerFinding(id: item.id ?? .none, key: key, state: finding, record: item.record))]
    }

    /// Returns whether this client knows all sendings of the row that `claim` has taken over. A
    /// repeated claim sees its own row. Then `replaced` names the claim that the row had before.
    private func isOwn(_ row: LedgerRow, _ claim: String, replacing replaced: String?) -> Bool {
        guard row.claim == claim else { return row.owner == settings.owner && !foreign.contains(row.claim) }
        return replaced.map { $0.hasPrefix(settings.owner + "-") && !foreign.contains($0) } ?? false
    }

    /// Takes the answer to a claim that no exchange waits for any more. A fresh row is voided.
    /// The row of a dead engine is left to its lease. Then waiting voids are dropped, because
    /// this client does not know that engine's sendings.
    private mutating func abandoned(
        _ item: Item, _ claim: String, _ intent: LedgerOperation.Intent, _ answer: LedgerAnswer, _ now: Now
    ) -> [Output] {
        let key = item.key ?? ""
        let voids = items.values.filter { other in
            if case .void(claim, _, _, _) = other.operation { true } else { false }
        }
        if answer == .claimed, voids.isEmpty, case .event(_, _, let stamp) = item.record {
            // The void must come before a later claim of the key.
            let event = JournalRecord.Event.void(intent.wish, recordedAt: intent.recordedAt, .notSent)
            let void = LedgerOperation.void(claim, intent.wish, recordedAt: intent.recordedAt, .notSent)
            replace(item, by: void, record: .event(event, key: key, stamp), now)
            return []
        }
        close(item)
        if answer == .claimed { return [] }
        for other in voids { close(other) }
        return voids.map { .finding(LedgerFinding(id: $0.id ?? .none, key: key, state: .lost)) }
    }

    /// Returns the clock of a claim's record. The name of a claim ends with it.
    private func clock(of claim: String) -> Int? { claim.split(separator: "-").last.flatMap { Int($0) } }

    private func report(_ item: Item, _ result: Journal.Report.Result) -> [Output] {
        guard let id = item.id, let record = item.record else { return [] }
        return [.report(Journal.Report(id: id, record: record, result: result))]
    }

    /// Remembers the claim that made an end, for the time when the host hears that end.
    private mutating func remember(_ key: String, _ claim: String) {
        // Forgotten ends stay listed in the store.
        if endClaims.count >= 20_000 { endClaims = [:] }
        endClaims[key] = claim
    }

    // MARK: Given up by a person

    private mutating func gaveUp(_ id: TransferID, _ key: String, _ answer: LedgerAnswer) -> [Output] {
        guard var round = giveUps[id] else { return [] }
        round.ended(key, answer)
        giveUps[id] = round
        return concluded(id, round)
    }

    private mutating func giveUpAll(_ id: TransferID, _ rows: [LedgerRow]) -> [Output] {
        guard var round = giveUps[id] else { return [] }
        let keys = Set(round.selected(rows))
        giveUps[id] = round
        var outputs: [Output] = []
        for row in rows where keys.contains(row.key) {
            if isAtWork(row) {
                outputs += gaveUp(id, row.key, .held(row))
            } else {
                add(.giveUp(row.claim), key: row.key, id: id)
            }
        }
        return outputs + (keys.isEmpty ? concluded(id, round) : [])
    }

    /// Returns whether an exchange of this client has the row in flight.
    private func isAtWork(_ row: LedgerRow) -> Bool { row.state == .open && lease.claim(of: row.key) == row.claim }

    /// Takes the row of the key that a person gives up.
    private mutating func giveUpFound(_ id: TransferID, _ key: String, _ row: LedgerRow?) -> [Output] {
        guard let row, row.state != .givenUp else { return gaveUp(id, key, .absent) }
        if isAtWork(row) { return gaveUp(id, key, .held(row)) }
        add(.giveUp(row.claim), key: key, id: id)
        return []
    }

    private mutating func concluded(_ id: TransferID, _ round: LedgerGiveUp) -> [Output] {
        guard round.left.isEmpty else { return [] }
        giveUps[id] = nil
        return [.finding(LedgerFinding(id: id, key: "", state: .gaveUp(round.result, round.keys)))]
    }
}
