import Glibc

extension Journal {
    /// Opens the journal and reads what it holds, but of bookings that were heard at most so many, the youngest.
    ///
    /// - Throws: `journal_locked`; `invalid_config` for what is no journal, or another service's; `journal_unavailable`.
    static func open(
        _ settings: Settings, mostHeard: Int = .max
    ) throws(PartnerBookingError) -> (Journal, [JournalEntry]) {
        let file = try openFile(settings.path)
        let contents = JournalContents(try read(file, settings))
        try check(contents, settings)
        var opening = Opening(tornBytes: contents.tornBytes, damagedBytes: contents.damagedBytes)
        let damagedPath = settings.path + ".damaged"
        if contents.damagedBytes > 0 {
            do throws(JournalFailure) {
                try file.keep(as: damagedPath)
                opening.damagedCopy = damagedPath
            } catch {
                throw .journalNotOpened("it is damaged and could not be kept as \(damagedPath): \(error.message)")
            }
        }
        file.protect()
        let clock = LedgerClock(startingAt: contents.clock)
        let isCompact = contents.isCompact(retentionMilliseconds: settings.retentionMilliseconds, now: clock.now)
        let journal = Journal(settings, file, opening, clock, needsRewriting: !isCompact || file.mustBeReplaced)
        // Should the disk be full or broken, bookings are refused one by one, and the next one tries again.
        if journal.needsRewriting { try? journal.rewrite(contents) } else { try? file.append(journal.mark.line) }
        return (journal, contents.entries(mostHeard: mostHeard))
    }

    private static func openFile(_ path: String) throws(PartnerBookingError) -> JournalFile {
        do throws(JournalFile.OpenFailure) {
            return try JournalFile(path: path)
        } catch {
            switch error {
            case .locked: throw .journalLocked(path)
            case .notAFile: throw .config("journal_path", "must name a file, or one that can be made")
            case .symbolicLink: throw .config("journal_path", "names a symbolic link: name the file itself")
            case .foreign(let uid):
                throw .config(
                    "journal_path", "names a file of user \(uid), and this process runs as user \(geteuid())")
            case .failed(let failure): throw .journalNotOpened(failure.message)
            }
        }
    }

    private static let mostBytes = 4_294_967_296

    /// Somebody's large file is not read into memory to find out that it is no journal.
    private static func read(_ file: JournalFile, _ settings: Settings) throws(PartnerBookingError) -> [UInt8] {
        do throws(JournalFailure) {
            let isTooLarge = file.size > mostBytes
            let head = isTooLarge || file.size > settings.maxBytes ? try file.read(atMost: 5) : nil
            if head.map(JournalRecord.magics.contains) ?? true {
                guard !isTooLarge else { throw JournalFailure(message: "it has more than \(mostBytes) bytes") }
                return try file.read()
            }
        } catch {
            throw .journalNotOpened(error.message)
        }
        throw noJournal
    }

    private static var noJournal: PartnerBookingError {
        .config("journal_path", "names a file that is no journal: move it away, or use another path")
    }

    private static func check(_ contents: JournalContents, _ settings: Settings) throws(PartnerBookingError) {
        if contents.isOfLaterVersion {
            throw .config("journal_path", "names a journal of a later version of this library: use that, or another path")
        }
        guard contents.isJournal else { throw noJournal }
        if let service = contents.service, service != settings.service {
            throw .config(
                "journal_path",
                "names the journal of another service (\(service)): each service needs a path of its own")
        }
    }
}
