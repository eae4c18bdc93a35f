/// The end of a call as one value of a closed set: `pbk_status` in the header. The library's
/// own codes have one status each. Answers of a service, which may use any code, are sorted by
/// HTTP status.
package enum CallStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    case invalidArgument = 1
    case invalidClient = 2
    case clientClosed = 3
    case invalidConfig = 4
    case invalidJSON = 5
    case invalidField = 6
    case cancelled = 7
    case wouldDeadlock = 8
    case idempotencyKeyReused = 9
    case notRecorded = 10
    case unsupportedOperation = 11
    case unknownBot = 12
    case noWebhook = 13
    case accountChanged = 14
    case unknownTimeZone = 15
    case timeUnclear = 16
    case phoneUnclear = 17
    case queueFull = 20
    case resourceUnavailable = 21
    case journalUnavailable = 22
    case journalLocked = 23
    case circuitOpen = 24
    case ledgerFull = 25
    case timeout = 40
    case dnsFailed = 41
    case connectFailed = 42
    case tlsFailed = 43
    case connectionLost = 44
    case proxyFailed = 45
    case addressRefused = 46
    case invalidReply = 60
    case replyTooLarge = 61
    case notConfirmed = 62
    case otherBooking = 63
    case inDoubt = 64
    case unauthorized = 80
    case slotUnavailable = 81
    case refused = 82
    case rateLimited = 83
    case serviceFailed = 84

    /// The name in counters and logs, such as `slot_unavailable`.
    package var name: StaticString {
        switch self {
        case .ok: "ok"
        case .invalidArgument: "invalid_argument"
        case .invalidClient: "invalid_client"
        case .clientClosed: "client_closed"
        case .invalidConfig: "invalid_config"
        case .invalidJSON: "invalid_json"
        case .invalidField: "invalid_field"
        case .cancelled: "cancelled"
        case .wouldDeadlock: "would_deadlock"
        case .idempotencyKeyReused: "idempotency_key_reused"
        case .notRecorded: "not_recorded"
        case .unsupportedOperation: "unsupported_operation"
        case .unknownBot: "unknown_bot"
        case .noWebhook: "no_webhook"
        case .accountChanged: "account_changed"
        case .unknownTimeZone: "unknown_time_zone"
        case .timeUnclear: "time_unclear"
        case .phoneUnclear: "phone_unclear"
        case .queueFull: "queue_full"
        case .resourceUnavailable: "resource_unavailable"
        case .journalUnavailable: "journal_unavailable"
        case .journalLocked: "journal_locked"
        case .circuitOpen: "circuit_open"
        case .ledgerFull: "ledger_full"
        case .timeout: "timeout"
        case .dnsFailed: "dns_failed"
        case .connectFailed: "connect_failed"
        case .tlsFailed: "tls_failed"
        case .connectionLost: "connection_lost"
        case .proxyFailed: "proxy_failed"
        case .addressRefused: "address_refused"
        case .invalidReply: "invalid_reply"
        case .replyTooLarge: "reply_too_large"
        case .notConfirmed: "not_confirmed"
        case .otherBooking: "other_booking"
        case .inDoubt: "in_doubt"
        case .unauthorized: "unauthorized"
        case .slotUnavailable: "slot_unavailable"
        case .refused: "refused"
        case .rateLimited: "rate_limited"
        case .serviceFailed: "service_failed"
        }
    }

    package init(_ result: CallResult) {
        switch result {
        case .success: self = .ok
        case .failure(let error): self = error.callStatus
        }
    }
}

extension PartnerBookingError {
    package var callStatus: CallStatus {
        guard !isFromService, code != .httpError else { return serviceStatus }
        return switch code {
        case .invalidArgument: .invalidArgument
        case .invalidClient: .invalidClient
        case .clientClosed: .clientClosed
        case .invalidConfig: .invalidConfig
        case .invalidJSON: .invalidJSON
        case .invalidField: .invalidField
        case .cancelled: .cancelled
        case .wouldDeadlock: .wouldDeadlock
        case .idempotencyKeyReused: .idempotencyKeyReused
        case .notRecorded: .notRecorded
        case .unsupportedOperation: .unsupportedOperation
        case .unknownBot: .unknownBot
        case .noWebhook: .noWebhook
        case .accountChanged: .accountChanged
        case .unknownTimeZone: .unknownTimeZone
        case .timeUnclear: .timeUnclear
        case .phoneUnclear: .phoneUnclear
        case .queueFull: .queueFull
        case .journalUnavailable: .journalUnavailable
        case .journalLocked: .journalLocked
        case .circuitOpen: .circuitOpen
        case .ledgerFull: .ledgerFull
        case .timeout: .timeout
        case .dnsFailed: .dnsFailed
        case .connectFailed: .connectFailed
        case .tlsFailed: .tlsFailed
        case .connectionLost: .connectionLost
        case .proxyFailed: .proxyFailed
        case .addressRefused: .addressRefused
        case .invalidReply: .invalidReply
        case .replyTooLarge: .replyTooLarge
        case .notConfirmed: .notConfirmed
        case .otherBooking: .otherBooking
        case .inDoubt: .inDoubt
        default: .resourceUnavailable
        }
    }

    private var serviceStatus: CallStatus {
        switch status ?? 0 {
        case 401, 403: .unauthorized
        case 409 where isSlotConflict: .slotUnavailable
        case 429: .rateLimited
        case 300...499: .refused
        default: .serviceFailed
        }
    }
}
