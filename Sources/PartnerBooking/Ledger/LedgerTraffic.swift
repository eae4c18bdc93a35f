/// The traffic with the host's store: the waiting operations, the batches under way, and the
/// rows that this client has. A pure state machine. The caller has the clocks.
///
/// Operations on one key follow one another. An operation is repeated until its fate is known,
/// so an answer may come twice. Only the first answer counts.
struct LedgerTraffic: Sendable {
    struct Settings: Sendable {
        /// The scope of the rows. Rows of one scope share keys.
        var scope: String
        /// The name of this client in the store.
        var owner: String
        var leaseMilliseconds = 15_000
        /// True when the client settles bookings that dead engines have left.
        var takesOver = true
        var timeoutMilliseconds = 2_000
    }

    struct Now: Sendable {
        var time: MonotonicTime
        /// The time on the boot clock, in microseconds.
        var boot: Int
        /// Milliseconds since 1970.
        var wall: Int

        static func now() -> Now {
            Now(time: .now(), boot: BootClock.microseconds(), wall: WallClock.milliseconds())
        }
    }

    /// One operation, and the exchange that waits for it.
    struct Item: Sendable {
        let number: Int
        let key: String?
        var operation: LedgerOperation
        /// The record that the operation stands for.
        let record: JournalRecord?
        /// The exchange that waits for the result.
        let id: TransferID?
        /// Number of times that it was handed out.
        var tries = 0
        var firstTakenAt = 0
        /// The earliest time to hand it out again after a failure.
        var notBefore = MonotonicTime(nanoseconds: 0)
        var isQueued = true
        /// True when no exchange waits for the claim any more. Then it must not stay in the store.
        var isAbandoned = false
        /// True when the exchange of the claim has ended in doubt. Then its row is left to the
        /// lease.
        var isReleased = false

        var isClaim: Bool { if case .claim = operation { true } else { false } }
    }

    struct Batch: Sendable {
        var items: [Int: LedgerOperation]
        let takenAt: Now
        var isOverdue = false
    }

    static let mostOpenBatches = 8
    static let mostOperations = 256
    /// Number of kept batches that got no answer in time. Their answers still count.
    static let mostOverdueBatches = 64

    let settings: Settings
    var lease: LedgerLease
    /// The open operations by number. The numbers show the order in which they came.
    private(set) var items: [Int: Item] = [:]
    private var queue: [Int] = []
    /// The operations under way, by key.
    private var busy: [String: Int] = [:]
    private(set) var batches: [UInt64: Batch] = [:]
    private var batchCount: UInt64 = 0
    private var itemCount = 0
    /// The claims of keys whose end the host may still hear.
    var endClaims: [String: String] = [:]
    /// Claims of this client that took a row over when no exchange here waited for the claim
    /// any more.
    var foreign: Set<String> = []
    private var renewAt: MonotonicTime?
    private var orphansAt: MonotonicTime?
    var giveUps: [TransferID: LedgerGiveUp] = [:]
    var takeovers = TakeoverSchedule()
    var isClosing = false

    init(_ settings: Settings, _ now: Now) {
        self.settings = settings
        lease = LedgerLease(milliseconds: settings.leaseMilliseconds)
        orphansAt = settings.takesOver ? now.time : nil
    }

    /// True when everything is written to the store.
    var isIdle: Bool { items.values.allSatisfy { !$0.operation.isWriting } }

    // MARK: Operations come

    @discardableResult
    mutating func add(
        _ operation: LedgerOperation, key: String?, record: JournalRecord? = nil, id: TransferID? = nil
    ) -> Int {
        itemCount += 1
        items[itemCount] = Item(number: itemCount, key: key, operation: operation, record: record, id: id)
        queue.append(itemCount)
        return itemCount
    }

    /// Leaves the row of a key to its lease, because its exchange has ended in doubt.
    mutating func release(_ key: String) {
        lease.release(key)
        if let number = claimUnderWay(of: key)?.number { items[number]?.isReleased = true }
    }

    /// Revokes a claim that no exchange waits for any more. Returns true if it is certainly
    /// not in the store.
    mutating func revoke(_ id: TransferID) -> Bool {
        // An earlier claim of the same exchange may also be under way.
        let claims = items.values.filter { $0.id == id && $0.isClaim && !$0.isAbandoned }
        guard let item = claims.max(by: { $0.number < $1.number }) else { return false }
        if item.tries == 0 {
            close(item)
            return true
        }
        // It is repeated until its fate is known.
        items[item.number]?.isAbandoned = true
        return false
    }

    // MARK: Batches

    /// Returns the next moment when `tick` or `takeBatch` has work. nil: none is known.
    /// Operations that could be handed out now do not count: they already wait for the host.
    func due(after now: MonotonicTime) -> MonotonicTime? {
        var moments = [renewAt, isClosing ? nil : orphansAt].compactMap { $0 }
        moments += batches.values.filter { !$0.isOverdue }.map(overdueAt)
        moments += queue.compactMap { items[$0]?.notBefore }.filter { now < $0 }
        return moments.min()
    }

    private func overdueAt(_ batch: Batch) -> MonotonicTime {
        batch.takenAt.time.adding(milliseconds: settings.timeoutMilliseconds)
    }

    /// Handles overdue batches, and adds the operations that are due.
    mutating func tick(_ now: Now) -> [Output] {
        var outputs: [Output] = []
        for (number, batch) in batches where !batch.isOverdue && overdueAt(batch) <= now.time {
            outputs += overdue(number, now)
        }
        if lease.isEmpty {
            renewAt = nil
        } else if let moment = renewAt, moment <= now.time {
            let isOver = lease.end.map { $0 <= now.boot } ?? false
            renewAt = now.time.adding(milliseconds: isOver ? Self.mostPause : renewalPause)
            if !items.values.contains(where: { $0.operation.isRenewal && $0.isQueued }) { add(.renew(lease.all), key: nil) }
        } else if renewAt == nil {
            renewAt = now.time.adding(milliseconds: renewalPause)
        }
        if let moment = orphansAt, moment <= now.time, !isClosing {
            orphansAt = now.time.adding(milliseconds: .random(in: 1_000...3_000))
            if !items.values.contains(where: { $0.operation.isUpkeep && !$0.operation.isRenewal }) {
                // Keys that must not be tried yet must not hide the other keys.
                let limit = min(Self.orphanLimit + takeovers.waiting(now.time), Self.mostOrphans)
                add(.orphans(limit: limit, notBefore: now.wall), key: nil)
            }
        }
        return outputs
    }

    private static let orphanLimit = 32
    private static let mostOrphans = 10_000
    private var renewalPause: Int { settings.leaseMilliseconds / 3 }

    /// Returns the next batch with its number. nil: there is nothing to hand out, or too many
    /// batches are under way.
    mutating func takeBatch(_ now: Now) -> (number: UInt64, json: [UInt8])? {
        guard !queue.isEmpty, batches.values.count(where: { !$0.isOverdue }) < Self.mostOpenBatches else { return nil }
        // Takes the first operation of each key, unless another one of the key is under way.
        var keys: Set<String> = []
        var taken: [Int] = []
        queue.removeAll { number in
            // No exchange waits for reads while the client closes.
            guard let item = items[number], !isClosing || item.operation.isWriting else { return true }
            let isFirst = item.key.map { busy[$0] == nil && keys.insert($0).inserted } ?? true
            guard isFirst, taken.count < Self.mostOperations, item.notBefore <= now.time else { return false }
            taken.append(number)
            return true
        }
        guard !taken.isEmpty else { return nil }
        batchCount += 1
        var batch = Batch(items: [:], takenAt: now)
        for number in taken {
            guard let item = items[number] else { continue }
            if let key = item.key { busy[key] = number }
            items[number]?.isQueued = false
            if item.tries == 0 { items[number]?.firstTakenAt = now.boot }
            items[number]?.tries += 1
            batch.items[number] = item.operation
        }
        batches[batchCount] = batch
        let json = JSONWriter.object { root in
            root.member("protocol", 1)
            root.array("operations", taken) { object, number in
                guard let item = items[number] else { return }
                object.member("op", "\(item.operation.name)")
                object.member("id", String(number))
                item.operation.write(item.key, settings, &object)
            }
        }
        return (batchCount, json)
    }

    // MARK: Answers

    func operations(of number: UInt64) throws(PartnerBookingError) -> [Int: LedgerOperation] { try batch(number).items }

    private func batch(_ number: UInt64) throws(PartnerBookingError) -> Batch {
        guard let batch = batches[number] else {
            throw .argument(ErrorMessage.noBatch(number))
        }
        return batch
    }

    mutating func answer(
        _ number: UInt64, _ answer: LedgerBatchAnswer, _ now: Now
    ) throws(PartnerBookingError) -> [Output] {
        let batch = try batch(number)
        switch answer {
        case .failed(let message):
            batches[number] = nil
            failed(batch, now)
            return [.finding(LedgerFinding(id: .none, key: "", state: .failed(message)))]
        case .results(let answers):
            batches[number] = nil
            var outputs: [Output] = []
            for (number, answer) in answers.sorted(by: { $0.key < $1.key }) {
                guard let item = items[number], let asked = batch.items[number] else { continue }
                outputs += complete(item, asked, answer, batch.takenAt, now)
            }
            return outputs
        }
    }

    private mutating func overdue(_ number: UInt64, _ now: Now) -> [Output] {
        guard let batch = batches[number] else { return [] }
        batches[number]?.isOverdue = true
        let late = batches.filter { $0.value.isOverdue }.keys.sorted()
        for old in late.dropLast(Self.mostOverdueBatches) { batches[old] = nil }
        let message = Reason.silent(settings.timeoutMilliseconds)
        failed(batch, now)
        return [.finding(LedgerFinding(id: .none, key: "", state: .failed(message)))]
    }

    private mutating func failed(_ batch: Batch, _ now: Now) {
        for number in batch.items.keys.sorted() { failed(number, now) }
    }

    /// Queues an operation again, because its fate is unknown. Drops it if it comes again by
    /// itself.
    mutating func failed(_ number: Int, _ now: Now) {
        // It may be queued again already.
        guard let item = items[number], !item.isQueued else { return }
        if let key = item.key { busy[key] = nil }
        guard !item.operation.isUpkeep else {
            items[number] = nil
            if item.operation.isRenewal { renewSoon(now) }
            return
        }
        enqueue(item, after: pause(item), now)
    }

    /// Queues an operation again, at its place in the order.
    private mutating func enqueue(_ item: Item, after pause: Int, _ now: Now) {
        items[item.number]?.notBefore = now.time.adding(milliseconds: pause)
        items[item.number]?.isQueued = true
        queue.insert(item.number, at: queue.firstIndex { $0 > item.number } ?? queue.endIndex)
    }

    private func pause(_ item: Item) -> Int { min(Self.leastPause << min(item.tries, 5), Self.mostPause) }

    private static let quickTries = 4

    private static let leastPause = 50
    private static let mostPause = 1_000

    /// Puts another operation in the place of an item.
    mutating func replace(_ item: Item, by operation: LedgerOperation, record: JournalRecord, _ now: Now) {
        close(item)
        let next = Item(number: item.number, key: item.key, operation: operation, record: record, id: item.id)
        items[item.number] = next
        enqueue(next, after: 0, now)
    }

    /// Claims again, to replace another claim.
    mutating func repeatClaim(_ item: Item, replacing claim: String, _ now: Now) {
        guard case .claim(let own, var intent) = item.operation, !item.isQueued else { return }
        intent.replaces = claim
        if let key = item.key { busy[key] = nil }
        items[item.number]?.operation = .claim(own, intent)
        // Other clients may be faster a few times, but not every time.
        enqueue(item, after: item.tries > Self.quickTries ? pause(item) : 0, now)
    }

    /// Schedules the next renewal after the shortest pause.
    mutating func renewSoon(_ now: Now) { renewAt = now.time.adding(milliseconds: Self.leastPause) }

    mutating func close(_ item: Item) {
        items[item.number] = nil
        if let key = item.key, busy[key] == item.number { busy[key] = nil }
        if item.isQueued { queue.removeAll { $0 == item.number } }
    }
}
