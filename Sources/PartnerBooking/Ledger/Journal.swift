/// A client's journal, written on a thread of its own. Callers and the transfer thread never
/// wait for the disk.
///
/// Records that arrive while the disk is busy are written together, with one wait (group commit).
///
/// `@unchecked Sendable` is safe. Once the journal's thread runs, only that thread uses `file`
/// and the members below it. Before that, only the opening thread uses them. `opening` changes
/// only while the journal opens. `shared` has a lock of its own.
final class Journal: @unchecked Sendable {
    private struct Item {
        let record: JournalRecord
        /// Records that belong to it.
        var more: [JournalRecord] = []
        /// The exchange that waits until it is on the disk. nil: none.
        let id: TransferID?

        /// True when an exchange waits for this record before it sends a booking.
        var isNewBooking: Bool {
            if id != nil, case .event(.intent, _, _) = record { true } else { false }
        }

        var lines: [UInt8] { more.isEmpty ? record.line : record.line + more.flatMap(\.line) }
    }

    private struct Shared {
        var queue: [Item] = []
        /// The time to ask for records that can wait. nil: there are none.
        var askAt: MonotonicTime?
        /// True when `askAt` is new. The thread may otherwise sleep beyond that moment.
        var isNudged = false
        var isClosing = false
        var isOver = false
    }

    private enum Work {
        /// `asks`: also write the records that can wait. `isEnd`: all of these, because the
        /// journal closes.
        case commit([Item], asks: Bool, isEnd: Bool)
        case upkeep
        case end
    }

    var opening: Opening
    /// The ledger's clock. It continues from the records in the file.
    let clock: LedgerClock
    var path: String { settings.path }
    var keepsReplies: Bool { settings.keepsReplies }
    let settings: Settings
    private let shared = Monitor(Shared())
    private var file: JournalFile?
    /// nil without a directory.
    var adopter: JournalAdopter?
    private(set) var needsRewriting: Bool
    /// Records that no exchange waits for and that are not on the disk yet.
    private var unwritten: [Item] = []
    private var syncAt: MonotonicTime?
    private var upkeep = JournalUpkeep()

    /// The earliest time to rewrite a full journal again.
    private var nextTryToMakeRoom: MonotonicTime?

    private static let unwrittenLimit = 1_000
    private static let roomMilliseconds = 10_000

    init(
        _ settings: Settings, _ file: JournalFile, _ opening: Opening, _ clock: LedgerClock, needsRewriting: Bool
    ) {
        self.settings = settings
        self.file = file
        self.opening = opening
        self.clock = clock
        self.needsRewriting = needsRewriting
        upkeep.rewritten(size: file.size)
    }

    /// The first record of a journal. Another such record follows at each opening.
    var mark: JournalRecord {
        .journal(service: settings.service, JournalRecord.Mark(clock: clock.now, reading: .now()))
    }

    /// Starts the thread, which calls the closures. `report` gets the results of records.
    /// `waiting` returns the records that can wait: the due ones, or at the end all of them.
    /// `heir` gets the bookings of other journals.
    func start(
        report: @escaping @Sendable ([Report]) -> Void,
        waiting: @escaping @Sendable (_ isEnd: Bool) -> [JournalRecord] = { _ in [] }, heir: (any JournalHeir)? = nil
    ) throws(PartnerBookingError) -> Thread {
        // As with the transfer thread: the new thread is inside the gate from its first
        // instruction on.
        guard ExitGate.tryToEnter() else { throw .isExiting }
        do throws(SystemError) {
            return try Thread(name: "pbk-journal") { self.run(report, waiting, heir) }
        } catch {
            ExitGate.leave()
            throw .resource(error.message)
        }
    }

    // MARK: From any thread: a lock for a moment

    /// Puts a record on its way to the disk. With an ID the result is reported.
    func append(_ record: JournalRecord, id: TransferID? = nil) {
        shared.update { $0.queue.append(Item(record: record, id: id)) }
    }

    /// Puts records on their way to the disk, all or none. The result is reported with the
    /// first record.
    func append(_ records: [JournalRecord], id: TransferID) {
        guard let first = records.first else { return }
        shared.update { $0.queue.append(Item(record: first, more: Array(records.dropFirst()), id: id)) }
    }

    /// Makes the thread ask for the records that can wait, at that moment or at the end.
    func ask(at moment: MonotonicTime) {
        let isFirst = shared.withLock { shared in
            guard shared.askAt == nil, !shared.isOver else { return false }
            shared.askAt = moment
            shared.isNudged = true
            return true
        }
        if isFirst { shared.update { _ in } }
    }

    /// Takes back a record that is not being written yet. Returns false if it is or will be on
    /// the disk.
    func revoke(_ id: TransferID) -> Bool {
        shared.withLock { shared in
            guard let index = shared.queue.firstIndex(where: { $0.id == id }) else { return false }
            shared.queue.remove(at: index)
            return true
        }
    }

    /// Begins the close: no more records will come. The thread writes the rest, and ends.
    func beginClose() { shared.update { $0.isClosing = true } }

    /// Returns false if the thread did not end in time, because the disk hangs.
    func waitForEnd(until moment: MonotonicTime) -> Bool {
        ExitGate.isShut ? false : shared.wait(until: moment) { $0.isOver ? true : nil } ?? false
    }

    // MARK: On the journal's thread

    private func run(
        _ report: ([Report]) -> Void, _ waiting: (_ isEnd: Bool) -> [JournalRecord], _ heir: (any JournalHeir)?
    ) {
        while true {
            switch nextWork() {
            case .commit(let items, let asks, let isEnd):
                let rest = asks ? waiting(isEnd) : []
                let reports = commit(items + rest.map { Item(record: $0, id: nil) })
                if !reports.isEmpty { report(reports) }
            case .upkeep:
                doUpkeep(.now())
                if let heir { adoptIfDue(heir) }
            case .end:
                doUpkeep(nil)
                file = nil
                shared.update { $0.isOver = true }
                ExitGate.leave()
                return
            }
        }
    }

    private func nextWork() -> Work {
        let askAt = shared.withLock { shared in
            shared.isNudged = false
            return shared.askAt
        }
        let moment = [syncAt, upkeep.due, askAt, adopter?.due].compactMap { $0 }.min()
        ExitGate.leave()
        defer { ExitGate.enter() }
        return shared.wait(until: moment) { shared in
            let isAsked = shared.askAt.map { $0 <= .now() || shared.isClosing } ?? false
            if isAsked { shared.askAt = nil }
            if !shared.queue.isEmpty || isAsked {
                defer { shared.queue.removeAll(keepingCapacity: true) }
                return .commit(shared.queue, asks: isAsked, isEnd: shared.isClosing)
            }
            if shared.isClosing { return .end }
            return shared.isNudged ? .upkeep : nil
        } ?? .upkeep
    }

    /// Writes records, and waits for the disk if an exchange waits for one of them. Refuses
    /// new bookings when there is no room.
    private func commit(_ items: [Item]) -> [Report] {
        var (items, refused) = (unwritten + items, [Report]())
        if items.contains(where: \.isNewBooking), let full = reasonWithoutRoom(for: items) {
            refused = items.filter(\.isNewBooking).compactMap { item in
                item.id.map { Report(id: $0, record: item.record, result: .failed(full, isUndone: true)) }
            }
            items.removeAll(where: \.isNewBooking)
        }
        return refused + writeAll(items)
    }

    private func writeAll(_ items: [Item]) -> [Report] {
        let waiting = items.filter { $0.id != nil }
        unwritten = []
        let result: Report.Result
        do throws(CommitFailure) {
            try write(items, isDurable: !waiting.isEmpty)
            result = .durable
        } catch {
            let rest = items.filter { $0.id == nil }
            // `heard` records are dropped first. Those ends are then listed once more.
            unwritten =
                rest.count <= Self.unwrittenLimit
                ? rest : Array(rest.filter { !$0.record.isHeard }.suffix(Self.unwrittenLimit))
            result = .failed(error.message, isUndone: error.isUndone)
        }
        return waiting.compactMap { item in item.id.map { Report(id: $0, record: item.record, result: result) } }
    }

    /// Returns why there is no room for records, after it has tried to make room. nil: there
    /// is room.
    private func reasonWithoutRoom(for items: [Item]) -> String? {
        guard let file else { return nil }
        let count = items.reduce(0) { $0 + $1.lines.count }
        func isFull() -> Bool { file.size + count > settings.maxBytes }
        guard isFull() else { return nil }
        let now = MonotonicTime.now()
        if (nextTryToMakeRoom ?? now) <= now {
            nextTryToMakeRoom = now.adding(milliseconds: Self.roomMilliseconds)
            needsRewriting = true
            do throws(JournalFailure) { try makeReady(file) } catch { return error.message }
        }
        guard isFull() else { return nil }
        return Reason.full(file.size, settings.maxBytes)
    }

    private struct CommitFailure: Error {
        let message: String
        let isUndone: Bool
    }

    private func write(_ items: [Item], isDurable: Bool) throws(CommitFailure) {
        guard let file else { throw CommitFailure(message: "closed", isUndone: true) }
        do throws(JournalFailure) {
            try makeReady(file)
        } catch {
            throw CommitFailure(message: error.message, isUndone: true)
        }
        let size = file.size
        var hasFailedToSync = false
        do throws(JournalFailure) {
            try file.append(items.flatMap(\.lines))
            hasFailedToSync = isDurable
            if isDurable { try outsideGate(file.sync) }
        } catch {
            // After a failed sync the system may have dropped unwritten data. Only a new file
            // can be trusted.
            needsRewriting = needsRewriting || hasFailedToSync
            throw CommitFailure(message: error.message, isUndone: file.cut(to: size))
        }
        let now = MonotonicTime.now()
        if isDurable { syncAt = nil }
        // `heard` records need no sync, and do not delay the compaction.
        if items.contains(where: { $0.record.isHeard }) { upkeep.heard() }
        guard items.contains(where: { !$0.record.isHeard }) else { return }
        if !isDurable { syncAt = syncAt ?? now.adding(milliseconds: 1_000) }
        upkeep.added(file.size - size, settles: items.contains { $0.record.isSettlement }, now: now)
    }

    /// Prepares the file for a write, with a rewrite if needed. Records in a file that is not
    /// at its path would be lost with this process.
    private func makeReady(_ file: JournalFile) throws(JournalFailure) {
        switch file.place {
        case .inPlace: needsRewriting = needsRewriting || file.mustBeReplaced
        case .gone: needsRewriting = true
        case .replaced: throw JournalFailure(message: Reason.replaced(settings.path))
        }
        if needsRewriting { try rewrite() }
    }

    /// Replaces the file by a new one with the records that still count.
    private func rewrite() throws(JournalFailure) {
        if let file { try rewrite(JournalContents(try file.read())) }
    }

    func rewrite(_ contents: JournalContents) throws(JournalFailure) {
        guard let file else { return }
        try file.replace { write in
            contents.writeCompacted(
                mark, retentionMilliseconds: settings.retentionMilliseconds, now: clock.now, to: write)
        }
        needsRewriting = false
        syncAt = nil
        upkeep.rewritten(size: file.size)
    }

    /// Does the work that can wait until the thread is idle. Without a moment it does all of
    /// it, because this is the end. The next booking retries what fails.
    private func doUpkeep(_ now: MonotonicTime?) {
        guard let file else { return }
        if let syncAt, now.map({ syncAt <= $0 }) ?? true {
            self.syncAt = nil
            do throws(JournalFailure) { try outsideGate(file.sync) } catch { needsRewriting = true }
        }
        if now == nil && !unwritten.isEmpty { _ = commit([]) }
        guard now.map(upkeep.isDue) ?? upkeep.isWanted else { return }
        upkeep.begun()
        if case .inPlace = file.place {
            do throws(JournalFailure) { try outsideGate(rewrite) } catch { needsRewriting = true }
        }
    }

    /// Number of bytes that fit into the file from other journals. They may fill it up to half.
    var roomForOthers: Int { file.map { max(0, settings.maxBytes / 2 - $0.size) } ?? 0 }

    /// Appends records of other journals, and returns when they are on the disk. After a
    /// failure it cuts the file back, and the next record waits for a rewrite.
    func adopt(_ bytes: [UInt8]) throws(JournalFailure) {
        guard let file else { throw JournalFailure(message: "closed") }
        try makeReady(file)
        let size = file.size
        do throws(JournalFailure) {
            try file.append(bytes)
            try file.sync()
        } catch {
            needsRewriting = true
            _ = file.cut(to: size)
            throw error
        }
        syncAt = nil
        upkeep.added(bytes.count, settles: false, now: .now())
    }

    /// Runs `body` outside the gate, so that exit and fork do not wait for the disk.
    func outsideGate(_ body: () throws(JournalFailure) -> Void) throws(JournalFailure) {
        ExitGate.leave()
        defer { ExitGate.enter() }
        try body()
    }
}
