/// The part of a client in use that gets the bookings of other journals.
protocol JournalHeir: Sendable {
    /// Returns the ledger's knowledge of a key.
    func known(of key: String) -> JournalAdoption.Known
    /// Number of bookings in doubt or in flight.
    var unsettledCount: Int { get }
    /// Takes over entries that are already in this client's journal.
    func inherit(_ entries: [JournalEntry])
}

/// The adoption of free journals, which no client has open. Moves their bookings into this
/// client's journal, and removes their files.
///
/// It first renames the file to a name that contains the target. Then it writes the records to
/// the disk, and then it removes the file. No other client gets the file meanwhile. After a
/// crash both journals may have the same bookings. Then only the owner of the target gets the
/// other one, and `JournalEntry.merging` merges their entries.
///
/// Used by one thread at a time.
final class JournalAdopter {
    /// The approximate limit of a round at the opening.
    private static let openingMilliseconds = 500
    private static let openingBytes = 33_554_432
    /// A low limit, because the journal's own bookings wait meanwhile.
    private static let laterBytes = 8_388_608
    private static let pauseMilliseconds = 45_000...75_000
    /// The pause after a round that has left some journals.
    private static let shortPauseMilliseconds = 5_000...10_000
    private static let mostReasons = 20

    /// The time of the next round. Random, so that processes started together do not look together.
    var due = MonotonicTime.now().adding(milliseconds: .random(in: pauseMilliseconds))
    private(set) var others = Journal.Others()
    private let directory: JournalDirectory
    private let own: Int
    /// Files that could not be removed or emptied. They stay locked while this client lives.
    private var kept: [JournalFile] = []
    private var budget = AdoptionBudget(doubts: 0, bytes: 0)
    /// Journals that are being moved into this client's journal. No limits apply to them.
    /// Otherwise the ends of their bookings could be forgotten here first, and their old
    /// doubts would look new.
    private var owed: Set<JournalDirectory.Name> = []
    private var hasLeftSome = false

    /// A journal that was free.
    private struct Orphan {
        let file: JournalFile
        let number: Int
        let entries: [JournalEntry]
    }

    init(_ directory: JournalDirectory, own: Int, left: [(path: String, reason: String)]) {
        self.directory = directory
        self.own = own
        others.left = left
    }

    /// Adopts as many journals as it can in a short time. `entries` belong to this client's
    /// journal. With `folder`, this client already has its turn. Then it adopts only the
    /// journals that were being moved into its own.
    func adoptAtOpening(into journal: Journal, _ entries: inout [JournalEntry], holding folder: JournalFolder? = nil) {
        // If the disk takes no writes, other journals must wait. Only journals whose bookings
        // may already be in this one are adopted.
        guard folder != nil || !journal.needsRewriting,
            let (folder, all) = begin(folder, waitMilliseconds: Self.openingMilliseconds), !all.isEmpty
        else { return }
        defer { withExtendedLifetime(folder) {} }
        var orphans = all[...]
        if !journal.settings.isRequired { entries.removeAll(where: \.isRefused) }
        let unsettled = entries.count { !$0.isSettled }
        budget = AdoptionBudget(
            doubts: journal.settings.doubtRoom(unsettled), bytes: min(Self.openingBytes, journal.roomForOthers))
        var places: [String: Int] = [:]
        for (place, entry) in entries.enumerated() { places[entry.key] = place }
        let deadline = MonotonicTime.now().adding(milliseconds: Self.openingMilliseconds)
        var hasAdopted = false
        while !orphans.isEmpty, MonotonicTime.now() < deadline {
            let adopted = adopt(&orphans, folder, into: journal) { key in
                places[key].map { .entry(entries[$0]) } ?? .nothing
            }
            for entry in adopted {
                hasAdopted = true
                if let place = places.updateValue(places[entry.key] ?? entries.count, forKey: entry.key) {
                    entries[place] = entry
                } else {
                    entries.append(entry)
                }
            }
        }
        if hasAdopted { entries.sort { $0.clock < $1.clock } }
        end(hasLeftSome: hasLeftSome || !orphans.isEmpty)
    }

    /// Adopts a few of the journals that were left or have become free since.
    func adoptLater(into journal: Journal, known: (String) -> JournalAdoption.Known, unsettled: Int) -> [JournalEntry] {
        guard let (folder, all) = begin(nil, waitMilliseconds: 0) else {
            end(hasLeftSome: true)
            return []
        }
        defer { withExtendedLifetime(folder) {} }
        budget = AdoptionBudget(
            doubts: journal.settings.doubtRoom(unsettled), bytes: min(Self.laterBytes, journal.roomForOthers))
        // In random order, so that a journal that does not fit cannot block the others each time.
        let others = all.drop { $0.allSatisfy(owed.contains) }
        var orphans = (all.prefix(all.count - others.count) + others.shuffled())[...]
        let adopted = adopt(&orphans, folder, into: journal, known: known)
        end(hasLeftSome: hasLeftSome || !orphans.isEmpty)
        return adopted
    }

    /// Returns the other journals in groups, or nil if it is not this client's turn. Journals
    /// that are being moved into its own come first.
    private func begin(_ held: JournalFolder?, waitMilliseconds: Int) -> (JournalFolder, [[JournalDirectory.Name]])? {
        hasLeftSome = false
        guard let folder = held ?? (try? JournalFolder(path: directory.path)),
            held != nil || (try? folder.lock(until: .now().adding(milliseconds: waitMilliseconds))) ?? false,
            let names = try? folder.names()
        else { return nil }
        let orphans = JournalDirectory.orphans(among: directory.journals(names), own: own)
        owed = Set(orphans.owed)
        return (folder, orphans.owed.map { [$0] } + (held == nil ? orphans.groups : []))
    }

    private func end(hasLeftSome: Bool) {
        let pause = hasLeftSome ? Self.shortPauseMilliseconds : Self.pauseMilliseconds
        due = .now().adding(milliseconds: .random(in: pause))
    }

    /// Adopts the first free journals, at most `AdoptionBudget.files`. Returns the new and the
    /// changed entries.
    private func adopt(
        _ orphans: inout ArraySlice<[JournalDirectory.Name]>, _ folder: JournalFolder, into journal: Journal,
        known: (String) -> JournalAdoption.Known
    ) -> [JournalEntry] {
        var (adoption, files) = (JournalAdoption(), [Orphan]())
        while files.count < AdoptionBudget.files, let names = orphans.popFirst() {
            // All opened files are renamed together, and two files cannot get the same name.
            guard !names.contains(where: { name in files.contains { $0.number == name.number } }) else {
                hasLeftSome = true
                continue
            }
            guard let found = open(names, journal) else { continue }
            let entries = found.flatMap(\.entries)
            guard names.allSatisfy(owed.contains) || budget.admit(doubts: entries.count { !$0.isSettled }) else {
                hasLeftSome = true
                continue
            }
            switch adoption.take(entries, known: known) {
            case .taken: files += found
            case .busy: hasLeftSome = true
            case .conflict: note(directory.path(of: names[0]), Reason.otherBooking)
            }
        }
        guard !files.isEmpty else { return [] }
        let adopted = adoption.adopted
        let now = WallClock.milliseconds()
        do throws(JournalFailure) {
            for each in files { try each.file.move(to: directory.path(of: .init(number: each.number, target: own))) }
            // After a power failure, no file may have its old name while another journal has
            // its bookings.
            try folder.sync()
            // Also when no entry is new: the entries in this client's journal may not be on
            // the disk yet.
            try journal.adopt(adopted.flatMap { $0.records(at: now).flatMap(\.line) })
        } catch {
            orphans = []
            hasLeftSome = true
            return []
        }
        kept += files.map(\.file).filter { !$0.remove() }
        others.adoptedCount += files.count
        // Syncs before anything is sent. A file that comes back after a power failure would
        // know less than this client's journal.
        try? folder.sync()
        return adopted
    }

    /// Opens a journal and the journals that are being moved into it, or none of them.
    private func open(
        _ names: [JournalDirectory.Name], _ journal: Journal
    ) -> [Orphan]? {
        var found: [Orphan] = []
        for name in names {
            guard let orphan = open(name, journal) else { return nil }
            found.append(orphan)
        }
        return found
    }

    /// Returns a free journal with the entries that still count, dated by the clock of `journal`.
    private func open(_ name: JournalDirectory.Name, _ journal: Journal) -> Orphan? {
        let path = directory.path(of: name)
        guard !kept.contains(where: { $0.path == path }) else { return nil }
        let settings = journal.settings
        switch Journal.openInDirectory(path, makesFile: false) {
        case .taken: return nil
        case .unfit(let reason): note(path, reason)
        case .open(let file):
            guard owed.contains(name) || budget.read(bytes: file.size) else {
                hasLeftSome = hasLeftSome || file.size <= Self.laterBytes
                return nil
            }
            do throws(Journal.Unfit) {
                let contents = try Journal.readInDirectory(file, settings)
                let offset = journal.clock.now - contents.clock
                let oldest = contents.clock - settings.retentionMilliseconds * 1_000
                let entries = contents.entries.filter { entry in
                    !entry.isSettled || (entry.clock > oldest && (settings.isRequired || !entry.isRefused))
                }
                return Orphan(file: file, number: name.number, entries: entries.map { $0.moved(by: offset) })
            } catch {
                note(path, error.reason)
            }
        }
        return nil
    }

    private func note(_ path: String, _ reason: String) {
        guard others.left.count < Self.mostReasons, !others.left.contains(where: { $0.path == path }) else { return }
        others.left.append((path, reason))
    }
}

extension Journal.Settings {
    /// Returns how many bookings in doubt to take over now, beside `unsettled` bookings of
    /// this client.
    fileprivate func doubtRoom(_ unsettled: Int) -> Int { max(0, min(mostDoubts, mostUnsettled - unsettled)) }
}

extension Journal {
    /// The result of opening a file in a directory.
    enum OpenedFile {
        case open(JournalFile)
        /// Another client has it, or it is gone.
        case taken
        case unfit(String)
    }

    /// Opens a free journal in a directory, or makes one. Then moves the bookings of the other
    /// free journals into it.
    static func openInDirectory(
        _ settings: Settings, mostHeard: Int
    ) throws(PartnerBookingError) -> (Journal, [JournalEntry]) {
        let directory = JournalDirectory(settings.path, service: settings.service)
        var folder: JournalFolder? = try open(directory)
        let isOurTurn: Bool
        let names: [JournalDirectory.Name]
        do throws(JournalFailure) {
            isOurTurn = try folder?.lock(until: .now().adding(milliseconds: turnMilliseconds)) ?? false
            names = directory.journals(try folder?.names() ?? [])
        } catch {
            throw .journalNotOpened(error.message, "journal_dir")
        }
        let (number, file, contents, left) = try choose(directory, settings, names, isOurTurn: isOurTurn)
        var settings = settings
        settings.path = file.path
        let isOwed = isOurTurn && !JournalDirectory.orphans(among: names, own: number).owed.isEmpty
        // Other clients need not wait until all of this is on the disk.
        withExtendedLifetime(folder) {}
        if !isOwed { folder = nil }
        let journal = open(file, contents, settings, Opening(tornBytes: contents.tornBytes))
        let adopter = JournalAdopter(directory, own: number, left: left)
        var entries = contents.entries(mostHeard: mostHeard)
        if let folder { adopter.adoptAtOpening(into: journal, &entries, holding: folder) }
        folder = nil
        adopter.adoptAtOpening(into: journal, &entries)
        journal.adopter = adopter
        journal.opening.others = adopter.others
        return (journal, entries)
    }

    /// The longest wait for other clients that choose or adopt.
    private static let turnMilliseconds = 2_000

    /// Takes a free journal, or makes one.
    private static func choose(
        _ directory: JournalDirectory, _ settings: Settings, _ names: [JournalDirectory.Name], isOurTurn: Bool
    ) throws(PartnerBookingError) -> (Int, JournalFile, JournalContents, left: [(path: String, reason: String)]) {
        var numbers = names.filter { $0.target == nil }.map(\.number)
        var left: [(path: String, reason: String)] = []
        var old = isOurTurn ? numbers[...] : []
        while true {
            // Without its turn it makes a new one: another client may just be moving an old one.
            let known = old.popFirst()
            let number = known ?? JournalDirectory.newNumber(numbers)
            if known == nil { numbers = (numbers + [number]).sorted() }
            let path = directory.path(of: number)
            switch openInDirectory(path, makesFile: known == nil) {
            case .taken: continue
            case .unfit(let reason):
                // If one file cannot be made, another cannot be made either.
                guard known != nil else { throw .journalNotOpened(reason, "journal_dir") }
                left.append((path, reason))
            case .open(let file):
                do throws(Unfit) { return (number, file, try readInDirectory(file, settings), left) } catch {
                    left.append((path, error.reason))
                }
            }
        }
    }

    private static func open(_ directory: JournalDirectory) throws(PartnerBookingError) -> JournalFolder {
        do throws(JournalFolder.Failure) {
            return try JournalFolder(path: directory.path)
        } catch {
            switch error {
            case .notADirectory: throw .config("journal_dir", MemberMessage.notADirectory)
            case .noParent: throw .config("journal_dir", MemberMessage.noParent)
            case .symbolicLink: throw .config("journal_dir", MemberMessage.linkToDirectory)
            case .foreign(let uid):
                throw .config("journal_dir", MemberMessage.directoryOfUser(uid))
            case .failed(let failure): throw .journalNotOpened(failure.message, "journal_dir")
            }
        }
    }

    fileprivate static func openInDirectory(_ path: String, makesFile: Bool) -> OpenedFile {
        do throws(JournalFile.OpenFailure) {
            return .open(try JournalFile(path: path, makesFile: makesFile))
        } catch {
            switch error {
            case .locked, .missing: return .taken
            case .notAFile: return .unfit(Reason.notAFile)
            case .symbolicLink: return .unfit(Reason.symbolicLink)
            case .foreign(let uid): return .unfit(Reason.ofUser(uid))
            case .failed(let failure): return .unfit(failure.message)
            }
        }
    }

    /// Reads an intact journal. Its end may be torn, because its process may have died in a write.
    fileprivate static func readInDirectory(
        _ file: JournalFile, _ settings: Settings
    ) throws(Unfit) -> JournalContents {
        let contents = try read(file, settings)
        if contents.damagedBytes > 0 {
            throw .failed(JournalFailure(message: Reason.damaged))
        }
        return contents
    }

    /// Adopts journals that dead processes have left since the opening. Runs on the journal's
    /// thread.
    func adoptIfDue(_ heir: any JournalHeir) {
        guard let adopter, adopter.due <= .now() else { return }
        var adopted: [JournalEntry] = []
        try? outsideGate { adopted = adopter.adoptLater(into: self, known: heir.known, unsettled: heir.unsettledCount) }
        if !adopted.isEmpty { heir.inherit(adopted) }
    }
}
