import Glibc

extension Journal {
    /// Opens the journal and returns its entries. Of the heard bookings it returns only the
    /// youngest `mostHeard`. In a directory it takes a free journal or makes a new one. Then
    /// it moves the bookings of the other free journals into it.
    ///
    /// - Throws: `journal_locked`. `invalid_config` for a file that is no journal, or belongs
    ///   to another service. `journal_unavailable`.
    static func open(
        _ settings: Settings, mostHeard: Int = .max
    ) throws(PartnerBookingError) -> (Journal, [JournalEntry]) {
        if settings.isInDirectory { return try openInDirectory(settings, mostHeard: mostHeard) }
        let file = try openFile(settings.path)
        let contents: JournalContents
        do throws(Unfit) { contents = try read(file, settings) } catch { throw error.error }
        var opening = Opening(tornBytes: contents.tornBytes, damagedBytes: contents.damagedBytes)
        let damagedPath = settings.path + ".damaged"
        if contents.damagedBytes > 0 {
            do throws(JournalFailure) {
                try file.keep(as: damagedPath)
                opening.damagedCopy = damagedPath
            } catch {
                throw .journalNotOpened(Reason.notKept(damagedPath, error.message))
            }
        }
        let journal = open(file, contents, settings, opening)
        return (journal, contents.entries(mostHeard: mostHeard))
    }

    /// Opens a journal from a file that was read and found usable.
    static func open(
        _ file: JournalFile, _ contents: JournalContents, _ settings: Settings, _ opening: Opening
    ) -> Journal {
        file.protect()
        let isNew = settings.isInDirectory && !contents.hasRecords
        let clock = LedgerClock(startingAt: isNew ? newClockInDirectory : contents.clock)
        let isCompact = contents.isCompact(retentionMilliseconds: settings.retentionMilliseconds, now: clock.now)
        let journal = Journal(settings, file, opening, clock, needsRewriting: !isCompact || file.mustBeReplaced)
        // If the disk is full or broken, bookings are refused one by one. Each next booking
        // tries again.
        if journal.needsRewriting { try? journal.rewrite(contents) } else { try? file.append(journal.mark.line) }
        return journal
    }

    /// The clock of a new journal in a directory, in microseconds: the longest retention. So
    /// entries that the journal takes over keep their age.
    private static let newClockInDirectory = 10_080 * 60 * 1_000_000

    private static func openFile(_ path: String) throws(PartnerBookingError) -> JournalFile {
        do throws(JournalFile.OpenFailure) {
            return try JournalFile(path: path)
        } catch {
            switch error {
            case .locked, .missing: throw .journalLocked(path)
            case .notAFile: throw .config("journal_path", MemberMessage.notAFile)
            case .symbolicLink: throw .config("journal_path", MemberMessage.linkToFile)
            case .foreign(let uid):
                throw .config("journal_path", MemberMessage.fileOfUser(uid, notOf: geteuid()))
            case .failed(let failure): throw .journalNotOpened(failure.message)
            }
        }
    }

    /// The reason why a file is not used.
    enum Unfit: Error {
        case failed(JournalFailure)
        case noJournal
        case ofLaterVersion
        case ofAnotherService(String)

        var error: PartnerBookingError {
            switch self {
            case .failed(let failure): .journalNotOpened(failure.message)
            case .noJournal:
                .config("journal_path", MemberMessage.noJournal)
            case .ofLaterVersion:
                .config("journal_path", MemberMessage.laterJournal)
            case .ofAnotherService(let service):
                .config("journal_path", MemberMessage.journalOf(service))
            }
        }

        /// The reason for a file in a directory.
        var reason: String {
            switch self {
            case .failed(let failure): failure.message
            case .noJournal: Reason.noJournal
            case .ofLaterVersion: Reason.laterVersion
            case .ofAnotherService: Reason.otherService
            }
        }
    }

    private static let mostBytes = 4_294_967_296

    /// Reads a journal of the service. Does not read a large foreign file into memory only to
    /// find that it is no journal.
    static func read(_ file: JournalFile, _ settings: Settings) throws(Unfit) -> JournalContents {
        var bytes: [UInt8]?
        do throws(JournalFailure) {
            let isTooLarge = file.size > mostBytes
            let head = isTooLarge || file.size > settings.maxBytes ? try file.read(atMost: 5) : nil
            if head.map(JournalRecord.magics.contains) ?? true {
                guard !isTooLarge else { throw JournalFailure(message: Reason.tooLarge(mostBytes)) }
                bytes = try file.read()
            }
        } catch {
            throw .failed(error)
        }
        guard let bytes else { throw .noJournal }
        let contents = JournalContents(bytes)
        if contents.isOfLaterVersion { throw .ofLaterVersion }
        guard contents.isJournal else { throw .noJournal }
        if let service = contents.service, service != settings.service { throw .ofAnotherService(service) }
        return contents
    }
}
