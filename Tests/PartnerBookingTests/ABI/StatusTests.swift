import CPartnerBooking
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// The codes of the core against the statuses of the header, as the header itself is written. That every code has a status
/// is checked by Tests/python/test_one_source.py.
@Suite struct StatusTests {
    private func error(_ code: PartnerBookingError.Code, http status: Int? = nil, fromService: Bool = false) -> pbk_status {
        var error = PartnerBookingError(code, "", source: .library)
        error.status = status
        error.isFromService = fromService
        return error.pbkStatus
    }

    @Test func headerIsRead() {
        #expect(Header.statuses.first?.name == "PBK_OK")
        #expect(Header.statuses.first?.status == PBK_OK)
        #expect(Header.statuses.last?.status == PBK_SERVICE_FAILED)
        #expect(Set(Header.statuses.map(\.status.rawValue)).count == Header.statuses.count)
        #expect(Header.codes.count > 30)
    }

    /// From 1 to 69 the status has the code's name.
    @Test func eachCodeHasTheStatusOfItsName() throws {
        for (code, status) in Header.codes {
            #expect(error(code) == status, "\(code)")
            // An HTTP status that came with it (a reply that cannot be used) changes nothing.
            #expect(error(code, http: 201) == status, "\(code)")
            #expect(error(code, http: 401) == status, "\(code)")
        }
    }

    @Test func outcomesAreThoseOfTheErrors() {
        var error = PartnerBookingError.cancelled
        #expect(error.pbkOutcome == PBK_OUTCOME_NONE)
        let outcomes: [(PartnerBookingError.Outcome, pbk_outcome)] = [
            (.notSent, PBK_OUTCOME_NOT_SENT), (.rejected, PBK_OUTCOME_REJECTED), (.unknown, PBK_OUTCOME_UNKNOWN),
        ]
        for (outcome, expected) in outcomes {
            error.outcome = outcome
            #expect(error.pbkOutcome == expected)
        }
    }

    @Test func statusOfTheService() {
        func expected(_ http: Int) -> pbk_status {
            switch http {
            case 401, 403: PBK_UNAUTHORIZED
            case 429: PBK_RATE_LIMITED
            case 300...499: PBK_REFUSED
            default: PBK_SERVICE_FAILED
            }
        }
        for http in 300...599 {
            #expect(error(.init(rawValue: "some_code"), http: http, fromService: true) == expected(http), "\(http)")
            #expect(error(.httpError, http: http) == expected(http), "\(http)")
            // The service's words may be those of the library; it is the service all the same.
            for code in Header.codes.map(\.code) + [.httpError] {
                #expect(error(code, http: http, fromService: true) == expected(http), "\(code) \(http)")
            }
        }
    }

    @Test func takenSlot() {
        let taken = PartnerBookingError.Code(rawValue: "slot_unavailable")
        #expect(error(taken, http: 409, fromService: true) == PBK_SLOT_UNAVAILABLE)
        #expect(error(taken, http: 400, fromService: true) == PBK_REFUSED)
        #expect(error(taken, http: 401, fromService: true) == PBK_UNAUTHORIZED)
        #expect(error(taken, http: 500, fromService: true) == PBK_SERVICE_FAILED)
        #expect(error(.init(rawValue: "request_in_progress"), http: 409, fromService: true) == PBK_REFUSED)
        #expect(error(taken, http: 409) == PBK_RESOURCE_UNAVAILABLE, "not in the service's words")
    }

    /// A conflict is a conflict, in whatever words.
    @Test(arguments: ["slot_taken", "SLOT_UNAVAILABLE", "booking-conflict", "TimeSlotNotAvailable"])
    func takenSlotInOtherWords(_ code: String) {
        #expect(error(.init(rawValue: code), http: 409, fromService: true) == PBK_SLOT_UNAVAILABLE)
        #expect(error(.init(rawValue: code), http: 400, fromService: true) == PBK_REFUSED)
    }

    // MARK: Texts

    @Test func textsAreDistinct() throws {
        let texts = try Header.statuses.map { String(cString: try #require(pbk_status_text($0.status))) }
        #expect(Set(texts).count == Header.statuses.count)
        #expect(texts.allSatisfy { !$0.isEmpty })
        let unknown = String(cString: try #require(pbk_status_text(pbk_status(rawValue: 999))))
        #expect(!texts.contains(unknown))
    }

    @Test(arguments: [18, 19, 26, 47, 65, 79, 85, 12_345, UInt32.max])
    func unknownStatusHasAText(_ number: UInt32) throws {
        #expect(String(cString: try #require(pbk_status_text(pbk_status(rawValue: number)))) == "unknown status")
    }

    @Test func aFullLedgerHasItsNumberAndText() throws {
        #expect(PBK_LEDGER_FULL.rawValue == 25)
        #expect(PartnerBookingError.ledgerFull(5_000).pbkStatus == PBK_LEDGER_FULL)
        let text = String(cString: try #require(pbk_status_text(PBK_LEDGER_FULL)))
        #expect(text == "too many bookings of the service are in doubt or in flight")
    }

    @Test func textIsStatic() {
        for (_, status) in Header.statuses { #expect(pbk_status_text(status) == pbk_status_text(status)) }
    }
}
