import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// The codes of the core against the statuses of the header, as the header itself is written.
@Suite struct StatusTests {
    /// The statuses in include/partnerbooking.h: `PBK_TIMEOUT` and its number.
    static let header: [(name: String, status: pbk_status)] = {
        let path = String(#filePath.prefix(upTo: #filePath.range(ofLast: "/Tests/"))) + "/include/partnerbooking.h"
        let start = lines(of: path).drop { !$0.hasPrefix("typedef enum pbk_status") }
        return start.prefix { !$0.hasPrefix("} pbk_status;") }.compactMap { line in
            let words = line.split { " ,".contains($0) }
            guard line.hasPrefix("    PBK_"), words.count >= 3, words[1] == "=", let number = UInt32(words[2]) else {
                return nil
            }
            return (String(words[0]), pbk_status(rawValue: number))
        }
    }()

    /// Every static member of `Code`.
    static let codes: [PartnerBookingError.Code] = [
        .invalidArgument, .invalidClient, .clientClosed, .invalidConfig, .invalidJSON, .invalidField, .cancelled,
        .wouldDeadlock, .idempotencyKeyReused, .notRecorded, .unsupportedOperation, .unknownBot, .noWebhook, .accountChanged,
        .queueFull,
        .resourceUnavailable, .journalUnavailable,
        .journalLocked, .circuitOpen, .ledgerFull, .timeout, .dnsFailed, .connectFailed, .tlsFailed, .connectionLost,
        .proxyFailed, .addressRefused, .invalidReply, .replyTooLarge, .notConfirmed, .otherBooking, .inDoubt, .httpError,
    ]

    private func error(_ code: PartnerBookingError.Code, http status: Int? = nil, fromService: Bool = false) -> pbk_status {
        var error = PartnerBookingError(code, "", source: .library)
        error.status = status
        error.isFromService = fromService
        return error.pbkStatus
    }

    @Test func headerIsRead() {
        #expect(Self.header.count == 38)
        #expect(Self.header.first?.name == "PBK_OK")
        #expect(Self.header.first?.status == PBK_OK)
        #expect(Self.header.last?.status == PBK_SERVICE_FAILED)
        #expect(Set(Self.header.map(\.status.rawValue)).count == Self.header.count)
    }

    /// From 1 to 69 the status has the code's name, and every code of the library's own has a status.
    @Test func eachCodeHasTheStatusOfItsName() throws {
        let own = Self.header.filter { (1...69).contains($0.status.rawValue) }
        #expect(
            own.map(\.name).sorted()
                == Self.codes.filter { $0 != .httpError }.map { "PBK_\($0.rawValue.uppercased())" }.sorted())
        for (name, status) in own {
            let code = PartnerBookingError.Code(rawValue: String(name.dropFirst(4)).lowercased())
            #expect(error(code) == status, "\(name)")
            // An HTTP status that came with it (a reply that cannot be used) changes nothing.
            #expect(error(code, http: 201) == status, "\(name)")
            #expect(error(code, http: 401) == status, "\(name)")
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
            for code in Self.codes {
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
        let texts = try Self.header.map { String(cString: try #require(pbk_status_text($0.status))) }
        #expect(Set(texts).count == Self.header.count)
        #expect(texts.allSatisfy { !$0.isEmpty })
        let unknown = String(cString: try #require(pbk_status_text(pbk_status(rawValue: 999))))
        #expect(!texts.contains(unknown))
    }

    @Test(arguments: [15, 19, 26, 47, 65, 79, 85, 12_345, UInt32.max])
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
        for (_, status) in Self.header { #expect(pbk_status_text(status) == pbk_status_text(status)) }
    }
}

private func lines(of path: String) -> [Substring] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
}

extension String {
    fileprivate func range(ofLast text: String) -> String.Index {
        indices.last { self[$0...].hasPrefix(text) } ?? startIndex
    }
}
