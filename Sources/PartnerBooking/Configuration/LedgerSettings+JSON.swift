import Glibc

extension LedgerTraffic.Settings {
    /// The members that `read` reads.
    static let members = ["ledger_scope", "ledger_lease_ms", "ledger_takes_over"] as [StaticString]

    /// Reads the members about the host's store. A missing member keeps its default.
    mutating func read(_ root: ObjectReader) throws(PartnerBookingError) {
        scope =
            try root.optionalString("ledger_scope", maxBytes: 200, Form.text1To200) { !$0.isEmpty && !$0.contains(0) }
            ?? scope
        leaseMilliseconds = try root.optionalInteger("ledger_lease_ms", in: 2_000...600_000) ?? leaseMilliseconds
        takesOver = try root.optionalBoolean("ledger_takes_over") ?? takesOver
    }

    /// Returns a unique name for this client: host and process for people, and a random number.
    static func newOwner() -> String {
        var name = [CChar](repeating: 0, count: 65)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var random = SystemRandomNumberGenerator()
        return "\(host):\(getpid()):\(String(random.next(), radix: 36))"
    }
}

extension Configuration {
    /// Refuses members of a journal or ledger that the client does not have, because the host
    /// expects them to work.
    static func refuseOtherLedger(_ root: ObjectReader, hasJournal: Bool, hasLedger: Bool) throws(PartnerBookingError) {
        let ofJournal = ["journal_path", "journal_dir", "resume_on_open"] + Journal.Settings.members
        for name in ofJournal where hasLedger {
            if try root.value(name) != nil { throw root.refuse(name, MemberMessage.notWithLedger) }
        }
        for name in LedgerTraffic.Settings.members where !hasLedger {
            if try root.value(name) != nil {
                throw root.refuse(name, MemberMessage.needsLedger)
            }
        }
        guard !hasJournal, !hasLedger else { return }
        for name in ["journal_required", "journal_timeout_ms", "resume_on_open"] + Journal.Settings.members {
            if try root.value(name) != nil { throw root.refuse(name, MemberMessage.needsJournal) }
        }
    }

    /// Opens the journal, if one is configured. Returns the journal and its bookings.
    func openJournal() throws(PartnerBookingError) -> (Journal?, [JournalEntry]) {
        guard let journal else { return (nil, []) }
        let (opened, entries) = try Journal.open(journal, mostHeard: ledger.settings.capacity)
        // If the journal is not required, a refused booking may have been sent again without a
        // record. The old record of the refusal then proves nothing.
        return (opened, policy.isJournalRequired ? entries : entries.filter { !$0.isRefused })
    }
}
