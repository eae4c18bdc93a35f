import Testing

@testable import PartnerBooking

/// Whose words a 409 may be in: docs/errors.md, "When the service answers".
@Suite struct RefusalTests {
    /// The table of the documentation. Case, hyphens, underscores and blanks make no difference.
    static let slotConflicts = [
        "already_booked", "already_reserved", "appointment_conflict", "booking_conflict", "conflicting_appointment",
        "conflicting_booking",
        "double_booked", "double_booking", "no_longer_available", "not_available", "overlapping_booking",
        "schedule_conflict", "scheduling_conflict", "slot_already_booked", "slot_already_taken", "slot_booked",
        "slot_conflict", "slot_full", "slot_in_use", "slot_reserved", "slot_no_longer_available", "slot_not_available",
        "slot_occupied", "slot_taken",
        "slot_unavailable", "time_conflict", "time_not_available", "time_slot_not_available", "time_slot_taken",
        "time_slot_unavailable", "time_taken", "time_unavailable",
    ]

    private static func answer(_ code: String, status: Int = 409, _ headers: [String: String] = [:]) -> AttemptResult {
        AttemptSamples.judge(AttemptSamples.reply(status, AttemptSamples.refusal(code), headers))
    }

    @Test(arguments: slotConflicts)
    func aConflictAboutASlotIsOneInAnySpelling(_ code: String) throws {
        let words = code.split(separator: "_")
        let camel = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        for spelling in [
            code, code.uppercased(), camel, code.replacing("_", with: "-"), code.replacing("_", with: " "),
            code.replacing("_", with: "."), code.replacing("_", with: ""),
        ] {
            let attempt = Self.answer(spelling)
            let error = try #require(attempt.error)
            #expect(attempt.answer == .bookingRefused && !attempt.isRetryable, "\(spelling)")
            #expect(error.isSlotConflict && error.source == .platform && error.isFromService, "\(spelling)")
            #expect(error.code.rawValue == spelling, "the service's own words")
        }
    }

    /// Neither about the slot for certain, nor in progress: it is asked once more.
    @Test(arguments: [
        "conflict", "CONFLICT", "version_conflict", "slot", "unavailable", "slot_unavailable_now", "no_slot_unavailable",
        "slot_unavailablé", "idempotency_key_reused", "duplicate", "409", "slöt_taken",
        "slot_taken" + String(repeating: "_", count: 55), String(repeating: "x", count: 10_000),
    ])
    func anyOtherConflictIsNoneForCertain(_ code: String) throws {
        let attempt = Self.answer(code)
        let error = try #require(attempt.error)
        #expect(attempt.answer == .conflict && !error.isSlotConflict && error.source == .partnerAPI)
    }

    /// The longest code that is looked at.
    @Test func aCodeIsLookedAtUpToItsLimit() {
        #expect(Refusal.isSlotConflict("slot_taken" + String(repeating: "_", count: 54)))
        #expect(!Refusal.isSlotConflict("slot_taken" + String(repeating: "_", count: 55)))
        #expect(!Refusal.isSlotConflict(""))
    }

    /// A 409 without a code says nothing of the slot, whatever stands in it.
    @Test(arguments: [
        "", "{}", "<html>slot_unavailable</html>", #"{"error":"The slot is unavailable"}"#,
        #"{"error":{"message":"slot_unavailable"}}"#,
    ])
    func aConflictWithoutACodeIsNoneForCertain(_ body: String) {
        let attempt = AttemptSamples.judge(AttemptSamples.reply(409, body))
        #expect(attempt.answer == .conflict && attempt.error?.isSlotConflict == false)
        let later = AttemptSamples.judge(AttemptSamples.reply(409, body, ["Retry-After": "1"]))
        #expect(later.answer == .inProgress && later.retryAfterMilliseconds == 1_000)
    }

    /// A slot conflict is one, also where the service asks to wait: the words say more than the header.
    @Test func wordsAboutTheSlotComeBeforeTheHeader() {
        #expect(Self.answer("slot_taken", ["Retry-After": "1"]).answer == .bookingRefused)
        #expect(Self.answer("whatever", ["Retry-After": "soon"]).answer == .conflict, "a header without a meaning")
        #expect(Self.answer("whatever", ["Retry-After-Ms": "5"]).answer == .inProgress)
    }

    /// Elsewhere the same words are no slot conflict to the host.
    @Test(arguments: [400, 401, 404, 410, 422, 500])
    func onlyA409IsASlotConflict(_ status: Int) {
        #expect(Self.answer("slot_taken", status: status).error?.isSlotConflict == false)
    }

    // MARK: About the booking

    /// A 400, 404, 410 or 422 whose code names a part of the booking, and nothing that is checked before it.
    @Test(arguments: [
        "slot", "booking", "appointment", "time", "start", "hour", "closed", "past", "future", "date", "notice", "avail",
        "customer", "phone", "name", "email", "duration", "note", "payload", "validation", "field",
    ])
    func aCodeAboutTheBookingIsARefusalOfIt(_ word: String) {
        for status in [400, 404, 410, 422] {
            for code in [word, "invalid_\(word)", "INVALID_\(word.uppercased())", "\(word)sRefused"] {
                #expect(Self.answer(code, status: status).answer == .bookingRefused, "\(status) \(code)")
            }
        }
        for status in [401, 402, 403, 405, 413, 429] {
            #expect(Self.answer("invalid_\(word)", status: status).answer == .callerRefused, "\(status)")
        }
    }

    @Test(arguments: [
        "bot", "account", "webhook", "key", "signature", "token", "auth", "route", "path", "method", "version", "enabled",
        "config", "timestamp", "timeout",
    ])
    func aCodeAboutWhatComesBeforeIsARefusalOfTheCaller(_ word: String) {
        for status in [400, 404, 410, 422] {
            for code in [word, "booking_\(word)", "\(word.uppercased())_OF_BOOKING"] {
                #expect(Self.answer(code, status: status).answer == .callerRefused, "\(status) \(code)")
            }
        }
    }

    @Test(arguments: [400, 404, 410, 422])
    func withoutAWordAboutTheBookingItIsTheCallers(_ status: Int) {
        #expect(Self.answer("whatever", status: status).answer == .callerRefused)
        for body in ["", "<html>booking</html>", #"{"error":"The booking"}"#, #"{"error":{"message":"booking"}}"#] {
            #expect(AttemptSamples.judge(AttemptSamples.reply(status, body)).answer == .callerRefused)
        }
    }

    // MARK: Anything else

    /// For operations without a key there is nothing that could be in progress.
    @Test(arguments: [CallOperation.searchAvailability, .lookupCustomer])
    func otherOperationsAreNotRetriedAfterA409(_ operation: CallOperation) {
        let reply = AttemptSamples.reply(409, AttemptSamples.refusal("in_progress"), ["Retry-After": "1"])
        let attempt = AttemptSamples.judge(reply, operation)
        #expect(!attempt.isRetryable && attempt.error?.isRetryable == false)
        #expect(attempt.retryAfterMilliseconds == 1_000)
    }

    @Test func onlyA401TellsOfTheSignature() {
        for status in [400, 401, 403, 409, 500] {
            #expect(Self.answer("invalid_signature", status: status).isUnauthorized == (status == 401))
        }
        #expect(AttemptSamples.judge(AttemptSamples.reply(401, "")).isUnauthorized, "in whatever words")
    }
}
