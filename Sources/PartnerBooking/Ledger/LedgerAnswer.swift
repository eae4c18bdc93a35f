/// The result of one operation on the host's store.
enum LedgerAnswer: Equatable, Sendable {
    case claimed
    /// This client has the key now. A dead engine, or this one, may have sent its booking.
    case inDoubt(LedgerRow)
    case held(LedgerRow)
    case booked(LedgerRow)
    case refused(LedgerRow)
    case open(LedgerRow)
    /// The key belongs to another request.
    case other(LedgerRow?)
    case absent
    case done
    /// The row does not have that claim, or has it no longer.
    case lost
    case givenUp(LedgerRow)
    case kept(LedgerRow)
    /// The leases are extended, except those of the keys in `lost`.
    case renewed(lost: [String])
    case rows([LedgerRow])
    /// The fate of the operation is unknown.
    case failed(String)

    /// The row in the answer.
    var row: LedgerRow? {
        switch self {
        case .inDoubt(let row), .held(let row), .booked(let row), .refused(let row), .open(let row), .givenUp(let row),
            .kept(let row):
            row
        case .other(let row): row
        case .claimed, .absent, .done, .lost, .renewed, .rows, .failed: nil
        }
    }

    /// Reads an answer to an operation. Returns nil if it is no valid answer.
    init?(_ json: JSONValue, to operation: LedgerOperation) {
        guard let word = json["result"]?.string else { return nil }
        let row = json["row"].flatMap { LedgerRow($0) }
        switch (operation, word, row) {
        // A row that cannot be read must not hide the other answers.
        case (_, _, nil) where json["row"]?.kind == .object: self = .failed(Reason.unreadableRow)
        case (_, "failed", _): self = .failed(json["message"]?.string ?? Reason.noReason)
        case (.claim, "claimed", _): self = .claimed
        case (.claim, "in_doubt", let row?) where row.state == .open: self = .inDoubt(row)
        case (.claim, "held", let row?) where row.state == .open: self = .held(row)
        case (.claim, "booked", let row?), (.wait, "booked", let row?):
            guard case .booked = row.state else { return nil }
            self = .booked(row)
        case (.claim, "other", let row?): self = .other(row)
        case (.claim, "refused", let row?), (.wait, "refused", let row?):
            guard row.isRefused else { return nil }
            self = .refused(row)
        case (.wait, "open", let row?) where row.state == .open: self = .open(row)
        case (.wait, "absent", _), (.giveUp, "absent", _): self = .absent
        case (.settle, "done", _), (.void, "done", _), (.withdraw, "done", _), (.heard, "done", _): self = .done
        case (.settle, "other", _): self = .other(row)
        case (.claim, "lost", _), (.void, "lost", _), (.withdraw, "lost", _), (.heard, "lost", _): self = .lost
        case (.giveUp, "given_up", let row?): self = .givenUp(row)
        case (.giveUp, "held", let row?): self = .held(row)
        case (.giveUp, "kept", let row?): self = .kept(row)
        case (.renew, "renewed", _):
            let list = json["lost"]
            guard list.map({ $0.kind == .array || $0.kind == .null }) ?? true else { return nil }
            self = .renewed(lost: list.map { $0.elements.compactMap(\.string) } ?? [])
        case (.orphans, "rows", _), (.pending, "rows", _):
            guard let list = json["rows"], list.kind == .array else { return nil }
            // A row that cannot be read must not hide the other rows.
            self = .rows(list.elements.compactMap { LedgerRow($0) })
        default: return nil
        }
    }
}

/// The host's answer to a batch.
enum LedgerBatchAnswer: Sendable {
    case results([Int: LedgerAnswer])
    /// The fate of every operation is unknown.
    case failed(String)

    static let maxBytes = 67_108_864

    /// Reads an answer. `operations` are the operations of the batch, by ID.
    init(_ json: [UInt8], to operations: [Int: LedgerOperation]) throws(PartnerBookingError) {
        let root = try JSONDocument(json, what: ErrorMessage.ledgerAnswer, maxBytes: Self.maxBytes).root
        if let error = root["error"], error.kind == .object {
            self = .failed(error["message"]?.string ?? Reason.noReason)
            return
        }
        guard let list = root["results"], list.kind == .array else {
            throw .argument(ErrorMessage.ledgerAnswerIncomplete)
        }
        var results: [Int: LedgerAnswer] = [:]
        for item in list.elements {
            let name = item["id"]?.string ?? "none"
            guard let id = Int(name), let operation = operations[id] else {
                throw .argument(ErrorMessage.resultWithoutOperation(name))
            }
            guard let answer = LedgerAnswer(item, to: operation) else {
                throw .argument(ErrorMessage.unknownResult("\(operation.name)", "\(id)"))
            }
            guard results.updateValue(answer, forKey: id) == nil else {
                throw .argument(ErrorMessage.resultTwice("\(id)"))
            }
        }
        guard results.count == operations.count else {
            throw .argument(ErrorMessage.resultCount(results.count, operations: operations.count))
        }
        self = .results(results)
    }
}
