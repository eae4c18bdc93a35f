import Testing

@testable import PartnerBooking

/// docs/json-contract.md: the members of a client whose bookings are in a store of the host's.
@Suite struct LedgerConfigurationTests {
    private static func refusal(_ text: RequestText, hasLedger: Bool = true) -> PartnerBookingError? {
        do throws(PartnerBookingError) {
            _ = try Configuration(json: text.bytes, hasLedger: hasLedger)
            return nil
        } catch {
            return error
        }
    }

    private static func read(_ text: RequestText) throws -> LedgerTraffic.Settings {
        try Configuration(json: text.bytes, hasLedger: true).hostLedger
    }

    @Test func theDefaultScopeIsThatOfAJournal() throws {
        let settings = try Self.read(ConfigurationSample.partner)
        #expect(settings.scope.contains("https://") && settings.scope.contains("/bookings"))
        #expect(settings.leaseMilliseconds == 15_000 && settings.takesOver && settings.timeoutMilliseconds == 2_000)
        #expect(try Self.read(ConfigurationSample.sandbox).scope == "sandbox")
    }

    @Test func everyMemberIsRead() throws {
        let text = ConfigurationSample.sandbox.setting("ledger_scope", #""clinics""#).setting("ledger_lease_ms", "2001")
            .setting("ledger_takes_over", "false").setting("journal_timeout_ms", "77").setting("journal_required", "false")
        let configuration = try Configuration(json: text.bytes, hasLedger: true)
        let settings = configuration.hostLedger
        #expect(settings.scope == "clinics" && settings.leaseMilliseconds == 2_001 && !settings.takesOver)
        #expect(settings.timeoutMilliseconds == 77 && configuration.policy.journalTimeoutMilliseconds == 77)
        #expect(!configuration.policy.isJournalRequired)
    }

    @Test func eachClientHasANameOfItsOwn() throws {
        let names = try (0..<20).map { _ in try Self.read(ConfigurationSample.sandbox).owner }
        #expect(Set(names).count == 20 && names.allSatisfy { $0.split(separator: ":").count >= 3 })
    }

    @Test(arguments: [
        ("ledger_scope", [#""""#, "1", "null", "\"" + String(repeating: "x", count: 201) + "\""]),
        ("ledger_lease_ms", ["1999", "600001", "-1", "2e3", #""2000""#, "null", "9223372036854775808"]),
        ("ledger_takes_over", ["1", #""true""#, "null"]), ("journal_timeout_ms", ["0", "60001"]),
    ])
    func otherValuesAreRefused(_ name: String, _ values: [String]) {
        for value in values {
            let error = Self.refusal(ConfigurationSample.sandbox.setting(name, value))
            #expect(error?.code == .invalidConfig && error?.field == name, "\(value)")
        }
    }

    @Test(arguments: [
        ("ledger_scope", ["\"" + String(repeating: "x", count: 200) + "\""]), ("ledger_lease_ms", ["2000", "600000"]),
    ])
    func theLimitsThemselvesAreAccepted(_ name: String, _ values: [String]) {
        for value in values { #expect(Self.refusal(ConfigurationSample.sandbox.setting(name, value)) == nil) }
    }

    /// Somebody expects of it what will not happen.
    @Test(arguments: [
        ("journal_path", #""/tmp/journal""#), ("journal_dir", #""/tmp/journals""#), ("resume_on_open", "true"),
        ("journal_max_bytes", "1048576"), ("journal_keeps_replies", "false"),
    ])
    func aJournalIsNotPossibleBesideIt(_ name: String, _ value: String) {
        let error = Self.refusal(ConfigurationSample.sandbox.setting(name, value))
        #expect(error?.code == .invalidConfig && error?.field == name)
        #expect(error?.message.contains("leave it out with a ledger") == true)
    }

    @Test(arguments: [("ledger_scope", #""s""#), ("ledger_lease_ms", "5000"), ("ledger_takes_over", "true")])
    func withoutALedgerItsMembersAreRefused(_ name: String, _ value: String) {
        let error = Self.refusal(ConfigurationSample.sandbox.setting(name, value), hasLedger: false)
        #expect(error?.code == .invalidConfig && error?.field == name)
        let journal = ConfigurationSample.sandbox.setting("journal_path", #""/tmp/journal""#)
        #expect(Self.refusal(journal.setting(name, value), hasLedger: false)?.field == name)
    }

    @Test(arguments: [("journal_timeout_ms", "50"), ("journal_required", "false")])
    func withoutEitherTheTimesOfAStoreAreRefused(_ name: String, _ value: String) {
        #expect(Self.refusal(ConfigurationSample.sandbox.setting(name, value), hasLedger: false)?.field == name)
        #expect(Self.refusal(ConfigurationSample.sandbox.setting(name, value)) == nil)
    }
}
